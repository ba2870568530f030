"""Why a report goes where it goes: unit, limit, deadline, the rows that decided and those that came second, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from yiwang.core.cases.rulebook import Rulebook, Ruling, Triage
from yiwang.core.cases.units import Unit
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.rules import Decision
from yiwang.core.space import Locator, Region, to_wgs84
from yiwang.core.worktime import Limit, TimeUnit
from yiwang.packs.catalogue import Category
from yiwang.packs.hints import code_hint
from yiwang.packs.pack import Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the pack says of one report.

    Attributes:
        at: When the report was made.
        category: What it is about.
        region, grid, flag: Where it is; ``flag`` as in :class:`yiwang.core.space.Location`.
        chain: Regions from the city down.
        facts: What the tables were asked, with the priority that triage gave.
        triage, unit, limit: What the loop would do, with the deciding row and the runner-up; None where no row answers.
        holder: The unit that the case would go to.
        time: The limit, None for none.
        deadline: The limit counted from ``at``; None without a limit, or when it cannot be told.
        deadline_fault: Why the deadline cannot be told.
        deadline_estimated: The deadline rests on a year whose holidays have not been announced.
        decisions: By table, every row that matched, best first, with reasons.
    """

    at: datetime
    category: Category
    region: str
    grid: str
    flag: str
    chain: tuple[Region, ...]
    facts: Mapping[str, str]
    triage: Triage | None
    unit: Ruling | None
    holder: Unit | None
    limit: Ruling | None
    time: Limit | None
    deadline: datetime | None
    deadline_fault: Text = NO_TEXT
    deadline_estimated: bool = False
    decisions: Mapping[str, Decision | None] = field(default_factory=dict)

    def answers(self) -> dict[str, str]:
        """The answers by the names that examples use."""
        triage = self.triage
        return {
            "region": self.region,
            "grid": self.grid,
            "priority": triage.priority if triage else "",
            "auto": triage.auto if triage else "",
            "verify": ("yes" if triage.verify else "no") if triage else "",
            "centre": triage.centre if triage else "",
            "triage_row": triage.row if triage else "",
            "unit": self.unit.value if self.unit else "",
            "routing_row": self.unit.row if self.unit else "",
            "limit": str(self.time) if self.time else "",
            "limits_row": self.limit.row if self.limit else "",
            "deadline": self.deadline.isoformat() if self.deadline else "",
        }

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "at": self.at.isoformat(),
            "category": self.category.code,
            "category_name": self.category.name.zh,
            "category_name_en": self.category.name.en,
            "chain": [
                {"code": region.code, "level": region.level, "name": region.name.zh, "name_en": region.name.en}
                for region in self.chain
            ],
            "flag": self.flag,
            **self.answers(),
            "unit_name": self.holder.name.zh if self.holder else "",
            "unit_name_en": self.holder.name.en if self.holder else "",
            "deadline_fault": str(self.deadline_fault),
            "deadline_estimated": self.deadline_estimated,
            "why": {
                name: {
                    "row": decision.row_id,
                    "runner_up": decision.runner_up,
                    "outputs": dict(decision.outputs),
                    "zh": [why.into("zh") for why in decision.why()],
                    "en": [why.into("en") for why in decision.why()],
                }
                if decision
                else None
                for name, decision in self.decisions.items()
            },
        }


class Explainer:
    """Explains reports with one pack; keeps what is dear to make, so use one for many questions."""

    def __init__(self, pack: Pack, *, with_grids: bool = True) -> None:
        self.pack = pack
        self.with_grids = with_grids
        self._locators: dict[tuple[str, ...], Locator] = {}

    @cached_property
    def rules(self) -> Rulebook:
        return self.pack.rulebook()

    def explain(
        self,
        *,
        category: str,
        at: datetime,
        condition: str = "",
        lon: float | None = None,
        lat: float | None = None,
        crs: str = "",
        region: str = "",
        source: str = "",
    ) -> Explanation:
        """Say what the pack decides.

        Args:
            category: Code in the scheme that cases use.
            at: When the report is made (aware).
            condition: Filing condition, if known.
            lon, lat: Place, in ``crs`` (the pack's own by default). A region given beside it wins.
            region: Region or unit grid code.
            source: Where the report comes from, the tables' ``channel``.

        Raises:
            BadInput: unknown category, condition, region or coordinate system; a moment without an offset.
        """
        found = self._category(category, condition)
        if at.tzinfo is None:
            message = Text("{at} 没有写明与 UTC 的时差。", "{at} has no offset from UTC.", at=at.isoformat())
            hint = Text("例如 2026-03-06T17:00:00+08:00。", "For example 2026-03-06T17:00:00+08:00.")
            raise BadInput(Problem(message, hint))
        place, grid, flag = self._place(lon, lat, crs, region, at)
        chain = self.pack.regions.chain(place) if place else ()
        day = at.astimezone(self.pack.info.zone).date()
        facts = {"category": category, "condition": condition, "region": place, "channel": source, "priority": ""}
        triage = self.rules.triage_for(facts, day)
        decided = {"triage": self.pack.tables["triage"].decide(facts, day)}
        facts = {**facts, "priority": triage.priority if triage else ""}
        unit = self.rules.unit_for(facts, day)
        time, limit = self.rules.limit_for(facts, day)
        decided |= {name: self.pack.tables[name].decide(facts, day) for name in ("routing", "limits")}
        deadline, fault = self._deadline(time, at)
        return Explanation(
            at=at,
            category=found,
            region=place,
            grid=grid,
            flag=flag,
            chain=chain,
            facts=facts,
            triage=triage,
            unit=unit,
            holder=self.pack.units.get(unit.value) if unit else None,
            limit=limit,
            time=time,
            deadline=deadline,
            deadline_fault=fault,
            deadline_estimated=self._is_estimate(time, at, deadline),
            decisions=decided,
        )

    def _category(self, code: str, condition: str) -> Category:
        categories = self.pack.categories
        if code not in categories:
            hint = code_hint(code, categories, where="categories.csv")
            message = Text(
                "分类体系「{scheme}」中没有类别「{code}」。",
                "Unknown category {code!r} in scheme {scheme!r}.",
                code=code,
                scheme=self.pack.info.scheme,
            )
            raise BadInput(Problem(message, hint))
        known = sorted(number for owner, number in self.pack.conditions if owner == code)
        if condition and known and condition not in known:
            message = Text(
                "类别「{code}」没有立案条件「{condition}」。",
                "Category {code!r} has no condition {condition!r}.",
                code=code,
                condition=condition,
            )
            raise BadInput(Problem(message, Text("可填：{known}。", "It has {known}.", known=", ".join(known))))
        return categories[code]

    def _place(self, lon: float | None, lat: float | None, crs: str, region: str, at: datetime) -> tuple[str, str, str]:
        if region:
            tree = self.pack.regions
            if region in tree:
                return region, "", ""
            around = tree.chain(region)[-1].code  # a unit grid's code, or an error that names it
            return around, region, ""
        if lon is None or lat is None:
            return "", "", ""
        x, y = to_wgs84(lon, lat, crs or self.pack.info.crs)
        location = self._locator(at.astimezone(self.pack.info.zone).date()).locate(x, y)
        return location.code, location.grid, location.flag

    def _locator(self, day: date) -> Locator:
        """The locator of a day; days with the same regions share one."""
        key = self.pack.regions.on(day).codes
        if key not in self._locators:
            grids = self.pack.grids(on=day) if self.with_grids else None
            self._locators[key] = self.pack.locator(on=day, grids=grids)
        return self._locators[key]

    def _is_estimate(self, limit: Limit | None, at: datetime, deadline: datetime | None) -> bool:
        if limit is None or deadline is None or limit.unit in {TimeUnit.URGENT_HOURS, TimeUnit.CALENDAR_DAYS}:
            return False
        return self.pack.calendar.is_estimate(start=at, end=deadline)

    def _deadline(self, limit: Limit | None, at: datetime) -> tuple[datetime | None, Text]:
        if limit is None:
            return None, NO_TEXT
        try:
            return self.pack.calendar.add(start=at, limit=limit).astimezone(self.pack.info.zone), NO_TEXT
        except BadInput as error:
            message, hint = error.problems[0].message, error.problems[0].hint
            if not hint:
                return None, Text("{message}", "{message}", message=message)
            return None, Text("{message}{hint}", "{message} {hint}", message=message, hint=hint)
