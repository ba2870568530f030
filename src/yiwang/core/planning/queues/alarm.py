"""When a queue will spill back: a forecast from what is counted now.

The rate of the next minutes is not known; from n arrivals in t minutes it is taken as gamma distributed with shape n + ½ and scale
1/t (the posterior of a Poisson rate with Jeffreys' prior). For each of many futures a rate is drawn, then arrivals and inspections,
and the queue is simulated on from now. Inspections that are going on are taken to have just begun, which is exact where scv is 1 and
cautious below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.erlang import HOUR
from yiwang.core.planning.queues.simulation import Days, Estimate, hours_of, proportion, starts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SpillForecast:
    """What is to be expected.

    Attributes:
        probability: That the queue spills back within the horizon.
        by_minute: The same within 5, 10, 15 … minutes.
        likely_in: The minutes after which it is more likely than not; None where the horizon ends before.
        fluid_in: The minutes until then if everything ran at its mean; infinite where the queue does not grow.
    """

    probability: Estimate
    by_minute: Mapping[int, float]
    likely_in: float | None
    fluid_in: float


def forecast_spill_back(
    *,
    queue: int,
    arrived: int,
    minutes: float,
    lanes: int,
    mean: float,
    scv: float,
    places: int,
    horizon: float = 60.0,
    seed: int = 1,
    futures: int = 2000,
) -> SpillForecast:
    """The probability that more than ``places`` vehicles wait at some moment of the next ``horizon`` minutes.

    Args:
        queue: How many wait now, without those being inspected.
        arrived, minutes: How many came in the last so many minutes.
        lanes: Open now, and all busy where anybody waits.
        mean, scv: Inspection in minutes, and its squared coefficient of variation.
        places: Of guidance and buffer area together.
        horizon: Minutes, up to a day.
        seed, futures: The same seed gives the same forecast, from so many futures.

    Raises:
        BadInput: With every figure that is out of its range.
    """
    _check(
        [
            (Text("排队数", "The queue"), queue, queue >= 0),
            (Text("到达数", "The arrivals"), arrived, arrived >= 0),
            (Text("统计分钟数", "The minutes counted"), minutes, 0 < minutes < inf),
            (Text("车道数", "The lanes"), lanes, lanes >= 0),
            (Text("平均查验时间", "The mean inspection"), mean, 0 < mean < inf),
            (Text("变异系数平方", "The scv"), scv, 0 <= scv < inf),
            (Text("车位数", "The places"), places, places >= 0),
            (Text("预测分钟数", "The horizon"), horizon, 0 < horizon <= 24 * HOUR),
            (Text("模拟次数", "The futures"), futures, futures >= 1),
        ]
    )
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, queue, arrived])))
    rates = random.gamma(arrived + 0.5, 1 / minutes, futures)
    coming = random.poisson(rates * horizon)
    # lanes are busy where somebody waits; they and the queue are there at minute 0, before all others
    here = queue + (lanes if queue else 0)
    first = np.concatenate([[0], np.cumsum(coming + here)]).astype(np.int64)
    at = np.zeros(first[-1])
    for start, count in zip(first, coming, strict=False):
        at[start + here : start + here + count] = np.sort(random.random(count)) * horizon
    service = random.gamma(1 / scv, mean * scv, len(at)) if scv else np.full(len(at), mean)
    hours = ceil(horizon / HOUR)
    days = Days(
        hours=hours, queues=1, replications=futures, at=at, queue=np.zeros(len(at), np.int64), service=service,
        cell=hours_of(at, hours), first=first,
    )  # fmt: skip
    starts = starts_of(days, np.full((1, hours), lanes, np.int64))
    spilt = np.full(futures, 0.0 if queue > places else inf)
    if queue <= places:
        for future in range(futures):
            arrivals, begun = at[first[future] : first[future + 1]], starts[first[future] : first[future + 1]]
            waiting = np.arange(1, len(arrivals) + 1) - np.searchsorted(begun, arrivals, side="right")
            over = np.flatnonzero(waiting[here:] > places)
            if len(over):
                spilt[future] = arrivals[here + over[0]]
    count = int((spilt <= horizon).sum())
    growth = arrived / minutes - lanes / mean
    middle = float(np.quantile(spilt, 0.5, method="inverted_cdf"))
    return SpillForecast(
        probability=proportion(count, futures),
        by_minute={minute: float((spilt <= minute).mean()) for minute in range(5, int(horizon) + 1, 5)},
        likely_in=middle if middle <= horizon else None,
        fluid_in=0.0 if queue > places else (places - queue) / growth if growth > 0 else inf,
    )


def _check(figures: Sequence[tuple[Text, float, bool]]) -> None:
    problems = [
        Problem(
            Text("{name}为 {value}，无效。", "{name} cannot be {value}.", name=name, value=value),
            Text("计数不得小于 0，时间应大于 0。", "Counts must be 0 or more, times above 0."),
        )
        for name, value, good in figures
        if not good
    ]
    if problems:
        raise BadInput(problems)
