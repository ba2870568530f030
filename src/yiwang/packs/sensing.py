"""`sensing.toml`: how messages are read, which readings raise an alarm, and what becomes of one. A pack may have none.

The conditions of the ``[[alarm]]`` tables are those of `yiwang.core.observations.declared`; beside them stand the streams that
they are for, and the case that they open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.workflow import Workflow
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.observations.conditions import Combination, Condition, Pattern, Rate, Severity, Silence
from yiwang.core.observations.declared import SEVERITIES, read_conditions
from yiwang.packs.adapters import Adapter, read_adapter_tables
from yiwang.packs.catalogue import Category
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import code_hint, did_you_mean, one_of
from yiwang.packs.toml_tables import Expected, Line, Positive, Required, Texts, TomlTable, choice, read_table

FILE = "sensing.toml"
OURS = ("streams", "reads_in", "case", "storm")  # keys of an [[alarm]] table that are read here
_TABLES = ("alarm", "adapter", "layout")
PROPOSE, LOOK = "propose", "look"
UPDATE_EFFECT = "note"
_SEVERITY = choice(SEVERITIES)
_BACK = Expected(
    Text('可填 "propose"（建议结案）或 "look"（须现场查看）。', '"propose" (closing) or "look" (somebody must look).'),
    Text("「{value}」无效。", "{value!r} cannot be taken."),
)


class StreamChoice(TomlTable):
    """Which streams an alarm is for: those that fit every key that is given.

    Attributes:
        observed: Names of observed properties.
        key: Patterns of the streams' keys, with ``*`` and ``?``.
        but_not: Names of observed properties that are left out.
    """

    observed: Texts = ()
    key: Texts = ()
    but_not: Texts = ()

    def fits(self, *, key: str, observed: str) -> bool:
        """Whether a stream of this key and observed property is one of them."""
        if not self.observed and not self.key:
            return False
        if observed in self.but_not or (self.observed and observed not in self.observed):
            return False
        return not self.key or any(fnmatchcase(key, pattern) for pattern in self.key)


class Storm(TomlTable):
    """When many alarms are one incident.

    Attributes:
        more_than: Raised alarms of one condition in one region, above which they are one incident.
        within: Seconds.
        level: Level of the region, as `pack.toml` names it; empty for the whole city.
    """

    more_than: Annotated[int, Field(ge=1)] = 20
    within: Positive = 600.0
    level: Line = ""


class CaseRule(TomlTable):
    """The case that an alarm opens.

    Attributes:
        category: Its category.
        by_component: Where the thing is a component whose class is a category, that one instead.
        since: The mildest severity that opens a case (key ``from``).
        back_to_normal: ``propose``: an alarm that is over proposes to close the case; ``look``: somebody must look first.
        join_within: Metres within which an open case of the category that people reported is the same matter.
        priority: Priority of the case by severity; one that is not named takes that of the next milder.
    """

    category: Required
    by_component: bool = False
    since: Annotated[str, _SEVERITY] = Field(default="minor", alias="from")
    back_to_normal: Annotated[Literal["propose", "look"], _BACK] = "look"
    join_within: Annotated[float, Field(ge=0)] | None = None
    priority: dict[str, str] = Field(default_factory=dict)


class CaseDefaults(TomlTable):
    """What holds for all cases that alarms open.

    Attributes:
        verb: The verb with which the system writes on a case what the streams say; empty where no alarm opens one.
        channel: The source of these cases.
        join_within, priority: As for `CaseRule`, where an alarm gives none.
    """

    verb: Line = ""
    channel: Line = "sensor"
    join_within: Annotated[float, Field(ge=0)] = 50.0
    priority: dict[str, str] = Field(default_factory=dict)


class Keep(TomlTable):
    """How long observations are kept, and where. Days are those of UTC; 0 stands for ever, except for the first.

    Attributes:
        days_in_database: So long they stay in the database; what is older moves to the lake.
        raw_days: So long every single one is kept.
        minute_days, hour_days: So long roll-ups of minutes and hours are kept; those of days are kept for ever.
    """

    days_in_database: Annotated[int, Field(ge=1)] = 30
    raw_days: Annotated[int, Field(ge=0)] = 0
    minute_days: Annotated[int, Field(ge=0)] = 0
    hour_days: Annotated[int, Field(ge=0)] = 0


class _Head(TomlTable):
    """The file without its alarms."""

    cases: CaseDefaults = Field(default_factory=CaseDefaults)
    storm: Storm = Field(default_factory=Storm)
    keep: Keep | None = None


class _Ours(TomlTable):
    """The keys of an alarm that are not its condition's."""

    streams: StreamChoice = Field(default_factory=StreamChoice)
    reads_in: Line | None = None
    case: CaseRule | None = None
    storm: Storm | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is judged, and what becomes of its alarms.

    Attributes:
        condition: What is judged.
        case: The case that it opens; None for an alarm that is only kept.
        storm: When many of its alarms are one incident.
    """

    condition: Condition | Combination
    case: CaseRule | None
    storm: Storm


@dataclass(frozen=True, kw_only=True)
class CombinedRule(Rule):
    """A combination of alarms, with its case."""

    condition: Combination

    @cached_property
    def digest(self) -> str:
        """Changes with the combination: what was remembered under another digest is of no use."""
        return _digest(self.condition)


@dataclass(frozen=True, kw_only=True)
class AlarmRule(Rule):
    """A condition with its streams and its case.

    Attributes:
        streams: Of which streams.
        reads_in: The unit in which the levels are stated; a stream in another one is converted. Empty: as the stream has it.
    """

    condition: Condition
    streams: StreamChoice
    reads_in: str

    @cached_property
    def digest(self) -> str:
        """Changes with the condition: what was remembered under another digest is of no use."""
        return _digest((self.condition, self.reads_in))

    @cached_property
    def learns(self) -> str:
        """Changes with what a baseline is made by, of a pattern; the levels are not among it."""
        one = self.condition
        assert isinstance(one, Pattern)
        return _digest((one.weeks, one.least, one.min_spread, one.min_share, one.logarithmic, self.reads_in))


def _digest(of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class SensingPolicy:
    """What is judged in a city, by the alarm's id, and what holds for all cases.

    Attributes:
        combinations: The combinations of these alarms, by their ids.
        adapters: How messages are read, by the adapter's id.
        keep: What is kept, and for how long; None: all of it, in the database.
    """

    cases: CaseDefaults = field(default_factory=CaseDefaults)
    alarms: Mapping[str, AlarmRule] = field(default_factory=dict)
    combinations: Mapping[str, CombinedRule] = field(default_factory=dict)
    adapters: Mapping[str, Adapter] = field(default_factory=dict)
    keep: Keep | None = None

    def rules_for(self, *, key: str, observed: str) -> tuple[AlarmRule, ...]:
        """The rules for a stream."""
        return tuple(rule for rule in self.alarms.values() if rule.streams.fits(key=key, observed=observed))

    def rule_of(self, condition: str) -> Rule | None:
        """The rule of an alarm, by the id of its condition; None where it is no longer declared."""
        return self.alarms.get(condition) or self.combinations.get(condition)

    @cached_property
    def combined(self) -> Mapping[str, tuple[CombinedRule, ...]]:
        """The combinations that a condition is a member of, by its id."""
        found: dict[str, tuple[CombinedRule, ...]] = {}
        for rule in self.combinations.values():
            for condition in dict.fromkeys(member.condition for member in rule.condition.of):
                found[condition] = (*found.get(condition, ()), rule)
        return found

    def priority_of(self, rule: CaseRule, severity: Severity) -> str:
        """The priority of a case of this severity; empty where nothing is said, and triage decides."""
        said = rule.priority or self.cases.priority
        for one in sorted(Severity, reverse=True):
            if one <= severity and (found := said.get(one.name.lower())):
                return found
        return ""

    def join_within(self, rule: CaseRule) -> float:
        """Metres."""
        return self.cases.join_within if rule.join_within is None else rule.join_within


def read_sensing(
    files: PackFiles,
    *,
    workflow: Workflow | None,
    categories: Mapping[str, Category],
    levels: Collection[str],
    priorities: Collection[str],
) -> SensingPolicy:
    """Read the file; problems go to ``files``.

    Args:
        files: The pack's files.
        workflow: Its verbs and priorities; None where it could not be read.
        categories: By code.
        levels: Ids of the levels of regions.
        priorities: Those that triage gives; the workflow's own are known as well.
    """
    data = files.toml(FILE, required=False)
    if data is None:
        return SensingPolicy()
    head = read_table(_Head, {key: value for key, value in data.items() if key not in _TABLES}, files, FILE)
    adapters = read_adapter_tables(data, files, FILE)
    tables = data.get("alarm", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        hint = Text("请在每个表前写 [[alarm]]。", "Head each one with [[alarm]].")
        files.fault(Text("此处应为一组表。", "A list of tables is expected."), hint, file=FILE, column="alarm")
        return SensingPolicy(cases=head.cases, adapters=adapters, keep=head.keep)
    conditions = _conditions(tables, files)
    checks = _Checks(
        files=files,
        workflow=workflow,
        categories=categories,
        levels=levels,
        priorities=tuple(dict.fromkeys([*(workflow.priorities if workflow else ()), *sorted(priorities)])),
    )
    checks.cases(head)
    if head.keep is not None:
        checks.keep(head.keep)
    alarms: dict[str, AlarmRule] = {}
    combinations: dict[str, CombinedRule] = {}
    for number, table in enumerate(tables, start=1):
        label = f"alarm {table.get('id') or number}: "
        before = len(files.problems)
        ours = read_table(_Ours, {key: table[key] for key in OURS if key in table}, files, FILE)
        files.problems[before:] = [replace(one, column=label + one.column) for one in files.problems[before:]]
        condition = conditions.get(str(table.get("id")))
        checks.alarm(label, ours, condition)
        storm = ours.storm or head.storm
        if isinstance(condition, Combination):
            checks.combination(label, table, condition, conditions)
            combinations[condition.id] = CombinedRule(condition=condition, case=ours.case, storm=storm)
        elif condition is not None:
            reads_in = getattr(condition, "unit", "") if ours.reads_in is None else ours.reads_in
            alarms[condition.id] = AlarmRule(
                condition=condition,
                streams=ours.streams,
                reads_in="" if isinstance(condition, Silence) else reads_in,
                case=ours.case,
                storm=storm,
            )
    if head.cases.verb == "" and any(rule.case for rule in (*alarms.values(), *combinations.values())):
        files.fault(
            Text("有报警会立案，却没有写用哪个动作记录监测情况。", "Alarms open cases, and no verb writes on them."),
            Text("在 [cases] 里写 verb。", "Give verb in [cases]."),
            file=FILE,
            column="cases.verb",
        )
    return SensingPolicy(cases=head.cases, alarms=alarms, combinations=combinations, adapters=adapters, keep=head.keep)


def _conditions(tables: list[dict[str, Any]], files: PackFiles) -> dict[str, Condition | Combination]:
    try:
        found = read_conditions(
            [{key: value for key, value in table.items() if key not in OURS} for table in tables], FILE
        )
    except BadInput as error:
        files.problems.extend(error.problems)
        return {}
    return {one.id: one for one in found}


@dataclass(frozen=True, kw_only=True)
class _Checks:
    """Whether what the file names exists in the pack."""

    files: PackFiles
    workflow: Workflow | None
    categories: Mapping[str, Category]
    levels: Collection[str]
    priorities: tuple[str, ...]

    def cases(self, head: _Head) -> None:
        self.check_priorities("cases.", head.cases.priority)
        self.check_level("storm.", head.storm)
        verb = head.cases.verb
        if not verb or self.workflow is None:
            return
        known = self.workflow.verbs.get(verb)
        if known is None:
            hint = did_you_mean(verb, self.workflow.verbs) or one_of(self.workflow.verbs)
            self.fault(Text("流程中没有动作「{verb}」。", "There is no verb {verb!r}.", verb=verb), hint, "cases.verb")
        elif known.effect != UPDATE_EFFECT or SYSTEM not in known.roles or "note" not in known.optional:
            self.fault(
                Text("系统不能用「{verb}」写说明。", "The system cannot write a note with {verb!r}.", verb=verb),
                Text(
                    '该动作须有 effect = "{effect}"、roles 含 "{role}"、optional 含 "note"。',
                    'The verb has effect = "{effect}", roles with "{role}", optional with "note".',
                    effect=UPDATE_EFFECT,
                    role=SYSTEM,
                ),
                "cases.verb",
            )

    def keep(self, keep: Keep) -> None:
        """What is coarser is kept at least as long as what is finer."""
        names = ("days_in_database", "raw_days", "minute_days", "hour_days")
        for shorter, longer in pairwise(names):
            least, given = getattr(keep, shorter), getattr(keep, longer)
            if given and (least == 0 or given < least):
                said = Text("{name} = {value}", "{name} = {value}", name=shorter, value=least)
                self.fault(
                    Text(
                        "{name} = {value} 短于{other}。",
                        "{name} = {value} is shorter than {other}.",
                        name=longer,
                        value=given,
                        other=said,
                    ),
                    Text("填 0（永久保留），或不小于 {name}。", "Give 0 (for ever) or at least {name}.", name=shorter)
                    if least
                    else Text("填 0（永久保留）。", "Give 0 (for ever)."),
                    f"keep.{longer}",
                )

    def combination(
        self,
        label: str,
        table: Mapping[str, Any],
        combination: Combination,
        known: Mapping[str, Condition | Combination],
    ) -> None:
        """Members are alarms of this file that can be as bad as is asked."""
        for key in ("streams", "reads_in"):
            if key in table:
                self.fault(
                    Text("组合不写 {key}。", "A combination has no {key}.", key=key),
                    Text("监测流写在 of 的各成员里。", "Streams stand in the members, in of."),
                    f"{label}{key}",
                )
        singles = {id: one for id, one in known.items() if not isinstance(one, Combination)}
        for number, member in enumerate(combination.of, start=1):
            one, where = singles.get(member.condition), f"{label}of {number}: "
            if one is None:
                self.fault(
                    Text(
                        "没有可作成员的报警「{id}」。", "There is no alarm {id!r} to be a member.", id=member.condition
                    ),
                    did_you_mean(member.condition, singles) or one_of(singles),
                    f"{where}condition",
                )
            elif one.levels[-1].severity < member.severity:
                worst = one.levels[-1].severity
                self.fault(
                    Text("{id} 最重只到{worst}。", "{id} gets no worse than {worst}.", id=one.id, worst=worst.text),
                    Text("写较轻的等级。", "Give a milder severity."),
                    f"{where}severity",
                )

    def alarm(self, label: str, ours: _Ours, condition: Condition | Combination | None) -> None:
        if not isinstance(condition, Combination) and not ours.streams.observed and not ours.streams.key:
            self.fault(
                Text("没有写用于哪些监测流。", "It is for no stream."),
                Text('例如 streams = {{ observed = ["水位"] }}。', 'E.g. streams = {{ observed = ["water level"] }}.'),
                f"{label}streams",
            )
        if isinstance(condition, Rate) and ours.reads_in is None:
            self.fault(
                Text(
                    "没有写读数的单位：unit 是变化速度的单位。",
                    "The unit of the readings is missing: unit is the rate's.",
                ),
                Text('例如 reads_in = "cm"。', 'E.g. reads_in = "cm".'),
                f"{label}reads_in",
            )
        if ours.storm is not None:
            self.check_level(f"{label}storm.", ours.storm)
        if ours.case is None:
            return
        code = ours.case.category
        if code and code not in self.categories:
            message = Text("没有类别「{code}」。", "There is no category {code!r}.", code=code)
            self.fault(message, code_hint(code, self.categories, where="categories.csv"), f"{label}case.category")
        self.check_priorities(f"{label}case.", ours.case.priority)

    def check_priorities(self, where: str, said: Mapping[str, str]) -> None:
        for severity, priority in said.items():
            if severity not in SEVERITIES:
                message = Text("没有等级「{name}」。", "There is no severity {name!r}.", name=severity)
                self.fault(message, did_you_mean(severity, SEVERITIES) or one_of(SEVERITIES), f"{where}priority")
            if self.priorities and priority not in self.priorities:
                message = Text("没有紧急程度「{name}」。", "There is no priority {name!r}.", name=priority)
                hint = did_you_mean(priority, self.priorities) or one_of(self.priorities)
                self.fault(message, hint, f"{where}priority.{severity}")

    def check_level(self, where: str, storm: Storm) -> None:
        if storm.level and storm.level not in self.levels:
            message = Text("没有区域层级「{level}」。", "There is no level {level!r} of regions.", level=storm.level)
            self.fault(message, did_you_mean(storm.level, self.levels) or one_of(self.levels), f"{where}level")

    def fault(self, message: Text, hint: Text, column: str) -> None:
        self.files.fault(message, hint, file=FILE, column=column)
