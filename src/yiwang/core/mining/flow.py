"""Where the time of cases goes: stays at steps and units, moves between steps, and the ways that cases take.

All of it is worked out of four columns of the events with NumPy, so that a million cases take seconds. Times are on the
wall clock; working time is the deadlines' matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yiwang.core.cases.definitions import NOWHERE, Workflow
from yiwang.core.cases.events import SYSTEM

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
HALF, MOST = 0.5, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Events of whole cases, each case's events together and in their order.

    Attributes:
        case: Number of the case, growing.
        at: Seconds since 1970.
        step: Step after the event, as a place in ``steps``.
        holder: Unit that has the case after the event, as a place in ``holders``.
        person: Whether a person acted, and not the system.
        in_hand: Whether who acted keeps the case in hand at the step that it came to (see `in_hand_roles`).
        steps, holders: Ids.
    """

    case: Ints
    at: Floats
    step: Ints
    holder: Ints
    person: Flags
    in_hand: Flags
    steps: Sequence[str]
    holders: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """Stretches of time that a case spent under one key: at a step, or with a unit.

    Attributes:
        case, step, holder: Whose, where, with whom (of the stretch's first event).
        start, end: Seconds since 1970; a stay that goes on ends at the time of looking.
        touched: When the waiting was over: at once where who brought the case there keeps it in hand, else when a person
            first did something, at most ``end``.
        going_on: The case is still there.
        next_step: Step of the event that ended the stay; -1 while it goes on.
    """

    case: Ints
    step: Ints
    holder: Ints
    start: Floats
    end: Floats
    touched: Floats
    going_on: Flags
    next_step: Ints

    def __len__(self) -> int:
        return len(self.case)

    def where(self, chosen: Flags) -> Stays:
        """Those that are chosen."""
        return Stays(
            case=self.case[chosen],
            step=self.step[chosen],
            holder=self.holder[chosen],
            start=self.start[chosen],
            end=self.end[chosen],
            touched=self.touched[chosen],
            going_on=self.going_on[chosen],
            next_step=self.next_step[chosen],
        )


def in_hand_roles(workflow: Workflow) -> frozenset[tuple[str, str]]:
    """Steps with the roles that, having brought a case there, work on it themselves rather than leave it to others.

    These are the roles that may take the case on from the step in the ordinary way: to another step, without special effect
    and without having to say why. An act that hands the case to another unit never keeps it in hand; that is the event's matter.
    """
    return frozenset(
        (step, role)
        for step in workflow.steps
        for verb in workflow.verbs_from(step)
        if verb.to not in {NOWHERE, step} and not verb.effect and "reason" not in verb.requires and verb.moves == "stay"
        for role in verb.roles
        if role != SYSTEM
    )


def stays(columns: Columns, *, until: float, key: Ints | None = None) -> Stays:
    """The stays of all cases, in their order.

    Args:
        columns: The events.
        until: The time of looking, in seconds since 1970; stays that go on are counted up to it.
        key: For each event, under which key the case is afterwards: a stay lasts as long as it stays the same. The step by
            default.
    """
    case, step, holder, at = columns.case, columns.step, columns.holder, columns.at
    count = len(case)
    if count == 0:
        nothing, none = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Stays(
            case=nothing, step=nothing, holder=nothing, start=none, end=none, touched=none,
            going_on=np.zeros(0, dtype=bool), next_step=nothing,
        )  # fmt: skip
    other_case = np.r_[True, case[1:] != case[:-1]]
    key = step if key is None else key
    begins = other_case | np.r_[True, key[1:] != key[:-1]]
    first = np.flatnonzero(begins)
    after = np.r_[first[1:], count]  # the event with which the next stretch begins
    inside = np.minimum(after, count - 1)
    left = (after < count) & ~other_case[inside]
    end = np.where(left, at[inside], np.maximum(until, at[after - 1]))
    # the first event by a person behind the one that began the stretch, up to the one that ended it
    places = np.where(columns.person, np.arange(count), count)
    following = np.r_[np.minimum.accumulate(places[::-1])[::-1], count]
    toucher = following[first + 1]
    within = toucher <= np.where(left, after, after - 1)
    touched = np.where(within, at[np.minimum(toucher, count - 1)], end)
    touched = np.where(columns.in_hand[first], at[first], touched)
    return Stays(
        case=case[first],
        step=step[first],
        holder=holder[first],
        start=at[first],
        end=np.maximum(end, at[first]),
        touched=np.minimum(np.maximum(touched, at[first]), np.maximum(end, at[first])),
        going_on=~left,
        next_step=np.where(left, step[inside], -1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the stays under one key come to.

    Attributes:
        key: As it was given.
        stays, cases, going_on: How many stays, of how many cases, and how many are not over.
        total: Seconds of all of them, those that go on up to the time of looking.
        waiting: Seconds of those that cases waited for somebody (up to `Stays.touched`).
        median, most: Seconds within which a half and nine tenths were over; None where too many go on to say. A stay that
            goes on counts as longer than any, so nobody looks better for leaving cases where they are.
    """

    key: int
    stays: int
    cases: int
    going_on: int
    total: float
    waiting: float
    median: float | None
    most: float | None


def summaries(found: Stays, keys: Ints) -> list[Summary]:
    """One summary for each key (one key per stay, -1 for none), the one with the most time first."""
    chosen = np.flatnonzero(keys >= 0)
    if len(chosen) == 0:
        return []
    own = keys[chosen]
    lengths, going_on = (found.end - found.start)[chosen], found.going_on[chosen]
    ranked = np.where(going_on, np.inf, lengths)
    small = own.astype(np.int16) if own.max() < 2**15 else own  # NumPy sorts short numbers by their digits
    order = np.argsort(ranked)
    order = order[np.argsort(small[order], kind="stable")]
    first = np.flatnonzero(np.r_[True, own[order][1:] != own[order][:-1]])
    after = np.r_[first[1:], len(order)]
    # stays come by case, so of each key they still do once sorted by key alone: where a case begins, it is counted
    by_case = np.argsort(small, kind="stable")
    case, key = found.case[chosen][by_case], own[by_case]
    begins = np.r_[True, (case[1:] != case[:-1]) | (key[1:] != key[:-1])]
    cases = np.add.reduceat(begins.astype(np.int64), first)
    going = np.add.reduceat(going_on[order].astype(np.int64), first)
    total = np.add.reduceat(lengths[order], first)
    waiting = np.add.reduceat((found.touched - found.start)[chosen][order], first)
    ranks = ranked[order]
    made = [
        Summary(
            key=int(own[order[start]]),
            stays=int(stop - start),
            cases=int(cases[at]),
            going_on=int(going[at]),
            total=float(total[at]),
            waiting=float(waiting[at]),
            median=_quantile(ranks[start:stop], HALF),
            most=_quantile(ranks[start:stop], MOST),
        )
        for at, (start, stop) in enumerate(zip(first, after, strict=True))
    ]
    return sorted(made, key=lambda each: (-each.total, each.key))


def _quantile(ranked: Floats, share: float) -> float | None:
    """The smallest length within which at least this share of the stays was over (type 1 of Hyndman and Fan, 1996)."""
    place = max(0, int(np.ceil(share * len(ranked) - 1e-9)) - 1)
    value = float(ranked[place])
    return None if np.isinf(value) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move from one step to another: how often, in how many cases, and the median seconds spent before it."""

    origin: int
    target: int
    count: int
    cases: int
    median: float


def moves(found: Stays, *, steps: int) -> list[Move]:
    """The moves between steps, the most frequent first."""
    gone = found.where(found.next_step >= 0)
    keys = gone.step * steps + gone.next_step
    made = [
        Move(
            origin=each.key // steps,
            target=each.key % steps,
            count=each.stays,
            cases=each.cases,
            median=each.median or 0.0,
        )
        for each in summaries(gone, keys)
    ]
    return sorted(made, key=lambda move: (-move.count, move.origin, move.target))


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A way that cases took: the steps, how many cases, their share of all, and the median seconds from first to last event.

    Attributes:
        example: Number of the first case that took it.
    """

    steps: tuple[int, ...]
    cases: int
    share: float
    median: float
    example: int


def paths(found: Stays, *, most: int | None = None) -> tuple[list[Path], int]:
    """The ways that cases took by steps, the most common first, and how many different ones there are."""
    if len(found) == 0:
        return [], 0
    first, digests = path_digests(found)
    stop = np.r_[first[1:], len(found)]
    _, example, kind, counts = np.unique(digests, return_index=True, return_inverse=True, return_counts=True)
    lengths = found.start[stop - 1] - found.start[first]
    made = []
    for number in np.lexsort((example, -counts))[:most]:
        begin = first[example[number]]
        end = stop[example[number]]
        made.append(
            Path(
                steps=tuple(int(step) for step in found.step[begin:end]),
                cases=int(counts[number]),
                share=float(counts[number] / len(first)),
                median=float(np.median(lengths[kind == number])),
                example=int(found.case[begin]),
            )
        )
    return made, len(counts)


def path_digests(found: Stays) -> tuple[Ints, NDArray[np.uint64]]:
    """Where each case's stays begin, and a 64-bit digest of its steps in their order.

    Two of a million different ways share a digest with a chance of about 3 in a hundred million.
    """
    first = np.flatnonzero(np.r_[True, found.case[1:] != found.case[:-1]])
    lengths = np.diff(np.r_[first, len(found)])
    place = np.arange(len(found)) - np.repeat(first, lengths)
    mixed = _splitmix64((place.astype(np.uint64) << np.uint64(20)) + found.step.astype(np.uint64) + np.uint64(1))
    return first, np.add.reduceat(mixed, first)


def _splitmix64(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea and Flood, 2014): scatters numbers over 64 bits."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
