"""Red and black lists: who enters, and of which period."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.indicators.lists import ListRule, Ranked, last_period, listed, period_of
from yiwang.core.indicators.ranking import Place, places
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text

RULE = ListRule(
    id="monthly", name=Text("红黑榜", "lists"), evaluation="region", level="street", period="month", red=2, black=2,
    caseload="intake", least=30, objection_days=5, source="test", confidence="test", validity=Validity(),
)  # fmt: skip


def ranked(*rows: tuple[str, float, int, int]) -> list[Ranked]:
    return [Ranked(key=key, score=score, place=Place(best, worst)) for key, score, best, worst in rows]


def names(units: list[Ranked]) -> list[tuple[str, str]]:
    return [(one.colour.value, one.unit.key) for one in listed(units, RULE)]


def test_only_who_is_surely_among_them_enters() -> None:
    units = ranked(("a", 95, 1, 1), ("b", 90, 2, 3), ("c", 85, 2, 4), ("d", 60, 3, 5), ("e", 40, 5, 6), ("f", 39, 5, 6))
    assert names(units) == [("red", "a"), ("black", "f"), ("black", "e")]


def test_a_list_is_empty_where_the_figures_cannot_tell() -> None:
    assert names(ranked(("a", 95, 1, 4), ("b", 90, 1, 4), ("c", 85, 1, 4), ("d", 80, 1, 4))) == []
    assert listed([Ranked(key="a", score=99.0, place=None)], RULE) == []
    assert listed([], RULE) == []


def test_with_few_units_nobody_is_on_both() -> None:
    assert names(ranked(("a", 95, 1, 1), ("b", 50, 2, 2))) == [("red", "a"), ("red", "b")]
    assert names(ranked(("a", 95, 1, 1), ("b", 50, 2, 2), ("c", 10, 3, 3))) == [
        ("red", "a"),
        ("red", "b"),
        ("black", "c"),
    ]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 20)), min_size=2, max_size=12))
def test_lists_are_never_longer_than_the_rule_and_never_overlap(figures: list[tuple[float, float]]) -> None:
    sets = places(
        values=[one for one, _ in figures], errors=[error for _, error in figures], more_is_better=True, draws=200
    )
    units = [Ranked(key=f"{at:02}", score=figures[at][0], place=sets[at]) for at in range(len(figures))]
    found = listed(units, RULE)
    for colour, most in (("red", RULE.red), ("black", RULE.black)):
        assert sum(one.colour == colour for one in found) <= most
    assert len({one.unit.key for one in found}) == len(found)


@pytest.mark.parametrize(
    ("name", "kind", "first", "after"),
    [
        ("2026-12", "month", date(2026, 12, 1), date(2027, 1, 1)),
        ("2026-Q4", "quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026", "year", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_periods_by_name(name: str, kind: str, first: date, after: date) -> None:
    found = period_of(name, kind)
    assert (found.first, found.after) == (first, after)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("2026-13", "month"), ("2026-1", "month"), ("2026-Q5", "quarter"), ("2026-Q0", "quarter"), ("2026-04", "quarter"),
        ("2026-01", "year"), ("26", "year"), ("2026", "month"), ("2026-Q", "quarter"), ("２０２６", "year"), ("2026-¹²", "month"),
        ("", "year"),
    ],
)  # fmt: skip
def test_what_is_no_period(name: str, kind: str) -> None:
    with pytest.raises(ValueError):
        period_of(name, kind)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(["month", "quarter", "year"]))
def test_the_last_period_has_ended_and_the_next_has_not(today: date, kind: str) -> None:
    found = last_period(kind, today=today)
    assert found.first < found.after <= today
    later = last_period(kind, today=found.after)
    assert later == found
    following = last_period(kind, today=found.after + timedelta(days=400))
    assert following.first >= found.after
    assert period_of(found.name, kind) == found
