"""A plan for a list of items: how long each lasts, its level, what to order when, and what contracts leave to be kept on hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.core.planning.reserves.contracts import Bridge, Contract, bridge
from yiwang.core.planning.reserves.demand import Demand
from yiwang.core.planning.reserves.levels import (
    OrderUpTo,
    PeriodCosts,
    base_stock,
    cycle_service,
    days_of_supply,
    fill_rate,
    order_up_to,
)

USUAL_SERVICES = (0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One good in one store; figures in its own unit, time in days.

    Attributes:
        stock, on_order: What there is, and what has been ordered and not come.
        demand: Of a day.
        lead, review: From an order to its delivery, and from one look at the stock to the next.
        service: The chance, wanted at least, that nothing runs out before the next delivery.
        costs: Where known, the (s, S) policy of least cost is worked out too; it looks at the stock every day.
        last: For how many days the stock has to last by rule; 0 where no rule says so.
        surge, surge_days: Use a day in an emergency, and how long it has to be met with the help of contracts.
    """

    id: str
    stock: float
    demand: Demand
    on_order: float = 0.0
    lead: int = 7
    review: int = 1
    service: float = 0.95
    costs: PeriodCosts | None = None
    last: int = 0
    surge: float = 0.0
    surge_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPlan:
    """What is to be done about an item.

    Attributes:
        days: For how many days the stock lasts at the mean use.
        level: The position to raise to at each review: the least with the wanted service.
        service, service_below: The chance that nothing runs out at that level, and at one unit less: the proof that it is the least.
        levels: The least level for each of `USUAL_SERVICES`, to compare.
        filled: The share of demand that is met from the shelf at that level.
        policy: The (s, S) of least cost; None without costs.
        bridge: What must be on hand for an emergency until contracts deliver; None where no surge is given.
        keep: The stock that rules and emergency ask for.
        order: Units to order now.
        order_in: Days until the next order at the mean use; 0 where one is due now, infinite where nothing is used.
    """

    item: str
    days: float
    level: int
    service: float
    service_below: float
    levels: dict[float, int]
    filled: float
    policy: OrderUpTo | None
    bridge: Bridge | None
    keep: int
    order: int
    order_in: float


def plan_item(item: Item, contracts: Sequence[Contract]) -> ItemPlan:
    """The plan of one item.

    An order is due when the position is at the reorder point or below: ``s`` where there are costs, else just below the level, and in
    any case below what has to be kept. It raises the position to ``S``, or the level, or what has to be kept, whatever is most.
    """
    demand, lead, review = item.demand, item.lead, item.review
    own = [contract for contract in contracts if contract.item == item.id]
    level = base_stock(demand, service=item.service, lead=lead, review=review)
    policy = order_up_to(demand, costs=item.costs, lead=lead) if item.costs else None
    emergency = bridge(own, a_day=item.surge, days=item.surge_days) if item.surge_days else None
    # what is on order cannot count in an emergency, and the stock must still be there when an order is on its way
    keep = ceil(max(item.last * demand.mean, emergency.units if emergency else 0.0) - 1e-9)
    reorder = max(policy.reorder if policy else level - 1, keep - 1)
    up_to = max(policy.up_to if policy else level, keep)
    position = item.stock + item.on_order
    due = position <= reorder
    return ItemPlan(
        item=item.id,
        days=days_of_supply(item.stock, demand.mean),
        level=level,
        service=cycle_service(demand, level, lead=lead, review=review),
        service_below=cycle_service(demand, level - 1, lead=lead, review=review),
        levels={one: base_stock(demand, service=one, lead=lead, review=review) for one in USUAL_SERVICES},
        filled=fill_rate(demand, level, lead=lead, review=review),
        policy=policy,
        bridge=emergency,
        keep=keep,
        order=ceil(up_to - position - 1e-9) if due else 0,
        order_in=0.0 if due else ceil((position - reorder) / demand.mean) if demand.mean > 0 else inf,
    )


def item_faults(item: Item, contracts: Sequence[Contract], plan: ItemPlan) -> list[Text]:
    """Everything in a plan that another way of working it out does not confirm.

    Demands are added up by their characteristic function; the cost of (s, S) comes from the visits between two orders, by a filter,
    and is compared with its neighbours; the bridge is walked day by day.
    """
    faults: list[Text] = []
    over = _sum_of(item.demand, item.lead + item.review)
    for level, said in ((plan.level, plan.service), (plan.level - 1, plan.service_below)):
        if abs(float(over[: level + 1].sum()) - said) > 1e-6:
            faults.append(
                Text("服务水平不符。", "The service of level {level} is not {said:g}.", level=level, said=said)
            )
    if not plan.service + 1e-9 >= item.service > plan.service_below - 1e-9:
        faults.append(Text("{level} 不是最低库存水平。", "{level} is not the least level.", level=plan.level))
    if plan.policy is not None and item.costs is not None:
        s, up_to = plan.policy.reorder, plan.policy.up_to
        cost = policy_cost(item.demand, item.costs, lead=item.lead, reorder=s, up_to=up_to)
        near = [(s - 1, up_to), (s + 1, up_to), (s, up_to - 1), (s, up_to + 1), (s - 1, up_to - 1), (s + 1, up_to + 1)]
        others = [policy_cost(item.demand, item.costs, lead=item.lead, reorder=a, up_to=b) for a, b in near if a < b]
        if abs(cost - plan.policy.cost) > 1e-6 * max(1.0, cost) or min(others) < cost - 1e-6 * max(1.0, cost):
            faults.append(Text("({s}, {S}) 并非最省。", "({s}, {S}) is not the cheapest.", s=s, S=up_to))
    if plan.bridge is not None:
        shelf, least = plan.bridge.units, inf
        for day in range(1, item.surge_days + 1):
            for contract in contracts:
                if contract.item == item.id:
                    shelf += contract.arrived(day) - contract.arrived(day - 1)
            shelf -= item.surge
            least = min(least, shelf)
        if least < -1e-6 or (plan.bridge.units > 0 and least > 1e-6):
            faults.append(Text("衔接库存不符。", "The stock that bridges is not {units:g}.", units=plan.bridge.units))
    return faults


def policy_cost(demand: Demand, costs: PeriodCosts, *, lead: int, reorder: int, up_to: int) -> float:
    """The long-run mean cost of a day under (s, S), from how often each position is visited between two orders."""
    import numpy as np
    from scipy.signal import lfilter

    size = up_to - reorder
    chances = np.zeros(size)
    known = min(size, len(demand.chances))
    chances[:known] = demand.chances[:known]
    first = np.zeros(size)
    first[0] = 1.0
    visits = lfilter([1.0], (first - chances)[:known], first)  # from S down to s + 1
    over = _sum_of(demand, lead + 1)
    at_most = np.cumsum(over)
    below = np.concatenate([[0.0], np.cumsum(at_most)])  # E max(y − D, 0) is the sum of P(D ≤ k) over k below y
    positions = np.arange(up_to, reorder, -1)
    on_hand = below[np.clip(positions, 0, len(over))] + np.maximum(positions - len(over), 0)
    waiting = on_hand - positions + float(over @ np.arange(len(over)))
    cost = costs.holding * on_hand + costs.waiting * waiting
    return float((costs.order + visits @ cost) / visits.sum())


def _sum_of(demand: Demand, periods: int) -> Any:
    """The distribution of several periods' demand, as the power of its characteristic function."""
    import numpy as np

    size = (len(demand.chances) - 1) * periods + 1
    return np.fft.irfft(np.fft.rfft(demand.chances, size) ** periods, size) if size > 1 else np.array([1.0])
