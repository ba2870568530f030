"""What would lift a grade: how far it is to the next one, and which part of the score could carry it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from yiwang.core.indicators.definitions import UP, Composite, Evaluation, Grade, Grading, Indicator, Part
from yiwang.core.indicators.scorecard import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """One part of a composite score.

    Attributes:
        indicator: Its id.
        share: Its share of the whole score, parts without data left out.
        score: What it has, 0 to 100.
        lost: Points of the whole that it costs: what a perfect part would add.
        cases: How many cases of its denominator would have to be better for the next grade, by this part alone; None where
            that cannot be reached so, or where the part is no rate.
    """

    indicator: str
    share: float
    score: float
    lost: float
    cases: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifts:
    """The way to the next grade: which one, how many points are missing, and the parts, the dearest first.

    Without a next grade the best is reached.
    """

    grade: Grade | None
    missing: float
    parts: tuple[Lift, ...]


def lifts(
    found: Composite,
    *,
    evaluation: Evaluation,
    grading: Grading | None,
    indicators: Mapping[str, Indicator],
    cells: Mapping[str, Cell],
) -> Lifts | None:
    """What would lift a score; None without one."""
    if found.score is None:
        return None
    above = [grade for grade in (grading.grades if grading else ()) if grade.least > found.score]
    grade = min(above, key=lambda one: one.least, default=None)
    missing = grade.least - found.score if grade else 0.0
    parts = []
    for part in evaluation.parts:
        score, share = found.parts.get(part.indicator), found.weights.get(part.indicator)
        if score is None or share is None:
            continue
        cases = _cases(part, indicators[part.indicator], cells[part.indicator], missing / share) if grade else None
        parts.append(Lift(indicator=part.indicator, share=share, score=score, lost=share * (100 - score), cases=cases))
    parts.sort(key=lambda one: (-one.lost, one.indicator))
    return Lifts(grade=grade, missing=missing, parts=tuple(parts))


def _cases(part: Part, indicator: Indicator, cell: Cell, points: float) -> int | None:
    """How many more cases on the good side give a rate so many more points."""
    if part.up_to or part.at_least or indicator.unit != "percent" or not cell.denominator:
        return None
    # a score is rounded to a millionth: what is missing by rounding alone is no case
    needed = ceil(points * cell.denominator / 100 - 1e-5)
    room = cell.denominator - cell.numerator if indicator.direction == UP else cell.numerator
    return needed if 0 < needed <= room else None
