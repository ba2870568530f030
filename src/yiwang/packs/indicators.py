"""`indicators.toml`: what is measured, with every fault named by its entry. `docs/reference/indicators.md` is the manual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from yiwang.core.cases.units import UnitDirectory
from yiwang.core.cases.workflow import Workflow
from yiwang.core.indicators.columns import BASES, FactContext
from yiwang.core.indicators.definitions import (
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
from yiwang.core.indicators.facts import unit_facts
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.periods import Validity
from yiwang.core.space import RegionTree
from yiwang.packs.catalogue import Category
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean
from yiwang.packs.info import PackInfo

FILE = "indicators.toml"
MOMENTS = ("verified", "checked", "responded")
DIRECTIONS = ("up", "down", "none")
COLOURS = ("green", "blue", "yellow", "red", "black")


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
        self.terms: dict[str, Node] = {}

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
                self.fields.fault("shown", f"There is no indicator {name!r}.", did_you_mean(name, known))
        self.fields.done()
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
        for place, (name, validity) in enumerate(found):
            if any(name == other and validity.overlaps(days) for other, days in found[:place]):
                message = f"{key} {name or 'scale'} stands twice for the same days."
                self.files.fault(
                    message, "Let one version end (valid_to) where the next begins.", file=FILE, column=key
                )

    # --- the pieces ---------------------------------------------------------------------------------------------------

    def moments(self) -> dict[str, frozenset[str]]:
        item = Fields(self.files, FILE, self.fields.mapping("moments"), where="moments.")
        found = {}
        for name in MOMENTS:
            verbs = item.texts(name)
            for verb in verbs:
                if verb not in self.workflow.verbs:
                    item.fault(name, f"The workflow has no verb {verb!r}.", did_you_mean(verb, self.workflow.verbs))
            if verbs:
                found[name] = frozenset(verbs)
        item.done()
        return found

    def read_terms(self) -> Mapping[str, Any]:
        item = Fields(self.files, FILE, self.fields.mapping("terms"), where="terms.")
        for name in item.table:
            text = item.text(name)
            if name in self.context.columns or name == AS_OF:
                item.fault(name, f"{name!r} is a column of the facts.", "Give the term another name.")
            elif (node := self.condition(item, name, text)) is not None:
                self.terms[name] = node
        return item.table

    def condition(self, item: Fields, key: str, text: str) -> Node | None:
        if not text:
            return None
        try:
            return read_condition(text, columns=self.context.columns, terms=self.terms)
        except BadInput as error:
            self.faults(item, key, error)
            return None

    @staticmethod
    def faults(item: Fields, key: str, error: BadInput) -> None:
        for problem in error.problems:
            item.fault(key, str(problem.message), str(problem.hint))

    def choice(self, item: Fields) -> Choice | None:
        options = item.mapping("options")
        choice = Choice(
            id=item.text("id"),
            name=item.words("name"),
            pick=item.text("pick"),
            options={name: str(text) for name, text in options.items()},
            source=item.text("source"),
        )
        item.done()
        if choice.id in self.context.columns or choice.id in self.terms:
            item.fault("id", f"{choice.id!r} is a column or a term already.", "Give the choice another name.")
        if choice.pick not in options:
            item.fault("pick", f"There is no option {choice.pick!r}.", "One of " + ", ".join(options) + ".")
        nodes = {name: self.condition(item, f"options.{name}", text) for name, text in choice.options.items()}
        if (picked := nodes.get(choice.pick)) is None:
            return None
        self.terms[choice.id] = picked
        return choice

    def measure(self, item: Fields, key: str, text: str, also: Node) -> Measure | None:
        if not text:
            return None
        try:
            found = read_measure(text, columns=self.context.columns, terms=self.terms)
        except BadInput as error:
            self.faults(item, key, error)
            return None
        return replace(found, condition=both(also, found.condition))

    def indicator(self, item: Fields) -> Indicator | None:
        written = item.text("numerator"), item.text("denominator", default=""), item.text("filter", default="")
        also = self.condition(item, "filter", written[2]) or ALWAYS
        numerator = self.measure(item, "numerator", written[0], also)
        denominator = self.measure(item, "denominator", written[1], also)
        unit = self.one_of(item, "unit", tuple(UNITS))
        if (unit == "cases") == bool(written[1]):
            what = "A count of cases has no denominator." if written[1] else f"{unit or 'A rate'} needs a denominator."
            item.fault("denominator", what, 'Counts have unit = "cases"; everything else is divided by something.')
        found = Indicator(
            id=item.text("id"),
            name=item.words("name"),
            meaning=item.words("meaning"),
            numerator=numerator or Measure(),
            denominator=denominator,
            formula=written,
            unit=unit,
            direction=self.one_of(item, "direction", DIRECTIONS),
            basis=self.one_of(item, "basis", tuple(BASES)),
            source=item.text("source", hint='A standard with its clause, a paper, or "reference default".'),
            confidence=item.text("confidence"),
            validity=self.validity(item),
        )
        item.done()
        return found if found.id and numerator and unit else None

    @staticmethod
    def one_of(item: Fields, key: str, known: tuple[str, ...]) -> str:
        value = item.text(key, hint="One of " + ", ".join(known) + ".")
        if value and value not in known:
            item.fault(key, f"{value!r} is no {key}.", did_you_mean(value, known) or "One of " + ", ".join(known) + ".")
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
                item.fault(key, f"{value!r} is no date.", "Write year-month-day, e.g. 2026-03-01.")
                days.append(None)
        if days[0] and days[1] and days[0] >= days[1]:
            item.fault("valid_to", "It ends before it begins.")
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
            one.done()
        found = Grading(
            grades=tuple(grades),
            source=item.text("source"),
            confidence=item.text("confidence"),
            validity=self.validity(item),
        )
        item.done()
        lasts = [grade.least for grade in grades]
        if not grades or lasts != sorted(set(lasts), reverse=True) or lasts[-1] != 0:
            item.fault("grades", "The grades do not cover 0 to 100 from the best down.", "The last begins at 0.")
            return None
        return found

    def evaluation(self, item: Fields, known: Mapping[str, Indicator]) -> Evaluation:
        kind = self.one_of(item, "object", OBJECTS)
        post = item.text("post", default="")
        if (kind == "post") != bool(post) or (post and post not in self.context.posts):
            item.fault(
                "post", f"{post!r} is no post.", 'For object = "post" one of ' + ", ".join(self.context.posts) + "."
            )
        parts = tuple(
            self.part(Fields(self.files, FILE, table, where=f"{item.where}part {number}: "), known)
            for number, table in enumerate(item.tables("parts"), start=1)
        )
        levels = item.texts("levels")
        known_levels = [level for level, _ in self.context.levels]
        for level in levels:
            if level not in known_levels:
                item.fault("levels", f"There is no level {level!r}.", did_you_mean(level, known_levels))
        total = sum(part.weight for part in parts)
        if abs(total - 1) > 1e-9:
            item.fault("parts", f"The weights sum to {total:g}.", "They must sum to 1.")
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
        item.done()
        return found

    def part(self, item: Fields, known: Mapping[str, Indicator]) -> Part:
        name = item.text("indicator")
        found = Part(
            indicator=name,
            weight=item.number("weight", above=0),
            up_to=self.steps(item, "up_to", rising=True),
            at_least=self.steps(item, "at_least", rising=False),
        )
        item.done()
        indicator = known.get(name)
        stepped = bool(found.up_to or found.at_least)
        if indicator is None:
            item.fault("indicator", f"There is no indicator {name!r}.", did_you_mean(name, known))
        elif (indicator.unit == "percent") == stepped:
            what = "A percentage is its own score." if stepped else f"{indicator.unit} are no score of 0 to 100."
            item.fault("indicator", what, "Give up_to or at_least for everything but percentages.")
        elif not stepped and indicator.direction == "none":
            item.fault("indicator", f"{name} has no direction.", 'Say direction = "up" or "down" there.')
        return found

    @staticmethod
    def steps(item: Fields, key: str, *, rising: bool) -> tuple[tuple[float, float], ...]:
        value = item.raw(key)
        if value is None:
            return ()
        try:
            steps = tuple((float(bound), float(points)) for bound, points in value)
        except (TypeError, ValueError):
            item.fault(key, f"{value!r} are no steps.", "Write pairs of bound and score: [[50, 100], [100, 90]].")
            return ()
        bounds = [bound for bound, _ in steps]
        if bounds != sorted(set(bounds), reverse=not rising):
            item.fault(key, "The bounds are out of order.", "Ascending in up_to, descending in at_least.")
        if not all(0 <= points <= 100 for _, points in steps):
            item.fault(key, "A score lies outside 0 to 100.")
        return steps
