"""`examples/*.toml`: the pack's own tests. Given this report, expect this route, limit and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import PlainValidator

from yiwang.core.kernel.text import Text
from yiwang.packs.files import PackFiles
from yiwang.packs.toml_tables import Expected, Line, ListOf, Required, TomlTable, read_table, wrong

_MOMENT = Text("例如 2026-03-06T17:00:00+08:00。", "For example 2026-03-06T17:00:00+08:00.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One expectation.

    Attributes:
        file: File that it stands in.
        name: What it shows.
        category, condition, region, lon, lat, crs, source: The report. ``crs`` is empty for the pack's own.
        at: When it was made (aware).
        expect: Expected answers by name, see `ExpectTable`; what is not named may be anything.
    """

    file: str
    name: str
    category: str
    condition: str
    region: str
    lon: float | None
    lat: float | None
    crs: str
    source: str
    at: datetime
    expect: Mapping[str, str]


def _read_moment(value: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise wrong(Text("「{value}」不是时刻。", "{value!r} is no moment.", value=value), _MOMENT) from None
    if moment.tzinfo is None:
        message = Text("「{value}」没有写明与 UTC 的时差。", "{value!r} has no offset from UTC.", value=value)
        raise wrong(message, _MOMENT)
    return moment


def _read_answer(value: object) -> str:
    """What a rule is expected to answer, as the rules write it: ``yes`` for true, numbers as texts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        raise wrong(Text("「{value}」不是文本。", "{value!r} is no text.", value=value))
    return str(value)


def _read_deadline(value: object) -> str:
    moment = _read_moment(value)
    return moment.isoformat() if isinstance(value, datetime) else str(value)


Answer = Annotated[str, PlainValidator(_read_answer)]


class GivenTable(TomlTable):
    """The report of an example."""

    category: Required
    condition: Line = ""
    region: Line = ""
    lon: float | None = None
    lat: float | None = None
    crs: Line = ""
    source: Line = ""
    at: Annotated[datetime, PlainValidator(_read_moment), Expected(_MOMENT)]


class ExpectTable(TomlTable):
    """The answers that may be expected; None for one that is not."""

    region: Answer | None = None
    grid: Answer | None = None
    priority: Answer | None = None
    auto: Answer | None = None
    verify: Answer | None = None
    centre: Answer | None = None
    triage_row: Answer | None = None
    unit: Answer | None = None
    routing_row: Answer | None = None
    limit: Answer | None = None
    limits_row: Answer | None = None
    deadline: Annotated[str, PlainValidator(_read_deadline)] | None = None


class ExampleTable(TomlTable):
    """One `[[example]]`."""

    name: Required
    given: GivenTable
    expect: ExpectTable


class ExampleFile(TomlTable):
    """One file of examples."""

    example: ListOf[ExampleTable] = ()


EXPECTED = tuple(ExpectTable.model_fields)


def read_examples(files: PackFiles) -> tuple[Example, ...]:
    """Every example, when all of a file could be read; problems go to ``files``."""
    found: list[Example] = []
    for name in files.names():
        if name.startswith("examples/") and name.endswith(".toml"):
            data = files.toml(name)
            if data is not None:
                found.extend(_read_file(files, name, data))
    return tuple(found)


def _read_file(files: PackFiles, file: str, data: Mapping[str, Any]) -> list[Example]:
    before = len(files.problems)
    tables = read_table(ExampleFile, data, files, file).example
    if not tables and len(files.problems) == before:
        files.fault(
            Text("文件中没有示例。", "The file holds no examples."),
            Text("请在每个示例前写 [[example]]。", "Head each one with [[example]]."),
            file=file,
        )
    for number, table in enumerate(tables, start=1):
        if (table.given.lon is None) != (table.given.lat is None):
            files.fault(
                Text("位置要有两个数字。", "A place needs two numbers."),
                Text("请同时填写 lon 和 lat，或填写 region，或都不填。", "Give lon and lat, or region, or none."),
                file=file,
                column=f"example {number}: given.lon",
            )
        if not table.expect.model_fields_set:
            files.fault(
                Text("没有写预期结果。", "Nothing is expected."),
                Text("请至少填写一项：{known}。", "Add at least one of {known}.", known=", ".join(EXPECTED)),
                file=file,
                column=f"example {number}: expect.",
            )
    if len(files.problems) > before:
        return []
    return [
        Example(
            file=file,
            name=table.name,
            expect=table.expect.model_dump(exclude_unset=True),
            **dict(table.given),
        )
        for table in tables
    ]
