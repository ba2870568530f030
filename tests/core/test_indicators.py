"""Conditions, grades, composites and periods by examples."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.case_driver import mini

from yiwang.core.facts.cases import BASES, HEAD, MOMENTS, RESULTS
from yiwang.core.indicators.definitions import Part, composite
from yiwang.core.indicators.expressions import LONGEST, read_condition, read_measure
from yiwang.core.indicators.scorecard import first_day, label
from yiwang.core.kernel.errors import BadInput
from yiwang.engines.memory import value_of
from yiwang.engines.sql import text_of

COLUMNS = {"n": "integer", "t": "text", "f": "flag", "at": "moment", "lon": "float", "day": "day"}
ROW: dict[str, Any] = {"n": 2, "t": "it's", "f": True, "at": None, "lon": None, "day": date(2026, 3, 1)}
AS_OF = datetime(2026, 3, 2, tzinfo=UTC)

TRUTHS = [
    ("n == 2", True), ("n + 1 > 2 and not f", False), ("n - 3 == -1", True), ("t == \"it's\"", True), ("t in ('a', 'b')", False),
    ("t not in ('a', 'b')", True), ("at < as_of", False), ("not (at < as_of)", True), ("at is None", True), ("at is not None or f", True),
    ("lon > 1", False), ("lon == lon", False), ("f == True", True), ("t is None", False), ("(f or n > 9) and n < 3", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "truth"), TRUTHS)
def test_a_condition_is_true_or_false_and_nothing_else(text: str, truth: bool) -> None:
    assert value_of(read_condition(text, columns=COLUMNS, terms={}), ROW, AS_OF) is truth


FAULTS = [
    ("m == 2", "no column or term 'm'"),
    ("n", "no condition but a integer"),
    ("n == 'a'", "cannot be compared"),
    ("f < True", "no order"),
    ("t > 'a'", "no order"),
    ("n and f", "'n' is a integer, no condition"),
    ("n == None", "cannot be compared with"),
    ("1 < n < 3", "not understood"),
    ("__import__('os')", "not understood"),
    ("t.upper() == 'A'", "not understood"),
    ("[f for f in t]", "not understood"),
    ("n in t", "not understood"),
    ("lambda: 1", "not understood"),
    ("n ==", "cannot be read"),
    ("(" * 300 + "f" + ")" * 300, "cannot be read"),
    ("f or " * 500 + "f", "at most"),
    ("at + n > 2", "only whole numbers"),
    ("n in (n,)", "no text or number"),
    ("day == at", "cannot be compared"),
    ("n ** 9 == 1", "not understood"),
]


@pytest.mark.parametrize(("text", "words"), FAULTS)
def test_what_cannot_be_meant_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words.replace("(", r"\(").replace(")", r"\)")):
        read_condition(text, columns=COLUMNS, terms={})
    assert LONGEST < 2500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sum(lon)", "whole numbers"),
        ("sum(n, n)", "no condition"),
        ("sum()", "sum takes"),
        ("sum(n, f, f)", "sum takes"),
        ("max(n)", "not understood"),
    ],
)
def test_only_whole_numbers_are_summed(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read_measure(text, columns=COLUMNS, terms={})


def test_a_quote_in_a_text_stays_in_the_text() -> None:
    assert text_of(read_condition("t == \"x' or 'y\"", columns=COLUMNS, terms={}), AS_OF) == "(\"t\" = 'x'' or ''y')"


def test_terms_stand_for_their_conditions() -> None:
    terms = {"big": read_condition("n > 1", columns=COLUMNS, terms={})}
    assert value_of(read_condition("big and f", columns=COLUMNS, terms=terms), ROW, AS_OF) is True


STEPS = [(0, 100.0), (2, 100.0), (3, 50.0), (10, 50.0), (11, 0.0)]


@pytest.mark.parametrize(("count", "points"), STEPS)
def test_fewer_is_better_by_steps(count: int, points: float) -> None:
    book = mini()[0].indicators
    known = book.in_force(date(2026, 3, 2))
    part = Part(indicator="intake", weight=1, up_to=((2, 100), (10, 50)))
    assert part.score(known["intake"], float(count)) == points
    more = Part(indicator="intake", weight=1, at_least=((11, 100), (3, 60), (0, 0)))
    assert more.score(known["intake"], float(count)) == (100 if count >= 11 else 60 if count >= 3 else 0)


@pytest.mark.parametrize(("score", "grade"), [(100, "A"), (90, "A"), (89.999, "C"), (60, "C"), (59, "E"), (0, "E")])
def test_a_grade_begins_at_its_least(score: float, grade: str) -> None:
    grading = mini()[0].indicators.grading(date(2026, 3, 2))
    assert grading is not None
    assert grading.of(score).id == grade


def test_too_little_is_known_for_a_score() -> None:
    book = mini()[0].indicators
    (evaluation,) = book.evaluations_of(object="region", day=date(2026, 3, 2))
    known = book.in_force(date(2026, 3, 2))
    grading = book.grading(date(2026, 3, 2))
    half = composite(evaluation, indicators=known, values={"closing_on_time": 80.0}, grading=grading)
    assert (half.score, half.grade, half.known_share) == (80.0, "C", 0.5)
    less = composite(
        evaluation, indicators=known, values={"rework_rate": 0.0, "closing_on_time": None}, grading=grading
    )
    assert (less.score, less.grade) == (None, "")


PERIODS = [
    ("day", "2026-03-01", "2026-03-01"), ("week", "2026-W09", "2026-02-23"), ("month", "2026-03", "2026-03-01"),
    ("quarter", "2026-Q1", "2026-01-01"), ("half", "2026-H1", "2026-01-01"), ("year", "2026", "2026-01-01"),
]  # fmt: skip


@pytest.mark.parametrize(("period", "name", "first"), PERIODS)
def test_periods_and_their_names(period: str, name: str, first: str) -> None:
    start = first_day(date(2026, 3, 1), period)
    assert (label(start, period), start.isoformat()) == (name, first)


def test_the_page_about_facts_names_every_column() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "facts.md").read_text(encoding="utf-8")
    missing = [name for name in (*dict(HEAD), *MOMENTS, *BASES.values(), *dict(RESULTS)) if f"`{name}`" not in page]
    assert not missing
