"""Reading `workflow.toml`, already parsed, into a checked workflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from yiwang.core.cases.definitions import (
    ANEW,
    FROM_RULES,
    GOES_ON,
    MOVES,
    NOWHERE,
    WHO,
    ClockRule,
    Escalation,
    Phrase,
    Plan,
    Priority,
    Role,
    Stage,
    Step,
    Verb,
    Workflow,
)
from yiwang.core.cases.fields import ALSO_CALLED
from yiwang.core.cases.payloads import REQUIREMENTS
from yiwang.core.cases.soundness import faults
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text, language_keys
from yiwang.core.worktime import Limit

__all__ = [
    "FROM_RULES",
    "MOVES",
    "NOWHERE",
    "REQUIREMENTS",
    "WHO",
    "ClockRule",
    "Escalation",
    "Plan",
    "Priority",
    "Role",
    "Stage",
    "Step",
    "Verb",
    "Workflow",
    "read_workflow",
]

TOP = {
    "id", "version", "start", "main_clock", "same_unit", "role", "stage", "step", "clock", "verb", "escalation", "phrase", "priority",
}  # fmt: skip
Piece = TypeVar("Piece", Role, Stage, Step, ClockRule, Verb, Phrase, Priority)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_OFFSET = re.compile(r"([+-])\s*(.+)")
_ADD = Text("请补上。", "Add it.")
_KINDS = {
    "role": Text("角色", "role"),
    "stage": Text("阶段", "stage"),
    "step": Text("环节", "step"),
    "clock": Text("时钟", "clock"),
    "verb": Text("动作", "verb"),
    "phrase": Text("常用语", "phrase"),
    "priority": Text("紧急程度", "priority"),
}


def read_workflow(data: Mapping[str, Any], *, file: str = "workflow.toml") -> Workflow:
    """Make a workflow of the parsed file and check that it is sound (see `soundness.faults`).

    Args:
        data: What `tomllib` gives for the file.
        file: Its name, for problems.

    Raises:
        BadInput: With every fault: unknown keys and words, wrong types, verbs that lead nowhere, steps that cannot be
            reached or cannot reach an end, dead verbs, clocks that start and never stop, roles that do not exist …
    """
    reading = _Reading(file)
    for key in sorted(set(data) - TOP):
        message = Text("流程文件中的键「{key}」不存在。", "The workflow has the unknown key {key!r}.", key=key)
        reading.fault(message, _words_hint(sorted(TOP)), key)
    top = {key: reading.text(data, key) for key in ("id", "version", "start")}
    main = reading.text(data, "main_clock") if "main_clock" in data else "disposal"
    same_unit = reading.text(data, "same_unit") if "same_unit" in data else GOES_ON
    if same_unit not in (GOES_ON, ANEW):
        reading.fault(
            Text("same_unit = 「{said}」无效。", "same_unit = {said!r} is no answer.", said=same_unit),
            Text("请写「{goes_on}」或「{anew}」。", "{goes_on!r} or {anew!r}.", goes_on=GOES_ON, anew=ANEW),
            "same_unit",
        )
    roles = reading.pieces(data, "role", Role)
    stages = reading.pieces(data, "stage", Stage)
    steps = reading.pieces(data, "step", Step)
    clocks = reading.pieces(data, "clock", ClockRule)
    verbs = reading.pieces(data, "verb", Verb)
    priorities = reading.pieces(data, "priority", Priority)
    phrases = reading.pieces(data, "phrase", Phrase)
    escalations = reading.escalations(data)
    if reading.problems:
        raise BadInput(reading.problems)
    workflow = Workflow(
        **top,
        main_clock=main,
        same_unit=same_unit,
        roles=roles,
        stages=stages,
        steps=steps,
        clocks=clocks,
        verbs=verbs,
        escalations=escalations,
        phrases=phrases,
        priorities=priorities,
    )
    problems = faults(workflow, file=file)
    if problems:
        raise BadInput(problems)
    return workflow


def _words_hint(words: Iterable[str]) -> Text:
    return Text("可用的有：{words}。", "Known: {words}.", words=", ".join(words))


def _label(key: str, piece: object, index: int) -> Text:
    """A piece of the workflow by its id, or by its place in the file where it has none."""
    if piece:
        return Text("{kind}「{id}」", "{kind} {id}", kind=_KINDS[key], id=piece)
    return Text("第 {place} 个{kind}", "{kind} number {place}", kind=_KINDS[key], place=index)


def _rule(index: int) -> Text:
    return Text("第 {place} 条升级规则", "escalation number {place}", place=index)


def _part(label: Text, key: str) -> Text:
    return Text("{label}：{key}", "{label}: {key}", label=label, key=key)


def _lacks(label: Text, key: str) -> Text:
    return Text("{label}缺少 {key}。", "{label} has no {key}.", label=label, key=key)


class _Reading:
    """Reads pieces and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def fault(self, message: Text, hint: Text, key: str, row: int | None = None) -> None:
        self.problems.append(Problem(message, hint, self.file, row, key))

    def text(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
        message = (
            Text("{key} 是 {value!r}。", "{key} is {value!r}.", key=key, value=value)
            if key in data
            else Text("没有写 {key}。", "{key} is not given.", key=key)
        )
        self.fault(message, Text("请写一段文字。", "Give a text."), key)
        return ""

    def tables(self, data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        rows = data.get(key, [])
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        self.fault(
            Text("{key} 不是表的列表。", "{key} is no list of tables.", key=key),
            Text("每一个都以 [[{key}]] 开头。", "Head each one with [[{key}]].", key=key),
            key,
        )
        return []

    def pieces(self, data: Mapping[str, Any], key: str, kind: Callable[..., Piece]) -> dict[str, Piece]:
        found: dict[str, Piece] = {}
        for number, row in enumerate(self.tables(data, key), start=1):
            values = {("origins" if name == "from" and kind is Verb else name): value for name, value in row.items()}
            label = _label(key, row.get("id"), number)
            values = self.with_name(values, label, key)
            if kind is Verb:
                values = self.with_hint(values, label, key)
            made = self.parse_fields(values, fields(kind), label, key)  # type: ignore[arg-type]
            if made is None:
                continue
            piece = kind(**made)
            if piece.id in found:
                message = Text("{label}出现了两次。", "{label} stands twice.", label=_label(key, piece.id, number))
                self.fault(message, Text("id 不能重复。", "Ids are unique."), key)
            found[piece.id] = piece
        return found

    def with_name(self, values: Mapping[str, Any], label: Text, key: str) -> dict[str, Any]:
        """The values with their names in all languages as one text; Chinese and English are required."""
        written = language_keys(values, "name")
        rest = {name: value for name, value in values.items() if name not in written.values()}
        for tag, name in (("zh", "name"), ("en", "name_en")):
            if tag not in written:
                self.fault(_lacks(label, name), _ADD, key)
        return {**rest, "name": self.said(values, written, label, key)}

    def with_hint(self, values: Mapping[str, Any], label: Text, key: str) -> dict[str, Any]:
        """The values with a hint, where there is one, in all languages as one text."""
        written = language_keys(values, "hint")
        if not written:
            return dict(values)
        rest = {name: value for name, value in values.items() if name not in written.values()}
        if "en" not in written or "zh" not in written:
            self.fault(_lacks(label, "hint_en" if "zh" in written else "hint"), _ADD, key)
        return {**rest, "hint": self.said(values, written, label, key)}

    def said(self, values: Mapping[str, Any], written: Mapping[str, str], label: Text, key: str) -> Text:
        """One text of the values' keys by language."""
        return Text.of(
            {tag: str(self.value(values[name], "str", _part(label, name), key)) for tag, name in written.items()}
        )

    def parse_fields(
        self, values: Mapping[str, Any], known: Iterable[Field[Any]], label: Text, key: str
    ) -> dict[str, Any] | None:
        """The values by field in the types of the fields, or None when something is wrong."""
        before = len(self.problems)
        by_name = {item.name: item for item in known}
        shown = ["from" if name == "origins" else name for name in by_name]
        for name in values.keys() - by_name.keys():
            message = Text(
                "{label}的键「{name}」不存在。", "{label} has the unknown key {name!r}.", label=label, name=name
            )
            self.fault(message, _words_hint(shown), key)
        for name, item in by_name.items():
            if name not in values and item.default is MISSING:
                self.fault(_lacks(label, name), _ADD, key)
        result = {
            name: self.value(value, str(by_name[name].type), _part(label, "from" if name == "origins" else name), key)
            for name, value in values.items()
            if name in by_name
        }
        return result if len(self.problems) == before else None

    def value(self, value: object, kind: str, label: Text, key: str) -> object:
        message = Text("{label} 是 {value!r}。", "{label} is {value!r}.", label=label, value=value)
        if kind.startswith("tuple"):
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return tuple(ALSO_CALLED.get(item, item) for item in value)
            hint = Text('请写文字的列表，例如 ["filed"]。', 'Write a list of texts, e.g. ["filed"].')
            self.fault(message, hint, key)
        elif kind == "bool":
            if isinstance(value, bool):
                return value
            self.fault(message, Text("请写 true 或 false。", "Write true or false."), key)
        elif kind == "int":
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                return value
            self.fault(message, Text("请写不小于 0 的整数。", "Write a whole number, 0 or more."), key)
        elif kind != "Text" and not isinstance(value, str):
            self.fault(message, Text("请写带引号的文字。", "Write a text in quotes."), key)
        return value

    def escalations(self, data: Mapping[str, Any]) -> tuple[Escalation, ...]:
        written = [item for item in fields(Escalation) if item.name in {"clock", "at", "verb", "steps"}]
        found = []
        for number, row in enumerate(self.tables(data, "escalation"), start=1):
            values = self.parse_fields(row, written, _rule(number), "escalation")
            moment = self.moment(str(row.get("at", "")), number) if values else None
            if values and moment:
                share, offset, early = moment
                found.append(Escalation(**values, share=share, offset=offset, early=early))
        return tuple(found)

    def moment(self, text: str, index: int) -> tuple[float | None, Limit | None, bool] | None:
        if share := _SHARE.fullmatch(text):
            return float(share[1]) / 100, None, False
        rule = _rule(index)
        try:
            if offset := _OFFSET.fullmatch(text):
                return None, Limit.parse(offset[2]), offset[1] == "-"
        except BadInput as error:
            message = Text("{rule}：{error}", "{rule}: {error}", rule=rule, error=error.text)
            self.fault(message, NO_TEXT, "escalation.at")
            return None
        message = Text(
            "{rule}：「{text}」不是时钟的时点。", "{rule}: {text!r} is no moment of a clock.", rule=rule, text=text
        )
        hint = Text("请写例如 '80%'、'100%' 或 '+24 work_hours'。", "Write e.g. '80%', '100%' or '+24 work_hours'.")
        self.fault(message, hint, "escalation.at")
        return None
