"""Share what is too little: equal amounts, equal shares, minimums first, and the fairest that a network allows.

Every way to share stands beside what it costs: the price of fairness (D. Bertsimas, V. F. Farias and N. Trichakis, The Price of Fairness,
*Operations Research* 59, 2011), the share of the largest possible total that is given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, fsum, inf

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.program import Program

TIGHT = 1e-7  # a dual above this binds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What each place gets.

    Attributes:
        amounts: By place.
        total: Of all.
        least_share: The smallest amount divided by its need.
        price: The price of fairness: by what share the total is below the largest possible; 0 where nothing is given up.
    """

    amounts: Mapping[str, float]
    total: float
    least_share: float
    price: float


def sharing(amounts: Mapping[str, float], needs: Mapping[str, float], *, largest: float) -> Sharing:
    """Amounts beside what they leave out, ``largest`` being the largest total that is possible."""
    total = fsum(amounts.values())
    least = min((amounts[place] / need for place, need in needs.items() if need > 0), default=1.0)
    price = max(0.0, 1 - total / largest) if largest > 0 else 0.0
    return Sharing(amounts=dict(amounts), total=total, least_share=least, price=price)


def equal_amounts(supply: float, needs: Mapping[str, float]) -> dict[str, float]:
    """Max-min of the amounts: nobody gets more than a common level unless all who get less have all they need (water filling).

    D. Bertsekas and R. Gallager, *Data Networks*, second edition 1992, section 6.5.
    """
    _check(supply, needs)
    found, left = {}, supply
    waiting = sorted(needs, key=lambda place: (needs[place], place))
    for number, place in enumerate(waiting):
        found[place] = min(needs[place], left / (len(waiting) - number))
        left -= found[place]
    return {place: found[place] for place in needs}


def equal_shares(supply: float, needs: Mapping[str, float]) -> dict[str, float]:
    """In proportion to need; nobody gets more than it."""
    _check(supply, needs)
    total = fsum(needs.values())
    share = min(1.0, supply / total) if total > 0 else 0.0
    return {place: share * need for place, need in needs.items()}


def minimums_first(supply: float, needs: Mapping[str, float], minimums: Mapping[str, float]) -> dict[str, float]:
    """Each place its minimum, then the rest in proportion to what is still needed.

    Raises:
        BadInput: Where a minimum exceeds the need, or the supply does not reach for the minimums.
    """
    _check(supply, needs)
    problems = [
        Problem(
            Text(
                "{place} 的最低保障 {least:g} 超过需求 {need:g}。",
                "The minimum of {place}, {least:g}, exceeds its need of {need:g}.",
                place=place,
                least=least,
                need=needs.get(place, 0.0),
            ),
            Text("最低保障不得超过需求。", "A minimum is at most the need."),
        )
        for place, least in minimums.items()
        if least > needs.get(place, 0.0)
    ]
    promised = fsum(minimums.values())
    if promised > supply:
        problems.append(
            Problem(
                Text(
                    "最低保障合计 {promised:g}，超过可分配量 {supply:g}。",
                    "The minimums come to {promised:g}, more than the supply of {supply:g}.",
                    promised=promised,
                    supply=supply,
                ),
                Text("请降低最低保障或增加可分配量。", "Lower the minimums or find more."),
            )
        )
    if problems:
        raise BadInput(problems)
    rest = equal_shares(supply - promised, {place: need - minimums.get(place, 0.0) for place, need in needs.items()})
    return {place: minimums.get(place, 0.0) + rest[place] for place in needs}


def whole_units(amounts: Mapping[str, float], *, needs: Mapping[str, float] | None = None) -> dict[str, int]:
    """Whole units with the same total, rounded down, by largest remainder (Hamilton): each place its whole part, and the units that are
    left to the largest fractions.

    M. L. Balinski and H. P. Young, *Fair Representation*, 1982. Ties go to the place that is named first. Where ``needs`` are given, no
    place gets a unit beyond its own.
    """
    found = {place: floor(amount + 1e-9) for place, amount in amounts.items()}
    left = floor(fsum(amounts.values()) + 1e-9) - sum(found.values())
    order = sorted(amounts, key=lambda place: found[place] - amounts[place])
    for place in order:
        if left > 0 and (needs is None or found[place] + 1 <= needs[place]):
            found[place] += 1
            left -= 1
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A link from a supply to a place; a unit costs ``cost``, and those beyond ``capacity`` do not pass."""

    source: str
    place: str
    capacity: float = inf
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairest:
    """The fairest sharing on a network, beside the cheapest of those that serve most.

    What can be brought over one good's network is a polymatroid (N. Megiddo, *Mathematical Programming* 7, 1974), in which the fairest
    sharing also serves most: its price is a longer way, not a smaller total.

    Attributes:
        fair: Lexicographic max-min of the shares of need.
        most: A sharing with the largest total, at the least cost of all of those.
        fair_cost, most_cost: The least cost of bringing the two.
        levels: The shares at which places could get no more, rising: each proven by the dual of a linear program.
    """

    fair: Sharing
    most: Sharing
    fair_cost: float
    most_cost: float
    levels: tuple[float, ...]


def fairest(supplies: Mapping[str, float], needs: Mapping[str, float], ways: Sequence[Way]) -> Fairest:
    """Lexicographic max-min of the shares of need on a transport network.

    The smallest share is made as large as possible; places whose share cannot rise any more are kept there, and the smallest share of the
    others is raised, until none can rise (D. Nace and M. Pióro, *IEEE Communications Surveys & Tutorials* 10, 2008). A place is kept where
    the dual of its row is positive: then its row is tight in every best solution.

    Args:
        supplies, needs: By name, 0 or more. Places without need are left out.
    """
    _check(fsum(supplies.values()), needs)
    wanted = {place: need for place, need in needs.items() if need > 0}
    kept: dict[str, float] = {}
    levels = []
    while len(kept) < len(wanted):
        program = Program()
        rows: dict[str, int] = {}
        served = _served(program, supplies, wanted, ways)
        program.costs = [0.0] * len(program.costs)
        level = program.column(cost=-1.0, high=1.0)
        for place, need in wanted.items():
            if place in kept:
                program.row(served[place], low=_nearly(kept[place] * need))
            else:
                rows[place] = program.row([*((c, f / need) for c, f in served[place]), (level, -1.0)], low=0.0)
        answer = program.solve()
        share = min(1.0, max(0.0, answer.values[level]))
        tight = [place for place, row in rows.items() if answer.duals[row] > TIGHT]
        if share >= 1 - 1e-9 or not tight:
            tight = list(rows)
        kept |= dict.fromkeys(tight, share)
        levels.append(share)
    fair = {place: kept.get(place, 0.0) * need for place, need in needs.items()}
    largest = fsum(_cheapest(supplies, wanted, ways, reward=1.0)[0].values())
    most, most_cost = _cheapest(supplies, wanted, ways, total=largest)
    return Fairest(
        fair=sharing(fair, needs, largest=largest),
        most=sharing({place: most.get(place, 0.0) for place in needs}, needs, largest=largest),
        fair_cost=_cheapest(supplies, wanted, ways, amounts=fair)[1],
        most_cost=most_cost,
        levels=tuple(levels),
    )


def _cheapest(
    supplies: Mapping[str, float],
    wanted: Mapping[str, float],
    ways: Sequence[Way],
    *,
    reward: float = 0.0,
    total: float = 0.0,
    amounts: Mapping[str, float] | None = None,
) -> tuple[dict[str, float], float]:
    """What each place gets, and the cost: as much as possible where there is a ``reward``, else at least ``total``, or each its amount."""
    program = Program()
    into = _served(program, supplies, wanted, ways)
    if reward:
        program.costs = [-reward] * len(program.costs)
    for place, least in (amounts or {}).items():
        if place in into:
            program.row(into[place], low=_nearly(least))
    program.row([term for terms in into.values() for term in terms], low=_nearly(total))
    answer = program.solve()
    got = {place: fsum(answer.values[column] for column, _ in terms) for place, terms in into.items()}
    return got, answer.objective


def _nearly(amount: float) -> float:
    """A hair less, so that rounding does not make impossible what was just found to be possible."""
    return amount - 1e-9 * max(1.0, amount)


def _served(
    program: Program, supplies: Mapping[str, float], wanted: Mapping[str, float], ways: Sequence[Way]
) -> dict[str, list[tuple[int, float]]]:
    """Columns of flow into each place, with the rows of supplies and needs."""
    into: dict[str, list[tuple[int, float]]] = {place: [] for place in wanted}
    out: dict[str, list[tuple[int, float]]] = {source: [] for source in supplies}
    for way in ways:
        if way.place in into and way.source in out:
            column = program.column(cost=way.cost, high=way.capacity)
            into[way.place].append((column, 1.0))
            out[way.source].append((column, 1.0))
    for source, terms in out.items():
        program.row(terms, high=supplies[source])
    for place, terms in into.items():
        program.row(terms, high=wanted[place])
    return into


def _check(supply: float, needs: Mapping[str, float]) -> None:
    if supply < 0 or min(needs.values(), default=0.0) < 0:
        raise BadInput(Text("可分配量和需求不得为负。", "Supply and needs must be 0 or more."))
