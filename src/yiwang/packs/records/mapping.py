"""`replay.toml`: how a city's own file of past requests reads in the words of its pack.

All that a file's layout, spelling and habits demand stands in the pack as data, so that another city's file, or the same
city's file of another year, needs no code. :mod:`yiwang.packs.records` does what this file says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainValidator

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean
from yiwang.packs.records.places import HINT, is_known_system
from yiwang.packs.toml_tables import (
    Expected,
    Line,
    ListOf,
    Positive,
    Required,
    Texts,
    TimeZone,
    TomlTable,
    read_table,
    wrong,
)

FILE = "replay.toml"
REQUIRED_FIELDS = ("external_id", "opened")


def plain(header: str) -> str:
    """A column's name without what differs from file to file: case, spaces, underscores, marks.

    >>> plain(" Case_Enquiry ID ")
    'caseenquiryid'
    """
    return re.sub(r"[^0-9a-z]+", "", header.casefold())


def placeholders(template: str) -> tuple[str, ...]:
    """The fields that a template asks for, in order.

    Raises:
        ValueError: When the braces do not fit.
    """
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def _read_pattern(value: object) -> re.Pattern[str]:
    if isinstance(value, re.Pattern):
        return value
    try:
        return re.compile(str(value), re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        message = Text(
            "正则表达式「{pattern}」无法读取：{why}。",
            "The pattern {pattern!r} cannot be read: {why}.",
            pattern=value,
            why=str(error),
        )
        raise wrong(message, Text("此处应为正则表达式。", "A regular expression is expected.")) from None


def _check_capture(pattern: re.Pattern[str]) -> re.Pattern[str]:
    if not pattern.groups:
        message = Text(
            "正则表达式「{pattern}」没有捕获内容。",
            "The pattern {pattern!r} captures nothing.",
            pattern=pattern.pattern,
        )
        raise wrong(message, Text("请把要取的内容放在圆括号 ( ) 中。", "Put what is wanted in (brackets)."))
    return pattern


def _check_single(template: str) -> str:
    try:
        sound = template.count("{}") == 1 and placeholders(template) == ("",)
    except ValueError:
        sound = False
    if not sound:
        raise wrong(
            Text("「{template}」中没有恰好一个 {{}}。", "{template!r} has no single {{}}.", template=template),
            Text("{} 代表找到的编号。", "It stands for the number found."),
        )
    return template


def _check_system(crs: str) -> str:
    if crs and not is_known_system(crs):
        raise wrong(Text("「{crs}」不是坐标系。", "{crs!r} is no coordinate system.", crs=crs), HINT)
    return crs


def _fold(words: Mapping[str, str]) -> dict[str, str]:
    return {word.strip().casefold(): code for word, code in words.items()}


Pattern = Annotated[re.Pattern[str], PlainValidator(_read_pattern)]
Capture = Annotated[Pattern, AfterValidator(_check_capture)]
Codes = Annotated[dict[str, str], AfterValidator(_fold)]  # the city's words, in small letters → our codes


class Part(TomlTable):
    """One piece of a region code: group 1 of a pattern found in a field, in capitals, filled with zeros to a width."""

    field: Required
    pattern: Capture
    width: Annotated[int, Field(ge=0, le=1000)] = 0

    def find(self, cell: str) -> str:
        found = self.pattern.search(cell)
        return found[1].upper().zfill(self.width) if found else ""


class ConditionRule(TomlTable):
    """A filing condition that the words of a field tell, for one category."""

    category: Required
    field: Required
    pattern: Pattern
    condition: Required


class FlagRule(TomlTable):
    """How the city marks a request as on time or late.

    Attributes:
        ontime: The city's word for on time.
        overdue: The city's word for late.
        no_deadline: What it says of a request without a deadline: ``ontime``, ``overdue`` or empty for nothing.
        as_of: Moment at which the file was drawn, for requests that were open then; ``latest`` for the latest moment
            at which anything in the file was opened or closed.
    """

    ontime: Required
    overdue: Required
    no_deadline: Annotated[
        Literal["", "ontime", "overdue"],
        Expected(
            Text("请写 ontime 或 overdue，或留空。", "Write ontime, overdue or nothing."),
            Text("「{value}」不是有效的填写。", "{value!r} is no answer."),
        ),
    ] = ""
    as_of: Line = "latest"


class NumberRule(TomlTable):
    """How a closing text names another request, and the template of its external id: ``{}`` stands for group 1."""

    pattern: Capture
    template: Annotated[Line, AfterValidator(_check_single)] = Field("{}", alias="as")


class DuplicateRule(TomlTable):
    """How a closing text says that a request repeats another, and where to look for that other one.

    Attributes:
        says: Any of these found in the closing text says so.
        unless: Any of these found there says that it is not so after all.
        number: How the text names the other request, tried in order.
        within_m: When no number is given: how far away the other may lie.
        within_days: And how long before it may have been opened, unless it was still open.
    """

    says: ListOf[Pattern] = ()
    unless: ListOf[Pattern] = ()
    number: ListOf[NumberRule] = ()
    within_m: Positive = 50.0
    within_days: Positive = 30.0


class SourceTable(TomlTable):
    values: Codes = Field(default_factory=dict)
    other: Line = ""


class CategoryTable(TomlTable):
    names: Texts = ()
    other: Annotated[
        Required, Expected(Text("所有名称都对不上的诉求所用的类别。", "The category of a request that no name fits."))
    ]


class RegionTable(TomlTable):
    codes: Texts = ()
    part: dict[str, Part] = Field(default_factory=dict)


class UnitTable(TomlTable):
    names: Texts = ()
    words: Line = ""  # a CSV file of the pack with the columns word and unit


class DepartmentTable(TomlTable):
    values: Codes = Field(default_factory=dict)


class ReportTable(TomlTable):
    text: Line = ""
    place: Line = ""


class ReplayTable(TomlTable):
    """The keys of `replay.toml`; what they mean stands with `ReplayMapping`."""

    timezone: TimeZone = ""
    crs: Annotated[Line, AfterValidator(_check_system)] = ""
    blank: Texts = ()
    datetime_formats: Texts = ()
    closed_words: Texts = ()
    columns: dict[str, Texts] = Field(default_factory=dict)
    source: SourceTable
    category: CategoryTable
    region: RegionTable
    unit: UnitTable
    department: DepartmentTable
    report: ReportTable
    condition: ListOf[ConditionRule] = ()
    flag: FlagRule | None = None
    duplicates: DuplicateRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMapping:
    """What `replay.toml` says.

    Attributes:
        timezone: Zone of times that carry no offset.
        blank: Cells, in small letters, that mean nothing is known.
        datetime_formats: `strptime` formats tried when a time is not in ISO 8601.
        columns: Names that a field's column may have, by field, the first that is there wins; in small letters and
            digits only, see :func:`plain`.
        sources: The city's words for where a request came from, in small letters → channel of the rules.
        other_source: Channel of a word that is not among them.
        category_names: Templates of a category's name, e.g. ``{type}``; the first that the catalogue knows wins.
        other_category: Category of a request that none of them fits.
        conditions: Filing conditions told by words.
        region_codes: Templates of a region's code, e.g. ``BO{district}``; the first that the tree knows wins.
        region_parts: Their pieces.
        unit_names: Templates of the name of the unit that had the request in the end.
        unit_words: The city's words for units, in small letters → unit; a name that is not among them is looked up among
            the names of the directory.
        departments: The city's words for departments, in small letters → unit.
        text: Template of the report's text.
        place: Template of the place's description.
        closed_words: Statuses, in small letters, of a request that is closed.
        flag: How the city marks lateness; None when the file does not.
        duplicates: None when closing texts say nothing of them.
        crs: System of the coordinates, ``EPSG:…`` or one of the platform's own; empty for the one that the pack names.
    """

    timezone: str
    blank: frozenset[str]
    datetime_formats: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str]
    other_source: str
    category_names: tuple[str, ...]
    other_category: str
    conditions: tuple[ConditionRule, ...]
    region_codes: tuple[str, ...]
    region_parts: Mapping[str, Part]
    unit_names: tuple[str, ...]
    unit_words: Mapping[str, str]
    departments: Mapping[str, str]
    text: str
    place: str
    closed_words: frozenset[str]
    flag: FlagRule | None = None
    duplicates: DuplicateRule | None = None
    crs: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def units(self) -> frozenset[str]:
        """Every unit that the mapping names, for a check against the directory."""
        return frozenset({*self.departments.values(), *self.unit_words.values()})

    def department_among(self, units: Iterable[str]) -> str:
        """The first of some units, e.g. one and those above it, that the city calls a department; empty when none is."""
        known = frozenset(self.departments.values())
        return next((unit for unit in units if unit in known), "")

    def categories(self) -> frozenset[str]:
        """Every category that the mapping names, for a check against the catalogue."""
        return frozenset({self.other_category, *(rule.category for rule in self.conditions)} - {""})


def read_mapping(files: PackFiles, *, timezone: str = "UTC", required: bool = False) -> ReplayMapping | None:
    """Read `replay.toml`; None when it is missing or unusable. Problems go to ``files``.

    Args:
        files: The pack's folder.
        timezone: Zone of times without an offset, unless the file names another.
        required: Whether a missing file is a fault.
    """
    data = files.toml(FILE, required=required)
    if data is None:
        return None
    before = len(files.problems)
    mapping = _mapping(files, data, timezone)
    return mapping if len(files.problems) == before else None


def require_mapping(files: PackFiles, *, timezone: str = "UTC") -> ReplayMapping:
    """Like :func:`read_mapping`, but the file must be there and sound.

    Raises:
        BadInput: With every fault of it.
    """
    before = len(files.problems)
    mapping = read_mapping(files, timezone=timezone, required=True)
    if mapping is None:
        raise BadInput(files.problems[before:])
    return mapping


def _mapping(files: PackFiles, data: Mapping[str, Any], timezone: str) -> ReplayMapping:
    table = read_table(ReplayTable, data, files, FILE)
    region, unit = table.region, table.unit
    _check_fields(files, table, data)
    rows = files.rows(unit.words, columns=("word", "unit")) if unit.words else []
    return ReplayMapping(
        timezone=table.timezone or timezone,
        crs=table.crs,
        blank=frozenset({"", *(word.casefold() for word in table.blank)}),
        datetime_formats=table.datetime_formats,
        columns={name: tuple(map(plain, aliases)) for name, aliases in table.columns.items()},
        sources=table.source.values,
        other_source=table.source.other,
        category_names=table.category.names,
        other_category=table.category.other,
        conditions=table.condition,
        region_codes=region.codes,
        region_parts=region.part,
        unit_names=unit.names,
        unit_words={" ".join(row["word"].split()).casefold(): row["unit"] for row in rows},
        departments=table.department.values,
        text=table.report.text,
        place=table.report.place,
        closed_words=frozenset(word.casefold() for word in table.closed_words),
        flag=table.flag,
        duplicates=table.duplicates,
    )


def _check_fields(files: PackFiles, table: ReplayTable, data: Mapping[str, Any]) -> None:
    """That the needed fields have columns, and that templates and rules name fields that there are."""
    written = data.get("columns")
    known = set(written) if isinstance(written, Mapping) else set()
    for name in REQUIRED_FIELDS:
        if not table.columns.get(name):
            files.fault(
                Text("此字段没有对应的列。", "The field has no column."),
                Text("请列出该列可能的列名。", "List the names that its column may have."),
                file=FILE,
                column=f"columns.{name}",
            )
    templates = (
        ("category.names", table.category.names, known),
        ("region.codes", table.region.codes, {*table.region.part}),
        ("unit.names", table.unit.names, known),
        ("report.text", (table.report.text,), known),
        ("report.place", (table.report.place,), known),
    )
    for column, texts, names in templates:
        for template in texts:
            _check_template(files, column, template, names)
    rules = [(f"region.part.{name}.field", part.field) for name, part in table.region.part.items()]
    rules += [(f"condition {number}: field", rule.field) for number, rule in enumerate(table.condition, start=1)]
    for column, name in rules:
        if name and name not in known:
            message = Text("未知的字段：「{name}」。", "Unknown field {name!r}.", name=name)
            hint = did_you_mean(name, known) or Text("请在 [columns] 中写上。", "Name it under [columns].")
            files.fault(message, hint, file=FILE, column=column)


def _check_template(files: PackFiles, column: str, template: str, known: set[str]) -> None:
    try:
        names = placeholders(template)
    except ValueError as error:
        message = Text(
            "模板「{template}」无法读取：{why}。",
            "The template {template!r} cannot be read: {why}.",
            template=template,
            why=str(error),
        )
        hint = Text("字段写在花括号中：{type}。", "Fields stand in braces: {type}.")
        files.fault(message, hint, file=FILE, column=column)
        return
    for name in names:
        if name not in known:
            message = Text(
                "模板「{template}」中的字段「{name}」未知。",
                "The template {template!r} asks for the unknown field {name!r}.",
                template=template,
                name=name,
            )
            every = Text("可用的字段：{known}。", "Known: {known}.", known=", ".join(sorted(known)))
            files.fault(message, did_you_mean(name, known) or every, file=FILE, column=column)
