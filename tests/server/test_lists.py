"""Red and black lists: who is listed, and the way from notice to publication."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from django.test import Client
from tests.server.test_inventory import client_of
from tests.server.test_scores import MONDAY, lived, refresh, scored

from yiwang.core.indicators.ranking import Place
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.server.cities.queries import runtime
from yiwang.server.lists import operations, queries
from yiwang.server.lists.models import Edition, ListEntry, ListEvent
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person
from yiwang.server.scores import queries as scores

__all__ = ["lived", "scored"]
NOW = datetime(2026, 4, 3, 4, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=2), NOW + timedelta(days=6)


def person(name: str, **roles: tuple[str, str]) -> User:
    user, _ = create_person(username=name, password=None, name=name, name_en=name, city="mini", roles=roles)
    return user


@pytest.fixture
def edition(mini: str) -> Edition:
    """On notice since `NOW` until 8 April: street 9001 on the red list, 9002 on the black one."""
    place = runtime("mini")
    rule = operations.rule_of(place, "monthly", on=date(2026, 3, 1))
    assert rule is not None
    made = Edition.objects.create(
        city="mini", rule="monthly", period="2026-03", terms=operations.terms_of(rule), ranked=5, facts_at=NOW,
        noticed_at=NOW, noticed_by="giver", objections_until=date(2026, 4, 8), left_out=["9003"],
    )  # fmt: skip
    for colour, unit, score, best in (("red", "9001", 95.5, 1), ("black", "9002", 41.0, 5)):
        ListEntry.objects.create(
            edition=made, colour=colour, unit=unit, score=score, best=best, worst=best, caseload=40
        )
    return made


def entry(colour: str = "black") -> ListEntry:
    return ListEntry.objects.select_related("edition").get(colour=colour)


@pytest.fixture
def two_streets(scored: str, lived: Callable[..., str]) -> str:
    """Two streets with at least two cases each in March."""
    for day in range(2):
        lived(at=MONDAY + timedelta(days=day), lon=120.013, lat=31.003)
    refresh()
    return scored


@pytest.fixture
def told_apart(two_streets: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """As if the figures told the two apart, the first one ahead."""
    real = scores.standings_of

    def standings_of(card: Any, **options: Any) -> Any:
        found = real(card, **options)
        for number, own in enumerate(found, start=1):
            own["region"] = replace(own["region"], place=Place(number, number))
        return found

    monkeypatch.setattr(scores, "standings_of", standings_of)
    return two_streets


# --- notice -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_places_are_those_of_the_score(two_streets: str) -> None:
    place = runtime(two_streets)
    made = operations.give_notice(place, rule="monthly", period="2026-03", by="giver")
    assert (made.step, made.ranked, made.left_out, made.terms["least"]) == ("noticed", 2, [], 2)
    card = scores.scorecard(place=place, by=("street",), since=date(2026, 3, 1), until=date(2026, 4, 1))
    stood = scores.standings_of(card, place=place, ranked=["region"])
    held = {row.keys["street"]: own["region"].place for row, own in zip(card.rows, stood, strict=True)}
    for one in made.entries.all():
        assert held[one.unit] == Place(one.best, one.worst)
        assert one.worst == 1 if one.colour == "red" else one.best == 2


@pytest.mark.django_db(transaction=True)
def test_lists_are_made_of_the_period_with_its_rule(told_apart: str) -> None:
    made = operations.give_notice(runtime(told_apart), rule="monthly", period="2026-03", by="giver")
    red, black = made.entries.all()
    assert (red.colour, red.unit, red.best, red.worst) == ("red", "9001", 1, 1)
    assert (black.colour, black.unit, black.best, black.worst) == ("black", "9002", 2, 2)
    assert red.caseload >= 2
    with pytest.raises(Conflict):
        operations.give_notice(runtime(told_apart), rule="monthly", period="2026-03", by="giver")
    operations.withdraw(made, by="giver")
    again = operations.give_notice(runtime(told_apart), rule="monthly", period="2026-03", by="giver")
    assert again.pk != made.pk
    assert list(ListEvent.objects.values_list("kind", flat=True)) == ["noticed", "withdrawn", "noticed"]
    assert queries.broken("mini") is None


@pytest.mark.django_db(transaction=True)
def test_who_has_too_few_takes_no_part(scored: str, lived: Callable[..., str]) -> None:
    lived(lon=120.013, lat=31.003)
    refresh()
    made = operations.give_notice(runtime(scored), rule="monthly", period="2026-03", by="giver")
    assert (made.ranked, made.left_out) == (1, ["9002"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("rule", "period", "error"),
    [
        ("yearly", "2026-03", BadInput),
        ("monthly", "2026-Q1", BadInput),
        ("monthly", "March", BadInput),
        ("monthly", "2099-01", NotPossible),
    ],
)
def test_what_cannot_be_listed_is_said(scored: str, rule: str, period: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        operations.give_notice(runtime(scored), rule=rule, period=period, by="giver")
    assert not Edition.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_figures_must_reach_the_end_of_the_period(scored: str) -> None:
    refresh(at=datetime(2026, 3, 20, tzinfo=UTC))
    with pytest.raises(BadInput, match="counted up to"):
        operations.give_notice(runtime(scored), rule="monthly", period="2026-03", by="giver")


# --- objection, decision, publication ---------------------------------------------------------------------------------


def test_an_objection_that_is_upheld_takes_the_unit_off(edition: Edition) -> None:
    operations.object_to(entry(), user=person("near", dispatcher=("", "9002")), text="A road was closed.", now=SOON)
    with pytest.raises(NotPossible, match="until 2026-04-08"):
        operations.publish(edition, by="giver", now=SOON)
    with pytest.raises(NotPossible, match="objections to decide"):
        operations.publish(edition, by="giver", now=LATER)
    decided = operations.decide_objection(entry(), upheld=True, text="It was.", by="judge", now=SOON)
    assert decided.upheld is True
    published = operations.publish(edition, by="giver", now=LATER)
    assert published.step == "published"
    told = ListEvent.objects.get(kind="published").said
    assert told == {"entries": [["red", "9001"]]}
    assert [one.kind for one in ListEvent.objects.all()] == ["objected", "decided", "published"]
    for late in (operations.publish, operations.withdraw):
        with pytest.raises(NotPossible):
            late(edition, by="giver", now=LATER)


def test_only_people_of_the_unit_object_and_once_and_in_time(edition: Edition) -> None:
    own = person("near", dispatcher=("", "9002"))
    for stranger in (person("far", dispatcher=("", "9001")), person("all", dispatcher=("CTR-90", ""))):
        with pytest.raises(NotAllowed):
            operations.object_to(entry(), user=stranger, text="no", now=SOON)
    for words in ("  ", "x" * 2001):
        with pytest.raises(BadInput):
            operations.object_to(entry(), user=own, text=words, now=SOON)
    with pytest.raises(NotPossible, match="days for objections"):
        operations.object_to(entry(), user=own, text="late", now=LATER)
    operations.object_to(entry(), user=own, text="first", now=SOON)
    with pytest.raises(Conflict):
        operations.object_to(entry(), user=own, text="second", now=SOON)


def test_nobody_decides_on_their_own(edition: Edition) -> None:
    with pytest.raises(NotPossible):
        operations.decide_objection(entry(), upheld=True, text="why", by="judge", now=SOON)
    operations.object_to(entry(), user=person("near", dispatcher=("", "9002")), text="no", now=SOON)
    for own in ("giver", "near"):
        with pytest.raises(NotAllowed):
            operations.decide_objection(entry(), upheld=True, text="why", by=own, now=SOON)
    operations.decide_objection(entry(), upheld=False, text="why not", by="judge", now=SOON)
    with pytest.raises(NotPossible):
        operations.decide_objection(entry(), upheld=True, text="again", by="judge", now=SOON)


def test_a_department_objects_by_those_at_it_or_below(edition: Edition) -> None:
    edition.terms["level"] = "department"
    edition.save()
    ListEntry.objects.filter(colour="black").update(unit="CTR-9001")
    place = runtime("mini")
    assert operations.belongs(person("crew", handler=("SWEEP-9001", "")), entry(), place=place)
    assert not operations.belongs(person("lamp", handler=("LAMP-90", "")), entry(), place=place)


def test_what_was_changed_in_the_history_is_found(edition: Edition) -> None:
    operations.object_to(entry(), user=person("near", dispatcher=("", "9002")), text="no", now=SOON)
    operations.withdraw(edition, by="giver", now=SOON)
    first = ListEvent.objects.get(kind="objected")
    ListEvent.objects.filter(pk=first.pk).update(said={**first.said, "text": "yes"})
    assert queries.broken("mini") == first.pk


# --- pages ------------------------------------------------------------------------------------------------------------


def test_notice_is_for_staff_and_what_is_published_for_everybody(edition: Edition) -> None:
    stranger = Client(headers={"accept-language": "en"})
    path = "/mini/lists/monthly/2026-03"
    assert stranger.get(path).status_code == 404
    assert "2026-03" not in stranger.get("/mini/lists").content.decode()
    assert "At most 1 on the red list" in stranger.get("/mini/lists").content.decode()
    staff = client_of("staff", dispatcher=("", "9001"))
    assert "On notice" in staff.get(path).content.decode()
    operations.publish(edition, by="giver", now=LATER)
    text = stranger.get(path).content.decode()
    assert "95.5" in text
    assert "1 / 5" in text


def test_the_whole_way_on_pages(edition: Edition) -> None:
    days = datetime.now(UTC).date() + timedelta(days=3)
    Edition.objects.update(objections_until=days)
    path, pk = "/mini/lists/monthly/2026-03", entry().pk
    own, far = client_of("near", dispatcher=("", "9002")), client_of("far", dispatcher=("", "9001"))
    judge = client_of("judge", administrator=("", ""))
    assert f"/mini/lists/entries/{pk}/object" in own.get(path).content.decode()
    assert f"/mini/lists/entries/{pk}/object" not in far.get(path).content.decode()
    assert Client().post(f"/mini/lists/entries/{pk}/object", {"text": "x"})["Location"].startswith("/sign-in")
    far.post(f"/mini/lists/entries/{pk}/object", {"text": "no"})
    assert entry().objection == ""
    own.post(f"/mini/lists/entries/{pk}/object", {"text": "<b>closed</b>"})
    text = judge.get(path).content.decode()
    assert "&lt;b&gt;closed" in text
    assert f"/mini/lists/entries/{pk}/decide" in text
    assert own.post(f"/mini/lists/entries/{pk}/decide", {"upheld": "yes", "text": "x"}).status_code == 403
    judge.post(f"/mini/lists/entries/{pk}/decide", {"upheld": "no", "text": "it was not"})
    assert "Not upheld" in own.get(path).content.decode()
    assert "/publish" not in judge.get(path).content.decode()
    judge.post(f"{path}/publish")
    assert Edition.objects.get().step == "noticed"
    Edition.objects.update(objections_until=days - timedelta(days=9))
    judge.post(f"{path}/publish")
    assert Edition.objects.get().step == "published"
    for denied in (f"{path}/publish", f"{path}/withdraw", "/mini/lists/notice"):
        assert own.post(denied).status_code == 403


def test_how_often_a_unit_stood_there_is_said(edition: Edition) -> None:
    operations.publish(edition, by="giver", now=LATER)
    later = Edition.objects.get()
    later.pk, later.period, later.step = None, "2026-04", "published"
    later.save()
    ListEntry.objects.create(edition=later, colour="red", unit="9001", score=90, best=1, worst=1, caseload=9)
    assert queries.times_before(later) == {("9001", "red"): 1, ("9002", "black"): 1}
    assert (
        "Listed before" in Client(headers={"accept-language": "en"}).get("/mini/lists/monthly/2026-04").content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_the_same_on_the_command_line(told_apart: str, run: Callable[..., Result]) -> None:
    made = json.loads(run("lists", "notice", "mini", "monthly", "--period", "2026-03", "--json").stdout)
    assert (made["state"], made["red"], made["black"]) == ("noticed", ["9001"], ["9002"])
    assert json.loads(run("lists", "show", "mini", "--json").stdout) == [made]
    early = run("lists", "publish", "mini", "monthly", "2026-03")
    assert early.exit_code == 1
    assert "Objections may come until" in early.stderr
    assert run("lists", "notice", "mini", "weekly").exit_code == 2


def test_pages_cost_as_many_queries_however_many_are_listed(
    edition: Edition, django_assert_max_num_queries: Any
) -> None:
    operations.publish(edition, by="giver", now=LATER)
    client = Client()
    client.get("/mini/lists/monthly/2026-03")
    with django_assert_max_num_queries(6):
        client.get("/mini/lists/monthly/2026-03")
    with django_assert_max_num_queries(6):
        client.get("/mini/lists")
