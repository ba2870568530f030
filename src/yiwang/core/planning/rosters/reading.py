"""The TOML file of a roster: ``first``, ``days``, ``[[person]]``, ``[[shift]]``, ``[rules]``; see `docs/guide/planning-rosters.md`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.cells import Cells
from yiwang.core.planning.rosters.problem import ALL_DAYS, Person, RosterProblem, Rules, Shift

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_DAYS = 366
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def read_roster(text: str, *, file: str = "") -> RosterProblem:
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
    top.unknown(("first", "days", "person", "shift", "rules"))
    first = next(iter(top.dates("first")), None)
    if first is None and not problems:
        top.fault(
            "first", Text("没有第一天。", "There is no first day."), Text("例如 2026-06-01。", "E.g. 2026-06-01.")
        )
    days = int(top.number("days", least=1, most=MOST_DAYS, whole=True))
    people = tuple(_person(cells) for cells in _tables(top, "person"))
    shifts = tuple(_shift(cells) for cells in _tables(top, "shift"))
    table = top.cells.get("rules", {})
    if not isinstance(table, Mapping):
        top.fault("rules", Text("不是表。", "It is not a table."), Text("请写成 [rules]。", "Write [rules]."))
        table = {}
    rules = _rules(Cells(cells=table, problems=problems, file=file, row=None, table="rules"))
    _check_names(top, people, shifts, rules)
    if problems:
        raise BadInput(problems)
    return RosterProblem(first=first or date.min, days=days, people=people, shifts=shifts, rules=rules)


def _tables(top: Cells, kind: str) -> list[Cells]:
    given = top.cells.get(kind, [])
    if not isinstance(given, list) or not given or not all(isinstance(one, Mapping) for one in given):
        nothing = Text("没有 [[{kind}]]。", "There is no [[{kind}]].", kind=kind)
        top.fault(kind, nothing, Text("请至少写一个。", "Write at least one."))
        return []
    return [
        Cells(cells=one, problems=top.problems, file=top.file, row=number, table=kind)
        for number, one in enumerate(given, start=1)
    ]


def _words(cells: Cells, key: str) -> list[str]:
    value = cells.cells.get(key, [])
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    cells.fault(
        key,
        Text("{value!r} 不是文字列表。", "{value!r} is not a list of words.", value=value),
        Text('请写成 ["a", "b"] 的样子。', 'Write it like ["a", "b"].'),
    )
    return []


def _person(cells: Cells) -> Person:
    cells.unknown(("id", "skills", "hours", "unavailable", "wishes"))
    return Person(
        id=cells.text("id"),
        skills=frozenset(_words(cells, "skills")),
        hours=cells.number("hours", least=1, most=168),
        unavailable=cells.dates("unavailable"),
        wishes=cells.dates("wishes"),
    )


def _shift(cells: Cells) -> Shift:
    cells.unknown(("id", "start", "hours", "need", "weekdays", "night"))
    written = cells.text("start")
    found = _TIME.fullmatch(written)
    if written and not found:
        cells.fault(
            "start",
            Text("{written!r} 不是时刻。", "{written!r} is not a time of day.", written=written),
            Text("请写成 08:00 的样子。", "Write it like 08:00."),
        )
    need = cells.cells.get("need", {})
    if not isinstance(need, Mapping) or not need:
        cells.fault(
            "need",
            Text("没有写明各技能需要几人。", "It does not say how many of each skill are needed."),
            Text("例如 need = { nurse = 2 }。", "E.g. need = { nurse = 2 }."),
        )
        need = {}
    counts = Cells(cells=need, problems=cells.problems, file=cells.file, row=cells.row, table="shift.need")
    weekdays = {day: number for number, day in enumerate(WEEKDAYS)}
    for day in (given := _words(cells, "weekdays")):
        if day not in weekdays:
            cells.fault(
                "weekdays",
                Text("{day!r} 不是星期。", "{day!r} is not a weekday.", day=day),
                Text("可选：{days}。", "Choose from {days}.", days=", ".join(WEEKDAYS)),
            )
    return Shift(
        id=cells.text("id"),
        start=60 * int(found[1]) + int(found[2]) if found else 0,
        hours=cells.number("hours", least=0.25, most=24),
        need={str(skill): int(counts.number(skill, least=1, most=1000, whole=True)) for skill in need},
        weekdays=frozenset(weekdays[day] for day in given if day in weekdays) or ALL_DAYS,
        night=_flag(cells, "night"),
    )


def _flag(cells: Cells, key: str) -> bool:
    value = cells.cells.get(key, False)
    if not isinstance(value, bool):
        cells.fault(
            key,
            Text("{value!r} 不是 true 或 false。", "{value!r} is neither true nor false.", value=value),
            Text("请写 true 或 false。", "Write true or false."),
        )
    return value is True


def _rules(cells: Cells) -> Rules:
    cells.unknown(("rest", "run", "off", "nights", "apart"))
    usual = Rules()
    pairs = set()
    given = cells.cells.get("apart", [])
    for pair in given if isinstance(given, list) else [given]:
        if isinstance(pair, list) and len(pair) == 2 and pair[0] != pair[1]:
            pairs.add((str(pair[0]), str(pair[1])))
        else:
            cells.fault(
                "apart",
                Text("{pair!r} 不是两个人。", "{pair!r} is not two people.", pair=pair),
                Text('请写成 [["a", "b"]] 的样子。', 'Write it like [["a", "b"]].'),
            )
    return Rules(
        rest=cells.number("rest", default=usual.rest, most=48),
        run=int(cells.number("run", default=usual.run, least=1, most=31, whole=True)),
        off=int(cells.number("off", default=usual.off, most=7, whole=True)),
        nights=int(cells.number("nights", default=usual.nights, least=0, most=31, whole=True)),
        apart=frozenset(pairs),
    )


def _check_names(top: Cells, people: tuple[Person, ...], shifts: tuple[Shift, ...], rules: Rules) -> None:
    for kind, names in (("person", [one.id for one in people]), ("shift", [one.id for one in shifts])):
        for number, name in enumerate(names, start=1):
            if name and name in names[: number - 1]:
                top.problems.append(
                    Problem(
                        Text("{name!r} 重复。", "{name!r} stands there twice.", name=name),
                        Text("每个 id 只能用一次。", "Each id may be used once."),
                        top.file,
                        number,
                        f"{kind}.id",
                    )
                )
    known = {one.id for one in people}
    for name in sorted({name for pair in rules.apart for name in pair} - known):
        top.problems.append(
            Problem(
                Text("没有人员 {name!r}。", "There is no person {name!r}.", name=name),
                Text("请写某个 [[person]] 的 id。", "Write the id of a [[person]]."),
                top.file,
                None,
                "rules.apart",
            )
        )
