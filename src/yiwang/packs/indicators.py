"""`indicators.toml`: what is measured, with every fault named by its entry. `docs/reference/indicators.md` is the manual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from yiwang.core.cases.units import UnitDirectory
from yiwang.core.cases.workflow import Workflow
from yiwang.core.facts.case_rows import unit_facts
from yiwang.core.facts.cases import CASES, FactContext
from yiwang.core.facts.table import FactTable
from yiwang.core.indicators.definitions import (
    COUNTED,
    SCORED,
    Aspect,
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
from yiwang.core.indicators.lists import ListRule
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.space import RegionTree
from yiwang.packs.catalogue import Category
from yiwang.packs.fact_tables import fact_tables
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.indicator_tables import (
    ChoiceTable,
    DatedTable,
    EvaluationTable,
    GradingTable,
    IndicatorFile,
    IndicatorTable,
    ListTable,
    MomentsTable,
    PartTable,
)
from yiwang.packs.info import PackInfo
from yiwang.packs.toml_tables import labelled, read_table

FILE = "indicators.toml"


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
        if name in MomentsTable.model_fields and isinstance(verbs, list)
    }


class _Book:
    def __init__(self, files: PackFiles, data: Mapping[str, Any], context: FactContext, workflow: Workflow) -> None:
        self.files, self.context, self.workflow = files, context, workflow
        self.file = read_table(IndicatorFile, data, files, FILE)
        self.tables = fact_tables(context, wanted={one.table for one in self.file.indicator})
        # table → terms and picked choices that can be said with its columns
        self.terms: dict[str, dict[str, Node]] = {name: {} for name in self.tables}

    def fault(self, column: str, message: Text, hint: Text = NO_TEXT) -> None:
        self.files.fault(message, hint, file=FILE, column=column)

    def read(self) -> IndicatorBook:
        file = self.file
        moments = self.moments()
        self.read_terms()
        choices = [chosen for where, table in labelled(file.choice) if (chosen := self.choice(where, table))]
        indicators = [counted for where, table in labelled(file.indicator) if (counted := self.indicator(where, table))]
        gradings = [graded for where, table in labelled(file.grading) if (graded := self.grading(where, table))]
        known = {indicator.id: indicator for indicator in indicators}
        evaluations = [self.evaluation(where, table, known) for where, table in labelled(file.evaluation)]
        lists = [self.list_rule(where, table, known, evaluations) for where, table in labelled(file.lists)]
        for name in file.shown:
            if name not in known:
                self.fault("shown", _no_indicator(name), did_you_mean(name, known))
        self.unique("indicator", [(one.id, one.validity) for one in indicators])
        self.unique("grading", [("", one.validity) for one in gradings])
        self.unique("evaluation", [(one.id, one.validity) for one in evaluations])
        self.unique("list", [(one.id, one.validity) for one in lists])
        return IndicatorBook(
            lists=tuple(lists),
            indicators=tuple(indicators),
            choices=tuple(choices),
            gradings=tuple(gradings),
            evaluations=tuple(evaluations),
            moments=moments,
            terms=file.terms,
            shown=file.shown,
        )

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
                self.fault(key, message, hint)

    # --- the pieces ---------------------------------------------------------------------------------------------------

    def moments(self) -> dict[str, frozenset[str]]:
        found = {}
        for name, verbs in self.file.moments:
            for verb in verbs:
                if verb not in self.workflow.verbs:
                    message = Text("流程中没有动作「{verb}」。", "The workflow has no verb {verb!r}.", verb=verb)
                    self.fault(f"moments.{name}", message, did_you_mean(verb, self.workflow.verbs))
            if verbs:
                found[name] = frozenset(verbs)
        return found

    def read_terms(self) -> None:
        for name, text in self.file.terms.items():
            if name == AS_OF or any(name in table.kinds for table in self.tables.values()):
                self.fault(
                    f"terms.{name}",
                    Text("「{name}」已是数据列的名称。", "{name!r} is a column of the facts.", name=name),
                    Text("请换一个名称。", "Give the term another name."),
                )
            else:
                self.name_condition("terms.", name, {name: text}, pick=name)

    def name_condition(self, where: str, name: str, options: Mapping[str, str], *, pick: str) -> bool:
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
                self.files.take(fault, file=FILE, column=f"{where}{option}")
        return any(name in terms for terms in self.terms.values())

    def condition(self, column: str, text: str, table: FactTable) -> Node | None:
        if not text:
            return None
        try:
            return read_condition(text, columns=table.kinds, terms=self.terms[table.name])
        except BadInput as error:
            self.files.take(error, file=FILE, column=column)
            return None

    def choice(self, where: str, table: ChoiceTable) -> Choice | None:
        found = Choice(**dict(table))
        if any(found.id in one.kinds for one in self.tables.values()) or any(
            found.id in terms for terms in self.terms.values()
        ):
            self.fault(
                f"{where}id",
                Text("「{id}」已是列名或已定义的条件。", "{id!r} is a column or a term already.", id=found.id),
                Text("请换一个名称。", "Give the choice another name."),
            )
        if found.pick not in found.options:
            message = Text("没有选项「{pick}」。", "There is no option {pick!r}.", pick=found.pick)
            self.fault(f"{where}pick", message, one_of(found.options))
        said = self.name_condition(f"{where}options.", found.id, found.options, pick=found.pick)
        return found if said else None

    def measure(self, column: str, text: str, also: Node, table: FactTable) -> Measure | None:
        if not text:
            return None
        try:
            found = read_measure(text, columns=table.kinds, terms=self.terms[table.name])
        except BadInput as error:
            self.files.take(error, file=FILE, column=column)
            return None
        return replace(found, condition=both(also, found.condition))

    def indicator(self, where: str, written: IndicatorTable) -> Indicator | None:
        stated = self.tables.get(written.table)
        table = stated or self.tables[CASES]
        numerator = denominator = None
        if stated is None:  # without a table nothing can be said of its columns
            message = Text(
                "没有名为「{table}」的数据表。", "There is no table of facts {table!r}.", table=written.table
            )
            self.fault(f"{where}table", message, did_you_mean(written.table, self.tables) or one_of(self.tables))
        else:
            also = self.condition(f"{where}filter", written.filter, table) or ALWAYS
            numerator = self.measure(f"{where}numerator", written.numerator, also, table)
            denominator = self.measure(f"{where}denominator", written.denominator, also, table)
            if written.basis and written.basis not in table.bases:
                message = Text("「{value}」不能作 basis。", "{value!r} is no basis.", value=written.basis)
                self.fault(f"{where}basis", message, did_you_mean(written.basis, table.bases) or one_of(table.bases))
        self.check_unit(where, written.unit, written.denominator, table)
        self.check_days(where, written)
        formula = (written.numerator, written.denominator, written.filter)
        values = {key: value for key, value in written.values().items() if key != "filter"}
        counted = {"table": table.name, "numerator": numerator or Measure(), "denominator": denominator}
        found = Indicator(**{**values, **counted, "formula": formula})
        return found if found.id and numerator and found.unit else None

    def check_unit(self, where: str, unit: str, denominator: str, table: FactTable) -> None:
        """Counts have no denominator, and only cases are counted as cases."""
        if (unit in COUNTED) == bool(denominator):
            what = Text("{unit} 需要分母。", "{unit} needs a denominator.", unit=unit or Text("比率", "A rate"))
            if denominator:
                what = Text("计数没有分母。", "A count has no denominator.")
            hint = Text(
                '案卷计数用 unit = "cases"，其他计数用 "count"；其余指标都要有分母。',
                'Counts have unit = "cases", or "count" for what is no case; everything else is divided by something.',
            )
            self.fault(f"{where}denominator", what, hint)
        if unit == CASES and table.name != CASES:
            what = Text("表 {table} 的行不是案卷。", "The rows of {table} are no cases.", table=table.name)
            self.fault(f"{where}unit", what, Text('请写 unit = "count"。', 'Write unit = "count".'))

    def check_days(self, where: str, table: DatedTable) -> None:
        if table.valid_from and table.valid_to and table.valid_from >= table.valid_to:
            self.fault(f"{where}valid_to", Text("截止日期早于开始日期。", "It ends before it begins."))

    def grading(self, where: str, table: GradingTable) -> Grading | None:
        self.check_days(where, table)
        grades = tuple(Grade(**dict(one)) for one in table.grades)
        lasts = [grade.least for grade in grades]
        if not grades or lasts != sorted(set(lasts), reverse=True) or lasts[-1] != 0:
            self.fault(
                f"{where}grades",
                Text("等级没有从最好到最差覆盖 0 到 100 分。", "The grades do not cover 0 to 100 from the best down."),
                Text("最后一级从 0 开始。", "The last begins at 0."),
            )
            return None
        return Grading(**{**table.values(), "grades": grades})

    def evaluation(self, where: str, table: EvaluationTable, known: Mapping[str, Indicator]) -> Evaluation:
        kind, post = table.object, table.post
        if (kind == "post") != bool(post) or (post and post not in self.context.posts):
            self.fault(
                f"{where}post",
                Text("「{post}」不是岗位。", "{post!r} is no post.", post=post),
                Text(
                    'object = "post" 时可填：{known}。',
                    'For object = "post" one of {known}.',
                    known=", ".join(self.context.posts),
                ),
            )
        parts = tuple(self.part(f"{where}{label}", part, known, kind, post) for label, part in labelled(table.parts))
        known_levels = [level for level, _ in self.context.levels]
        for level in table.levels:
            if level not in known_levels:
                message = Text("没有层级「{level}」。", "There is no level {level!r}.", level=level)
                self.fault(f"{where}levels", message, did_you_mean(level, known_levels))
        aspects = tuple(Aspect(**dict(one)) for one in table.aspects)
        sides = [one.id for one in aspects]
        if aspects:
            for side in {one for one in sides if sides.count(one) > 1}:
                twice = Text("「{id}」重复。", "{id!r} stands twice.", id=side)
                self.fault(f"{where}aspects", twice)
            self.check_weights(f"{where}aspects", [one.weight for one in aspects])
        for side in sides or [""]:
            self.check_weights(f"{where}parts", [part.weight for part in parts if part.aspect == side], side)
        for part in parts:
            if part.aspect not in (sides or [""]):
                no = Text("没有方面「{id}」。", "There is no aspect {id!r}.", id=part.aspect)
                self.fault(f"{where}parts", no, one_of(sides))
        self.check_days(where, table)
        return Evaluation(**{**table.values(), "aspects": aspects, "parts": parts})

    def check_weights(self, where: str, weights: Sequence[float], side: str = "") -> None:
        """They must sum to 1."""
        total = sum(weights)
        if abs(total - 1) > 1e-9:
            message = Text("权重之和是 {total:g}。", "The weights sum to {total:g}.", total=total)
            if side:
                message = Text(
                    "「{side}」的权重之和是 {total:g}。",
                    "The weights of {side!r} sum to {total:g}.",
                    side=side,
                    total=total,
                )
            self.fault(where, message, Text("权重之和必须是 1。", "They must sum to 1."))

    def list_rule(
        self, where: str, table: ListTable, known: Mapping[str, Indicator], evaluations: Sequence[Evaluation]
    ) -> ListRule:
        evaluation = next((one for one in evaluations if one.id == table.evaluation), None)
        levels = [level for level, _ in self.context.levels]
        if evaluation is None:
            ids = [one.id for one in evaluations]
            none = Text("没有评价「{id}」。", "There is no evaluation {id!r}.", id=table.evaluation)
            self.fault(f"{where}evaluation", none, did_you_mean(table.evaluation, ids) or one_of(ids))
        else:
            wanted = ["department"] if evaluation.object == "department" else [*(evaluation.levels or levels)]
            if evaluation.object == "post" or table.level not in wanted:
                no = Text("这个评价不评「{level}」。", "This evaluation does not score {level!r}.", level=table.level)
                self.fault(f"{where}level", no, one_of(wanted))
        caseload = known.get(table.caseload)
        if caseload is None:
            self.fault(f"{where}caseload", _no_indicator(table.caseload), did_you_mean(table.caseload, known))
        elif caseload.denominator is not None:
            rate = Text("{name} 不是计数。", "{name} is no count.", name=caseload.id)
            self.fault(
                f"{where}caseload", rate, Text("请用案卷数这样的计数。", "Take a count, such as the number of cases.")
            )
        if not table.red and not table.black:
            nobody = Text("red 和 black 都是 0。", "Both red and black are 0.")
            self.fault(f"{where}red", nobody, Text("至少一个大于 0。", "One of them must be above 0."))
        self.check_days(where, table)
        return ListRule(**table.values())

    def can_group(self, indicator: Indicator, kind: str, member: str) -> bool:
        """Whether the rows of an indicator can be grouped by what an evaluation is of."""
        dimensions = self.tables[indicator.table].dimensions.values()
        return any(one.object == kind and member in ("", one.member) for one in dimensions)

    def part(self, where: str, table: PartTable, known: Mapping[str, Indicator], kind: str, member: str) -> Part:
        name, found = table.indicator, Part(**dict(table))
        indicator = known.get(name)
        stepped = bool(found.up_to or found.at_least)
        if indicator is not None and not self.can_group(indicator, kind, member):
            message = Text(
                "表 {table} 不能按评价对象「{object}」统计。",
                "The table {table} cannot be counted by {object!r}.",
                table=indicator.table,
                object=member or kind,
            )
            self.fault(f"{where}indicator", message, one_of(self.tables[indicator.table].dimensions))
        if indicator is None:
            self.fault(f"{where}indicator", _no_indicator(name), did_you_mean(name, known))
        elif (indicator.unit in SCORED) == stepped:
            what = Text("百分比和百分制得分本身就是得分。", "Percentages and scores of a hundred are their own score.")
            if not stepped:
                what = Text("{unit} 不是 0 到 100 的得分。", "{unit} are no score of 0 to 100.", unit=indicator.unit)
            hint = Text("其余单位都要填写 up_to 或 at_least。", "Give up_to or at_least for every other unit.")
            self.fault(f"{where}indicator", what, hint)
        elif not stepped and indicator.direction == "none":
            self.fault(
                f"{where}indicator",
                Text("{name} 没有方向。", "{name} has no direction.", name=name),
                Text('请在该指标中写 direction = "up" 或 "down"。', 'Say direction = "up" or "down" there.'),
            )
        return found


def _no_indicator(name: str) -> Text:
    return Text("没有指标「{name}」。", "There is no indicator {name!r}.", name=name)
