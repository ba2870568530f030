"""Where time goes: a worked example, and random logs against a slow version that goes event by event."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.case_driver import mini

from yiwang.core.mining.flow import Columns, in_hand_roles, moves, path_digests, paths, stays, summaries

STEPS = ("in", "work", "done")
Row = tuple[int, float, int, int, bool, bool]  # case, at, step, holder, person, in hand


def columns(rows: list[Row]) -> Columns:
    case, at, step, holder, person, kept = zip(*rows, strict=True) if rows else ((),) * 6
    return Columns(
        case=np.array(case, dtype=np.int64),
        at=np.array(at, dtype=np.float64),
        step=np.array(step, dtype=np.int64),
        holder=np.array(holder, dtype=np.int64),
        person=np.array(person, dtype=np.bool_),
        in_hand=np.array(kept, dtype=np.bool_),
        steps=STEPS,
        holders=("a", "b"),
    )


# case 1: in at 0, the system looks at 5, a person takes it at 10 and keeps it in hand, done at 40
# case 2: in at 100, still there at 160
EXAMPLE: list[Row] = [
    (1, 0, 0, 0, True, False),
    (1, 5, 0, 0, False, False),
    (1, 10, 1, 0, True, True),
    (1, 40, 2, 0, True, False),
    (2, 100, 0, 1, True, False),
]


def test_the_worked_example() -> None:
    found = stays(columns(EXAMPLE), until=160)
    assert found.step.tolist() == [0, 1, 2, 0]
    assert found.start.tolist() == [0, 10, 40, 100]
    assert found.end.tolist() == [10, 40, 160, 160]
    assert (found.touched - found.start).tolist() == [10, 0, 120, 60]
    assert found.going_on.tolist() == [False, False, True, True]
    assert found.next_step.tolist() == [1, 2, -1, -1]
    running = found.where(found.step != 2)
    first, second = summaries(running, running.step)
    assert (first.key, first.stays, first.cases, first.going_on, first.total, first.waiting) == (0, 2, 2, 1, 70, 70)
    assert (first.median, first.most) == (10, None)  # one of two goes on: a half was over after 10, nine tenths never
    assert (second.key, second.total, second.waiting, second.median) == (1, 30, 0, 30)
    assert [(move.origin, move.target, move.count, move.median) for move in moves(found, steps=3)] == [
        (0, 1, 1, 10),
        (1, 2, 1, 30),
    ]
    ways, kinds = paths(found)
    assert kinds == 2
    assert [(way.steps, way.cases, way.share, way.example) for way in ways] == [
        ((0, 1, 2), 1, 0.5, 1),
        ((0,), 1, 0.5, 2),
    ]


def test_nothing_comes_of_nothing() -> None:
    found = stays(columns([]), until=0)
    assert len(found) == 0
    assert summaries(found, found.step) == []
    assert moves(found, steps=1) == []
    assert paths(found) == ([], 0)


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = []
    for case in range(draw(st.integers(0, 8))):
        at = float(draw(st.integers(0, 50)))
        for _ in range(draw(st.integers(1, 7))):
            at += draw(st.integers(0, 9))
            step, holder = draw(st.integers(0, 2)), draw(st.integers(0, 1))
            person = draw(st.booleans())
            rows.append((case, at, step, holder, person, person and draw(st.booleans())))
    return rows


def slow(rows: list[Row], until: float, key: int) -> list[dict[str, Any]]:
    """Event by event; ``key`` is the column under which a stay lasts."""
    found: list[dict[str, Any]] = []
    for row in rows:
        case, at, step, _, person, kept = row
        last = found[-1] if found and found[-1]["case"] == case else None
        if last and last["touched"] is None and person:
            last["touched"] = at
        if last and last["key"] == row[key]:
            last["last"] = at
            continue
        if last:
            last |= {"end": at, "next": step}
        found.append(
            {"case": case, "key": row[key], "step": step, "start": at, "last": at, "end": None, "next": -1,
             "touched": at if kept else None}
        )  # fmt: skip
    for stay in found:
        stay["open"] = stay["end"] is None
        stay["end"] = max(until, stay["last"]) if stay["open"] else stay["end"]
        stay["touched"] = stay["end"] if stay["touched"] is None else stay["touched"]
    return found


@pytest.mark.parametrize("key", [2, 3])
@settings(deadline=None)
@given(rows=logs(), until=st.integers(0, 120))
def test_stays_are_those_of_the_slow_version(key: int, rows: list[Row], until: int) -> None:
    made = columns(rows)
    found = stays(made, until=until, key=None if key == 2 else made.holder)
    plain = slow(rows, until, key)
    assert found.case.tolist() == [stay["case"] for stay in plain]
    assert found.step.tolist() == [stay["step"] for stay in plain]
    assert found.start.tolist() == [stay["start"] for stay in plain]
    assert found.end.tolist() == [stay["end"] for stay in plain]
    assert found.touched.tolist() == [stay["touched"] for stay in plain]
    assert found.next_step.tolist() == [stay["next"] for stay in plain]
    assert found.going_on.tolist() == [stay["open"] for stay in plain]


@settings(deadline=None)
@given(rows=logs(), until=st.integers(0, 120))
def test_summaries_and_paths_are_those_of_the_slow_version(rows: list[Row], until: int) -> None:
    found = stays(columns(rows), until=until)
    plain = slow(rows, until, 2)
    for each in summaries(found, found.step):
        mine = [stay for stay in plain if stay["step"] == each.key]
        assert each.stays == len(mine)
        assert each.cases == len({stay["case"] for stay in mine})
        assert each.total == sum(stay["end"] - stay["start"] for stay in mine)
        assert each.waiting == sum(stay["touched"] - stay["start"] for stay in mine)
        lengths = sorted(math.inf if stay["open"] else stay["end"] - stay["start"] for stay in mine)
        half = next(x for x in lengths if 2 * sum(y <= x for y in lengths) >= len(lengths))
        assert each.median == (None if math.isinf(half) else half)
    ways: dict[int, list[int]] = {}
    for stay in plain:
        ways.setdefault(stay["case"], []).append(stay["step"])
    counted = Counter(tuple(way) for way in ways.values())
    listed, kinds = paths(found)
    assert kinds == len(counted)
    assert {way.steps: way.cases for way in listed} == dict(counted)


def test_ways_of_the_same_steps_in_another_order_are_told_apart() -> None:
    rows: list[Row] = [
        (1, 0, 0, 0, True, False),
        (1, 1, 1, 0, True, False),
        (2, 0, 1, 0, True, False),
        (2, 1, 0, 0, True, False),
    ]
    _, digests = path_digests(stays(columns(rows), until=5))
    assert digests[0] != digests[1]


def test_who_takes_a_case_up_has_it_in_hand_and_who_hands_it_on_has_not() -> None:
    kept = in_hand_roles(mini()[1].workflow)
    assert ("handling", "handler") in kept
    assert ("dispatched", "dispatcher") not in kept
    assert all(role != "system" for _, role in kept)
