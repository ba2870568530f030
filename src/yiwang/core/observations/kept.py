"""Observations as columns, and what becomes of a moment of which two are known: one kept long ago, one that came later.

The rules are those of writing into the database. The same result again is a duplicate; another result corrects the first and is
marked. An observation that was written, and is met again beside its own copy, is one observation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.observations.quality import Quality

Integers = NDArray[np.int64]
NONE = -(2**63) + 1  # stands for no moment and no feature in columns of whole numbers
_BY_ARRIVAL = int(
    Quality.LATE | Quality.OUT_OF_ORDER
)  # a correction has these of its own, and says what the first one had


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Observations as columns of equal length, ordered by stream and time, which are theirs alone.

    Attributes:
        id, stream, time, received, quality: As in the database.
        end, result_time, feature: `NONE` for none.
        value: NaN for none.
        result, more: JSON; empty for none.
    """

    id: Integers
    stream: Integers
    time: Integers
    end: Integers
    value: NDArray[np.float64]
    result: NDArray[np.object_]
    result_time: Integers
    received: Integers
    quality: Integers
    feature: Integers
    more: NDArray[np.object_]

    def __len__(self) -> int:
        return int(self.time.size)

    def only(self, chosen: NDArray[Any]) -> Observed:
        """Those that are chosen, by a mask or by their places."""
        return Observed(**{name: getattr(self, name)[chosen] for name in NAMES})


NAMES = tuple(one.name for one in fields(Observed))
KINDS: dict[str, Any] = {
    name: np.float64 if name == "value" else np.object_ if name in ("result", "more") else np.int64 for name in NAMES
}


def observed(rows: Sequence[Sequence[Any]]) -> Observed:
    """Columns from rows with the attributes in their order, in any order of rows."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(NAMES)
    found = Observed(**{name: np.array(column, KINDS[name]) for name, column in zip(NAMES, columns, strict=True)})
    return found.only(np.lexsort((found.time, found.stream)))


def merged(kept: Observed, later: Observed) -> Observed:
    """Both as one: of a moment that both have, the later one, unless it says the same."""
    if not len(later):
        return kept
    if not len(kept):
        return later
    mine, theirs = _pairs(kept, later)
    winner = _winners(kept.only(mine), later.only(theirs))
    stays_out = np.zeros(len(kept), np.bool_)
    stays_out[mine] = True
    alone = np.ones(len(later), np.bool_)
    alone[theirs] = False
    parts = (kept.only(~stays_out), winner, later.only(alone))
    together = Observed(**{name: np.concatenate([getattr(one, name) for one in parts]) for name in NAMES})
    return together.only(np.lexsort((together.time, together.stream)))


def settled(kept: Observed, later: Observed) -> Integers:
    """Ids of those among ``later`` that say nothing beyond what is kept: their merging changes nothing."""
    if not len(kept) or not len(later):
        return np.empty(0, np.int64)
    mine, theirs = _pairs(kept, later)
    before, after = kept.only(mine), _winners(kept.only(mine), later.only(theirs))
    same = np.ones(mine.size, np.bool_)
    for name in NAMES:
        same &= _equal(getattr(before, name), getattr(after, name))
    return later.id[theirs[same]]


def _pairs(kept: Observed, later: Observed) -> tuple[Integers, Integers]:
    """Places in both of the moments that both have."""
    streams, times = np.concatenate((kept.stream, later.stream)), np.concatenate((kept.time, later.time))
    order = np.lexsort((times, streams))  # stable: of two the kept one comes first
    twice = np.flatnonzero((streams[order][1:] == streams[order][:-1]) & (times[order][1:] == times[order][:-1]))
    return order[twice], order[twice + 1] - len(kept)


def _winners(kept: Observed, later: Observed) -> Observed:
    """What holds of each pair."""
    same = _equal(kept.value, later.value) & (kept.result == later.result) & (kept.end == later.end)
    again = same & (kept.id != later.id) & (later.quality & int(Quality.CORRECTED) == 0)
    columns = {name: np.where(again, getattr(kept, name), getattr(later, name)) for name in NAMES if name != "quality"}
    changed = kept.quality | (later.quality & ~_BY_ARRIVAL) | np.where(same, 0, int(Quality.CORRECTED))
    return Observed(quality=np.where(again, kept.quality, changed), **columns)


def _equal(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    if one.dtype == np.float64:
        return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)), np.bool_)
    return np.asarray(one == other, np.bool_)
