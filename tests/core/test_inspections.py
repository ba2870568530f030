"""Checklists, what a visit scores, and how far two people agree."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.inspections.agreement import agreement
from yiwang.core.inspections.checklists import Checklist, Counted, Item, Measured, Photo, YesNo, in_force
from yiwang.core.inspections.scoring import Answer, check_answers, opened_by, score
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text

DUST = Measured("g/m2", limit=5, none=15, most=500)


def item(name: str, **said: object) -> Item:
    given: dict[str, object] = {"points": 20.0, "measure": YesNo(), **said}
    return Item(id=name, name=Text(name, name), **given)  # type: ignore[arg-type]


STREETS = Checklist(
    id="streets",
    version="1",
    name=Text("街面", "Streets"),
    groups={"clean": Text("清洁", "Clean")},
    items=(
        item("dust", measure=DUST, points=40.0, group="clean", category="A"),
        item("litter", measure=Counted(10.0, 40.0, 1), points=40.0, group="clean", category="A", photo=Photo.FAILED),
        item("stalls", category="B", photo=Photo.ALWAYS),
    ),
)


def answers(dust: float | None = 5, litter: float | None = 0, stalls: float | None = 1) -> dict[str, Answer]:
    return {
        "dust": Answer(value=dust),
        "litter": Answer(value=litter, photos=1),
        "stalls": Answer(value=stalls, photos=1),
    }


@pytest.mark.parametrize(
    ("found", "points", "failed"),
    [
        (answers(), 100, ()),
        (answers(dust=10), 80, ("dust",)),
        (answers(dust=15), 60, ("dust",)),
        (answers(dust=400), 60, ("dust",)),
        (answers(litter=1), 100, ()),
        (answers(litter=3), 80, ("litter",)),
        (answers(litter=30), 60, ("litter",)),
        (answers(stalls=0), 80, ("stalls",)),
    ],
)
def test_points_follow_the_measure(found: dict[str, Answer], points: float, failed: tuple[str, ...]) -> None:
    scored = score(STREETS, found)
    assert (scored.points, scored.possible, scored.failed) == (points, 100, failed)


def test_what_does_not_apply_is_left_out_and_never_zero() -> None:
    scored = score(STREETS, answers(dust=None, litter=3))
    assert (scored.points, scored.possible) == (40, 60)
    assert scored.value == pytest.approx(200 / 3)
    assert scored.groups == {"clean": (20, 40)}
    assert score(STREETS, answers(None, None, None)).value is None


def test_one_case_is_opened_for_each_category() -> None:
    found = opened_by(STREETS, ("dust", "litter", "stalls"))
    assert {category: [one.id for one in items] for category, items in found.items()} == {
        "A": ["dust", "litter"],
        "B": ["stalls"],
    }
    assert opened_by(STREETS, ()) == {}


@pytest.mark.parametrize(
    ("found", "columns"),
    [
        ({}, ["dust", "litter", "stalls"]),
        ({**answers(), "extra": Answer(value=1)}, ["extra"]),
        (answers(dust=-1), ["dust"]),
        (answers(dust=501), ["dust"]),
        (answers(dust=math.nan), ["dust"]),
        (answers(litter=1.5), ["litter"]),
        (answers(stalls=2), ["stalls"]),
        ({**answers(litter=5), "litter": Answer(value=5)}, ["litter"]),
        ({**answers(), "stalls": Answer(value=1)}, ["stalls"]),
    ],
)
def test_answers_that_cannot_be_taken_are_said_by_item(found: dict[str, Answer], columns: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        check_answers(STREETS, found)
    assert [problem.column for problem in refused.value.problems] == columns


def test_a_photo_is_needed_of_what_failed_only() -> None:
    check_answers(STREETS, {**answers(), "litter": Answer(value=1)})
    check_answers(STREETS, answers(None, None, None))


@given(st.floats(0, 1000), st.floats(0, 100), st.floats(0, 100))
def test_a_measured_share_falls_from_one_to_nothing(value: float, limit: float, none: float) -> None:
    if limit == none:
        return
    measure = Measured("g", limit=limit, none=none)
    share = measure.share(value)
    assert 0 <= share <= 1
    assert (share == 1) >= (not measure.fails(value))
    worse = value + 1 if none > limit else value - 1
    assert measure.share(worse) <= share


def test_more_can_be_better() -> None:
    light = Measured("lx", limit=20, none=10)
    assert [light.share(value) for value in (5, 10, 15, 20, 30)] == [0, 0, 0.5, 1, 1]
    assert [light.fails(value) for value in (19.9, 20)] == [True, False]


def test_the_version_in_force_is_the_days() -> None:
    old = replace(STREETS, validity=Validity(None, date(2026, 1, 1)))
    new = replace(STREETS, version="2", validity=Validity(date(2026, 1, 1), None))
    assert in_force((old, new), on=date(2025, 12, 31)) == {"streets": old}
    assert in_force((old, new), on=date(2026, 1, 1)) == {"streets": new}


def test_a_digest_changes_with_what_is_asked_and_what_it_is_worth() -> None:
    digest = STREETS.digest()
    assert replace(STREETS, name=Text("另", "Other")).digest() == digest
    for other in (
        replace(STREETS.items[0], points=41.0),
        replace(STREETS.items[0], name=Text("积尘", "Dust")),
        replace(STREETS.items[0], measure=Measured("g/m2", limit=6, none=15)),
        replace(STREETS.items[0], category="C"),
    ):
        assert replace(STREETS, items=(other, *STREETS.items[1:])).digest() != digest


# --- agreement ----------------------------------------------------------------------------------------------------


def rated(table: dict[tuple[str, str], int]) -> tuple[list[str], list[str]]:
    pairs = [pair for pair, count in table.items() for _ in range(count)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def test_kappa_of_a_table_worked_by_hand() -> None:
    # 70 of 100 alike; by chance 0.6 · 0.5 + 0.4 · 0.5 = 0.5
    found = agreement(*rated({("y", "y"): 40, ("y", "n"): 20, ("n", "y"): 10, ("n", "n"): 30}))
    assert found is not None
    assert (found.pairs, found.share) == (100, 0.7)
    assert found.kappa == pytest.approx(0.4)


def kappa_of(parts: dict[tuple[str, str], float]) -> float:
    total = sum(parts.values())
    rows: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    for (one, other), part in parts.items():
        rows[one] += part / total  # type: ignore[assignment]
        columns[other] += part / total  # type: ignore[assignment]
    share = sum(part for (one, other), part in parts.items() if one == other) / total
    chance = sum(rows[rating] * columns[rating] for rating in rows)
    return (share - chance) / (1 - chance)


@given(st.lists(st.integers(1, 40), min_size=9, max_size=9))
def test_the_interval_is_that_of_the_delta_method(counts: list[int]) -> None:
    """An independent way to the same standard error: the slope of kappa in each cell, by difference."""
    cells = [(one, other) for one in "abc" for other in "abc"]
    total = sum(counts)
    parts = {cell: count / total for cell, count in zip(cells, counts, strict=True)}
    step = 1e-6
    slopes = {}
    for cell in cells:
        up, down = ({**parts, cell: parts[cell] + sign * step} for sign in (1, -1))
        slopes[cell] = (kappa_of(up) - kappa_of(down)) / (2 * step)
    middle = sum(parts[cell] * slopes[cell] for cell in cells)
    error = math.sqrt(sum(parts[cell] * slopes[cell] ** 2 for cell in cells) - middle**2) / math.sqrt(total)
    found = agreement(*rated(dict(zip(cells, counts, strict=True))))
    assert found is not None
    assert found.kappa is not None
    assert found.interval is not None
    high = min(1.0, found.kappa + 1.959964 * error)
    assert found.interval.high == pytest.approx(high, abs=1e-4)


def test_chance_alone_gives_nothing_and_the_interval_holds_it() -> None:
    rng = random.Random(20261130)
    held = 0
    for _ in range(300):
        first, second = ([rng.random() < 0.4 for _ in range(200)] for _ in range(2))
        found = agreement(first, second)
        assert found is not None
        assert found.interval is not None
        held += found.interval.low <= 0 <= found.interval.high
    assert 0.91 <= held / 300 <= 0.99


def test_ends_of_agreement() -> None:
    assert agreement([], []) is None
    full = agreement(["y", "n"], ["y", "n"])
    assert full is not None
    assert (full.share, full.kappa) == (1.0, 1.0)
    alike = agreement(["y", "y"], ["y", "y"])
    assert alike is not None
    assert (alike.share, alike.kappa, alike.interval) == (1.0, None, None)
    with pytest.raises(ValueError, match="one of each"):
        agreement(["y"], [])
