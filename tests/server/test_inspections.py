"""Campaigns of inspections: committed to, drawn, recorded by who was drawn, counted with what is missing, and sealed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from yiwang.core.inspections.scoring import Outcome
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.server.assets.models import Component
from yiwang.server.assets.rows import cell_of
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import forget, runtime
from yiwang.server.facts import operations
from yiwang.server.inspections import history, queries
from yiwang.server.inspections.models import Campaign, Finding, InspectionEvent, Visit
from yiwang.server.inspections.planning import CampaignSaid, commit_to, draw_campaign, end_campaign
from yiwang.server.inspections.recording import ItemSaid, VisitSaid, open_cases, record_visit
from yiwang.server.people import operations as people
from yiwang.server.provision.operations import install_pack
from yiwang.server.scores.queries import scorecard

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
PEOPLE = ("ann", "bob", "cid")
TODAY = datetime.now(UTC).date()


@pytest.fixture
def city(mini: str, settings: Any, tmp_path: Path) -> str:
    settings.YIWANG_HOME = tmp_path
    for name in PEOPLE:
        people.create_person(
            username=name, password=None, name=name, name_en=name, city="mini", roles={"inspector": ("CTR-90", "")}
        )
    return mini


def said(**other: Any) -> CampaignSaid:
    given: dict[str, Any] = {
        "key": "march",
        "name": "三月检查",
        "name_en": "March",
        "checklist": "streets",
        "strata": "street",
        "total": 4,
        "inspectors": PEOPLE,
        "avoids": {},
        "team": 1,
        "second_share": 0.5,
        "begins": TODAY - timedelta(days=1),
        "ends": TODAY + timedelta(days=1),
    }
    return CampaignSaid(**{**given, **other})


@pytest.fixture
def drawn(city: str) -> Campaign:
    return draw_campaign(commit_to(runtime(city), said(), by="ann"), by="ann")


def picture() -> io.BytesIO:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(content, "JPEG")
    content.seek(0)
    return content


def found(dust: float | None = 5, litter: float | None = 0, stalls: float | None = 1, **other: Any) -> VisitSaid:
    photos = (picture(),) if litter and litter > 1 else ()
    answers = {
        "dust": ItemSaid(value=dust),
        "litter": ItemSaid(value=litter, note="by the gate" if photos else "", photos=photos),
        "stalls": ItemSaid(value=stalls),
    }
    return VisitSaid(**{"outcome": Outcome.DONE, "answers": answers, **other})


def who(visit: Visit) -> str:
    return str(visit.campaign.people[visit.inspectors[0]])


def test_what_is_committed_to_is_what_is_drawn(city: str) -> None:
    campaign = commit_to(runtime(city), said(), by="ann")
    assert (campaign.step, campaign.version, campaign.visits.count()) == ("committed", "2026", 0)
    assert len(bytes.fromhex(campaign.seed)) == 32
    campaign = draw_campaign(campaign, by="ann")
    visits = queries.visits_of(campaign)
    first = [visit for visit in visits if visit.turn == 1]
    assert len(first) == 4
    assert len(visits) - len(first) == 2
    assert queries.check_draw(campaign) == ()
    for visit in visits:
        assert set(visit.inspectors) <= set(campaign.people)
    teams = {visit.place: set(visit.inspectors) for visit in first}
    assert all(not teams[visit.place] & set(visit.inspectors) for visit in visits if visit.turn == 2)
    with pytest.raises(NotPossible):
        draw_campaign(campaign, by="ann")


def test_a_draw_that_was_tampered_with_is_found(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    other = next(code for code in drawn.people if code not in visit.inspectors)
    Visit.objects.filter(pk=visit.pk).update(inspectors=[other])
    assert len(queries.check_draw(drawn)) == 1
    Visit.objects.filter(pk=visit.pk).update(inspectors=visit.inspectors)
    again = drawn.visits.filter(turn=2)[0]
    again.delete()
    assert len(queries.check_draw(drawn)) == 1
    drawn.plan["team"] = 2
    assert "commitment does not fit" in queries.check_draw(drawn)[0].message.en


def test_anybody_can_check_a_draw_on_the_command_line(
    drawn: Campaign, run: Callable[..., Result], tmp_path: Path
) -> None:
    plan, visits = tmp_path / "plan.json", tmp_path / "visits.json"
    plan.write_text(json.dumps(queries.public_plan(drawn)))
    visits.write_text(json.dumps(queries.public_visits(drawn)))
    check = ("inspect", "verify", plan, visits, "--seed", drawn.seed, "--published")
    assert run(*check, drawn.commitment).exit_code == 0
    assert run(*check, "0" * 64).exit_code == 1


@pytest.mark.parametrize(
    ("other", "column"),
    [
        ({"key": "März"}, "key"),
        ({"name": " "}, "name"),
        ({"checklist": "roofs"}, "checklist"),
        ({"begins": date(2020, 1, 1), "ends": date(2019, 1, 1)}, "ends"),
        ({"strata": "galaxy"}, "strata"),
        ({"strata": "community", "total": 0}, "total"),
        ({"second_share": 1.5}, "second_share"),
        ({"inspectors": ()}, "inspectors"),
        ({"inspectors": ("nobody",)}, "inspectors"),
    ],
)
def test_a_plan_that_cannot_be_is_said_at_its_field(city: str, other: dict[str, Any], column: str) -> None:
    with pytest.raises(BadInput) as refused:
        commit_to(runtime(city), said(**other), by="ann")
    assert column in [problem.column for problem in refused.value.problems]
    assert not Campaign.objects.exists()


def test_a_key_is_taken_once_and_a_team_must_be_free(city: str) -> None:
    commit_to(runtime(city), said(), by="ann")
    with pytest.raises(Conflict):
        commit_to(runtime(city), said(), by="ann")
    stratum = next(iter(Campaign.objects.get().plan["sample"]))
    with pytest.raises(BadInput, match="inspectors may go"):
        commit_to(runtime(city), said(key="april", team=3, avoids={"ann": (stratum,)}), by="ann")


def test_a_public_number_is_mixed_in(city: str) -> None:
    campaign = commit_to(runtime(city), said(beacon="lottery of 2 December"), by="ann")
    with pytest.raises(BadInput, match="public number"):
        draw_campaign(campaign, by="ann")
    assert queries.check_draw(draw_campaign(campaign, beacon="4711", by="ann")) == ()


def test_a_visit_is_recorded_by_who_was_drawn_and_once(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    stranger = next(name for name in PEOPLE if name != who(visit))
    with pytest.raises(NotAllowed):
        record_visit(visit, found(), username=stranger)
    kept = record_visit(visit, found(dust=10, litter=2), username=who(visit))
    assert (kept.outcome, kept.score) == ("done", 70)
    assert record_visit(visit, found(dust=10, litter=2), username=who(visit)).recorded_at == kept.recorded_at
    with pytest.raises(Conflict):
        record_visit(visit, found(), username=who(visit))
    assert visit.findings.get(item="litter").photos.count() == 1


def test_what_is_missing_is_said_and_nothing_is_kept(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    with pytest.raises(BadInput, match="not answered"):
        record_visit(visit, VisitSaid(outcome=Outcome.DONE, answers={"dust": ItemSaid(value=1)}), username=who(visit))
    with pytest.raises(BadInput, match="not inspected"):
        record_visit(visit, found(outcome=Outcome.REFUSED), username=who(visit))
    visit.refresh_from_db()
    assert (visit.outcome, Finding.objects.count()) == ("", 0)


def test_visits_are_within_the_days_and_until_the_end(city: str, drawn: Campaign) -> None:
    early = said(key="next", begins=TODAY + timedelta(days=3), ends=TODAY + timedelta(days=4))
    later = draw_campaign(commit_to(runtime(city), early, by="ann"), by="ann")
    visit = later.visits.filter(turn=1)[0]
    with pytest.raises(NotPossible, match="days of this inspection"):
        record_visit(visit, found(), username=who(visit))
    assert end_campaign(drawn, by="ann").step == "closed"
    visit = Visit.objects.filter(campaign=drawn, turn=1)[0]
    with pytest.raises(NotPossible, match="not under way"):
        record_visit(visit, found(), username=who(visit))
    with pytest.raises(NotPossible):
        end_campaign(drawn, by="ann")


def test_what_is_not_met_opens_one_case_of_each_category_with_its_photos(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    place = runtime("mini")
    record_visit(visit, found(dust=10, litter=4, stalls=0), username=who(visit))
    assert open_cases() == 2
    assert open_cases() == 0
    cases = {case.category: case for case in Case.objects.all()}
    assert set(cases) == {"02001", "02002"}
    litter = cases["02001"]
    assert (litter.source, litter.region.startswith(visit.place)) == ("inspector", True)
    assert "可见垃圾（处）（4）：by the gate" in litter.text
    assert litter.photos.count() == 1
    assert litter.step in place.rules.workflow.steps
    held = dict(visit.findings.values_list("item", "case"))
    assert held == {"dust": "", "litter": litter.number, "stalls": cases["02002"].number}


def test_a_second_visit_opens_nothing_and_says_how_far_two_agree(drawn: Campaign) -> None:
    for again in drawn.visits.filter(turn=2):
        first = drawn.visits.get(turn=1, place=again.place)
        record_visit(first, found(), username=who(first))
        record_visit(again, found(litter=2), username=who(again))
    assert open_cases() == 0
    alike = queries.agreement_of(drawn)
    assert alike is not None
    assert (alike.pairs, alike.share) == (6, 4 / 6)


def test_results_count_what_is_missing_as_missing(drawn: Campaign) -> None:
    visits = list(drawn.visits.filter(turn=1))
    for number, visit in enumerate(visits[:-1]):
        record_visit(visit, found(dust=10) if number else found(), username=who(visit))
    record_visit(visits[-1], VisitSaid(outcome=Outcome.REFUSED, note="closed gate"), username=who(visits[-1]))
    everything, *strata = queries.results_of(drawn)
    assert (everything.drawn, everything.outcomes) == (4, {"done": 3, "refused": 1})
    assert everything.response == 0.75
    assert everything.estimate is not None
    assert 80 < everything.estimate.value < 100
    assert sum(one.drawn for one in strata) == 4
    assert everything.silent == sum(one.estimate is None for one in strata)
    assert sum(one.places for one in strata) == everything.places
    assert queries.failures_of(drawn)[0] == ("dust", 2, 3)


def test_components_of_a_class_can_be_drawn(city: str) -> None:
    for number in range(3):
        Component.objects.create(
            city="mini", code=f"90010101001000{number:02}", kind="01001", lon=120.003, lat=31.003,
            cell=int(cell_of(120.003, 31.003)), region="9001",
        )  # fmt: skip
    place = runtime(city)
    covers = replace(place.pack.checklists[1], id="covers", level="", component="01001")
    place = replace(place, pack=replace(place.pack, checklists=(covers,)))
    campaign = commit_to(place, said(checklist="covers", strata="street", total=2), by="ann")
    assert len(campaign.plan["places"]) == 3


def test_the_phone_says_how_far_away_it_was(drawn: Campaign) -> None:
    near, far = drawn.visits.filter(turn=1)[:2]
    outlines = [runtime("mini").regions[visit.place].geometry for visit in (near, far)]
    assert outlines[0] is not None
    assert outlines[1] is not None
    inside = outlines[0].representative_point()
    assert record_visit(near, found(lon=inside.x, lat=inside.y), username=who(near)).distance == 0
    west, middle = outlines[1].bounds[0], outlines[1].representative_point()
    kept = record_visit(far, found(lon=west - 0.01, lat=middle.y), username=who(far))
    assert kept.distance is not None
    assert 900 < kept.distance < 1100


def test_history_is_a_chain_and_says_where_it_was_broken(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    record_visit(visit, found(), username=who(visit))
    end_campaign(drawn, by="ann")
    assert list(InspectionEvent.objects.values_list("kind", flat=True)) == ["committed", "drawn", "visited", "closed"]
    assert history.broken("mini") is None
    first = InspectionEvent.objects.get(kind="drawn")
    first.said["seed"] = "00" * 32
    first.save()
    assert history.broken("mini") == first.pk


def test_my_visits_are_those_to_do_first(drawn: Campaign) -> None:
    name = who(drawn.visits.filter(turn=1)[0])
    mine = queries.visits_for(city="mini", username=name)
    assert mine
    assert all(name in {drawn.people[code] for code in visit.inspectors} for visit in mine)
    record_visit(mine[0], found(), username=name)
    assert queries.visits_for(city="mini", username=name)[-1].pk == mine[0].pk
    assert queries.visits_for(city="mini", username="nobody") == []


INDICATORS = """
[[indicator]]
id = "street_score"
table = "inspections"
name = "检查得分"
name_en = "Inspection score"
meaning = "检查的平均得分"
meaning_en = "Mean score of inspections"
numerator = "sum(earned)"
denominator = "sum(could_earn)"
filter = "checklist == 'streets'"
unit = "percent"
direction = "up"
basis = "visited"
source = "test"
confidence = "test"
"""


@pytest.mark.django_db(transaction=True)
def test_inspections_are_counted_by_indicators(settings: Any, tmp_path: Path) -> None:
    settings.YIWANG_HOME, city = tmp_path / "home", "inspected"  # not the toy city, whose installation other tests keep
    pack = Path(copytree(MINI, tmp_path / "pack"))
    about = pack / "pack.toml"
    about.write_text(about.read_text(encoding="utf-8").replace('id = "mini"', f'id = "{city}"', 1), encoding="utf-8")
    with (pack / "indicators.toml").open("a", encoding="utf-8") as file:
        file.write(INDICATORS)
    install_pack(pack)
    for name in PEOPLE:
        people.create_person(
            username=name, password=None, name=name, name_en=name, city=city, roles={"inspector": ("CTR-90", "")}
        )
    campaign = draw_campaign(commit_to(runtime(city), said(), by="ann"), by="ann")
    first, second, *rest = campaign.visits.filter(turn=1)
    record_visit(first, found(), username=who(first))
    record_visit(second, found(dust=15), username=who(second))
    record_visit(rest[0], VisitSaid(outcome=Outcome.MISSING), username=who(rest[0]))
    for table in ("cases", "inspections"):
        operations.rebuild(city=city, table=table)
    card = scorecard(place=runtime(city), by=("city",), indicators=("street_score",))
    ((cell),) = [row.cells["street_score"] for row in card.rows]
    whole = first.weight * 100 + second.weight * 60
    assert cell.value == pytest.approx(whole / (first.weight + second.weight), abs=0.01)
    forget()


def test_the_latest_inspection_comes_first(city: str) -> None:
    for key, days in (("b", 2), ("a", 0), ("c", 5)):
        begins = TODAY - timedelta(days=days)
        commit_to(runtime(city), said(key=key, begins=begins), by="ann")
    assert [one.key for one in queries.campaigns_of(city)] == ["a", "b", "c"]
