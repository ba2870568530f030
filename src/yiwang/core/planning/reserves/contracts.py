"""Framework contracts and production capacity as reserves (协议储备、产能储备): what comes when, and what must be on hand until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from yiwang.core.planning.reserves.demand import Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a supplier owes after a call.

    Attributes:
        id: Its name.
        item: What it delivers.
        lead: Days from the call to the first delivery; it counts on the morning of the day after them.
        a_day: Units a day from then on: a shelf delivers all at once, a works as fast as it makes them.
        total: Units in all; infinite for a works that goes on.
    """

    id: str
    item: str
    lead: int
    a_day: float
    total: float = inf

    def arrived(self, day: int) -> float:
        """Units that have come by a day's demand, the day of the call being day 1."""
        return min(self.total, self.a_day * max(0, day - self.lead))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """What must be on hand at the call.

    Attributes:
        units: The least stock with which no day runs out.
        tightest: The day at whose end it is all used up; 0 where nothing is needed.
        lasts: Whether what comes in a day by the last day covers a day's demand, so that the stock lasts beyond as well.
    """

    units: float
    tightest: int
    lasts: bool


def bridge(contracts: Sequence[Contract], *, a_day: float, days: int) -> Bridge:
    """The stock that bridges days of a steady demand until contracts deliver: the largest of demand so far less arrivals so far."""
    return _bridge(contracts, needs=[a_day * day for day in range(1, days + 1)], a_day=a_day)


def bridge_with_chance(contracts: Sequence[Contract], *, demand: Demand, days: int, service: float) -> Bridge:
    """The same for uncertain demand: each day's needs so far are those not exceeded with the chance ``service``.

    That holds for each day by itself; the chance that no day at all runs out is smaller.
    """
    needs = [float(demand.times(day).quantile(service)) for day in range(1, days + 1)]
    return _bridge(contracts, needs=needs, a_day=demand.mean)


def _bridge(contracts: Sequence[Contract], *, needs: Sequence[float], a_day: float) -> Bridge:
    units, tightest = 0.0, 0
    for day, need in enumerate(needs, start=1):
        missing = need - sum(contract.arrived(day) for contract in contracts)
        if missing > units:
            units, tightest = missing, day
    last = len(needs)
    daily = sum(contract.arrived(last + 1) - contract.arrived(last) for contract in contracts)
    return Bridge(units=units, tightest=tightest, lasts=daily >= a_day)
