"""Whether the files of a pack fit together: codes that are known, units that exist, answers that the loop can use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.units import ucum
from yiwang.core.planning.simulation import read_parameters
from yiwang.core.rules import Match, Row, Table, fill_template, placeholders
from yiwang.core.rules.cells import Anything, Cell
from yiwang.core.space import Region
from yiwang.core.worktime import Limit
from yiwang.packs.hints import code_hint, did_you_mean, one_of
from yiwang.packs.pack import WORKFLOW, Pack
from yiwang.packs.sensing import FILE as SENSING
from yiwang.packs.simulated import FILE as SIMULATED
from yiwang.packs.simulated import place
from yiwang.packs.tables import TEMPLATES, table_file

_SHOWN = 5


@dataclass(slots=True)
class Findings:
    """Faults and oddities in the order in which they were found."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def fault(
        self, message: Text, hint: Text = NO_TEXT, *, file: str, row: int | None = None, column: str = ""
    ) -> None:
        self.problems.append(Problem(message, hint, file, row, column))

    def warn(self, message: Text, hint: Text = NO_TEXT, *, file: str, row: int | None = None, column: str = "") -> None:
        self.warnings.append(Problem(message, hint, file, row, column))


class CrossCheck:
    """Looks at a pack that could be read, as of one day."""

    def __init__(self, pack: Pack, *, on: date) -> None:
        self.pack = pack
        self.on = on
        self.found = Findings()
        self._levels: dict[str, Sequence[Region]] = {}
        self._alike: dict[str, Mapping[tuple[Cell, ...], list[Row]]] = {}

    def run(self) -> Findings:
        for table in self.pack.tables.values():
            for row in table.rows:
                self.check_cells(table, row)
        for name, output in TEMPLATES:
            for row in self.pack.tables[name].rows:
                self.check_template(self.pack.tables[name], row, output)
        self.check_triage()
        self.check_limits()
        self.check_routes()
        self.check_units()
        self.check_regions()
        self.check_calendar()
        self.check_replay()
        self.check_simulation()
        self.check_simulated_sensors()
        self.check_sensing()
        return self.found

    # --- cells --------------------------------------------------------------------------------------------------------

    @cached_property
    def priorities(self) -> frozenset[str]:
        return frozenset(row.outputs["priority"] for row in self.pack.tables["triage"].rows)

    @cached_property
    def prefixes(self) -> dict[str, frozenset[str]]:
        """Every beginning of every code, by fact."""
        codes: dict[str, Collection[str]] = {"category": self.pack.categories, "region": self.pack.regions.codes}
        return {
            fact: frozenset(code[:end] for code in known for end in range(1, len(code) + 1))
            for fact, known in codes.items()
        }

    def check_cells(self, table: Table, row: Row) -> None:
        known: dict[str, tuple[Collection[str], str]] = {
            "category": (self.pack.categories, "categories.csv"),
            "region": (self.pack.regions.codes, "regions.csv"),
            "priority": (self.priorities, "triage.csv"),
        }
        for item, cell in zip(table.spec.inputs, row.cells, strict=True):
            if item.name == "condition":
                self.check_condition(table, row, cell)
            elif item.name in known and item.match is not Match.RANGE:
                words, where = known[item.name]
                beginnings = item.match is Match.PREFIX and item.name in self.prefixes
                accepted = self.prefixes[item.name] if beginnings else frozenset(words)
                for word in _words(cell):
                    if word not in accepted:
                        hint = code_hint(word, words, where=where)
                        message = Text(
                            "未知的 {column}：「{word}」，此行永远不会匹配。",
                            "Unknown {column} {word!r}: the row can never match.",
                            column=item.name,
                            word=word,
                        )
                        self.found.fault(message, hint, file=table.file, row=row.line, column=item.name)

    def check_condition(self, table: Table, row: Row, cell: Cell) -> None:
        names = table.spec.input_names
        category = str(row.cells[names.index("category")]) if "category" in names else ""
        numbers = {number for code, number in self.pack.conditions if code.startswith(category)}
        for word in _words(cell):
            if word not in numbers:
                hint = Text("conditions.csv 中该类别没有立案条件。", "conditions.csv has none there.")
                if numbers:
                    some = ", ".join(sorted(numbers)[:_SHOWN])
                    hint = Text("conditions.csv 中该类别有 {some}。", "conditions.csv has {some} there.", some=some)
                message = Text(
                    "类别 {category} 没有立案条件「{word}」。",
                    "Unknown condition {word!r} of category {category}.",
                    word=word,
                    category=category or Text("（不限）", "any"),
                )
                self.found.fault(message, hint, file=table.file, row=row.line, column="condition")

    # --- templates ----------------------------------------------------------------------------------------------------

    def check_template(self, table: Table, row: Row, output: str) -> None:
        template = row.outputs[output]
        levels = [level.id for level in self.pack.info.levels]
        named = placeholders(template)
        wrong = [name for name in named if name not in levels]
        for name in wrong:
            hint = did_you_mean(name, levels) or one_of(levels)
            message = Text(
                "模板「{template}」中的层级「{name}」未知。",
                "The template {template!r} names the unknown level {name!r}.",
                template=template,
                name=name,
            )
            self.found.fault(message, hint, file=table.file, row=row.line, column=output)
        if not wrong and named:
            self.check_expansion(table, row, output, max(named, key=levels.index))
        elif not wrong:
            self.check_unit(table, row, output, template)

    def check_unit(self, table: Table, row: Row, output: str, code: str) -> None:
        unit = self.pack.units.get(code)
        if unit is None:
            known = [unit.code for unit in self.pack.units]
            hint = code_hint(code, known, where="units.csv")
            self.found.fault(_unknown_unit(code), hint, file=table.file, row=row.line, column=output)
        elif not unit.validity.overlaps(row.validity):
            message = Text(
                "此行有效期间，单位「{code}」不存在。",
                "The unit {code!r} does not exist while the row is in force.",
                code=code,
            )
            hint = Text("请与 units.csv 中的日期核对。", "Compare the dates with units.csv.")
            self.found.fault(message, hint, file=table.file, row=row.line, column=output)

    def check_expansion(self, table: Table, row: Row, output: str, level: str) -> None:
        """A template must give a unit that exists for every region that the row speaks for."""
        missing: list[str] = []
        tried = 0
        for region in self.regions_of(table, row, level):
            code = fill_template(row.outputs[output], codes=self.pack.regions.codes_by_level(region.code))
            unit = self.pack.units.get(code or "")
            tried += 1
            if unit is None or not unit.validity.overlaps(row.validity):
                missing.append(code or "")
        if missing:
            message = Text(
                "模板「{template}」在 {tried} 个区域中有 {missing} 个得出不存在的单位：{shown}。",
                "The template {template!r} gives units that do not exist for {missing} of {tried} regions: {shown}.",
                template=row.outputs[output],
                missing=len(missing),
                tried=tried,
                shown=_some(missing),
            )
            hint = Text(
                "请把它们加入 units.csv，或为这些区域单独写行。",
                "Add them to units.csv, or give those regions rows of their own.",
            )
            self.found.fault(message, hint, file=table.file, row=row.line, column=output)

    def regions_of(self, table: Table, row: Row, level: str) -> Iterator[Region]:
        """Regions of a level that the row speaks for: in force with it, and not taken over by a row for a narrower region."""
        names = table.spec.input_names
        place = names.index("region") if "region" in names else -1
        own = str(row.cells[place]) if place >= 0 else ""
        alike = self.rows_alike(table, place)[_without(row, place)] if place >= 0 else []
        narrower = tuple(
            code
            for other in alike
            if len(code := str(other.cells[place])) > len(own)
            and code.startswith(own)
            and other.validity.overlaps(row.validity)
        )
        for region in self.at_level(level):
            if not (region.code.startswith(own) or own.startswith(region.code)):
                continue
            if region.validity.overlaps(row.validity) and not region.code.startswith(narrower):
                yield region

    def rows_alike(self, table: Table, index: int) -> Mapping[tuple[Cell, ...], list[Row]]:
        """Rows that differ in nothing but their region."""
        if table.name not in self._alike:
            groups: dict[tuple[Cell, ...], list[Row]] = defaultdict(list)
            for row in table.rows:
                groups[_without(row, index)].append(row)
            self._alike[table.name] = groups
        return self._alike[table.name]

    def at_level(self, level: str) -> Sequence[Region]:
        """Regions of a level in force on the day."""
        if level not in self._levels:
            self._levels[level] = [r for r in self.pack.regions.at_level(level) if r.validity.contains(self.on)]
        return self._levels[level]

    # --- what the loop does with the answers --------------------------------------------------------------------------

    def check_triage(self) -> None:
        workflow = self.pack.workflow
        for row in self.pack.tables["triage"].rows:
            auto, verify, priority = row.outputs["auto"], row.outputs["verify"], row.outputs["priority"]
            fault = partial(self.found.fault, file=table_file("triage"), row=row.line)
            if priority and workflow.priorities and priority not in workflow.priorities:
                message = Text("未知的紧急程度：「{word}」。", "Unknown priority {word!r}.", word=priority)
                hint = did_you_mean(priority, workflow.priorities) or Text(
                    "请写 {file} 中的 priority，或在那里加上它。",
                    "A priority of {file}, or add it there.",
                    file=WORKFLOW,
                )
                fault(message, hint, column="priority")
            if auto and auto not in workflow.steps:
                message = Text("未知的环节：「{step}」。", "Unknown step {step!r}.", step=auto)
                hint = did_you_mean(auto, workflow.steps) or Text(
                    "请写 {file} 中的环节，或留空。", "A step of {file}, or empty.", file=WORKFLOW
                )
                fault(message, hint, column="auto")
            elif auto and auto not in workflow.paths:
                message = Text(
                    "系统无法把案卷推进到「{step}」。", "The system cannot carry a case to {step!r}.", step=auto
                )
                hint = Text(
                    "请给途中的动作加上角色「system」，或停在更早的环节：{known}。",
                    "Give the verbs on the way the role 'system', or stop earlier: {known}.",
                    known=", ".join(workflow.paths),
                )
                fault(message, hint, column="auto")
            if verify not in ("yes", "no"):
                message = Text("「{word}」不是有效的填写。", "{word!r} is no answer.", word=verify)
                hint = Text("请写 yes 或 no。", "Write yes or no.")
                fault(message, hint, column="verify")

    def check_limits(self) -> None:
        for row in self.pack.tables["limits"].rows:
            amount, unit = row.outputs["amount"], row.outputs["unit"]
            if not amount and not unit:
                continue  # stated: no limit
            try:
                Limit.parse(f"{amount} {unit}")  # 0 is a limit too: due at once
            except BadInput as error:
                column = "unit" if amount.replace(".", "", 1).isdigit() else "amount"
                self.found.problems.extend(
                    Problem(p.message, p.hint, table_file("limits"), row.line, column) for p in error.problems
                )

    def check_routes(self) -> None:
        """Every category must find a centre and a unit even where only the city is known."""
        rules = self.pack.rulebook()
        root = self.pack.regions.roots[0].code if self.pack.regions.roots else ""
        lost: dict[str, list[str]] = {"triage": [], "routing": []}
        for code, category in self.pack.categories.items():
            if not category.validity.contains(self.on):
                continue
            facts = {"category": code, "condition": "", "region": root, "channel": "", "priority": ""}
            triaged = rules.triage_for(facts, self.on)
            if triaged is None or triaged.centre not in self.pack.units:
                lost["triage"].append(code)
                continue
            if rules.unit_for({**facts, "priority": triaged.priority}, self.on) is None:
                lost["routing"].append(code)
        for name, codes in lost.items():
            if codes:
                message = Text(
                    "只知道全市时，有 {count} 个类别没有对应的行：{shown}。",
                    "No row answers for {count} categories where only the city is known: {shown}.",
                    count=len(codes),
                    shown=_some(codes),
                )
                hint = Text(
                    "请添加一行，其单位不需要全市以下的层级。", "Add a row whose unit needs no level below the city."
                )
                self.found.fault(message, hint, file=table_file(name))

    # --- the rest -----------------------------------------------------------------------------------------------------

    def check_units(self) -> None:
        depth = {level.id: number for number, level in enumerate(self.pack.info.levels)}
        for line, unit in enumerate(self.pack.units, start=2):
            region = self.pack.regions.get(unit.region)
            if region and region.level != unit.level:
                message = Text(
                    "单位「{unit}」的层级是「{level}」，但其区域 {region} 的层级是 {other}。",
                    "The unit {unit!r} works at level {level!r}, but its region {region} is a {other}.",
                    unit=unit.code,
                    level=unit.level,
                    region=region.code,
                    other=region.level,
                )
                hint = Text("两者必须一致。", "Make them the same.")
                self.found.fault(message, hint, file="units.csv", row=line, column="level")
            above = self.pack.units.get(unit.parent) if unit.parent else None
            if above is None:
                continue
            if depth.get(above.level, 0) > depth.get(unit.level, 0) or not unit.region.startswith(above.region):
                message = Text(
                    "单位「{unit}」的上级是「{above}」，但后者只负责 {region}。",
                    "The unit {unit!r} stands below {above!r}, which works for {region} only.",
                    unit=unit.code,
                    above=above.code,
                    region=above.region,
                )
                hint = Text("案卷要上交到对该地负责的单位。", "A case goes up to a unit that answers for the place.")
                self.found.fault(message, hint, file="units.csv", row=line, column="parent")
            if unit.validity.contains(self.on) and not above.validity.contains(self.on):
                message = Text(
                    "「{unit}」的上级单位「{above}」在 {on} 已不在有效期内。",
                    "The unit {above!r} above {unit!r} is not in force on {on}.",
                    above=above.code,
                    unit=unit.code,
                    on=self.on,
                )
                hint = Text("请写一个有效的单位。", "Name a living unit.")
                self.found.fault(message, hint, file="units.csv", row=line, column="parent")

    def check_regions(self) -> None:
        living = self.pack.regions.on(self.on)
        lowest = self.pack.info.levels[-1].id
        bare = [region.code for region in living.at_level(lowest) if region.geometry is None]
        if bare and len(bare) < len(living.at_level(lowest)):
            message = Text(
                "有 {count} 个层级为「{level}」的区域没有边界：{shown} …",
                "{count} regions of level {level!r} have no outline: {shown} …",
                count=len(bare),
                level=lowest,
                shown=", ".join(bare[:_SHOWN]),
            )
            hint = Text("那里的点位将归入上一级区域。", "Points there fall to the region above.")
            self.found.warn(message, hint, file="regions.geojson.gz")
        for level in self.pack.info.levels:
            if not living.at_level(level.id):
                message = Text(
                    "{on} 没有层级为「{level}」的有效区域。",
                    "No region of level {level!r} is in force on {on}.",
                    level=level.id,
                    on=self.on,
                )
                hint = Text("请删除该层级，或添加其区域。", "Remove the level or add its regions.")
                self.found.fault(message, hint, file="regions.csv", column="level")

    def check_calendar(self) -> None:
        if self.pack.calendar.is_estimated(self.on) and self.pack.calendar.fallback == "error":
            message = Text(
                "日历中没有 {year} 年：按工作时间计的截止时间将不予计算。",
                "The calendar does not know {year}: deadlines in working time will be refused.",
                year=self.on.year,
            )
            hint = Text("请把该年加入 years，或写明 fallback。", "Add the year to years, or state a fallback.")
            self.found.fault(message, hint, file="calendar.toml", column="years")

    def check_replay(self) -> None:
        replay = self.pack.replay
        if replay is None:
            return
        known_units = [unit.code for unit in self.pack.units]
        for code in sorted(replay.units()):
            if code not in self.pack.units:
                hint = code_hint(code, known_units, where="units.csv")
                self.found.fault(_unknown_unit(code), hint, file="replay.toml")
        for code in sorted(replay.categories()):
            if code not in self.pack.categories:
                hint = code_hint(code, self.pack.categories, where="categories.csv")
                self.found.fault(_unknown_category(code), hint, file="replay.toml")

    def check_sensing(self) -> None:
        for rule in self.pack.sensing.alarms.values():
            try:
                ucum(rule.reads_in) if rule.reads_in else None
            except BadInput as error:
                hint = Text(
                    '读数的单位用 reads_in 写，例如 reads_in = "%"；unit 只给人看。',
                    'Give the unit of the readings as reads_in, e.g. reads_in = "%"; unit is for people only.',
                )
                column = f"alarm {rule.condition.id}: reads_in"
                self.found.fault(error.text, error.problems[0].hint or hint, file=SENSING, column=column)
        for adapter in self.pack.sensing.adapters.values():
            for name, unit in adapter.units.items():
                try:
                    ucum(unit)
                except BadInput as error:
                    fault = error.problems[0]
                    column = f"adapter {adapter.id}: units.{name}"
                    self.found.fault(fault.message, fault.hint, file=SENSING, column=column)

    def check_simulation(self) -> None:
        if self.pack.simulation is None:
            return
        file = "simulation.toml"
        try:
            parameters = read_parameters(self.pack.simulation, file=file)
        except BadInput as error:
            self.found.problems.extend(error.problems)
            return
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.found.fault(
                Text("仿真参数无法读取：{why}。", "The simulation cannot be read: {why}.", why=repr(error)),
                Text("缺少某个键，或其类型不对。", "A key is missing or of the wrong kind."),
                file=file,
            )
            return
        workflow = self.pack.workflow
        for number, behaviour in enumerate(parameters.behaviours, start=1):
            named: tuple[tuple[str, Text, str, Collection[str]], ...] = (
                ("step", Text("环节", "step"), behaviour.step, workflow.steps),
                ("verb", Text("动作", "verb"), behaviour.verb, ["", *workflow.verbs]),
                ("role", Text("角色", "role"), behaviour.role, workflow.roles),
            )
            for key, what, word, known in named:
                if word not in known:
                    message = Text("未知的{what}：「{word}」。", "Unknown {what} {word!r}.", what=what, word=word)
                    hint = did_you_mean(word, known) or Text(
                        "请写 {file} 中已有的。", "Name one of {file}.", file=WORKFLOW
                    )
                    self.found.fault(message, hint, file=file, row=number, column=f"behaviour.{key}")
        for number, trouble in enumerate(parameters.troubles, start=1):
            if trouble.category not in self.pack.categories:
                hint = code_hint(trouble.category, self.pack.categories, where="categories.csv")
                message = _unknown_category(trouble.category)
                self.found.fault(message, hint, file=file, row=number, column="trouble.category")
        for code in parameters.places:
            if code not in self.pack.regions:
                hint = code_hint(code, self.pack.regions.codes, where="regions.csv")
                message = Text("未知的区域：「{code}」。", "Unknown region {code!r}.", code=code)
                self.found.fault(message, hint, file=file, column="places")

    def check_simulated_sensors(self) -> None:
        sensors = self.pack.simulated_sensors
        regions = self.pack.regions.on(self.on)
        locator = self.pack.locator(on=self.on) if sensors else None
        for group in sensors.groups if sensors else ():
            label = f"group {group.id}: "
            for code in group.regions:
                if (region := regions.get(code)) is None or region.geometry is None:
                    message = Text("没有有边界的区域「{code}」。", "No region {code!r} with an outline.", code=code)
                    hint = code_hint(code, regions.codes, where="regions.csv")
                    self.found.fault(message, hint, file=SIMULATED, column=f"{label}regions")
            for lon, lat in place(group, regions, seed=sensors.seed) if sensors and not group.regions else ():
                if locator and not locator.locate(lon, lat).code:
                    message = Text("{lon}, {lat} 不在本市。", "{lon}, {lat} is outside the city.", lon=lon, lat=lat)
                    hint = Text("先写经度，再写纬度，WGS 84。", "Longitude first, then latitude, in WGS 84.")
                    key = "points" if group.points else "along"
                    self.found.fault(message, hint, file=SIMULATED, column=label + key)


def _unknown_unit(code: str) -> Text:
    return Text("未知的单位：「{code}」。", "Unknown unit {code!r}.", code=code)


def _unknown_category(code: str) -> Text:
    return Text("未知的类别：「{code}」。", "Unknown category {code!r}.", code=code)


def _some(codes: Sequence[str]) -> Text:
    """The first of some codes, and how many more there are."""
    shown = ", ".join(codes[:_SHOWN])
    if len(codes) <= _SHOWN:
        return Text("{shown}", "{shown}", shown=shown)
    return Text(
        "{shown} 等 {count} 个", "{shown} and {more} more", shown=shown, count=len(codes), more=len(codes) - _SHOWN
    )


def _words(cell: Cell) -> list[str]:
    return [] if isinstance(cell, Anything) else str(cell).split("|")


def _without(row: Row, index: int) -> tuple[Cell, ...]:
    return (*row.cells[:index], *row.cells[index + 1 :])
