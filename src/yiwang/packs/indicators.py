"""`indicators.toml`: what is measured, with every fault named by its entry. `docs/reference/indicators.md` is the manual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from yiwang.core.cases.units import UnitDirectory
from yiwang.core.cases.workflow import Workflow
from yiwang.core.facts.case_rows import unit_facts
from yiwang.core.facts.cases import CASES, FactContext
from yiwang.core.facts.table import FactTable
from yiwang.core.indicators.definitions import (
    COUNTED,
    OBJECTS,
    UNITS,
    Choice,
    Evaluation,
    Grade,
    Grading,
    Indicator,
    IndicatorBook,
    Part,
)
from yiwang.core.indicators.expressions import (
    ALWAYS,
    AS_OF,
    Measure,
    Node,
    both,
    read_condition,
    read_measure,
)
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text
from yiwang.core.space import RegionTree
from yiwang.packs.catalogue import Category
from yiwang.packs.fact_tables import fact_tables
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import ISO_HINT, did_you_mean, one_of
from yiwang.packs.info import PackInfo

FILE = "indicators.toml"
MOMENTS = ("verified", "checked", "responded")
DIRECTIONS = ("up", "down", "none")
COLOURS = ("green", "blue", "yellow", "red", "black")
_SOURCE_HINT = Text(
    '请写标准及其条款、论文，或 "reference default"。',
    'A standard with its clause, a paper, or "reference default".',
)


def fact_context(
    *,
    info: PackInfo,
    regions: RegionTree,
    workflow: Workflow,
    units: UnitDirectory,
    categories: Mapping[str, Category],
    moments: Mapping[str, frozenset[str]],
) -> FactContext:
    """What the facts of a city's cases need of its pack."""
    return FactContext(
        city=info.id,
        zone=info.zone,
        levels=tuple((level.id, level.width) for level in info.levels),
        root=regions.roots[0].code if regions.roots else "",
        stages=tuple(workflow.stages),
        clocks=tuple(workflow.clocks),
        posts=tuple(role.id for role in workflow.roles.values() if role.axis),
        main_clock=workflow.main_clock,
        moments=dict(moments),
        categories={code: (category.major, category.kind) for code, category in categories.items()},
        units=unit_facts(units),
        latitude=_latitude(regions),
    )


def _latitude(regions: RegionTree) -> float:
    """Of the middle of everything that has an outline, to a hundredth of a degree."""
    bounds = [region.bounds for region in regions if region.bounds is not None]
    if not bounds:
        return 0.0
    return round((min(box[1] for box in bounds) + max(box[3] for box in bounds)) / 2, 2)


def read_indicators(files: PackFiles, *, context: FactContext | None, workflow: Workflow | None) -> IndicatorBook:
    """Read the file; problems go to ``files``. An empty book without the file, or where the rest cannot be read."""
    data = files.toml(FILE, required=False)
    if data is None or context is None or workflow is None:
        return IndicatorBook()
    return _Book(files, data, context, workflow).read()


def read_moments(files: PackFiles, *, workflow: Workflow | None) -> dict[str, frozenset[str]]:
    """The verbs that mark moments of the facts; empty without the file."""
    data = files.toml(FILE, required=False) if files.exists(FILE) else None
    written = (data or {}).get("moments", {})
    if not isinstance(written, dict) or workflow is None:
        return {}
    return {
        name: frozenset(verb for verb in verbs if isinstance(verb, str))
        for name, verbs in written.items()
        if name in MOMENTS and isinstance(verbs, list)
    }


class _Book:
    def __init__(self, files: PackFiles, data: Mapping[str, Any], context: FactContext, workflow: Workflow) -> None:
        self.files, self.context, self.workflow = files, context, workflow
        self.fields = Fields(files, FILE, data)
        self.tables = fact_tables(context)
        # table → terms and picked choices that can be said with its columns
        self.terms: dict[str, dict[str, Node]] = {name: {} for name in self.tables}

    def read(self) -> IndicatorBook:
        moments = self.moments()
        data_terms = self.read_terms()
        choices = [choice for table in self.entries("choice") if (choice := self.choice(table))]
        indicators = [indicator for table in self.entries("indicator") if (indicator := self.indicator(table))]
        gradings = [grading for table in self.entries("grading") if (grading := self.grading(table))]
        known = {indicator.id: indicator for indicator in indicators}
        evaluations = [self.evaluation(table, known) for table in self.entries("evaluation")]
        shown = self.fields.texts("shown")
        for name in shown:
            if name not in known:
                self.fields.fault("shown", _no_indicator(name), did_you_mean(name, known))
        self.fields.check_keys()
        self.unique("indicator", [(one.id, one.validity) for one in indicators])
        self.unique("grading", [("", one.validity) for one in gradings])
        self.unique("evaluation", [(one.id, one.validity) for one in evaluations])
        return IndicatorBook(
            indicators=tuple(indicators),
            choices=tuple(choices),
            gradings=tuple(gradings),
            evaluations=tuple(evaluations),
            moments=moments,
            terms={name: str(text) for name, text in data_terms.items()},
            shown=shown,
        )

    def entries(self, key: str) -> list[Fields]:
        return [
            Fields(self.files, FILE, table, where=f"{key} {table.get('id') or number}: ")
            for number, table in enumerate(self.fields.tables(key), start=1)
        ]

    def unique(self, key: str, found: list[tuple[str, Validity]]) -> None:
        for index, (name, validity) in enumerate(found):
            if any(name == other and validity.overlaps(days) for other, days in found[:index]):
                message = Text(
                    "{key} {name} 在同一段日期内重复出现。",
                    "{key} {name} stands twice for the same days.",
                    key=key,
                    name=name or Text("等级", "scale"),
                )
                hint = Text(
                    "请让前一版本在后一版本开始时截止（valid_to）。",
                    "Let one version end (valid_to) where the next begins.",
                )
                self.files.fault(message, hint, file=FILE, column=key)

    # --- the pieces ---------------------------------------------------------------------------------------------------

    def moments(self) -> dict[str, frozenset[str]]:
        item = Fields(self.files, FILE, self.fields.mapping("moments"), where="moments.")
        found = {}
        for name in MOMENTS:
            verbs = item.texts(name)
            for verb in verbs:
                if verb not in self.workflow.verbs:
                    message = Text("流程中没有动作「{verb}」。", "The workflow has no verb {verb!r}.", verb=verb)
                    item.fault(name, message, did_you_mean(verb, self.workflow.verbs))
            if verbs:
                found[name] = frozenset(verbs)
        item.check_keys()
        return found

    def read_terms(self) -> Mapping[str, Any]:
        item = Fields(self.files, FILE, self.fields.mapping("terms"), where="terms.")
        for name in item.table:
            text = item.text(name)
            if name == AS_OF or any(name in table.kinds for table in self.tables.values()):
                item.fault(
                    name,
                    Text("「{name}」已是数据列的名称。", "{name!r} is a column of the facts.", name=name),
                    Text("请换一个名称。", "Give the term another name."),
                )
            elif text:
                self.name_condition(item, name, {name: text}, pick=name)
        return item.table

    def name_condition(
        self, item: Fields, name: str, options: Mapping[str, str], *, pick: str, key: str = "{}"
    ) -> bool:
        """Let a name stand for one of several conditions in every table with whose columns all can be said.

        Returns:
            Whether there is such a table; else the faults are of the table that understands most, the cases where none does.
        """
        faults: dict[str, list[tuple[str, BadInput]]] = {}
        for table in self.tables.values():
            nodes: dict[str, Node] = {}
            faults[table.name] = []
            for option, text in options.items():
                try:
                    nodes[option] = read_condition(text, columns=table.kinds, terms=self.terms[table.name])
                except BadInput as error:
                    faults[table.name].append((option, error))
            if not faults[table.name] and pick in nodes:
                self.terms[table.name][name] = nodes[pick]
        if all(faults.values()):
            for option, fault in min(faults.values(), key=len):
                item.take(key.format(option), fault)
        return any(name in terms for terms in self.terms.values())

    def condition(self, item: Fields, key: str, text: str, table: FactTable) -> Node | None:
        if not text:
            return None
        try:
            return read_condition(text, columns=table.kinds, terms=self.terms[table.name])
        except BadInput as error:
            item.take(key, error)
            return None

    def choice(self, item: Fields) -> Choice | None:
        options = item.mapping("options")
        choice = Choice(
            id=item.text("id"),
            name=item.words("name"),
            pick=item.text("pick"),
            options={name: str(text) for name, text in options.items()},
            source=item.text("source"),
        )
        item.check_keys()
        if any(choice.id in table.kinds for table in self.tables.values()) or any(
            choice.id in terms for terms in self.terms.values()
        ):
            item.fault(
                "id",
                Text("「{id}」已是列名或已定义的条件。", "{id!r} is a column or a term already.", id=choice.id),
                Text("请换一个名称。", "Give the choice another name."),
            )
        if choice.pick not in options:
            message = Text("没有选项「{pick}」。", "There is no option {pick!r}.", pick=choice.pick)
            item.fault("pick", message, one_of(options))
        return (
            choice if self.name_condition(item, choice.id, choice.options, pick=choice.pick, key="options.{}") else None
        )

    def measure(self, item: Fields, key: str, text: str, also: Node, table: FactTable) -> Measure | None:
        if not text:
            return None
        try:
            found = read_measure(text, columns=table.kinds, terms=self.terms[table.name])
        except BadInput as error:
            item.take(key, error)
            return None
        return replace(found, condition=both(also, found.condition))

    def table(self, item: Fields) -> FactTable | None:
        """The table of an indicator; None, and a fault, where there is no such table."""
        name = item.text("table", default=CASES)
        if name not in self.tables:
            message = Text("没有名为「{table}」的数据表。", "There is no table of facts {table!r}.", table=name)
            item.fault("table", message, did_you_mean(name, self.tables) or one_of(self.tables))
            return None
        return self.tables[name]

    def indicator(self, item: Fields) -> Indicator | None:
        stated = self.table(item)
        table = stated or self.tables[CASES]
        written = item.text("numerator"), item.text("denominator", default=""), item.text("filter", default="")
        numerator = denominator = None
        if stated is not None:  # without a table nothing can be said of its columns
            also = self.condition(item, "filter", written[2], table) or ALWAYS
            numerator = self.measure(item, "numerator", written[0], also, table)
            denominator = self.measure(item, "denominator", written[1], also, table)
        unit = self.unit(item, written[1], table)
        found = Indicator(
            id=item.text("id"),
            table=table.name,
            name=item.words("name"),
            meaning=item.words("meaning"),
            numerator=numerator or Measure(),
            denominator=denominator,
            formula=written,
            unit=unit,
            direction=self.one_of(item, "direction", DIRECTIONS),
            basis=self.one_of(item, "basis", tuple(table.bases)) if stated else item.text("basis"),
            source=item.text("source", hint=_SOURCE_HINT),
            confidence=item.text("confidence"),
            validity=self.validity(item),
            public=item.flag("public"),
        )
        item.check_keys()
        return found if found.id and numerator and unit else None

    def unit(self, item: Fields, denominator: str, table: FactTable) -> str:
        """The unit of an indicator: counts have no denominator, and only cases are counted as cases."""
        unit = self.one_of(item, "unit", tuple(UNITS))
        if (unit in COUNTED) == bool(denominator):
            what = Text("{unit} 需要分母。", "{unit} needs a denominator.", unit=unit or Text("比率", "A rate"))
            if denominator:
                what = Text("计数没有分母。", "A count has no denominator.")
            hint = Text(
                '案卷计数用 unit = "cases"，其他计数用 "count"；其余指标都要有分母。',
                'Counts have unit = "cases", or "count" for what is no case; everything else is divided by something.',
            )
            item.fault("denominator", what, hint)
        if unit == CASES and table.name != CASES:
            what = Text("表 {table} 的行不是案卷。", "The rows of {table} are no cases.", table=table.name)
            item.fault("unit", what, Text('请写 unit = "count"。', 'Write unit = "count".'))
        return unit

    @staticmethod
    def one_of(item: Fields, key: str, known: tuple[str, ...]) -> str:
        value = item.text(key, hint=one_of(known))
        if value and value not in known:
            message = Text("「{value}」不能作 {key}。", "{value!r} is no {key}.", value=value, key=key)
            item.fault(key, message, did_you_mean(value, known) or one_of(known))
            return ""
        return value

    @staticmethod
    def validity(item: Fields) -> Validity:
        days: list[date | None] = []
        for key in ("valid_from", "valid_to"):
            value = item.raw(key)
            try:
                days.append(value if value is None or type(value) is date else date.fromisoformat(str(value)))
            except ValueError:
                item.fault(key, Text("「{value}」不是日期。", "{value!r} is no date.", value=value), ISO_HINT)
                days.append(None)
        if days[0] and days[1] and days[0] >= days[1]:
            item.fault("valid_to", Text("截止日期早于开始日期。", "It ends before it begins."))
        return Validity(*days)

    def grading(self, item: Fields) -> Grading | None:
        grades = []
        for number, table in enumerate(item.tables("grades"), start=1):
            one = Fields(self.files, FILE, table, where=f"{item.where}grade {table.get('id') or number}: ")
            grades.append(
                Grade(
                    id=one.text("id"),
                    least=one.number("least"),
                    name=one.words("name"),
                    colour=self.one_of(one, "colour", COLOURS),
                )
            )
            one.check_keys()
        found = Grading(
            grades=tuple(grades),
            source=item.text("source"),
            confidence=item.text("confidence"),
            validity=self.validity(item),
        )
        item.check_keys()
        lasts = [grade.least for grade in grades]
        if not grades or lasts != sorted(set(lasts), reverse=True) or lasts[-1] != 0:
            item.fault(
                "grades",
                Text("等级没有从最好到最差覆盖 0 到 100 分。", "The grades do not cover 0 to 100 from the best down."),
                Text("最后一级从 0 开始。", "The last begins at 0."),
            )
            return None
        return found

    def evaluation(self, item: Fields, known: Mapping[str, Indicator]) -> Evaluation:
        kind = self.one_of(item, "object", OBJECTS)
        post = item.text("post", default="")
        if (kind == "post") != bool(post) or (post and post not in self.context.posts):
            item.fault(
                "post",
                Text("「{post}」不是岗位。", "{post!r} is no post.", post=post),
                Text(
                    'object = "post" 时可填：{known}。',
                    'For object = "post" one of {known}.',
                    known=", ".join(self.context.posts),
                ),
            )
        parts = tuple(
            self.part(Fields(self.files, FILE, table, where=f"{item.where}part {number}: "), known, kind, post)
            for number, table in enumerate(item.tables("parts"), start=1)
        )
        levels = item.texts("levels")
        known_levels = [level for level, _ in self.context.levels]
        for level in levels:
            if level not in known_levels:
                message = Text("没有层级「{level}」。", "There is no level {level!r}.", level=level)
                item.fault("levels", message, did_you_mean(level, known_levels))
        total = sum(part.weight for part in parts)
        if abs(total - 1) > 1e-9:
            item.fault(
                "parts",
                Text("权重之和是 {total:g}。", "The weights sum to {total:g}.", total=total),
                Text("权重之和必须是 1。", "They must sum to 1."),
            )
        found = Evaluation(
            id=item.text("id"),
            name=item.words("name"),
            object=kind,
            post=post,
            levels=levels,
            parts=parts,
            least_share=item.number("least_share", default=1.0),
            source=item.text("source"),
            confidence=item.text("confidence"),
            validity=self.validity(item),
        )
        item.check_keys()
        return found

    def can_group(self, indicator: Indicator, kind: str, member: str) -> bool:
        """Whether the rows of an indicator can be grouped by what an evaluation is of."""
        dimensions = self.tables[indicator.table].dimensions.values()
        return any(one.object == kind and member in ("", one.member) for one in dimensions)

    def part(self, item: Fields, known: Mapping[str, Indicator], kind: str, member: str) -> Part:
        name = item.text("indicator")
        found = Part(
            indicator=name,
            weight=item.number("weight", above=0),
            up_to=self.steps(item, "up_to", rising=True),
            at_least=self.steps(item, "at_least", rising=False),
        )
        item.check_keys()
        indicator = known.get(name)
        stepped = bool(found.up_to or found.at_least)
        if indicator is not None and not self.can_group(indicator, kind, member):
            message = Text(
                "表 {table} 不能按评价对象「{object}」统计。",
                "The table {table} cannot be counted by {object!r}.",
                table=indicator.table,
                object=member or kind,
            )
            item.fault("indicator", message, one_of(self.tables[indicator.table].dimensions))
        if indicator is None:
            item.fault("indicator", _no_indicator(name), did_you_mean(name, known))
        elif (indicator.unit == "percent") == stepped:
            what = Text("百分比本身就是得分。", "A percentage is its own score.")
            if not stepped:
                what = Text("{unit} 不是 0 到 100 的得分。", "{unit} are no score of 0 to 100.", unit=indicator.unit)
            hint = Text(
                "除百分比以外，都要填写 up_to 或 at_least。", "Give up_to or at_least for everything but percentages."
            )
            item.fault("indicator", what, hint)
        elif not stepped and indicator.direction == "none":
            item.fault(
                "indicator",
                Text("{name} 没有方向。", "{name} has no direction.", name=name),
                Text('请在该指标中写 direction = "up" 或 "down"。', 'Say direction = "up" or "down" there.'),
            )
        return found

    @staticmethod
    def steps(item: Fields, key: str, *, rising: bool) -> tuple[tuple[float, float], ...]:
        value = item.raw(key)
        if value is None:
            return ()
        try:
            steps = tuple((float(bound), float(points)) for bound, points in value)
        except (TypeError, ValueError):
            item.fault(
                key,
                Text("「{value}」不是分档。", "{value!r} are no steps.", value=value),
                Text(
                    "请写成「界限、得分」的成对数字：[[50, 100], [100, 90]]。",
                    "Write pairs of bound and score: [[50, 100], [100, 90]].",
                ),
            )
            return ()
        bounds = [bound for bound, _ in steps]
        if bounds != sorted(set(bounds), reverse=not rising):
            item.fault(
                key,
                Text("界限的顺序不对。", "The bounds are out of order."),
                Text("up_to 从小到大，at_least 从大到小。", "Ascending in up_to, descending in at_least."),
            )
        if not all(0 <= points <= 100 for _, points in steps):
            item.fault(key, Text("得分不在 0 到 100 之间。", "A score lies outside 0 to 100."))
        return steps


def _no_indicator(name: str) -> Text:
    return Text("没有指标「{name}」。", "There is no indicator {name!r}.", name=name)
