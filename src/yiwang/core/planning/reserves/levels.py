"""How much to keep and when to order: one period, base stock, and (s, S) with a proof.

Time runs in periods. An order is placed at a period's start, after a review, and arrives at the start of the period ``lead`` periods on,
before that period's demand. Unmet demand waits (backorders). The *position* is stock on hand, plus what is on order, less what waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.planning.reserves.demand import Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglePeriod:
    """What to buy once.

    Attributes:
        units: How many.
        ratio: The critical ratio: the chance with which they suffice, at least.
        cost: The expected cost of having too many or too few.
    """

    units: int
    ratio: float
    cost: float


def newsvendor(demand: Demand, *, short: float, left: float) -> SinglePeriod:
    """The order for one period: the least quantity that suffices with the chance short / (short + left).

    K. J. Arrow, T. Harris and J. Marschak, Optimal Inventory Policy, *Econometrica* 19 (1951). Optimal for any distribution over whole
    units.

    Args:
        demand: Of the period.
        short, left: Cost of a unit too few and of a unit too many, above 0.
    """
    _positive(short, left)
    ratio = short / (short + left)
    units = demand.quantile(ratio)
    return SinglePeriod(units=units, ratio=ratio, cost=single_period_cost(demand, units, short=short, left=left))


def single_period_cost(demand: Demand, units: int, *, short: float, left: float) -> float:
    """The expected cost of a quantity for one period."""
    missing = demand.excess(units)
    return short * missing + left * (units - demand.mean + missing)


def normal_newsvendor(mean: float, deviation: float, *, short: float, left: float) -> float:
    """The same for normal demand that need not be in whole units: mean + deviation · Φ⁻¹(short / (short + left))."""
    from scipy.special import ndtri

    _positive(short, left)
    return mean + deviation * float(ndtri(short / (short + left)))


def days_of_supply(stock: float, a_day: float) -> float:
    """For how many days a stock lasts at a mean consumption; infinite where nothing is used."""
    return stock / a_day if a_day > 0 else inf


def cycle_service(demand: Demand, level: float, *, lead: int, review: int = 1) -> float:
    """The chance that no demand waits before the next order arrives, when the position is raised to ``level`` at each review.

    An order placed now and the one at the next review leave lead + review periods to be covered (E. A. Silver, D. F. Pyke and R. Peterson,
    *Inventory Management and Production Planning and Scheduling*, third edition 1998, chapter 7: R, S systems).
    """
    return demand.times(lead + review).at_most(level)


def fill_rate(demand: Demand, level: float, *, lead: int, review: int = 1) -> float:
    """The share of demand that is met from the shelf, when the position is raised to ``level`` at each review.

    What newly waits in a cycle is what waits at its end less what waited at its start, after the delivery; each is an expected excess over
    the level, of lead + review and of lead periods' demand. 1 where there is no demand.
    """
    mean = demand.mean * review
    if mean <= 0:
        return 1.0
    return 1 - (demand.times(lead + review).excess(level) - demand.times(lead).excess(level)) / mean


def base_stock(demand: Demand, *, service: float, lead: int, review: int = 1, by_fill_rate: bool = False) -> int:
    """The least level whose `cycle_service`, or `fill_rate`, reaches ``service``.

    Raises:
        BadInput: Where ``service`` is not above 0 and below 1.
    """
    if not 0 < service < 1:
        raise BadInput(Text("服务水平须在 0 与 1 之间。", "A service level lies between 0 and 1."))
    whole = demand.times(lead + review)
    if not by_fill_rate:
        return whole.quantile(service)
    waited, mean = demand.times(lead), demand.mean * review
    low, high = -1, len(whole.chances)  # the fill rate rises with the level: halve the interval
    while high - low > 1:
        middle = (low + high) // 2
        enough = 1 - (whole.excess(middle) - waited.excess(middle)) / mean >= service if mean > 0 else True
        low, high = (low, middle) if enough else (middle, high)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpTo:
    """An (s, S) policy: at a review with a position of ``reorder`` or less, order up to ``up_to``.

    Attributes:
        cost: The long-run mean cost of a period, which no policy is below.
    """

    reorder: int
    up_to: int
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCosts:
    """Costs of one item.

    Attributes:
        order: Of an order, whatever its size.
        holding: Of a unit on hand at a period's end.
        waiting: Of a unit that waits at a period's end.
    """

    order: float
    holding: float
    waiting: float


class _MeanCosts:
    """The long-run mean cost of (s, S) policies, by renewal theory.

    With φ the chances of one period's demand, the expected visits to S − j are m(0) = 1 / (1 − φ(0)) and
    m(j) = Σ φ(i) m(j − i) / (1 − φ(0)) over i from 1 to j; an (s, S) policy costs (K + Σ m(j) G(S − j)) / Σ m(j), both sums over j from 0
    to S − s − 1. G(y) is the expected holding and waiting cost at the end of the period in which an order placed now arrives.
    """

    def __init__(self, demand: Demand, costs: PeriodCosts, lead: int) -> None:
        import numpy as np

        self._chances = np.array(demand.chances)
        self._costs = costs
        over_lead = np.array(demand.times(lead + 1).chances)
        self._mean = float(over_lead @ np.arange(len(over_lead)))
        above = 1 - np.cumsum(over_lead)  # the chance of more than y
        above[-1] = 0.0
        self._excess = np.cumsum(above[::-1])[::-1]  # E max(D - y, 0) is the sum of those from y on
        self._visits = np.zeros(256)
        self._visits[0] = 1 / (1 - demand.chances[0])
        self._known = 1

    def at(self, position: int) -> float:
        """G of a position."""
        waiting = self._mean - position if position < 0 else 0.0
        if 0 <= position < len(self._excess):
            waiting = float(self._excess[position])
        on_hand = position - self._mean + waiting
        return self._costs.holding * on_hand + self._costs.waiting * waiting

    def of(self, reorder: int, up_to: int) -> float:
        """c(s, S)."""
        import numpy as np

        steps = up_to - reorder
        self._visit(steps)
        visits = self._visits[:steps]
        positions = np.arange(up_to, reorder, -1)
        known = self._excess[np.clip(positions, 0, len(self._excess) - 1)]  # the last is 0, as are all above
        waiting = np.where(positions < 0, self._mean - positions, known)
        costs = self._costs.holding * (positions - self._mean + waiting) + self._costs.waiting * waiting
        return float((self._costs.order + visits @ costs) / visits.sum())

    def _visit(self, steps: int) -> None:
        """Have m of every distance below ``steps``."""
        import numpy as np

        if steps > len(self._visits):
            self._visits = np.concatenate([self._visits, np.zeros(max(steps, len(self._visits)))])
        for j in range(self._known, steps):
            last = min(j, len(self._chances) - 1)
            before = self._visits[j - last : j][::-1]  # m(j − 1), m(j − 2), …
            self._visits[j] = self._chances[1 : last + 1] @ before / (1 - self._chances[0])
        self._known = max(self._known, steps)


def order_up_to(demand: Demand, *, costs: PeriodCosts, lead: int) -> OrderUpTo:
    """The best (s, S) policy, which is the best of all policies for these costs.

    Y.-S. Zheng and A. Federgruen, Finding Optimal (s, S) Policies Is About As Simple As Evaluating a Single Policy, *Operations Research*
    39 (1991). Exact for demand in whole units that is independent from period to period.

    Raises:
        BadInput: Where a cost is not above 0, or there is never any demand.
    """
    _positive(costs.order, costs.holding, costs.waiting)
    if demand.chances[0] >= 1:
        raise BadInput(Text("没有需求，无需订货。", "There is no demand, so nothing to order."))
    mean = _MeanCosts(demand, costs, lead)
    lowest = demand.times(lead + 1).quantile(costs.waiting / (costs.waiting + costs.holding))  # G is convex, least here
    best = lowest
    reorder = lowest - 1
    while mean.of(reorder, best) > mean.at(reorder):
        reorder -= 1
    cost = mean.of(reorder, best)
    up_to = best + 1
    while mean.at(up_to) <= cost:  # beyond, no S can do better
        if mean.of(reorder, up_to) < cost:
            best = up_to
            while mean.of(reorder, best) <= mean.at(reorder + 1):
                reorder += 1
            cost = mean.of(reorder, best)
        up_to += 1
    return OrderUpTo(reorder=reorder, up_to=best, cost=cost)


def _positive(*costs: float) -> None:
    if min(costs) <= 0:
        raise BadInput(Text("费用须大于 0。", "Costs must be above 0."))
