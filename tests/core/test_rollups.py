"""Roll-ups against what a reader would count by hand, in parts and as a whole; merging of what is kept and what came later."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.instants import DAY, SECOND
from yiwang.core.observations import kept
from yiwang.core.observations.kept import NONE, merged, observed, settled
from yiwang.core.observations.quality import Quality
from yiwang.core.observations.rollups import (
    COLUMNS,
    HOUR,
    MINUTE,
    Rollups,
    coarsest,
    merge,
    nothing,
    roll_up,
)

READING = st.tuples(
    st.integers(1, 3),
    st.integers(0, 400),
    st.one_of(st.none(), st.integers(-20, 20)),
    st.sampled_from([0, int(Quality.LATE), int(Quality.OUT_OF_RANGE)]),
)
READINGS = st.lists(READING, unique_by=lambda one: one[:2], max_size=60)


def columns(readings: list[tuple[int, int, int | None, int]], step: int, origin: int = 0) -> Rollups:
    given = np.array([(s, t, math.nan if v is None else v, q) for s, t, v, q in readings], float).reshape(-1, 4)
    stream, time, quality = (given[:, at].astype(np.int64) for at in (0, 1, 3))
    return roll_up(stream, time, given[:, 2], quality, step=step, origin=origin)


def by_hand(readings: list[tuple[int, int, int | None, int]], step: int, origin: int) -> list[tuple[Any, ...]]:
    groups: dict[tuple[int, int], list[tuple[int, int, int | None, int]]] = {}
    for one in sorted(readings):
        groups.setdefault((one[0], (one[1] - origin) // step * step + origin), []).append(one)
    found = []
    for (stream, start), of in sorted(groups.items()):
        numbers = [value for _, _, value, _ in of if value is not None]
        figures = [min(numbers), max(numbers), numbers[0], numbers[-1]] if numbers else [None] * 4
        unjudged = sum(quality == int(Quality.OUT_OF_RANGE) for *_, quality in of)
        found.append((stream, start, len(numbers), sum(numbers), *figures, unjudged))
    return found


def rows(found: Rollups) -> list[tuple[Any, ...]]:
    given = [getattr(found, name).tolist() for name in COLUMNS]
    return [
        tuple(None if isinstance(one, float) and math.isnan(one) else one for one in row)
        for row in zip(*given, strict=True)
    ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(readings=READINGS, step=st.integers(1, 90), origin=st.integers(-50, 50), cut=st.integers(0, 60))
def test_roll_ups_are_those_counted_by_hand(readings: list[Any], step: int, origin: int, cut: int) -> None:
    expected = by_hand(readings, step, origin)
    assert rows(columns(readings, step, origin)) == expected
    parts = [columns(part, step, origin) for part in (readings[cut:], readings[:cut])]
    # parts of one point do not say which came first, so they are made of points so short that they do
    fine = [columns(part, 1) for part in (readings[cut:], readings[:cut])]
    assert rows(merge(fine, step=step, origin=origin)) == expected
    assert merge(parts, step=step, origin=origin).count.sum() == sum(one[2] for one in expected)


def test_hours_of_minutes_are_hours_of_readings() -> None:
    readings: list[tuple[int, int, int | None, int]] = [(1, at * 17 * SECOND, at % 13, 0) for at in range(600)]
    minutes = columns(readings, MINUTE)
    assert rows(merge([minutes], step=HOUR)) == rows(columns(readings, HOUR))
    assert rows(merge([nothing()], step=HOUR)) == []


def test_the_mean_of_nothing_is_no_number() -> None:
    found = columns([(1, 0, None, 0), (1, 5, 3, 0), (1, 6, 4, 0)], 5)
    assert math.isnan(found.mean[0])
    assert found.mean[1] == 3.5


@pytest.mark.parametrize(
    ("start", "width", "step"),
    [
        (0, 4 * DAY, DAY),
        (16 * HOUR, DAY, HOUR),  # a day on a clock eight hours ahead
        (0, 15 * MINUTE, MINUTE),
        (0, 90 * MINUTE, MINUTE),
        (30 * SECOND, MINUTE, 0),
        (0, 10 * SECOND, 0),
        (-DAY, 2 * DAY, DAY),
    ],
)
def test_the_longest_roll_up_that_fits(start: int, width: int, step: int) -> None:
    assert coarsest(start=start, width=width) == step


# --- what is kept and what came later -------------------------------------------------------------------------------------


def row(pk: int, time: int, value: float, quality: int = 0, more: str = "", result: str = "") -> list[Any]:
    return [pk, 7, time, NONE, value, result, NONE, 99, quality, NONE, more]


LATE = int(Quality.LATE | Quality.OUT_OF_ORDER)
CORRECTED = int(Quality.CORRECTED)


@pytest.mark.parametrize(
    ("before", "later", "held", "is_settled"),
    [
        (row(1, 5, 1.0), row(2, 5, 1.0, LATE), (1, 1.0, 0), True),  # the same again
        (row(1, 5, 1.0), row(2, 5, 2.0, LATE), (2, 2.0, CORRECTED), False),
        (row(1, 5, 1.0, 128), row(2, 5, 2.0, LATE), (2, 2.0, CORRECTED | 128), False),
        (row(1, 5, 1.0), row(2, 5, 1.0, LATE | CORRECTED), (2, 1.0, CORRECTED), False),  # corrected twice
        (row(1, 5, 1.0, LATE), row(1, 5, 1.0, LATE), (1, 1.0, LATE), True),  # its own copy
        (row(2, 5, 2.0, CORRECTED), row(2, 5, 2.0, LATE), (2, 2.0, CORRECTED), True),  # its copy, written as a correction
        (row(1, 5, 1.0), row(1, 5, 1.0, more='{"a": 1}'), (1, 1.0, 0), False),
        (row(1, 5, math.nan, result='"wet"'), row(2, 5, math.nan, LATE, result='"wet"'), (1, math.nan, 0), True),
        (row(1, 5, math.nan, result='"wet"'), row(2, 5, math.nan, LATE, result='"dry"'), (2, math.nan, CORRECTED), False),
    ],
)  # fmt: skip
def test_two_of_a_moment(before: list[Any], later: list[Any], held: tuple[Any, ...], is_settled: bool) -> None:
    mine, theirs = observed([before, row(8, 6, 0.0)]), observed([row(9, 4, 0.0), later])
    found = merged(mine, theirs)
    assert found.time.tolist() == [4, 5, 6]
    assert (found.id[1], found.quality[1]) == (held[0], held[2])
    assert found.value[1] == held[1] or math.isnan(held[1])
    assert (later[0] in settled(mine, theirs).tolist()) is is_settled
    assert settled(found, theirs).tolist() == [9, later[0]], "what has been merged is settled"
    again = merged(found, theirs)
    assert all(
        np.array_equal(getattr(again, name), getattr(found, name), equal_nan=name == "value") for name in kept.NAMES
    )


def test_nothing_beside_something() -> None:
    some, none = observed([row(1, 5, 1.0)]), observed([])
    assert len(merged(some, none)) == len(merged(none, some)) == 1
    assert settled(none, some).size == settled(some, none).size == 0
