"""Check a transport plan without solving anything: what it does is allowed, and its prices prove that nothing cheaper is.

The proof is weak duality (G. B. Dantzig, *Linear Programming and Extensions*, 1963). Take prices for which no move gains::

    price[end] − price[start] − rent[link]  ≤  cost[link]          for every link, good and period
    price[place] − rent[lot]                ≤  0                   for every lot and period in which it can be drawn

Then every plan costs at least Σ need · price − Σ capacity · rent[link] − Σ amount · rent[lot]. Where ``allowed`` units may go short
in all, at a price of ``short`` each, the most that going short can save is ``short · allowed`` and what each place's price exceeds
``short`` by.
"""

from __future__ import annotations

from collections import defaultdict
from math import fsum, inf

from yiwang.core.kernel.text import Text
from yiwang.core.planning.reserves.flow import FlowPlan, Network, Prices, Spot

TOLERANCE = 1e-6


def flow_faults(network: Network, plan: FlowPlan) -> list[Text]:
    """Everything that is wrong with a plan; empty where it is right and no plan costs less than its bound says."""
    faults = _broken_limits(network, plan)
    cost = fsum(network.links[index].cost * amount for (index, _, _), amount in plan.flows.items())
    if not _near(cost, plan.standing.objective):
        said = plan.standing.objective
        faults.append(
            Text("费用是 {cost:g}，不是 {said:g}。", "It costs {cost:g}, not {said:g}.", cost=cost, said=said)
        )
    short = fsum(plan.short.values())
    if short or plan.short_prices is not None:
        least = proven_least(network, plan.short_prices or Prices(), shortage=True)
        if not _near(least, short):
            faults.append(
                Text(
                    "短缺 {short:g}，但只能证明至少短缺 {least:g}。",
                    "{short:g} is short, but only {least:g} is proven to be.",
                    short=short,
                    least=least,
                )
            )
    bound = proven_least(network, plan.prices, allowed=short)
    # branch and bound may know a higher bound than the prices do: that one has no certificate, and must not be below them
    if (plan.standing.bound < bound and not _near(bound, plan.standing.bound)) or (
        not _uncertified(network, plan) and not _near(bound, plan.standing.bound)
    ):
        said = plan.standing.bound
        faults.append(
            Text(
                "价格证明的下界是 {bound:g}，不是 {said:g}。",
                "The prices prove {bound:g}, not {said:g}.",
                bound=bound,
                said=said,
            )
        )
    return faults


def proven_least(network: Network, prices: Prices, *, allowed: float = 0.0, shortage: bool = False) -> float:
    """What every plan costs at least, or with ``shortage`` leaves short at least, by these prices.

    Returns:
        −inf where the prices prove nothing, because some move would gain by them.
    """
    needed = network.needed
    price = prices.places
    if min((*prices.links.values(), *prices.lots.values(), prices.short), default=0.0) < 0:
        return -inf
    periods: dict[str, set[int]] = defaultdict(set)
    for _, good, period in needed:
        periods[good].add(period)
    slack = TOLERANCE * max(1.0, *(abs(one) for one in price.values()), 1.0)
    for index, link in enumerate(network.links):
        cost = 0.0 if shortage else link.cost
        for good in (link.good,) if link.good else periods:
            for period in periods.get(good, ()):
                gain = price.get((link.end, good, period), 0.0) - price.get((link.start, good, period), 0.0)
                if gain - prices.links.get((index, period), 0.0) > cost + slack:
                    return -inf
    for index, lot in enumerate(network.lots):
        for period in periods.get(lot.good, ()):
            worth = price.get((lot.place, lot.good, period), 0.0)
            if lot.since <= period <= lot.until and worth - prices.lots.get(index, 0.0) > slack:
                return -inf
    going_short = 1.0 if shortage else prices.short
    value = [amount * price.get(spot, 0.0) for spot, amount in needed.items()]
    value += [-network.links[index].capacity * rent for (index, _), rent in prices.links.items()]
    value += [-network.lots[index].amount * rent for index, rent in prices.lots.items()]
    if shortage or allowed:
        value += [-amount * max(0.0, price.get(spot, 0.0) - going_short) for spot, amount in needed.items()]
        value.append(0.0 if shortage else -going_short * allowed)
    return fsum(value)


def _uncertified(network: Network, plan: FlowPlan) -> bool:
    """Whether flows had to be made whole by branch and bound, whose bound the prices do not prove."""
    shared = any(not link.good and link.capacity < inf for link in network.links)
    return shared and network.in_whole_units


def _broken_limits(network: Network, plan: FlowPlan) -> list[Text]:
    faults: list[Text] = []
    amounts = (*plan.flows.values(), *plan.drawn.values(), *plan.short.values())
    if min(amounts, default=0.0) < 0:
        faults.append(Text("有负的数量。", "An amount is negative."))
    brought: dict[Spot, float] = defaultdict(float)
    through: dict[tuple[int, int], float] = defaultdict(float)
    taken: dict[int, float] = defaultdict(float)
    for (index, good, period), amount in plan.flows.items():
        link = network.links[index]
        if link.good not in ("", good):
            faults.append(
                Text(
                    "{a} 到 {b} 的线路不运 {good}。",
                    "{a} to {b} does not take {good}.",
                    a=link.start,
                    b=link.end,
                    good=good,
                )
            )
        brought[link.start, good, period] -= amount
        brought[link.end, good, period] += amount
        through[index, period] += amount
    for (index, period), amount in plan.drawn.items():
        lot = network.lots[index]
        if not lot.since <= period <= lot.until:
            faults.append(
                Text("第 {t} 期不能动用批次 {lot}。", "Lot {lot} is not to be had in period {t}.", lot=lot.id, t=period)
            )
        brought[lot.place, lot.good, period] += amount
        taken[index] += amount
    needed = network.needed
    for spot in sorted({*needed, *brought, *plan.short}):
        left = brought.get(spot, 0.0) + plan.short.get(spot, 0.0) - needed.get(spot, 0.0)
        if not _near(left, 0.0):
            place, good, period = spot
            faults.append(
                Text(
                    "{place} 第 {period} 期的{good}收支差 {left:g}。",
                    "{good} at {place} in period {period} is out of balance by {left:g}.",
                    place=place,
                    good=good,
                    period=period,
                    left=left,
                )
            )
    for (index, period), amount in through.items():
        link = network.links[index]
        if amount > link.capacity + TOLERANCE * max(1.0, link.capacity):
            faults.append(
                Text(
                    "第 {t} 期 {a} 到 {b} 超出运力。",
                    "{a} to {b} takes too much in period {t}.",
                    t=period,
                    a=link.start,
                    b=link.end,
                )
            )
    for index, amount in taken.items():
        lot = network.lots[index]
        if amount > lot.amount + TOLERANCE * max(1.0, lot.amount):
            faults.append(Text("批次 {lot} 动用过多。", "Too much is drawn from lot {lot}.", lot=lot.id))
    return faults


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * max(1.0, abs(one), abs(other))


def why_short(network: Network, plan: FlowPlan) -> list[Text]:
    """In words, which places go short, and what is used up on every way to them.

    The places with a price of going short are those on the far side of a cut; the lots and links that have a rent are the cut: all that
    can reach those places passes through them.
    """
    if plan.short_prices is None:
        return []
    said = []
    for (place, good, period), amount in sorted(plan.short.items()):
        said.append(
            Text(
                "{place} 第 {period} 期短缺{good} {amount:g}。",
                "{place} is short of {amount:g} of {good} in period {period}.",
                place=place,
                good=good,
                period=period,
                amount=amount,
            )
        )
    lots = [network.lots[index] for index in sorted(plan.short_prices.lots) if network.lots[index].amount]
    if lots:
        names = ", ".join(f"{lot.id} ({lot.place}, {lot.good}: {lot.amount:g})" for lot in lots)
        said.append(
            Text(
                "能到达这些地方的批次已用尽：{names}。",
                "The lots that can reach them are used up: {names}.",
                names=names,
            )
        )
    full = [(network.links[index], period) for index, period in sorted(plan.short_prices.links)]
    if full:
        names = ", ".join(f"{a.start} → {a.end} ({a.capacity:g}, {t})" for a, t in full)
        said.append(
            Text(
                "通往这些地方的线路已满（运力、期）：{names}。",
                "The links on the way to them are full (capacity, period): {names}.",
                names=names,
            )
        )
    if not lots and not full:
        said.append(Text("没有批次能运到这些地方。", "No lot can be brought to them."))
    return said
