"""Where rows stand among their peers: the interval of each rate and composite score, and the places that it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from yiwang.core.indicators.definitions import DOWN, NEITHER, Composite, Evaluation, Indicator
from yiwang.core.indicators.intervals import (
    CONFIDENCE,
    Interval,
    count_interval,
    normal_quantile,
    rate_error,
    rate_interval,
)
from yiwang.core.indicators.ranking import Place, places
from yiwang.core.indicators.scorecard import Cell, ScoreRow


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one figure: its interval, and its place among the rows compared. None where it cannot be said."""

    interval: Interval | None = None
    place: Place | None = None


def interval_of(cell: Cell, indicator: Indicator, *, confidence: float = CONFIDENCE) -> Interval | None:
    """The interval of a figure in its own unit: of a rate in percent (Wilson) or a count of cases (Byar).

    None for means of hours, days and stars, whose spread the sums do not hold, and where there is no data. A numerator
    larger than its denominator is no share of the same cases (work begun before the period, say) and has none either.
    """
    if indicator.unit == "percent" and cell.denominator and cell.numerator <= cell.denominator:
        found = rate_interval(numerator=cell.numerator, denominator=cell.denominator, confidence=confidence)
        return found and Interval(100 * found.low, 100 * found.high)
    if indicator.unit == "cases" or (indicator.unit == "count" and indicator.numerator.amount is None):
        return count_interval(count=cell.numerator, confidence=confidence)
    return None


def error_of(cell: Cell, indicator: Indicator) -> float | None:
    """Standard error of a rate in percent; None for what is no rate."""
    if indicator.unit != "percent" or not cell.denominator or cell.numerator > cell.denominator:
        return None
    return 100 * rate_error(numerator=cell.numerator, denominator=cell.denominator)


def composite_error(
    found: Composite, *, evaluation: Evaluation, cells: Mapping[str, Cell], indicators: Mapping[str, Indicator]
) -> float | None:
    """Standard error of a composite score, in points of its 100.

    The score is a weighted mean of its parts, so the errors of the rates add up by their squares; parts are taken to be
    independent. Counts that are scored by steps are taken as they are. None where no part is a rate with data, and where
    a score of a sample counts, whose error the sums do not hold.
    """
    if found.score is None or any(indicators[name].unit == "score" for name in found.weights):
        return None
    errors = [
        found.weights[part.indicator] * error
        for part in evaluation.parts
        if part.indicator in found.weights
        and not part.up_to
        and not part.at_least
        and (error := error_of(cells[part.indicator], indicators[part.indicator])) is not None
    ]
    return sqrt(sum(error * error for error in errors)) if errors else None


def standings(
    rows: Sequence[ScoreRow],
    *,
    indicators: Mapping[str, Indicator],
    evaluations: Mapping[str, Evaluation],
    ranked: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
) -> list[dict[str, Standing]]:
    """Intervals and places of rows that are compared with each other, of one period.

    Args:
        rows: The peers.
        indicators, evaluations: By id, as the rows have them. A composite's parts must be among the indicators.
        ranked: Ids of indicators and evaluations that get places; all by default. A direction of ``none`` has none.
        confidence: For every interval, and for all places of one figure together.

    Returns:
        For each row, id → `Standing`.
    """
    z = normal_quantile(confidence)
    found: list[dict[str, Standing]] = []
    errors: list[dict[str, float]] = []
    for row in rows:
        own: dict[str, Standing] = {}
        spread: dict[str, float] = {}
        for name, cell in row.cells.items():
            own[name] = Standing(interval_of(cell, indicators[name], confidence=confidence))
            if (error := error_of(cell, indicators[name])) is not None:
                spread[name] = error
        for name, composite in row.composites.items():
            error = composite_error(composite, evaluation=evaluations[name], cells=row.cells, indicators=indicators)
            if composite.score is not None and error:
                low, high = composite.score - z * error, composite.score + z * error
                own[name] = Standing(Interval(max(0.0, low), min(100.0, high)))
                spread[name] = error
        found.append(own)
        errors.append(spread)
    for name in ranked if ranked is not None else [*indicators, *evaluations]:
        direction = indicators[name].direction if name in indicators else ""
        members = [at for at, spread in enumerate(errors) if name in spread]
        if direction == NEITHER or len(members) < 2:
            continue
        order = places(
            values=[_value(rows[at], name) for at in members],
            errors=[errors[at][name] for at in members],
            more_is_better=direction != DOWN,
            confidence=confidence,
        )
        for at, place in zip(members, order, strict=True):
            found[at][name] = Standing(found[at][name].interval, place)
    return found


def _value(row: ScoreRow, name: str) -> float:
    value = row.cells[name].value if name in row.cells else row.composites[name].score
    assert value is not None  # what has an error has a value
    return value
