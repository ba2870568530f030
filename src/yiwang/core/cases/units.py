"""Units: the organisations and their parts that can hold a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text

CENTRE = "centre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A centre, department, community workstation or crew.

    Attributes:
        code: Key.
        name: For people.
        kind: ``centre``, ``department``, ``community`` or ``crew``.
        level: Id of the level at which it works.
        region: Code of the region for which it works.
        parent: Code of the unit above, to which a case goes up; empty at the top.
        function: What it does in one word.
        crews: How many crews can work at once.
        validity: Days on which it exists.
    """

    code: str
    name: Text
    kind: str = "department"
    level: str = ""
    region: str = ""
    parent: str = ""
    function: str = ""
    crews: int = 1
    validity: Validity = field(default_factory=Validity)


class UnitDirectory:
    """All units of a city.

    Raises:
        BadInput: When a code stands twice, a parent is unknown, or parents go round in a circle.
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units: dict[str, Unit] = {}
        problems: list[Problem] = []
        for unit in units:
            if unit.code in self._units:
                twice = Text("单位 {unit} 出现了两次。", "unit {unit} stands twice", unit=unit.code)
                problems.append(Problem(twice, Text("编码不能重复。", "Codes are unique."), "units.csv"))
            self._units[unit.code] = unit
        problems += [
            Problem(
                Text(
                    "单位 {unit} 的上级 {parent} 不存在。",
                    "unit {unit} has the unknown parent {parent}",
                    unit=unit.code,
                    parent=unit.parent,
                ),
                Text("请写本文件中的单位。", "Name a unit of this file."),
                "units.csv",
            )
            for unit in self._units.values()
            if unit.parent and unit.parent not in self._units
        ]
        if not problems:
            problems += [
                Problem(
                    Text("单位 {unit} 成了自己的上级。", "unit {unit} is above itself", unit=unit.code),
                    Text("请断开上级之间的循环。", "Break the circle of parents."),
                    "units.csv",
                )
                for unit in self._units.values()
                if self._is_circular(unit)
            ]
        if problems:
            raise BadInput(problems)
        below: dict[str, list[Unit]] = {}
        for unit in self._units.values():
            below.setdefault(unit.parent, []).append(unit)
        self._below = {code: tuple(units) for code, units in below.items()}

    def _is_circular(self, unit: Unit) -> bool:
        seen = {unit.code}
        while unit.parent:
            if unit.parent in seen:
                return True
            seen.add(unit.parent)
            unit = self._units[unit.parent]
        return False

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def __len__(self) -> int:
        return len(self._units)

    def __contains__(self, code: str) -> bool:
        return code in self._units

    def get(self, code: str) -> Unit | None:
        """The unit with a code, or None."""
        return self._units.get(code)

    def above(self, code: str) -> Iterator[Unit]:
        """The units above one, nearest first."""
        unit = self._units.get(code)
        while unit and unit.parent:
            unit = self._units[unit.parent]
            yield unit

    def is_above(self, code: str, other: str) -> bool:
        """Whether a unit is above another one, at any height."""
        return any(unit.code == code for unit in self.above(other))

    def siblings(self, code: str) -> tuple[Unit, ...]:
        """The other units of the same level: those to which a case can be passed across."""
        unit = self._units.get(code)
        if unit is None:
            return ()
        return tuple(other for other in self if other.level == unit.level and other.code != code)

    def below(self, code: str) -> tuple[Unit, ...]:
        """The units directly below one."""
        return self._below.get(code, ())

    def at_or_below(self, code: str) -> tuple[str, ...]:
        """The code of a unit and of all below it, at any depth."""
        found = [code]
        for each in found:  # grows as it is walked
            found += [unit.code for unit in self.below(each)]
        return tuple(found)

    def centre_of(self, code: str) -> str:
        """The centre that a unit belongs to: itself or the nearest centre above; empty where there is none."""
        unit = self._units.get(code)
        if unit is not None and unit.kind == CENTRE:
            return code
        return next((above.code for above in self.above(code) if above.kind == CENTRE), "")
