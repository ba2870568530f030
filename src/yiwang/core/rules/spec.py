"""What a decision table looks like: its inputs, how each is matched, its outputs, and which input counts first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.rules.cells import Match

ROW_COLUMN = "row"
FROM_COLUMN = "valid_from"
TO_COLUMN = "valid_to"
SOURCE_COLUMN = "source"
CONFIDENCE_COLUMN = "confidence"
NOTE_COLUMN = "note"
PROVENANCE_COLUMNS = (FROM_COLUMN, TO_COLUMN, SOURCE_COLUMN, CONFIDENCE_COLUMN)
RESERVED_COLUMNS = (ROW_COLUMN, *PROVENANCE_COLUMNS, NOTE_COLUMN)
_KEYS = frozenset({"name", "inputs", "outputs", "precedence", "complete", "required"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One input of a table: the column, which is also the name of the fact, and how its cells are matched."""

    name: str
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """The shape of a decision table.

    Attributes:
        name: Name of the table, e.g. ``limits``.
        inputs: Columns compared with facts, in the order of the file.
        outputs: Columns that the deciding row answers with.
        precedence: Every input once, the one that decides first about what is more specific in front.
        complete: Whether every fact must find a row; gaps are then faults.
        required: Outputs that no row may leave empty.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    precedence: tuple[str, ...]
    complete: bool = False
    required: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = _faults(self)
        if problems:
            raise BadInput(problems)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, name: str = "", file: str = "") -> TableSpec:
        """Read the TOML table ``[tables.<name>]``.

        Args:
            mapping: Keys ``inputs`` (list of ``{name, match}``), ``outputs`` and ``precedence`` (lists of text),
                ``complete`` (true or false, default false), ``required`` (list of text, default none), and ``name``
                when it is not given beside the mapping.
            name: Name of the table.
            file: File name used in problems.

        Raises:
            BadInput: with every problem found, the TOML key as its column.
        """
        reader = _Reader(mapping=mapping, name=name or str(mapping.get("name", "")), file=file)
        for key in sorted(set(mapping) - _KEYS):
            reader.fault(
                key,
                Text("没有「{key}」这个键。", "Unknown key {key!r}.", key=key),
                _words_hint(sorted(_KEYS - {"name"})),
            )
        inputs, outputs = reader.inputs(), reader.texts("outputs", needed=True)
        precedence, required = reader.texts("precedence", needed=True), reader.texts("required", needed=False)
        complete = reader.flag("complete")
        if reader.problems:
            raise BadInput(reader.problems)
        try:
            return cls(
                name=reader.name,
                inputs=inputs,
                outputs=outputs,
                precedence=precedence,
                complete=complete,
                required=required,
            )
        except BadInput as error:
            raise BadInput(Problem(p.message, p.hint, file, p.row, p.column) for p in error.problems) from None

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.inputs)

    @property
    def ranking(self) -> tuple[int, ...]:
        """Positions of the inputs in order of precedence."""
        names = self.input_names
        return tuple(names.index(name) for name in self.precedence)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a file of this table must have; ``note`` may come on top."""
        return (ROW_COLUMN, *self.input_names, *self.outputs, *PROVENANCE_COLUMNS)


def _faults(spec: TableSpec) -> list[Problem]:
    problems: list[Problem] = []

    def fault(key: str, message: Text, hint: Text) -> None:
        problems.append(Problem(message, hint, column=f"tables.{spec.name}.{key}"))

    names = (*spec.input_names, *spec.outputs)
    least = Text("请至少声明一个。", "Declare at least one.")
    if not spec.inputs:
        fault("inputs", Text("决策表没有输入。", "The table has no input."), least)
    if not spec.outputs:
        fault("outputs", Text("决策表没有输出。", "The table has no output."), least)
    for name in sorted({name for name in names if names.count(name) > 1}):
        fault(
            "inputs",
            Text("列「{column}」声明了两次。", "Column {column!r} is declared twice.", column=name),
            Text("每个输入和输出的名称不能重复。", "Each input and output has a name of its own."),
        )
    for name in sorted(set(names).intersection(RESERVED_COLUMNS)):
        fault(
            "inputs",
            Text("输入或输出不能叫「{column}」。", "No input or output may be called {column!r}.", column=name),
            Text(
                "{columns} 留给行本身使用；请换一个名称。",
                "{columns} are kept for the row itself; call it something else.",
                columns=", ".join(RESERVED_COLUMNS),
            ),
        )
    if sorted(spec.precedence) != sorted(spec.input_names):
        fault(
            "precedence",
            Text(
                "precedence 写的是：{inputs}。",
                "Precedence names {inputs}.",
                inputs=", ".join(spec.precedence) or Text("空", "nothing"),
            ),
            Text(
                "须按判定的先后把每个输入写一次：{inputs}。",
                "It must list each input once: {inputs}, in the order that decides.",
                inputs=", ".join(spec.input_names),
            ),
        )
    for name in spec.required:
        if name not in spec.outputs:
            fault(
                "required",
                Text("「{column}」不是输出。", "{column!r} is no output.", column=name),
                _words_hint(spec.outputs),
            )
    return problems


def _words_hint(words: Iterable[str]) -> Text:
    return Text("可用的有 {words}。", "There are {words}.", words=", ".join(words))


class _Reader:
    """Reads one TOML table and gathers what is wrong with it."""

    def __init__(self, *, mapping: Mapping[str, Any], name: str, file: str) -> None:
        self.mapping, self.name, self.file = mapping, name, file
        self.problems: list[Problem] = []

    def fault(self, key: str, message: Text, hint: Text) -> None:
        self.problems.append(Problem(message, hint, self.file, None, f"tables.{self.name}.{key}"))

    def texts(self, key: str, *, needed: bool) -> tuple[str, ...]:
        value = self.mapping.get(key, None if needed else ())
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) and text for text in value):
            self.fault(
                key,
                Text("这里应是名称的列表。", "A list of names is expected."),
                Text('例如 ["amount", "unit"]。', 'For example ["amount", "unit"].'),
            )
            return ()
        return tuple(value)

    def flag(self, key: str) -> bool:
        value = self.mapping.get(key, False)
        if not isinstance(value, bool):
            self.fault(
                key,
                Text("{value!r} 既不是 true 也不是 false。", "{value!r} is neither true nor false.", value=value),
                Text("请不要加引号。", "Write it without quotation marks."),
            )
            return False
        return value

    def inputs(self) -> tuple[InputSpec, ...]:
        value = self.mapping.get("inputs")
        if not isinstance(value, list | tuple):
            hint = Text(
                '例如 [ {name = "category", match = "prefix"} ]。',
                'For example [ {name = "category", match = "prefix"} ].',
            )
            self.fault("inputs", Text("这里应是输入的列表。", "A list of inputs is expected."), hint)
            return ()
        found = []
        for index, item in enumerate(value):
            key = f"inputs[{index}]"
            name = item.get("name") if isinstance(item, Mapping) else None
            match = item.get("match") if isinstance(item, Mapping) else None
            if not isinstance(item, Mapping) or not isinstance(name, str) or not name or set(item) - {"name", "match"}:
                self.fault(
                    key,
                    Text("{item!r} 不是输入。", "{item!r} is no input.", item=item),
                    Text(
                        '请写 {name = "category", match = "prefix"}。',
                        'Write {name = "category", match = "prefix"}.',
                    ),
                )
            elif match not in set(Match):
                message = Text(
                    "输入「{name}」的 match「{match}」不存在。",
                    "Match {match!r} of input {name!r} is unknown.",
                    match=match,
                    name=name,
                )
                self.fault(key, message, _words_hint(Match))
            else:
                found.append(InputSpec(name=name, match=Match(match)))
        return tuple(found)
