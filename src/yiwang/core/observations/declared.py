"""Conditions from tables as TOML gives them; every fault is said with its key and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from math import inf, isfinite
from typing import Any, TypeVar

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text, is_language_of, language_keys
from yiwang.core.observations.conditions import (
    Combination,
    Condition,
    Confidence,
    Direction,
    Level,
    Measured,
    Member,
    Mode,
    Pattern,
    Rate,
    Severity,
    Silence,
    Threshold,
)

COMMON = ("id", "kind", "source", "confidence", "unit", "levels")
WORDS = ("name", "source")
MEASURED = ("direction", "for", "count", "clear_for", "ends_after")
KINDS: Mapping[str, tuple[str, ...]] = {
    "threshold": (*COMMON, *MEASURED),
    "rate": (*COMMON, *MEASURED, "per"),
    "pattern": (*COMMON, *MEASURED, "weeks", "least", "min_spread", "min_share", "logarithmic"),
    "silence": COMMON,
    "combination": ("id", "kind", "source", "confidence", "of", "per", "mode", "within", "severity"),
}
MOST_PARTS = 5  # names in braces of a member's pattern
SEVERITIES = {severity.name.lower(): severity for severity in Severity}
Choice = TypeVar("Choice")


def read_conditions(tables: Iterable[Mapping[str, Any]], file: str = "") -> list[Condition | Combination]:
    """The conditions of a list of tables, ``[[alarm]]``.

    Args:
        tables: As a TOML reader gives them.
        file: Where they stand, for the problems.

    Raises:
        BadInput: With every fault of every table.
    """
    found: list[Condition | Combination] = []
    problems: list[Problem] = []
    ids: set[str] = set()
    for number, table in enumerate(tables, start=1):
        reader = _Reader(table, number, file)
        condition = reader.read()
        problems.extend(reader.problems)
        if condition is None:
            continue
        if condition.id in ids:
            problems.append(
                reader.problem(
                    "id",
                    Text("编号 {id} 重复。", "The id {id} is used twice.", id=condition.id),
                    Text("每条规则的编号必须不同。", "Every condition has an id of its own."),
                )
            )
        ids.add(condition.id)
        found.append(condition)
    if problems:
        raise BadInput(problems)
    return found


def read_condition(table: Mapping[str, Any], file: str = "") -> Condition | Combination:
    """One condition; see `read_conditions`."""
    return read_conditions([table], file)[0]


def check_levels(condition: Condition, place: str = "levels", file: str = "") -> None:
    """Raises BadInput when the levels of a condition do not worsen, or one is cleared beyond where it is reached."""
    problems = [Problem(message, hint, file=file, column=place) for message, hint in _faults_of_levels(condition)]
    if problems:
        raise BadInput(problems)


def _faults_of_levels(condition: Condition) -> list[tuple[Text, Text]]:
    faults = []
    if not condition.levels:
        faults.append(
            (
                Text("没有任何一级。", "There is no level."),
                Text("至少写一级，有 severity 和 at。", "Give at least one, with severity and at."),
            )
        )
    sign = condition.sign if isinstance(condition, Measured) else 1.0
    faults += [
        (
            Text(
                "解除值 {clear:g} 比触发值 {at:g} 更严重。",
                "The clear level {clear:g} is worse than {at:g}, at which the level is reached.",
                clear=level.clear,
                at=level.at,
            ),
            Text("解除值应在正常一侧。", "The clear level lies on the good side."),
        )
        for level in condition.levels
        if level.clear is not None and sign * level.clear > sign * level.at
    ]
    for milder, worse in pairwise(condition.levels):
        if not (milder.severity < worse.severity and sign * milder.at < sign * worse.at):
            faults.append(
                (
                    Text(
                        "{worse:g}（{severity}）没有比前一级 {milder:g} 更严重。",
                        "{worse:g} ({severity}) is not worse than {milder:g} before it.",
                        worse=worse.at,
                        milder=milder.at,
                        severity=worse.severity.text,
                    ),
                    Text(
                        "各级按由轻到重排列，触发值和等级都要逐级加重。",
                        "Levels stand from the mildest to the worst, and both value and severity worsen.",
                    ),
                )
            )
    return faults


class _Reader:
    """Reads one table and gathers its faults."""

    def __init__(self, table: Mapping[str, Any], number: int, file: str) -> None:
        self.table, self.file = table, file
        self.label = f"alarm {table.get('id') or number}"
        self.problems: list[Problem] = []

    def problem(self, key: str, message: Text, hint: Text = NO_TEXT) -> Problem:
        return Problem(message, hint, file=self.file, column=f"{self.label}: {key}")

    def fault(self, key: str, message: Text, hint: Text = NO_TEXT) -> None:
        self.problems.append(self.problem(key, message, hint))

    def read(self) -> Condition | Combination | None:
        """The condition; None when the table has a fault."""
        kind = self.choice(self.table, "kind", {name: name for name in KINDS}, None)
        if kind is None:
            return None
        self.keys(self.table, KINDS[kind], "")
        common: dict[str, Any] = {
            "id": self.string("id"),
            "name": self.words("name", needed=True),
            "source": self.words("source"),
            "confidence": self.choice(self.table, "confidence", {one.value: one for one in Confidence}, Confidence.LOW),
        }
        condition = self.combination(common) if kind == "combination" else self.condition(kind, common)
        return None if self.problems else condition

    def condition(self, kind: str, common: dict[str, Any]) -> Condition | None:
        common |= {"unit": self.string("unit", ""), "levels": self.levels()}
        made: Condition
        if kind == "silence":
            made = Silence(**common)
            for level in made.levels:
                if level.at <= 0 or level.clear is not None:
                    self.fault(
                        "levels",
                        Text("静默时长 {at:g} 不可用。", "A silence of {at:g} cannot be used.", at=level.at),
                        Text("写大于 0 的秒数，不写 clear。", "Give seconds above 0, and no clear."),
                    )
        else:
            common |= {
                "direction": self.choice(
                    self.table, "direction", {one.value: one for one in Direction}, Direction.ABOVE
                ),
                "hold": self.number("for", 0.0),
                "count": int(self.number("count", 1.0, least=1.0, whole=True)),
                "clear_for": self.number("clear_for", 0.0),
                "ends_after": self.number("ends_after", inf, above=0.0),
            }
            made = self.measured(kind, common)
        if not self.problems:
            for message, hint in _faults_of_levels(made):
                self.fault("levels", message, hint)
        return made

    def measured(self, kind: str, common: dict[str, Any]) -> Measured:
        if kind == "rate":
            return Rate(**common, per=self.number("per", 3600.0, above=0.0))
        if kind == "pattern":
            logarithmic = self.table.get("logarithmic", False)
            if not isinstance(logarithmic, bool):
                self.wrong("logarithmic", logarithmic, Text("写 true 或 false。", "Write true or false."))
            made = Pattern(
                **common,
                weeks=int(self.number("weeks", 8.0, least=1.0, whole=True)),
                least=int(self.number("least", 4.0, least=1.0, whole=True)),
                min_spread=self.number("min_spread", 0.0),
                min_share=self.number("min_share", 0.0),
                logarithmic=bool(logarithmic),
            )
            if not made.min_spread and not made.min_share:
                self.fault(
                    "min_spread",
                    Text(
                        "没有最小离散度：一直不变的监测流稍有变化就会报警。",
                        "There is no least spread: a stream that has never changed would raise an alarm at any change.",
                    ),
                    Text("写 min_spread 或 min_share。", "Give min_spread or min_share."),
                )
            return made
        return Threshold(**common)

    def combination(self, common: dict[str, Any]) -> Combination | None:
        rows = self.table.get("of")
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
            rows = []
        if len(rows) < 2:
            self.fault(
                "of",
                Text("组合至少要有两个成员。", "A combination has at least two members."),
                Text("写 stream 和 condition 的列表。", "Give a list of tables with stream and condition."),
            )
        by_thing = self.choice(self.table, "per", {"thing": True, "city": False}, False)
        members = []
        for number, row in enumerate(rows, start=1):
            where = f"of {number}: "
            self.keys(row, ("stream", "condition", "severity"), where)
            members.append(
                Member(
                    self.string("stream", "*" if by_thing else None, table=row, where=where),
                    self.string("condition", table=row, where=where),
                    self.choice(row, "severity", SEVERITIES, Severity.MINOR, where) or Severity.MINOR,
                )
            )
        if len({member.parts for member in members}) > 1:
            self.fault(
                "of",
                Text("各成员 stream 里花括号的名称不同。", "The members' streams have different names in braces."),
                Text(
                    '每个成员都写相同的名称，例如 "{{road}}-level"。',
                    'Give all of them the same, e.g. "{{road}}-level".',
                ),
            )
        if any(len(member.parts) > MOST_PARTS for member in members):
            self.fault(
                "of",
                Text("花括号里的名称超过 {n} 个。", "More than {n} names stand in braces.", n=MOST_PARTS),
                Text("用 * 代替不需要相同的部分。", "Write * for what need not be the same."),
            )
        return Combination(
            **common,
            of=tuple(members),
            by_thing=bool(by_thing),
            mode=self.choice(self.table, "mode", {one.value: one for one in Mode}, Mode.ALL) or Mode.ALL,
            within=self.number("within", 0.0),
            severity=self.choice(self.table, "severity", SEVERITIES, Severity.MODERATE) or Severity.MODERATE,
        )

    def levels(self) -> tuple[Level, ...]:
        rows = self.table.get("levels")
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
            self.wrong(
                "levels",
                rows,
                Text("写表的列表，每级有 severity 和 at。", "Give a list of tables with severity and at."),
            )
            return ()
        found = []
        for number, row in enumerate(rows, start=1):
            where = f"levels {number}: "
            self.keys(row, ("severity", "at", "clear"), where)
            severity = self.choice(row, "severity", SEVERITIES, None, where)
            at = self.number("at", None, least=-inf, table=row, where=where)
            clear = self.number("clear", None, least=-inf, table=row, where=where) if "clear" in row else None
            if severity is not None:
                found.append(Level(severity, at, clear))
        return tuple(found)

    # --- kinds of keys ---

    def keys(self, table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in table:
            words = () if where else WORDS
            if key in known or key in words or is_language_of(key, words):
                continue
            near = get_close_matches(key, (*known, *words), 1)
            hint = (
                Text("是否想写 {near}？", "Did you mean {near}?", near=near[0])
                if near
                else Text("可用的键：{known}。", "Known keys: {known}.", known=", ".join(known))
            )
            self.fault(where + key, Text("没有「{key}」这个键。", "There is no key {key!r}.", key=key), hint)

    def wrong(self, key: str, value: object, hint: Text) -> None:
        if value is None:
            self.fault(key, Text("缺少这一项。", "This key is missing."), hint)
        else:
            self.fault(key, Text("值 {value} 不可用。", "The value {value} cannot be used.", value=repr(value)), hint)

    def string(
        self, key: str, default: str | None = None, table: Mapping[str, Any] | None = None, where: str = ""
    ) -> str:
        value = (self.table if table is None else table).get(key, default)
        if isinstance(value, str) and (value or default == ""):
            return value
        self.wrong(where + key, value, Text("写不为空的文字。", "Write a text that is not empty."))
        return ""

    def words(self, name: str, *, needed: bool = False) -> Text:
        said = {}
        for tag, key in language_keys(self.table, name).items():
            value = self.table[key]
            if isinstance(value, str):
                said[tag] = value
            else:
                self.wrong(key, value, Text("写文字。", "Write a text."))
        for tag, key in (("zh", name), ("en", f"{name}_en")):
            if needed and not said.get(tag):
                self.wrong(key, None, Text("中英文名称都要写。", "Give the name in Chinese and English."))
        return Text.of(said)

    def choice(
        self,
        table: Mapping[str, Any],
        key: str,
        choices: Mapping[str, Choice],
        default: Choice | None,
        where: str = "",
    ) -> Choice | None:
        value = table.get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and value in choices:
            return choices[value]
        options = ", ".join(choices)
        self.wrong(where + key, value, Text("可写：{options}。", "One of: {options}.", options=options))
        return default

    def number(
        self,
        key: str,
        default: float | None,
        *,
        least: float = 0.0,
        above: float = -inf,
        whole: bool = False,
        table: Mapping[str, Any] | None = None,
        where: str = "",
    ) -> float:
        value: object = (self.table if table is None else table).get(key)
        if value is None and default is not None:
            return default
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and isfinite(value)
            and value >= least
            and value > above
            and (not whole or value == int(value))
        ):
            return float(value)
        kind = Text("整数", "a whole number") if whole else Text("数值", "a number")
        if above > -inf:
            hint = Text("写大于 {above:g} 的{kind}。", "Write {kind} above {above:g}.", above=above, kind=kind)
        elif least > -inf:
            hint = Text("写不小于 {least:g} 的{kind}。", "Write {kind} of at least {least:g}.", least=least, kind=kind)
        else:
            hint = Text("写一个{kind}。", "Write {kind}.", kind=kind)
        self.wrong(where + key, value, hint)
        return default if default is not None else 0.0
