"""What other thresholds would have given on a recorded series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from yiwang.core.observations.alarms import Episode, episodes
from yiwang.core.observations.baseline import Baseline
from yiwang.core.observations.conditions import Condition, Level
from yiwang.core.observations.declared import check_levels
from yiwang.core.observations.series import alarms_of_series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Alarms with the thresholds in force and with others.

    Attributes:
        now, then: Episodes by the thresholds in force, and by the others.
        added: Those of ``then`` that overlap none of ``now``.
        lost: Those of ``now`` that overlap none of ``then``.
    """

    now: tuple[Episode, ...]
    then: tuple[Episode, ...]
    added: tuple[Episode, ...]
    lost: tuple[Episode, ...]


def what_if(
    condition: Condition,
    levels: Sequence[Level],
    times: Floats,
    values: Floats,
    *,
    stream: str = "",
    baseline: Baseline | None = None,
    now: float = -inf,
) -> WhatIf:
    """The alarms of a series if a condition had other levels.

    Args:
        condition: As in force.
        levels: In its place, the mildest first.
        times, values, stream, baseline, now: As for `alarms_of_series`.

    Raises:
        BadInput: The levels do not ascend, or one is cleared beyond itself.
    """
    other = replace(condition, levels=tuple(levels))
    check_levels(other)
    found = [
        tuple(episodes(alarms_of_series(one, times, values, stream=stream, baseline=baseline, now=now)))
        for one in (condition, other)
    ]
    return WhatIf(now=found[0], then=found[1], added=_apart(found[1], found[0]), lost=_apart(found[0], found[1]))


def _apart(ones: Sequence[Episode], others: Sequence[Episode]) -> tuple[Episode, ...]:
    """Episodes that overlap none of the others; episodes of one stream are in order and do not overlap one another."""
    starts = np.array([other.start for other in others])
    ends = np.array([inf if other.end is None else other.end for other in others])
    apart = []
    for one in ones:
        first = int(np.searchsorted(ends, one.start, side="left"))  # the first other that ends at its start or later
        if first == len(others) or starts[first] > (inf if one.end is None else one.end):
            apart.append(one)
    return tuple(apart)
