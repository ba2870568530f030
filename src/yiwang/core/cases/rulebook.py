"""What deciding may consult: the workflow, the three decision tables, the units and the region tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from yiwang.core.cases.units import UnitDirectory
from yiwang.core.cases.workflow import Workflow
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.rules.templates import fill_template
from yiwang.core.space import RegionTree
from yiwang.core.worktime import Limit, TimeUnit

CACHED = 100_000  # answers kept per table; a city asks the same few thousand questions all day


class Answer(Protocol):
    """The part of a matching row that deciding needs."""

    @property
    def id(self) -> str: ...
    @property
    def outputs(self) -> Mapping[str, str]: ...


class DecisionTable(Protocol):
    """A compiled table (`yiwang.core.rules`)."""

    def matching_rows(self, facts: Mapping[str, str], on: date) -> Iterable[Answer]: ...


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a table said: the value, the row that decided, the row that came second (empty for none)."""

    value: str
    row: str
    runner_up: str = ""
    runner_up_value: str = ""

    def to_dict(self) -> dict[str, str]:
        return {
            "value": self.value,
            "row": self.row,
            "runner_up": self.runner_up,
            "runner_up_value": self.runner_up_value,
        }


@dataclass(frozen=True, slots=True)
class Triage:
    """The outputs of triage, with the row that decided and the one that came second."""

    priority: str
    auto: str
    centre: str
    verify: bool
    row: str
    runner_up: str

    def to_dict(self) -> dict[str, str]:
        return {
            "value": f"{self.priority} → {self.centre}" if self.centre else self.priority,
            "verify": "yes" if self.verify else "no",
            "row": self.row,
            "runner_up": self.runner_up,
        }


@dataclass(slots=True, kw_only=True)
class Rulebook:
    """The rules of one city, as installed.

    Attributes:
        workflow: The checked workflow.
        triage, routing, limits: Compiled decision tables.
        units: Who can hold a case.
        regions: The tree, for templates such as ``HW-{street}`` and for levels.
    """

    workflow: Workflow
    triage: DecisionTable
    routing: DecisionTable
    limits: DecisionTable
    units: UnitDirectory
    regions: RegionTree
    _answers: dict[tuple[Any, ...], Any] = field(default_factory=dict, init=False, repr=False)
    _codes: dict[str, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False)
    _depths: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _roots: frozenset[str] = field(default=frozenset(), init=False, repr=False)

    def __post_init__(self) -> None:
        self._depths = {level.id: depth for depth, level in enumerate(self.regions.levels)}
        self._roots = frozenset(root.code for root in self.regions.roots)

    def triage_for(self, facts: Mapping[str, str], on: date) -> Triage | None:
        """How a report starts; None where the table has no row."""
        key = ("triage", on, *facts.values())
        if key not in self._answers:
            self._remember(key, self._triage(facts, on))
        answer: Triage | None = self._answers[key]
        return answer

    def _triage(self, facts: Mapping[str, str], on: date) -> Triage | None:
        rows = list(self.triage.matching_rows(facts, on))
        for index, answer in enumerate(rows):
            centre = self._fill(answer.outputs.get("centre", ""), facts["region"])
            if centre is None:
                continue
            outputs = answer.outputs
            return Triage(
                priority=outputs.get("priority", ""),
                auto=outputs.get("auto", ""),
                centre=centre,
                verify=outputs.get("verify", "") == "yes",
                row=answer.id,
                runner_up=rows[index + 1].id if index + 1 < len(rows) else "",
            )
        return None

    def unit_for(self, facts: Mapping[str, str], on: date) -> Ruling | None:
        """The unit that the routing table names; rows whose template cannot be filled, or whose unit does not exist on
        the day, are passed over."""
        key = ("routing", on, *facts.values())
        if key not in self._answers:
            found: list[tuple[str, str]] = []
            for answer in self.routing.matching_rows(facts, on):
                unit = self._fill(answer.outputs.get("unit", ""), facts["region"])
                if unit and self.exists(unit, on) and (not found or unit != found[0][1]):
                    found.append((answer.id, unit))
                    if len(found) == 2:
                        break
            second = found[1] if len(found) > 1 else ("", "")
            self._remember(key, Ruling(found[0][1], found[0][0], *second) if found else None)
        answer_: Ruling | None = self._answers[key]
        return answer_

    def limit_for(self, facts: Mapping[str, str], on: date) -> tuple[Limit | None, Ruling | None]:
        """The disposal limit: None with a row means that the pack sets none; None without a row that no row matched."""
        key = ("limits", on, *facts.values())
        if key not in self._answers:
            rows = [answer for answer, _ in zip(self.limits.matching_rows(facts, on), range(2), strict=False)]
            self._remember(key, self._limit(rows))
        limit: tuple[Limit | None, Ruling | None] = self._answers[key]
        return limit

    @staticmethod
    def _limit(rows: list[Answer]) -> tuple[Limit | None, Ruling | None]:
        if not rows:
            return None, None
        texts = [f"{row.outputs.get('amount', '')} {row.outputs.get('unit', '')}".strip() for row in rows]
        ruled = Ruling(texts[0], rows[0].id, rows[1].id if len(rows) > 1 else "", texts[1] if len(rows) > 1 else "")
        amount, unit = rows[0].outputs.get("amount", ""), rows[0].outputs.get("unit", "")
        if not amount:
            return None, ruled
        try:
            return Limit(float(amount), TimeUnit(unit)), ruled
        except ValueError:
            raise BadInput(
                Text(
                    "时限表的行 {row} 写的是「{amount}」「{unit}」，这不是时限。",
                    "Row {row} of the limits says {amount!r} {unit!r}; that is no limit.",
                    row=rows[0].id,
                    amount=amount,
                    unit=unit,
                )
            ) from None

    def _remember(self, key: tuple[Any, ...], answer: object) -> None:
        if len(self._answers) >= CACHED:
            self._answers.clear()
        self._answers[key] = answer

    def _fill(self, template: str, region: str) -> str | None:
        return fill_template(template, codes=self.codes_of(region))

    def concerns(self, region: str, place: str) -> bool:
        """Whether a place lies in a region, or in one that this region has replaced.

        The empty region and the root are the whole city: every place lies there, and what has no place too.
        """
        if place.startswith(region):
            return True
        if region not in self.regions:
            return False
        return region in self._roots or place.startswith(self.regions.lineage(region))

    def codes_of(self, region: str) -> Mapping[str, str]:
        """Codes above a region or unit grid by level. A case that could not be located is the whole city's.

        Raises:
            BadInput: When there is no such region.
        """
        codes = self._codes.get(region)
        if codes is None:
            if len(self._codes) >= CACHED:
                self._codes.clear()
            codes = self._codes[region] = self.regions.codes_by_level(region or self.regions.roots[0].code)
        return codes

    def exists(self, unit: str, on: date) -> bool:
        """Whether there is such a unit on a day."""
        found = self.units.get(unit)
        return found is not None and found.validity.contains(on)

    def level_of(self, unit: str) -> str:
        """The level at which a unit works; empty for an unknown one."""
        found = self.units.get(unit)
        return found.level if found else ""

    def depth_of(self, unit: str) -> int:
        """How far down a unit works: 0 for the city; -1 for an unknown one."""
        return self._depths.get(self.level_of(unit), -1)
