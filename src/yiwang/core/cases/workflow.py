"""Reading `workflow.toml`, already parsed, into a checked workflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from yiwang.core.cases.definitions import (
    ANEW,
    EFFECTS,
    FROM_RULES,
    GOES_ON,
    MOVES,
    NOWHERE,
    WHO,
    ClockRule,
    Escalation,
    Plan,
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
from yiwang.core.kernel.text import Text, language_keys
from yiwang.core.worktime import Limit

__all__ = [
    "EFFECTS",
    "FROM_RULES",
    "MOVES",
    "NOWHERE",
    "REQUIREMENTS",
    "WHO",
    "ClockRule",
    "Escalation",
    "Plan",
    "Role",
    "Stage",
    "Step",
    "Verb",
    "Workflow",
    "read_workflow",
]

TOP = {"id", "version", "start", "main_clock", "same_unit", "role", "stage", "step", "clock", "verb", "escalation"}
Piece = TypeVar("Piece", Role, Stage, Step, ClockRule, Verb)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_OFFSET = re.compile(r"([+-])\s*(.+)")


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
        reading.fault(f"The workflow has the unknown key {key!r}.", f"Known: {', '.join(sorted(TOP))}.", key)
    top = {key: reading.text(data, key) for key in ("id", "version", "start")}
    main = reading.text(data, "main_clock") if "main_clock" in data else "disposal"
    same_unit = reading.text(data, "same_unit") if "same_unit" in data else GOES_ON
    if same_unit not in (GOES_ON, ANEW):
        reading.fault(f"same_unit = {same_unit!r} is no answer.", f"{GOES_ON!r} or {ANEW!r}.", "same_unit")
    roles = reading.pieces(data, "role", Role)
    stages = reading.pieces(data, "stage", Stage)
    steps = reading.pieces(data, "step", Step)
    clocks = reading.pieces(data, "clock", ClockRule)
    verbs = reading.pieces(data, "verb", Verb)
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
    )
    problems = faults(workflow, file=file)
    if problems:
        raise BadInput(problems)
    return workflow


class _Reading:
    """Reads pieces and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def fault(self, message: str, hint: str, key: str, row: int | None = None) -> None:
        self.problems.append(Problem(message, hint, self.file, row, key))

    def text(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
        self.fault(f"{key} is {value!r}." if key in data else f"{key} is not given.", "Give a text.", key)
        return ""

    def tables(self, data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        rows = data.get(key, [])
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        self.fault(f"{key} is no list of tables.", f"Head each one with [[{key}]].", key)
        return []

    def pieces(self, data: Mapping[str, Any], key: str, kind: Callable[..., Piece]) -> dict[str, Piece]:
        found: dict[str, Piece] = {}
        for place, row in enumerate(self.tables(data, key), start=1):
            values = {("origins" if name == "from" and kind is Verb else name): value for name, value in row.items()}
            values = self.named(values, f"{key} {row.get('id') or f'number {place}'}", key)
            made = self.checked(values, fields(kind), f"{key} {row.get('id') or f'number {place}'}", key)  # type: ignore[arg-type]
            if made is None:
                continue
            piece = kind(**made)
            if piece.id in found:
                self.fault(f"{key} {piece.id} stands twice.", "Ids are unique.", key)
            found[piece.id] = piece
        return found

    def named(self, values: Mapping[str, Any], label: str, key: str) -> dict[str, Any]:
        """The values with their names in all languages as one text; Chinese and English are required."""
        written = language_keys(values, "name")
        rest = {name: value for name, value in values.items() if name not in written.values()}
        for tag, name in (("zh", "name"), ("en", "name_en")):
            if tag not in written:
                self.fault(f"{label} has no {name}.", "Add it.", key)
        said = {tag: str(self.value(values[name], "str", f"{label}: {name}", key)) for tag, name in written.items()}
        return {**rest, "name": Text.of(said)}

    def checked(
        self, values: Mapping[str, Any], known: Iterable[Field[Any]], label: str, key: str
    ) -> dict[str, Any] | None:
        """The values by field in the types of the fields, or None when something is wrong."""
        before = len(self.problems)
        by_name = {item.name: item for item in known}
        shown = ", ".join("from" if name == "origins" else name for name in by_name)
        for name in values.keys() - by_name.keys():
            self.fault(f"{label} has the unknown key {name!r}.", f"Known: {shown}.", key)
        for name, item in by_name.items():
            if name not in values and item.default is MISSING:
                self.fault(f"{label} has no {name}.", "Add it.", key)
        result = {
            name: self.value(value, str(by_name[name].type), f"{label}: {'from' if name == 'origins' else name}", key)
            for name, value in values.items()
            if name in by_name
        }
        return result if len(self.problems) == before else None

    def value(self, value: object, kind: str, label: str, key: str) -> object:
        if kind.startswith("tuple"):
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return tuple(ALSO_CALLED.get(item, item) for item in value)
            self.fault(f"{label} is {value!r}.", 'Write a list of texts, e.g. ["filed"].', key)
        elif kind == "bool":
            if isinstance(value, bool):
                return value
            self.fault(f"{label} is {value!r}.", "Write true or false.", key)
        elif kind == "int":
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                return value
            self.fault(f"{label} is {value!r}.", "Write a whole number, 0 or more.", key)
        elif kind != "Text" and not isinstance(value, str):
            self.fault(f"{label} is {value!r}.", "Write a text in quotes.", key)
        return value

    def escalations(self, data: Mapping[str, Any]) -> tuple[Escalation, ...]:
        written = [item for item in fields(Escalation) if item.name in {"clock", "at", "verb", "steps"}]
        found = []
        for place, row in enumerate(self.tables(data, "escalation"), start=1):
            values = self.checked(row, written, f"escalation number {place}", "escalation")
            moment = self.moment(str(row.get("at", "")), place) if values else None
            if values and moment:
                share, offset, early = moment
                found.append(Escalation(**values, share=share, offset=offset, early=early))
        return tuple(found)

    def moment(self, text: str, place: int) -> tuple[float | None, Limit | None, bool] | None:
        if share := _SHARE.fullmatch(text):
            return float(share[1]) / 100, None, False
        try:
            if offset := _OFFSET.fullmatch(text):
                return None, Limit.parse(offset[2]), offset[1] == "-"
        except BadInput as error:
            self.fault(f"escalation number {place}: {error}", "", "escalation.at")
            return None
        message = f"escalation number {place}: {text!r} is no moment of a clock."
        self.fault(message, "Write e.g. '80%', '100%' or '+24 work_hours'.", "escalation.at")
        return None
