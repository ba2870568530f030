"""Roll-ups of observations: what a minute, an hour or a day of a stream comes to.

A roll-up is made of readings, and a longer one of shorter ones. Lengths divide a UTC day, so none of them crosses midnight.
Every reading with a number counts, whatever its quality, as in the charts of streams; how many of them the rules would not have
judged is kept beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.instants import DAY, SECOND
from yiwang.core.observations.quality import NOT_JUDGED

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
STEPS = (MINUTE, HOUR, DAY)  # lengths of the roll-ups that are kept, in microseconds, the shortest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollups:
    """Roll-ups of one length as columns of equal length, ordered by stream and start.

    Attributes:
        stream: Ids of datastreams.
        start: Where each begins, in microseconds.
        count: Readings with a number.
        total, least, greatest: Of them; ``least`` and ``greatest`` are NaN where there is none.
        first, last: The earliest and the latest of them, NaN where there is none.
        unjudged: Readings that rules do not judge, see `quality`.
    """

    stream: Integers
    start: Integers
    count: Integers
    total: Floats
    least: Floats
    greatest: Floats
    first: Floats
    last: Floats
    unjudged: Integers

    def __len__(self) -> int:
        return int(self.stream.size)

    @property
    def mean(self) -> Floats:
        """NaN where there is no number."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.total / self.count, np.float64)

    def only(self, chosen: NDArray[np.bool_]) -> Rollups:
        """Those that are chosen."""
        return Rollups(**{name: getattr(self, name)[chosen] for name in COLUMNS})


COLUMNS = ("stream", "start", "count", "total", "least", "greatest", "first", "last", "unjudged")
_WHOLE = frozenset({"stream", "start", "count", "unjudged"})


def kind_of(name: str) -> type[np.int64] | type[np.float64]:
    """What a column of `Rollups` holds."""
    return np.int64 if name in _WHOLE else np.float64


def nothing() -> Rollups:
    """No roll-ups."""
    columns: dict[str, Any] = {name: np.empty(0, kind_of(name)) for name in COLUMNS}
    return Rollups(**columns)


def roll_up(
    stream: Integers, time: Integers, value: Floats, quality: Integers, *, step: int, origin: int = 0
) -> Rollups:
    """Roll readings up.

    Args:
        stream, time, value, quality: Columns of equal length, in any order; times in microseconds, NaN for what is no number.
        step: Length of a roll-up in microseconds.
        origin: Where one begins.
    """
    number = np.isfinite(value)
    unjudged = (quality.astype(np.int64) & int(NOT_JUDGED)) != 0
    alone = Rollups(
        stream=stream,
        start=time,
        count=number.astype(np.int64),
        total=np.where(number, value, 0.0),
        least=value,
        greatest=value,
        first=value,
        last=value,
        unjudged=unjudged.astype(np.int64),
    )
    return merge([alone], step=step, origin=origin)


def merge(parts: Sequence[Rollups], *, step: int, origin: int = 0) -> Rollups:
    """Roll-ups of ``step`` microseconds from shorter ones (or from parts of the same) that share no reading.

    Args:
        parts: In any order, each of them in any order.
        step: Length of a roll-up.
        origin: Where one begins.
    """
    if not sum(len(one) for one in parts):
        return nothing()
    given = {name: np.concatenate([getattr(one, name) for one in parts]) for name in COLUMNS}
    order = np.lexsort((given["start"], given["stream"]))
    if not np.array_equal(order, np.arange(order.size)):
        given = {name: column[order] for name, column in given.items()}
    start = (given["start"] - origin) // step * step + origin
    stream = given["stream"]
    begins = np.flatnonzero(np.concatenate(([True], (stream[1:] != stream[:-1]) | (start[1:] != start[:-1]))))
    return Rollups(
        stream=stream[begins],
        start=start[begins],
        count=np.add.reduceat(given["count"], begins),
        total=np.add.reduceat(given["total"], begins),
        least=np.fmin.reduceat(given["least"], begins),
        greatest=np.fmax.reduceat(given["greatest"], begins),
        first=_first(given["first"], begins),
        last=_first(given["last"][::-1], given["last"].size - np.append(begins[1:], given["last"].size)[::-1])[::-1],
        unjudged=np.add.reduceat(given["unjudged"], begins),
    )


def _first(values: Floats, begins: Integers) -> Floats:
    """The first number of each part; NaN where a part has none."""
    places = np.where(np.isfinite(values), np.arange(values.size), values.size)
    found = np.minimum.reduceat(places, begins)
    return np.append(values, np.nan)[found]


def coarsest(*, start: int, width: int, kept: Collection[int] = STEPS) -> int:
    """The longest roll-up of which points of ``width`` microseconds from ``start`` on are made; 0 where readings are needed."""
    fitting = [step for step in kept if width % step == 0 and start % step == 0]
    return max(fitting, default=0)
