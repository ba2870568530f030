"""The decision tables of a pack: declared in `pack.toml`, one CSV file each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from yiwang.core.cases.fields import DECIDING
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.rules import Table, TableSpec, placeholders, read_table
from yiwang.core.rules.spec import NOTE_COLUMN
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean

# What the loop asks, and the answers that it needs; a pack may add outputs and tables of its own.
NEEDED_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "triage": ("priority", "auto", "centre", "verify"),
    "routing": ("unit",),
    "limits": ("amount", "unit"),
}
# Outputs without which a row says nothing. A limit may be empty: no limit.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "triage": ("priority", "centre", "verify"),
    "routing": ("unit",),
    "limits": (),
}
# Outputs that hold a unit template.
TEMPLATES = (("triage", "centre"), ("routing", "unit"))
FACTS = tuple(DECIDING)


def table_file(name: str) -> str:
    return f"{name}.csv"


def read_tables(files: PackFiles, *, declared: Mapping[str, Mapping[str, Any]]) -> dict[str, Table]:
    """Every table that could be read, by name; problems go to ``files``."""
    for name in NEEDED_OUTPUTS:
        if name not in declared:
            message = Text("决策表「{name}」没有声明。", "The table {name!r} is not declared.", name=name)
            hint = did_you_mean(name, declared) or Text(
                "请添加 [tables.{name}]，写明 inputs、outputs 和 precedence。",
                "Add [tables.{name}] with inputs, outputs and precedence.",
                name=name,
            )
            files.fault(message, hint, file="pack.toml", column="tables")
    found = {}
    for name, mapping in declared.items():
        spec = _spec(files, name, mapping)
        table = _table(files, spec) if spec else None
        if table is not None:
            found[name] = table
    return found


def _spec(files: PackFiles, name: str, mapping: Mapping[str, Any]) -> TableSpec | None:
    if not isinstance(mapping, Mapping):
        files.fault(
            Text("此处应为一个表。", "A table is expected."),
            Text("请在表前写 [tables.{name}]。", "Head it with [tables.{name}].", name=name),
            file="pack.toml",
            column=f"tables.{name}",
        )
        return None
    try:
        spec = TableSpec.from_mapping(mapping, name=name, file="pack.toml")
    except BadInput as error:
        files.problems.extend(error.problems)
        return None
    before = len(files.problems)
    for fact in spec.input_names:
        if fact not in FACTS:
            message = Text("没有「{fact}」这个输入项。", "Nobody knows the fact {fact!r}.", fact=fact)
            known = Text("可用的输入项：{known}。", "Known facts: {known}.", known=", ".join(FACTS))
            hint = did_you_mean(fact, FACTS) or known
            files.fault(message, hint, file="pack.toml", column=f"tables.{name}.inputs")
    missing = [output for output in NEEDED_OUTPUTS.get(name, ()) if output not in spec.outputs]
    for output in missing:
        files.fault(
            Text("缺少输出「{output}」。", "The output {output!r} is missing.", output=output),
            Text("案卷流转需要它。", "The loop needs it."),
            file="pack.toml",
            column=f"tables.{name}.outputs",
        )
    if len(files.problems) > before:
        return None
    required = dict.fromkeys((*spec.required, *_REQUIRED.get(name, ())))
    return replace(spec, required=tuple(required))


def _table(files: PackFiles, spec: TableSpec) -> Table | None:
    file = table_file(spec.name)
    before = len(files.problems)
    rows = files.rows(file, columns=spec.columns, optional=(NOTE_COLUMN,), strict=True)
    if not rows:
        if len(files.problems) == before:
            files.fault(
                Text("决策表没有行。", "The table has no rows."), Text("请至少加一行。", "Add at least one."), file=file
            )
        return None
    try:
        table = read_table(spec=spec, rows=rows, file=file)
    except BadInput as error:
        files.problems.extend(error.problems)
        return None
    for output in (output for name, output in TEMPLATES if name == spec.name):
        for row in table.rows:
            try:
                placeholders(row.outputs[output])
            except BadInput as error:
                files.take(error, file=file, row=row.line, column=output)
    return table
