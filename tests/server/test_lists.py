"""Lists of cases: whichever way the database takes to them, they show what a reading of every row would show."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from yiwang.server.cases.models import Case
from yiwang.server.cases.reading import queries
from yiwang.server.cases.storage import walking, words

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
STEPS = ("received", "dispatched", "dispatched", "closed", "closed", "closed", "closed")
REGIONS = ("900101", "900102", "900102", "900201", "900202", "9001", "")
TEXTS = ("路口井盖破损", "垃圾成堆 Main Street", "路灯不亮", "MAIN road, no lamp", "违停", "树倒了？", "")
HOLDERS = ("CTR-90", "SWEEP-9001", "SWEEP-9002")


@pytest.fixture
def many(mini: str, monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """Four hundred cases with every mixture of what lists are narrowed by, and a stretch that they do not fit into."""
    monkeypatch.setattr(walking, "STRETCH", 25)
    chance = random.Random(7)
    cases = []
    for serial in range(400):
        step = chance.choice(STEPS)
        opened = NOON - timedelta(minutes=5 * chance.randrange(300))  # often two at one time
        cases.append(
            Case(
                city=mini, number=f"M{serial:05}", seq=1, step=step, stage="", category=chance.choice(("02001", "03001")),
                condition="", region=chance.choice(REGIONS), grid="", lon=120 + chance.randrange(10) / 100,
                lat=31.0, text=chance.choice(TEXTS),
                address=chance.choice(("", "人民路1号", "Station 9")), source="public", priority="", holder=chance.choice(HOLDERS),
                level="city", opened_at=opened, closed_at=opened + timedelta(hours=3) if step == "closed" else None,
                deadline=chance.choice((None, opened + timedelta(hours=chance.randrange(40)))), overdue=chance.random() < 0.4, rating=0,
                merged_into="", flag="", head=b"", rest="{}",
            )
        )  # fmt: skip
    for case in cases:
        case.sought = words.search_text(case.text, case.address)
    Case.objects.bulk_create(cases)
    return list(Case.objects.all())


def passes(case: Case, asked: dict[str, Any]) -> bool:
    """Whether a list shows a case at `NOON`, said plainly."""
    state = asked.get("state", "")
    ended = case.closed_at is not None and case.closed_at <= NOON
    late = not ended and case.deadline is not None and case.deadline < NOON
    in_state = {
        "": True, "open": not ended, "overdue": late, "closed": ended,
        "closed_on_time": ended and case.deadline is not None and not case.overdue,
        "closed_late": ended and case.overdue,
    }  # fmt: skip
    return bool(
        all(getattr(case, name) == asked[name] for name in ("step", "holder", "category") if asked.get(name))
        and (asked.get("region") == "90" or case.region.startswith(asked.get("region", "")))  # the whole city: unplaced ones too
        and in_state[state]
        and (not asked.get("opened_after") or case.opened_at >= asked["opened_after"])
        and (not asked.get("closed_after") or (case.closed_at is not None and case.closed_at >= asked["closed_after"]))
        and (not asked.get("closed_before") or (case.closed_at is not None and case.closed_at < asked["closed_before"]))
        and (not asked.get("bbox") or (case.lon is not None and case.lon <= 120.05))
        and (not asked.get("due_before") or (not ended and case.deadline and case.deadline < asked["due_before"]))
        and all(
            word.lower() in case.text.lower() or word.lower() in case.address.lower() or case.number.startswith(word)
            for word in asked.get("q", "").split()
        )
        and (asked.get("order") != "deadline" or (not ended and case.deadline is not None))
    )  # fmt: skip


def expected(many: list[Case], asked: dict[str, Any]) -> list[str]:
    shown = [case for case in many if passes(case, asked)]
    order = asked.get("order", "-opened_at")
    column = order.lstrip("-")
    shown.sort(key=lambda case: (getattr(case, column), case.pk), reverse=order.startswith("-"))
    return [case.number for case in shown]


def listed(asked: dict[str, Any], *, limit: int) -> list[str]:
    """Every page of a list, one after another."""
    found, cursor = [], ""
    while True:
        page = queries.list_cases(
            city="mini", filters=queries.CaseFilters(**asked), cursor=cursor, limit=limit, at=NOON
        )
        found += [row["number"] for row in page.items]
        if page.next is None:
            return found
        assert len(page.items) == limit
        cursor = page.next


OPTIONS: dict[str, tuple[Any, ...]] = {
    "state": ("", "", "open", "overdue", "closed", "closed_on_time", "closed_late"),
    "step": ("", "", "received", "closed"),
    "holder": ("", "", "SWEEP-9001"),
    "category": ("", "", "03001"),
    "region": ("", "9001", "900102", "90"),
    "q": ("", "", "井盖", "盖", "main", "路 9", "M0001", "？", "没有"),
    "opened_after": (None, None, NOON - timedelta(hours=9)),
    "closed_after": (None, None, None, NOON - timedelta(hours=12)),
    "closed_before": (None, None, None, NOON - timedelta(hours=2)),
    "bbox": (None, None, (119.9, 30.9, 120.05, 31.1)),
    "due_before": (None, None, None, NOON - timedelta(hours=1)),
    "order": ("-opened_at", "-opened_at", "opened_at", "deadline"),
}


@pytest.mark.parametrize("indexed", [0, 250, 400])
def test_every_mixture_of_filters(many: list[Case], indexed: int) -> None:
    """Also while the worker has indexed the words of only some cases."""
    if indexed:
        words.index(limit=indexed)
    chance = random.Random(indexed)
    met = 0
    for _ in range(220):
        asked = {name: chance.choice(values) for name, values in OPTIONS.items()}
        if asked["order"] == "deadline" and asked["state"].startswith("closed"):
            continue
        wanted = expected(many, asked)
        met += bool(wanted)
        assert listed(asked, limit=30) == wanted, asked
    assert met > 40


def test_index_goes_on_where_it_stopped(many: list[Case]) -> None:
    assert [words.index(limit=300), words.index(limit=300), words.index(limit=300)] == [300, 100, 0]
    assert words.index_all() == 0


def test_a_list_takes_at_most_five_queries(many: list[Case], django_assert_max_num_queries: Any) -> None:
    words.index_all()
    for filters in (
        queries.CaseFilters(),
        queries.CaseFilters(region="9001"),
        queries.CaseFilters(region="900201", step="received"),
        queries.CaseFilters(q="没有"),
        queries.CaseFilters(state="overdue"),
    ):
        with django_assert_max_num_queries(5):
            queries.list_cases(city="mini", filters=filters, limit=100, at=NOON)


def test_pairs() -> None:
    assert words.bigrams("井盖破损，A1") == ["1", "a1", "井盖", "损", "盖破", "破损"]
    assert words.bigrams("？ ") == []


def test_words_that_change_are_found_again(report: Any, act: Any, actor: Any) -> None:
    """A case whose place is corrected is found by the new place, and no longer by the old one."""
    number = report(text="垃圾", address="人民路")["case"]
    words.index_all()
    row = Case.objects.get(number=number)
    from django.db import connection

    from yiwang.server.common import sql

    Case.objects.filter(pk=row.pk).update(address="解放路", sought=words.search_text(row.text, "解放路"))
    with connection.cursor():
        sql.run([words.upsert_statement(case_id=row.pk, text=row.text, address="解放路")])
    assert listed({"q": "解放"}, limit=10) == [number]
    assert listed({"q": "人民"}, limit=10) == []
