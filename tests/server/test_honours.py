"""Demonstration areas and banners: who meets a rule, two people, the way back, and what is sealed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.server.test_inspections import TODAY, city, said
from tests.server.test_inventory import client_of
from tests.server.test_lists import edition

from yiwang.core.inspections.honours import AreaRule, Inspected, judge, months_before
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import runtime
from yiwang.server.honours import operations, queries
from yiwang.server.honours.models import Honour, HonourEvent
from yiwang.server.inspections.planning import commit_to, draw_campaign, end_campaign
from yiwang.server.lists.models import Edition
from yiwang.server.people.models import User

__all__ = ["city", "edition"]
RULE = AreaRule(
    id="area", name=Text("区", "area"), checklist="streets", level="community", listed_at=90, inspections=2, within_months=12,
    delisted_below=80, delisted_after=2,
)  # fmt: skip


def scores(*given: float, last: date = date(2026, 11, 1)) -> list[Inspected]:
    """One inspection a month, the last one on a day."""
    days = [months_before(last, back) for back in range(len(given) - 1, -1, -1)]
    return [
        Inspected(inspection=f"i{number}", day=day, score=score)
        for number, (day, score) in enumerate(zip(days, given, strict=True))
    ]


@pytest.mark.parametrize(
    ("given", "reached", "missing", "failed"),
    [
        ((), False, 2, False),
        ((95.0,), False, 1, False),
        ((95.0, 90.0), True, 0, False),
        ((60.0, 95.0, 90.0), True, 0, False),
        ((95.0, 89.9), False, 0, False),
        ((95.0, 79.0), False, 0, False),
        ((95.0, 79.0, 79.9), False, 0, True),
        ((79.0, 79.0, 80.0), False, 0, False),
    ],
)
def test_only_the_last_inspections_in_a_row_count(
    given: tuple[float, ...], reached: bool, missing: int, failed: bool
) -> None:
    found = judge(RULE, scores(*given), today=date(2026, 11, 20))
    assert (found.reached, found.missing, found.failed) == (reached, missing, failed)


def test_what_is_old_or_to_come_does_not_count_and_of_one_inspection_the_last_score() -> None:
    old = judge(RULE, scores(95, 95, last=date(2025, 11, 1)), today=date(2026, 11, 1))
    assert (old.latest, old.missing) == ((), 2)
    assert judge(RULE, scores(95, 95), today=date(2026, 10, 31)).missing == 1
    twice = [*scores(95, 95), Inspected(inspection="i1", day=date(2026, 11, 2), score=10)]
    assert judge(RULE, twice, today=date(2026, 11, 20)).latest[0].score == 10
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)


def inspected(key: str, score: float) -> str:
    """An inspection that has ended, in which every place had one score; the code of one of the places."""
    made = draw_campaign(commit_to(runtime("mini"), said(key=key), by="ann"), by="ann")
    made.visits.update(outcome="done", score=score, recorded_at=datetime.now(UTC))
    end_campaign(made, by="ann")
    return str(made.visits.order_by("place").values_list("place", flat=True)[0])


@pytest.fixture
def ready(city: str) -> str:
    """A community that was inspected twice, with 85 and 90."""
    inspected("one", 85)
    return inspected("two", 90)


def proposed(holder: str, by: str = "ann") -> Honour:
    return operations.propose(runtime("mini"), rule="model_street", holder=holder, by=by)


def test_an_area_is_listed_by_two_people_and_delisted_when_it_fails(ready: str) -> None:
    found = operations.decide(proposed(ready), granted=True, text="", by="bob")
    assert (found.step, found.since) == ("held", datetime.now(UTC).astimezone(runtime("mini").info.zone).date())
    assert [row[2] for row in found.basis["inspections"]] == [90, 85]
    with pytest.raises(NotPossible, match="below 60"):
        operations.doubt(found, text="dirty", by="ann")
    inspected("three", 59)
    with pytest.raises(BadInput, match="Say why"):
        operations.doubt(found, text=" ", by="ann")
    doubted = operations.doubt(found, text="dirty", by="ann")
    with pytest.raises(NotAllowed):
        operations.decide(doubted, granted=True, text="yes", by="ann")
    kept = operations.decide(doubted, granted=False, text="works next door", by="bob")
    assert kept.step == "held"
    ended = operations.decide(operations.doubt(kept, text="again", by="ann"), granted=True, text="failed", by="bob")
    assert (ended.step, ended.until is None) == ("ended", False)
    kinds = list(HonourEvent.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["proposed", "granted", "doubted", "kept", "doubted", "ended"]
    assert queries.broken("mini") is None
    HonourEvent.objects.filter(kind="kept").update(by="mallory")
    assert queries.broken("mini") == HonourEvent.objects.get(kind="kept").pk


def test_who_does_not_meet_the_rule_is_not_proposed(city: str) -> None:
    once = inspected("one", 95)
    with pytest.raises(BadInput, match="each of the last 2 inspections within 12 months must reach 80"):
        proposed(once)
    inspected("two", 70)
    with pytest.raises(BadInput):
        proposed(once)
    with pytest.raises(BadInput, match="no such rule"):
        operations.propose(runtime("mini"), rule="nothing", holder=once, by="ann")
    assert not Honour.objects.exists()


def test_one_is_proposed_once_and_again_after_a_refusal(ready: str) -> None:
    first = proposed(ready)
    with pytest.raises(Conflict):
        proposed(ready)
    with pytest.raises(BadInput, match="Say why"):
        operations.decide(first, granted=False, text="", by="bob")
    assert operations.decide(first, granted=False, text="not yet", by="bob").step == "refused"
    with pytest.raises(NotPossible):
        operations.decide(first, granted=True, text="", by="bob")
    assert proposed(ready).step == "proposed"


def banner(holder: str, by: str = "ann") -> Honour:
    made = operations.propose(runtime("mini"), rule="banner", holder=holder, by=by)
    return operations.decide(made, granted=True, text="", by="bob")


def test_a_banner_goes_to_the_red_list_and_moves_on(edition: Edition) -> None:
    with pytest.raises(BadInput, match="red list"):
        banner("9001")  # on notice only
    Edition.objects.update(step="published", ended_at=datetime.now(UTC))
    with pytest.raises(BadInput, match="red list"):
        banner("9002")  # on the black one
    first = banner("9001")
    assert first.basis == {"list": "monthly", "period": "2026-03", "places": [1, 1]}
    edition.entries.filter(unit="9002").update(colour="red", best=1, worst=1)
    second = banner("9002")
    first.refresh_from_db()
    assert (first.step, second.step) == ("ended", "held"), "there is one banner"
    back = operations.decide(operations.doubt(second, text="time", by="ann"), granted=True, text="over", by="bob")
    assert back.step == "ended", "a banner is taken back without inspections"


def as_(username: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(username=username))
    return client


def test_the_pages_lead_through_it(ready: str) -> None:
    planner, other = client_of("planner", administrator=("", "")), client_of("other", administrator=("", ""))
    text = planner.get("/mini/honours").content.decode()
    assert "Model street" in text
    assert f'<option value="{ready}"' in text
    assert Client().post("/mini/honours/propose", {}).status_code == 302
    assert as_("ann").post("/mini/honours/propose", {"rule": "model_street", "holder": ready}).status_code == 403
    address = planner.post("/mini/honours/propose", {"rule": "model_street", "holder": ready})["Location"]
    assert "Somebody else who assesses the city decides." in planner.get(address).content.decode()
    assert Client().get(address).status_code == 404, "not for the public yet"
    assert other.post(f"{address}/decide", {"granted": "yes"}).status_code == 302
    assert Honour.objects.get().step == "held"
    shown = Client(headers={"accept-language": "en"}).get(address).content.decode()
    assert "Held" in shown
    assert "/mini/inspections/two" in shown
    inspected("three", 10)
    planner.post(f"{address}/doubt", {"text": "dirty"})
    near = client_of("near", leader=("CTR-9001", ready[:4]))
    assert Honour.objects.get().step == "doubted"
    assert 'name="text"' in near.get(address).content.decode()
    near.post(f"{address}/answer", {"text": "works next door"})
    assert Honour.objects.get().answer == "works next door"
    with pytest.raises(Conflict):
        operations.answer(Honour.objects.get(), user=User.objects.get(username="near"), text="again")
    with pytest.raises(NotAllowed):
        operations.answer(Honour.objects.get(), user=User.objects.get(username="planner"), text="me too")
    other.post(f"{address}/decide", {"granted": "no", "text": "let it stand"})
    assert Honour.objects.get().step == "held"


def test_a_banner_that_is_held_too_long_is_marked(edition: Edition) -> None:
    Edition.objects.update(step="published", ended_at=datetime.now(UTC))
    banner("9001")
    page = Client(headers={"accept-language": "en"})
    assert "Its time is over" not in page.get("/mini/honours").content.decode()
    Honour.objects.update(since=TODAY - timedelta(days=100))
    assert "Its time is over" in page.get("/mini/honours").content.decode()


def test_the_list_needs_few_queries(ready: str, django_assert_max_num_queries: Any) -> None:
    operations.decide(proposed(ready), granted=True, text="", by="bob")
    page = Client()
    page.get("/mini/honours")
    with django_assert_max_num_queries(6):
        page.get("/mini/honours")
