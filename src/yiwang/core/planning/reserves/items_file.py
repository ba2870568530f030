"""The TOML file of reserves: ``[[item]]`` and ``[[contract]]``; see `docs/guide/planning-reserves.md`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from math import inf

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.cells import Cells
from yiwang.core.planning.reserves.contracts import Contract
from yiwang.core.planning.reserves.demand import Demand
from yiwang.core.planning.reserves.items import Item
from yiwang.core.planning.reserves.levels import PeriodCosts

COSTS = ("order_cost", "holding_cost", "waiting_cost")
USE = ("mean", "deviation", "history")
ITEM = ("id", "stock", "on_order", *USE, "lead", "review", "service", *COSTS, "last", "surge", "surge_days")
CONTRACT = ("id", "item", "lead", "a_day", "total")
MOST_UNITS = 1_000  # a day; larger figures belong into larger units (boxes, tonnes)
LONGEST = 365


def read_items(text: str, *, file: str = "") -> tuple[tuple[Item, ...], tuple[Contract, ...]]:
    """Read the text of a TOML file.

    Raises:
        BadInput: With every fault; ``row`` is the number of the table of its kind, ``column`` its key.
    """
    try:
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        found = Text("不是有效的 TOML：{error}。", "Not TOML: {error}.", error=str(error))
        raise BadInput(Problem(found, Text("请检查该处的写法。", "Look at that place."), file)) from error
    problems: list[Problem] = []
    top = Cells(cells=data, problems=problems, file=file, row=None)
    top.unknown(("item", "contract"))
    items = [_item(cells) for cells in _tables(top, "item")]
    contracts = [_contract(cells, {item.id for item in items}) for cells in _tables(top, "contract")]
    if not items and not problems:
        nothing = Text("没有 [[item]]。", "There is no [[item]].")
        top.fault("item", nothing, Text("请至少写一个。", "Write at least one."))
    names = [item.id for item in items]
    for number, name in enumerate(names, start=1):
        if name and name in names[: number - 1]:
            twice = Text("{name!r} 重复。", "{name!r} stands there twice.", name=name)
            once = Text("每个 id 只能用一次。", "Each id may be used once.")
            problems.append(Problem(twice, once, file, number, "item.id"))
    if problems:
        raise BadInput(problems)
    return tuple(items), tuple(contracts)


def _tables(top: Cells, kind: str) -> list[Cells]:
    given = top.cells.get(kind, [])
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        wrong = Text("{kind} 不是表。", "{kind} is not a list of tables.", kind=kind)
        top.fault(kind, wrong, Text("请写成 [[{kind}]]。", "Write [[{kind}]].", kind=kind))
        return []
    return [
        Cells(cells=one, problems=top.problems, file=top.file, row=number, table=kind)
        for number, one in enumerate(given, start=1)
    ]


def _item(cells: Cells) -> Item:
    cells.unknown(ITEM)
    given = [key for key in COSTS if key in cells.cells]
    for key in COSTS:
        if given and key not in given:
            cells.fault(
                key,
                Text("只写了 {given}。", "Only {given} is given.", given=", ".join(given)),
                Text("三项费用须同时填写或都不填。", "Give all three costs, or none."),
            )
    costs = None
    if len(given) == len(COSTS):
        order, holding, waiting = (cells.number(key, least=1e-9) for key in COSTS)
        costs = PeriodCosts(order=order, holding=holding, waiting=waiting)
    before = len(cells.problems)
    demand = _demand(cells)
    if costs and len(cells.problems) == before and demand.chances[0] >= 1:
        cells.fault(
            "mean", Text("没有用量。", "Nothing is used."), Text("无用量的物资不要写费用。", "Give no costs then.")
        )
    return Item(
        id=cells.text("id"),
        stock=cells.number("stock"),
        on_order=cells.number("on_order", default=0.0),
        demand=demand,
        lead=int(cells.number("lead", most=LONGEST, whole=True)),
        review=int(cells.number("review", default=1, least=1, most=LONGEST, whole=True)),
        service=cells.number("service", default=0.95, least=0.01, most=0.9999),
        costs=costs,
        last=int(cells.number("last", default=0, most=LONGEST, whole=True)),
        surge=cells.number("surge", default=0.0),
        surge_days=int(cells.number("surge_days", default=0, most=LONGEST, whole=True)),
    )


def _demand(cells: Cells) -> Demand:
    """Of a day: as it was (``history``), normal (``mean`` and ``deviation``) or Poisson (``mean``)."""
    if "history" in cells.cells:
        history = cells.cells["history"]
        if isinstance(history, list) and history and all(_is_use(one) for one in history):
            return Demand.empirical(history)
        cells.fault(
            "history",
            Text("不是每日用量的列表。", "It is not a list of each day's use."),
            Text(
                "请写成 [3, 0, 5] 的样子，每项 0 至 {most}。",
                "Write it like [3, 0, 5], each from 0 to {most}.",
                most=MOST_UNITS,
            ),
        )
        return Demand.poisson(0)
    mean = cells.number("mean", most=MOST_UNITS)
    if "deviation" in cells.cells:
        return Demand.normal(mean, cells.number("deviation", most=MOST_UNITS))
    return Demand.poisson(mean)


def _is_use(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_UNITS


def _contract(cells: Cells, items: set[str]) -> Contract:
    cells.unknown(CONTRACT)
    item = cells.text("item")
    if item and item not in items:
        cells.fault(
            "item",
            Text("没有物资 {item!r}。", "There is no item {item!r}.", item=item),
            Text("请写某个 [[item]] 的 id。", "Write the id of an [[item]]."),
        )
    return Contract(
        id=cells.text("id"),
        item=item,
        lead=int(cells.number("lead", most=LONGEST, whole=True)),
        a_day=cells.number("a_day"),
        total=cells.number("total", default=inf),
    )
