"""`examples/*.toml`: the pack's own tests. Given this report, expect this route, limit and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles

EXPECTED = (
    "region",
    "grid",
    "priority",
    "auto",
    "verify",
    "centre",
    "triage_row",
    "unit",
    "routing_row",
    "limit",
    "limits_row",
    "deadline",
)
_MOMENT = Text("例如 2026-03-06T17:00:00+08:00。", "For example 2026-03-06T17:00:00+08:00.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One expectation.

    Attributes:
        file: File that it stands in.
        name: What it shows.
        category, condition, region, lon, lat, crs, source: The report. ``crs`` is empty for the pack's own.
        at: When it was made (aware).
        expect: Expected answers by name, see ``EXPECTED``; what is not named may be anything.
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


def read_examples(files: PackFiles) -> tuple[Example, ...]:
    """Every example that could be read; problems go to ``files``."""
    found: list[Example] = []
    for name in files.names():
        if name.startswith("examples/") and name.endswith(".toml"):
            data = files.toml(name)
            if data is not None:
                found.extend(_read_file(files, name, data))
    return tuple(found)


def _read_file(files: PackFiles, name: str, data: Mapping[str, Any]) -> list[Example]:
    fields = Fields(files, name, data)
    tables = fields.tables("example")
    fields.check_keys()
    if not tables and not any(problem.file == name for problem in files.problems):
        files.fault(
            Text("文件中没有示例。", "The file holds no examples."),
            Text("请在每个示例前写 [[example]]。", "Head each one with [[example]]."),
            file=name,
        )
    found = [_read_example(files, name, number, table) for number, table in enumerate(tables, start=1)]
    return [example for example in found if example is not None]


def _read_example(files: PackFiles, file: str, number: int, table: Mapping[str, Any]) -> Example | None:
    before = len(files.problems)
    fields = Fields(files, file, table, where=f"example {number}: ")
    name = fields.text("name")
    given = Fields(files, file, fields.mapping("given"), where=f"example {number}: given.")
    expect = fields.mapping("expect")
    fields.check_keys()
    lon, lat = given.raw("lon"), given.raw("lat")
    if (lon is None) != (lat is None) or not all(isinstance(value, int | float | None) for value in (lon, lat)):
        given.fault(
            "lon",
            Text("位置要有两个数字。", "A place needs two numbers."),
            Text("请同时填写 lon 和 lat，或填写 region，或都不填。", "Give lon and lat, or region, or none."),
        )
    category = given.text("category")
    condition = given.text("condition", default="")
    region, crs = given.text("region", default=""), given.text("crs", default="")
    source = given.text("source", default="")
    at = _moment(given)
    given.check_keys()
    wanted = _expectations(files, file, number, expect)
    if len(files.problems) > before or at is None:
        return None
    return Example(
        file=file,
        name=name,
        category=category,
        condition=condition,
        region=region,
        lon=lon,
        lat=lat,
        crs=crs,
        source=source,
        at=at,
        expect=wanted,
    )


def _moment(given: Fields) -> datetime | None:
    value = given.raw("at")
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        given.fault("at", Text("「{value}」不是时刻。", "{value!r} is no moment.", value=value), _MOMENT)
        return None
    if moment.tzinfo is None:
        message = Text("「{value}」没有写明与 UTC 的时差。", "{value!r} has no offset from UTC.", value=value)
        given.fault("at", message, _MOMENT)
        return None
    return moment


def _expectations(files: PackFiles, file: str, number: int, expect: Mapping[str, Any]) -> dict[str, str]:
    fields = Fields(files, file, expect, where=f"example {number}: expect.")
    wanted: dict[str, str] = {}
    for key in EXPECTED:
        value = fields.raw(key)
        if value is None:
            continue
        if isinstance(value, bool):
            value = "yes" if value else "no"
        wanted[key] = value.isoformat() if isinstance(value, datetime) else str(value)
        if key == "deadline" and wanted[key]:
            _check_deadline(fields, wanted[key])
    fields.check_keys()
    if not wanted:
        fields.fault(
            "",
            Text("没有写预期结果。", "Nothing is expected."),
            Text("请至少填写一项：{known}。", "Add at least one of {known}.", known=", ".join(EXPECTED)),
        )
    return wanted


def _check_deadline(fields: Fields, text: str) -> None:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        message = Text("「{text}」不是带时差的时刻。", "{text!r} is no moment with an offset.", text=text)
        fields.fault("deadline", message, _MOMENT)
