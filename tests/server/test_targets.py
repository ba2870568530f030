"""Target letters: drafted, handed down, issued, signed by two, and how far a unit is."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from django.test import Client
from tests.server.test_inventory import client_of
from tests.server.test_lists import person
from tests.server.test_scores import MONDAY, lived, refresh, scored
from tests.server.threads import at_once, skip_without_shared_database

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.server.cities import queries as places
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.people.models import User
from yiwang.server.scores import queries as scores
from yiwang.server.targets import drafting, pades, queries
from yiwang.server.targets.bulletin import bulletin_of
from yiwang.server.targets.drafting import Typed
from yiwang.server.targets.models import Letter, TargetEvent
from yiwang.server.targets.progress import Months
from yiwang.server.targets.signing import sign_letter

__all__ = ["lived", "scored"]
RATE = Typed(indicator="filing_rate", target=80, baseline=75, milestones={3: 70, 6: 75})
HOURS = Typed(indicator="handle_hours", target=24)


def drafted(unit: str = "90", *items: Typed, **more: Any) -> Letter:
    said = {"year": 2026, "owner": "王主任", "by": "maker", **more}
    return drafting.draft(runtime("mini"), unit=unit, items=items or (RATE, HOURS), **said)


def issued(unit: str = "90", *items: Typed, **more: Any) -> Letter:
    return drafting.issue(runtime("mini"), drafted(unit, *items, **more), by="maker")


def signers() -> tuple[User, User]:
    found = [User.objects.filter(username=name).first() for name in ("judge", "head")]
    if found[0] and found[1]:
        return found[0], found[1]
    return person("judge", leader=("", "")), person("head", dispatcher=("CTR-90", ""))


def in_force(unit: str = "90", *items: Typed, **more: Any) -> Letter:
    place, made = runtime("mini"), issued(unit, *items, **more)
    judge, head = signers()
    if unit != "90":
        head = person(f"head-{unit}-{made.version}", dispatcher=("", unit))
    sign_letter(place, made, side="assessor", user=judge)
    return sign_letter(place, made, side="unit", user=head)


# --- steps and roles --------------------------------------------------------------------------------------------------


def test_two_people_sign_and_it_is_in_force(mini: str) -> None:
    made = in_force()
    assert made.step == "in_force"
    assert [one.kind for one in TargetEvent.objects.all()] == ["drafted", "issued", "signed", "signed", "in_force"]
    assert [(one.side, one.by) for one in made.signatures.all()] == [("assessor", "judge"), ("unit", "head")]
    assert queries.broken("mini") is None
    place = runtime("mini")
    late: list[Callable[[], object]] = [
        partial(drafting.drop, made, by="x"),
        partial(drafting.issue, place, made, by="x"),
        partial(drafting.change, place, made, owner="x", items=[RATE], by="x"),
        partial(sign_letter, place, made, side="unit", user=signers()[1]),
    ]
    for act in late:
        with pytest.raises(NotPossible):
            act()


def test_only_who_may_signs_and_nobody_for_both(mini: str) -> None:
    place, made = runtime("mini"), issued("9001")
    judge, _ = signers()
    strangers = [
        person("other", dispatcher=("", "9002")),  # of another street
        person("part", dispatcher=("", "900101")),  # of a part of it
        person("above", dispatcher=("", "")),  # of the whole city
        person("crew", handler=("SWEEP-9001", "9001")),  # does the work, answers for no deadline
    ]
    for stranger in strangers:
        for side in ("assessor", "unit", "nobody"):
            with pytest.raises(NotAllowed):
                sign_letter(place, made, side=side, user=stranger)
    both = person("both", administrator=("", ""), dispatcher=("CTR-9001", ""))
    sign_letter(place, made, side="unit", user=both)
    with pytest.raises(NotAllowed, match="both sides"):
        sign_letter(place, made, side="assessor", user=both)
    with pytest.raises(Conflict):
        sign_letter(place, made, side="unit", user=judge)
    assert Letter.objects.get(pk=made.pk).step == "issued"
    sign_letter(place, made, side="assessor", user=judge)
    assert Letter.objects.get(pk=made.pk).step == "in_force"


def test_a_letter_in_force_is_replaced_with_reasons(mini: str) -> None:
    first = in_force()
    with pytest.raises(BadInput, match="say why"):
        drafted("90", replace(RATE, target=70))
    second = in_force("90", replace(RATE, target=70), reasons="A district was split.")
    first.refresh_from_db()
    assert (first.step, second.step, second.version) == ("replaced", "in_force", 2)
    assert [one.step for one in queries.versions_of("mini", 2026, "90")] == ["in_force", "replaced"]
    assert TargetEvent.objects.get(kind="replaced").said == {"version": 2, "reasons": "A district was split."}


def test_one_letter_is_open_at_a_time(mini: str) -> None:
    made = drafted()
    with pytest.raises(Conflict):
        drafted()
    drafting.drop(made, by="maker")
    assert drafted().version == 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"unit": "nowhere"}, "unit"),
        ({"year": 26}, "year"),
        ({"owner": "  "}, "owner"),
        ({"items": []}, "target"),
        ({"items": [replace(RATE, target=101)]}, "filing_rate"),
        ({"items": [Typed(indicator="intake", target=5)]}, "intake"),  # neither good nor bad
        ({"items": [Typed(indicator="nothing", target=5)]}, "nothing"),
    ],
)
def test_what_cannot_be_drafted_is_said(mini: str, said: dict[str, Any], field: str) -> None:
    whole = {"unit": "90", "year": 2026, "owner": "x", "items": [RATE], "by": "maker", **said}
    with pytest.raises(BadInput) as error:
        drafting.draft(runtime("mini"), **whole)
    assert [one.column for one in error.value.problems] == [field]
    assert not Letter.objects.exists()


def test_a_draft_is_changed_and_the_history_says_so(mini: str) -> None:
    made = drafting.change(runtime("mini"), drafted(), owner="李主任", items=[HOURS], by="maker")
    assert [one.indicator for one in made.items.all()] == ["handle_hours"]
    first = TargetEvent.objects.get(kind="drafted")
    assert first.said["items"][0][:3] == ["filing_rate", 75, 80]
    TargetEvent.objects.filter(pk=first.pk).update(said={**first.said, "owner": "x"})
    assert queries.broken("mini") == first.pk


# --- handing down -----------------------------------------------------------------------------------------------------


@pytest.fixture
def counting(mini: str, monkeypatch: pytest.MonkeyPatch) -> CityRuntime:
    """The toy city where fewer reports are better, so that there is a count to promise."""
    place = runtime("mini")
    found = place.pack.indicators
    better = tuple(replace(one, direction="down") if one.id == "intake" else one for one in found.indicators)
    pack = replace(place.pack, indicators=replace(found, indicators=better))
    changed = replace(place, pack=pack)
    monkeypatch.setitem(places._installed.runtimes, "mini", changed)
    assert runtime("mini") is changed
    return changed


def test_what_is_handed_down_sums_to_the_letter_above(counting: CityRuntime) -> None:
    above = issued("90", Typed(indicator="intake", target=101, milestones={6: 50}), RATE)
    made = drafting.hand_down(counting, above, owners={"9001": "甲", "9002": "乙"}, by="maker")
    assert {one.unit: one.items.get(indicator="intake").target for one in made} == {"9001": 51, "9002": 50}
    assert sum(one.items.get(indicator="intake").milestones["6"] for one in made) == 50
    assert {one.items.get(indicator="filing_rate").target for one in made} == {80}
    assert drafting.sums_of(counting, made[0]) == []
    low = [Typed(indicator="intake", target=40), RATE]
    drafting.change(counting, made[1], owner="乙", items=low, by="maker")
    with pytest.raises(BadInput, match="sum to 91, above it is 101"):
        drafting.issue(counting, made[0], by="maker")
    drafting.change(counting, made[1], owner="乙", items=[Typed(indicator="intake", target=50), RATE], by="maker")
    assert drafting.issue(counting, made[0], by="maker").step == "issued"
    drafting.drop(made[1], by="maker")
    assert "has no letter yet" in str(drafting.sums_of(counting, made[0])[0])
    (again,) = drafting.hand_down(counting, above, owners={}, by="maker")
    assert again.unit == "9002"
    with pytest.raises(BadInput, match="who answers"):
        drafting.issue(counting, again, by="maker")


def test_a_new_version_answers_to_the_letter_above(counting: CityRuntime) -> None:
    above = in_force("90", Typed(indicator="intake", target=100))
    owners = {"9001": "甲", "9002": "乙"}
    first, second = drafting.hand_down(counting, above, owners=owners, by="maker")
    judge, _ = signers()
    for one in (first, second):
        drafting.issue(counting, one, by="maker")
        sign_letter(counting, one, side="assessor", user=judge)
        sign_letter(counting, one, side="unit", user=person(f"head-{one.unit}", dispatcher=("", one.unit)))
    less = drafted("9001", Typed(indicator="intake", target=40), reasons="fewer people live there")
    assert less.parent == above
    with pytest.raises(BadInput, match="sum to 90"):
        drafting.issue(counting, less, by="maker")
    more = drafted("9002", Typed(indicator="intake", target=60), reasons="more people live there")
    drafting.issue(counting, less, by="maker")
    # what it was checked against is dropped: then it does not come into force
    sign_letter(counting, less, side="assessor", user=judge)
    drafting.drop(more, by="maker")
    with pytest.raises(BadInput, match="sum to 90"):
        sign_letter(counting, less, side="unit", user=User.objects.get(username="head-9001"))
    in_force("90", Typed(indicator="intake", target=90), reasons="less for all")
    assert "replaced or dropped" in str(drafting.sums_of(counting, Letter.objects.get(pk=less.pk))[0])


def test_a_draft_is_not_handed_down_and_nothing_below_nothing(mini: str) -> None:
    place = runtime("mini")
    with pytest.raises(NotPossible, match="Issue this letter first"):
        drafting.hand_down(place, drafted(), owners={}, by="maker")
    with pytest.raises(NotPossible, match="no regions below"):
        drafting.hand_down(place, issued("900101"), owners={}, by="maker")


@pytest.mark.django_db(transaction=True)
def test_rates_are_weighed_by_what_the_regions_had(scored: str) -> None:
    place = runtime(scored)
    above = issued("90", RATE)
    west, east = drafting.hand_down(place, above, owners={"9001": "甲", "9002": "乙"}, by="maker")
    # 3 reports in the west, 1 in the east: 79 and 90 make 81.75, 70 and 90 make 75
    for target, faults in ((79.0, 0), (70.0, 1)):
        drafting.change(place, west, owner="甲", items=[replace(RATE, target=target, milestones={})], by="maker")
        drafting.change(place, east, owner="乙", items=[replace(RATE, target=90)], by="maker")
        assert len(drafting.sums_of(place, west)) == faults


# --- races ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_one_side_at_once(mini: str) -> None:
    skip_without_shared_database()
    place, made = runtime("mini"), issued()
    people = [person(f"head{number}", dispatcher=("CTR-90", "")) for number in range(4)]
    answers = at_once(
        *(partial(sign_letter, place, made, side="unit", user=one) for one in people), expected=(Conflict,)
    )
    assert sum(isinstance(one, Letter) for one in answers) == 1
    assert sum(isinstance(one, Conflict) for one in answers) == 3
    held = Letter.objects.get(pk=made.pk)
    assert held.file is not None
    assert len(pades.signatures_in(bytes(held.file))) == held.signatures.count() == 1


@pytest.mark.django_db(transaction=True)
def test_both_sides_sign_at_once(mini: str) -> None:
    skip_without_shared_database()
    place, made = runtime("mini"), issued()
    sides = zip(("assessor", "unit"), signers(), strict=True)
    answers = at_once(*(partial(sign_letter, place, made, side=side, user=user) for side, user in sides))
    assert all(isinstance(one, Letter) for one in answers)
    held = Letter.objects.get(pk=made.pk)
    assert held.file is not None
    assert held.step == "in_force"
    assert all(one.holds for one in pades.signatures_in(bytes(held.file)))


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_has_two_signatures_that_hold(mini: str) -> None:
    content = queries.file_of(in_force())
    assert content is not None
    first, second = pades.signatures_in(content)
    assert (first.field, second.field) == ("assessor", "unit")
    assert (first.name, second.name) == ("judge", "head")
    assert first.holds
    assert second.holds
    assert b"/ETSI.CAdES.detached" in content


def test_a_changed_byte_is_found(mini: str) -> None:
    content = queries.file_of(in_force())
    assert content is not None
    at = content.index(b"stream") + 20
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert not any(one.unchanged for one in pades.signatures_in(changed))
    # what is put after it is found too, though it changes no signed byte
    longer = pades.signatures_in(content + b"\n% added\n")
    assert not all(one.unchanged for one in longer)


def test_a_page_put_over_it_later_is_found(mini: str) -> None:
    from io import BytesIO

    from pyhanko.pdf_utils.generic import pdf_name
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    content = queries.file_of(in_force())
    assert content is not None
    writer = IncrementalPdfFileWriter(BytesIO(content))
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Rotate")] = writer.root["/Pages"]["/Count"]
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    assert not any(one.unchanged for one in pades.signatures_in(out.getvalue()))


def test_somebody_elses_key_is_not_ours(mini: str, settings: Any, tmp_path: Path) -> None:
    content = queries.file_of(in_force())
    assert content is not None
    settings.YIWANG_HOME = tmp_path
    found = pades.signatures_in(content)
    assert all(one.unchanged and not one.ours and not one.holds for one in found)
    assert pades.signatures_in(content, trusted=found[0].certificate)[0].holds


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    """A data folder without a key."""
    settings.YIWANG_HOME = tmp_path
    return tmp_path


def test_the_key_is_made_once_and_its_owners_own(home: Path) -> None:
    assert pades.own_certificate() == pades.own_certificate()
    key = home / pades.KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [one.name for one in home.iterdir()] == [key.name]


def test_a_key_may_be_given(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = pades.own_certificate()
    other = home / "other.p12"
    other.write_bytes(pades._new_key())
    monkeypatch.setenv(pades.KEY_SETTING, str(other))
    assert pades.own_certificate() != own
    monkeypatch.setenv(pades.KEY_SETTING, str(home / "none.p12"))
    with pytest.raises(BadInput, match="signing key"):
        pades.own_certificate()


@pytest.mark.parametrize("content", [b"", b"no pdf", b"%PDF-1.4\n%%EOF"])
def test_what_is_no_pdf_is_said(mini: str, content: bytes) -> None:
    with pytest.raises(BadInput, match="no PDF"):
        pades.signatures_in(content)


# --- progress ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_figures_are_those_of_the_score(scored: str) -> None:
    place = runtime(scored)
    ids = list(drafting.wanted_indicators(place))
    months = Months(place, year=2026, indicators=ids, levels=["city", "street"])
    for level in ("city", "street"):
        card = scores.scorecard(place=place, by=(level, "year"), indicators=ids)
        seen = 0
        for row in card.rows:
            for id, cell in row.cells.items():
                if row.keys[level] and row.keys["year"] == "2026":
                    assert months.of_year(row.keys[level], id) == cell
                    seen += cell.value is not None
        assert seen > 5


@pytest.mark.django_db(transaction=True)
def test_progress_and_light(scored: str, lived: Callable[..., str]) -> None:
    for month in range(1, 6):
        lived(at=MONDAY + timedelta(days=30 * month), lon=120.013, lat=31.003)
    refresh(at=datetime(2026, 9, 10, tzinfo=UTC))
    place = runtime(scored)
    made = in_force(
        "90", replace(RATE, target=50, milestones={3: 99, 9: 60}), Typed(indicator="satisfaction_rate", target=80)
    )
    months = Months(place, year=2026, indicators=["filing_rate", "satisfaction_rate"], levels=["city"])
    assert months.done == 8
    light, (rate, stars) = queries.standing(made, months)
    assert rate.value is not None
    assert rate.forecast is not None
    assert rate.forecast.low <= rate.forecast.value <= rate.forecast.high <= 100
    march, september = rate.milestones
    assert (march.reached, march.value) == (False, months.of_year("90", "filing_rate", through=3).value)  # type: ignore[union-attr]
    assert (september.reached, september.value) == (None, None)
    assert (stars.value, stars.forecast, stars.light) == (None, None, "grey")
    assert light in ("green", "grey", "amber")
    assert (
        Months(place, year=2027, indicators=["filing_rate"], levels=["city"]).progress("90", made.items.all()[0]).light
        == "grey"
    )
    parts = {part["id"]: len(part["rows"]) for part in bulletin_of(place, 2026).parts}
    assert parts["unknown"] == 1
    assert sum(parts.values()) == 2


def test_nothing_counted_is_no_data(mini: str) -> None:
    made = in_force()
    light, found = queries.standing(
        made, Months(runtime("mini"), year=2026, indicators=["filing_rate"], levels=["city"])
    )
    assert light == "grey"
    assert {one.value for one in found} == {None}


# --- pages ------------------------------------------------------------------------------------------------------------


def test_drafts_are_for_staff_and_letters_in_force_for_everybody(mini: str) -> None:
    made = issued()
    stranger, staff = Client(headers={"accept-language": "en"}), client_of("staff", dispatcher=("", "9001"))
    paths = ["/mini/targets/2026/90", f"/mini/targets/letters/{made.pk}/file"]
    for path in paths:
        assert stranger.get(path).status_code == 404
        assert staff.get(path).status_code == 200
    assert "/mini/targets/2026/90" not in stranger.get("/mini/targets?year=2026").content.decode()
    assert "To be signed" in staff.get("/mini/targets?year=2026").content.decode()
    judge, head = signers()
    sign_letter(runtime("mini"), made, side="assessor", user=judge)
    sign_letter(runtime("mini"), made, side="unit", user=head)
    for path in [*paths, "/mini/targets?year=2026", "/mini/targets/2026/bulletin"]:
        assert stranger.get(path).status_code == 200
    assert "Filing rate" in stranger.get("/mini/targets/2026/bulletin").content.decode()
    assert "History" not in stranger.get(paths[0]).content.decode()
    assert stranger.get("/mini/targets/2026/bulletin/file").content.startswith(b"%PDF")


def test_the_whole_way_on_pages(mini: str) -> None:
    maker, head = client_of("maker", administrator=("", "")), client_of("head", dispatcher=("CTR-90", ""))
    assert Client().get("/mini/targets/new")["Location"].startswith("/sign-in")
    assert head.get("/mini/targets/new").status_code == 403
    assert maker.get("/mini/targets/new").status_code == 200
    assert maker.get("/mini/targets/new?region=&region_words=nowhere&year=2026").status_code == 422
    form = maker.get("/mini/targets/new?region=90&year=2026").content.decode()
    assert "On-time closing" in form
    assert 'name="target-intake"' not in form
    said = {"region": "90", "year": "2026", "owner": "<b>Wang</b>", "target-filing_rate": "eighty"}
    wrong = maker.post("/mini/targets/new", said)
    assert wrong.status_code == 422
    assert "is no number" in wrong.content.decode()
    maker.post("/mini/targets/new", {**said, "target-filing_rate": "80", "m3-filing_rate": "70"})
    made = Letter.objects.get()
    assert made.items.get().milestones == {"3": 70}
    path, own = "/mini/targets/2026/90", f"/mini/targets/letters/{made.pk}"
    assert "&lt;b&gt;Wang" in maker.get(path).content.decode()
    assert 'value="80"' in maker.get(f"{own}/change").content.decode()
    maker.post(f"{own}/change", {"owner": "Wang", "target-filing_rate": "81"})
    for denied in ("change", "issue", "drop", "hand-down"):
        assert head.post(f"{own}/{denied}").status_code == 403
    maker.post(f"{own}/issue")
    assert f"{own}/sign" in head.get(path).content.decode()
    head.post(f"{own}/sign", {"side": "assessor"})
    assert not made.signatures.exists()
    head.post(f"{own}/sign", {"side": "unit"})
    maker.post(f"{own}/sign", {"side": "assessor"})
    made.refresh_from_db()
    assert (made.step, made.items.get().target) == ("in_force", 81)
    text = head.get(path).content.decode()
    assert "Signed: the letter is in force." in text or "In force" in text
    assert "Draft a new version" in maker.get(path).content.decode()
    maker.post(f"{own}/hand-down")
    assert set(Letter.objects.filter(parent=made).values_list("unit", flat=True)) == {"9001", "9002"}


def test_pages_cost_as_many_queries_however_many_letters(mini: str, django_assert_max_num_queries: Any) -> None:
    for unit in ("90", "9001", "9002"):
        in_force(unit)
    client = Client()
    for path in ("/mini/targets?year=2026", "/mini/targets/2026/bulletin", "/mini/targets/2026/90"):
        client.get(path)
        with django_assert_max_num_queries(8):
            client.get(path)


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_same_on_the_command_line(scored: str, run: Callable[..., Result], tmp_path: Path) -> None:
    made = in_force()
    (shown,) = json.loads(run("targets", "show", "mini", "--year", "2026", "--json").stdout)
    assert (shown["unit"], shown["state"], shown["items"][0]["indicator"]) == ("90", "in_force", "filing_rate")
    card = scores.scorecard(place=runtime("mini"), by=("city",), since=date(2026, 1, 1), until=date(2027, 1, 1))
    assert shown["items"][0]["value"] == card.rows[0].cells["filing_rate"].value
    assert "filing_rate" in run("targets", "show", "mini").stdout
    out = tmp_path / "b.pdf"
    assert run("targets", "bulletin", "mini", "2026", "-o", out).exit_code == 0
    assert out.read_bytes().startswith(b"%PDF")
    file = tmp_path / "letter.pdf"
    file.write_bytes(queries.file_of(made) or b"")
    found = json.loads(run("targets", "verify", file, "--json").stdout)
    assert (found["holds"], len(found["signatures"])) == (True, 2)
    file.write_bytes(file.read_bytes().replace(b"%PDF-1.", b"%PDF-2.", 1))
    spoilt = run("targets", "verify", file)
    assert spoilt.exit_code == 1
    assert run("targets", "verify", out).exit_code == 1, "no signature at all"
