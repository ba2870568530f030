"""`replay.toml`: how a city's own file of past requests reads in the words of its pack.

All that a file's layout, spelling and habits demand stands in the pack as data, so that another city's file, or the same
city's file of another year, needs no code. :mod:`yiwang.packs.records` does what this file says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean
from yiwang.packs.records.places import HINT, is_known_system

FILE = "replay.toml"
REQUIRED_FIELDS = ("external_id", "opened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a region code: group 1 of a pattern found in a field, in capitals, filled with zeros to a width."""

    field: str
    pattern: re.Pattern[str]
    width: int = 0

    def find(self, cell: str) -> str:
        found = self.pattern.search(cell)
        return found[1].upper().zfill(self.width) if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRule:
    """A filing condition that the words of a field tell, for one category."""

    category: str
    field: str
    pattern: re.Pattern[str]
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRule:
    """How the city marks a request as on time or late.

    Attributes:
        ontime: The city's word for on time.
        overdue: The city's word for late.
        no_deadline: What it says of a request without a deadline: ``ontime``, ``overdue`` or empty for nothing.
        as_of: Moment at which the file was drawn, for requests that were open then; ``latest`` for the latest moment
            at which anything in the file was opened or closed.
    """

    ontime: str
    overdue: str
    no_deadline: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRule:
    """How a closing text says that a request repeats another, and where to look for that other one.

    Attributes:
        says: Any of these found in the closing text says so.
        unless: Any of these found there says that it is not so after all.
        numbers: How the text names the other request: patterns, tried in order, each with the template of an external
            id, in which ``{}`` stands for the pattern's group 1.
        within_m: When no number is given: how far away the other may lie.
        within_days: And how long before it may have been opened, unless it was still open.
    """

    says: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    numbers: tuple[tuple[re.Pattern[str], str], ...]
    within_m: float
    within_days: float


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
    top = Fields(files, FILE, data)
    columns = _columns(top)
    known = {*columns}
    source = Fields(files, FILE, top.mapping("source"), where="source.")
    category = Fields(files, FILE, top.mapping("category"), where="category.")
    region = Fields(files, FILE, top.mapping("region"), where="region.")
    unit = Fields(files, FILE, top.mapping("unit"), where="unit.")
    department = Fields(files, FILE, top.mapping("department"), where="department.")
    report = Fields(files, FILE, top.mapping("report"), where="report.")
    parts = _parts(region, known)
    zone = top.text("timezone", default=timezone)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        top.fault(
            "timezone",
            Text("「{zone}」不是时区。", "{zone!r} is no time zone.", zone=zone),
            Text('请写 IANA 时区名，例如 "America/New_York"。', 'An IANA name, e.g. "America/New_York".'),
        )
    crs = top.text("crs", default="")
    if crs and not is_known_system(crs):
        top.fault("crs", Text("「{crs}」不是坐标系。", "{crs!r} is no coordinate system.", crs=crs), HINT)
    mapping = ReplayMapping(
        timezone=zone,
        crs=crs,
        blank=frozenset({"", *(word.casefold() for word in top.texts("blank"))}),
        datetime_formats=top.texts("datetime_formats"),
        columns=columns,
        sources=_words(source, "values"),
        other_source=source.text("other", default=""),
        category_names=_templates(category, "names", known),
        other_category=category.text(
            "other", hint=Text("所有名称都对不上的诉求所用的类别。", "The category of a request that no name fits.")
        ),
        conditions=_conditions(top, known),
        region_codes=_templates(region, "codes", {*parts}),
        region_parts=parts,
        unit_names=_templates(unit, "names", known),
        unit_words=_word_file(unit, "words"),
        departments=_words(department, "values"),
        text=_template(report, "text", known),
        place=_template(report, "place", known),
        closed_words=frozenset(word.casefold() for word in top.texts("closed_words")),
        flag=_flag(top),
        duplicates=_duplicates(top),
    )
    for fields in (source, category, region, unit, department, report, top):
        fields.check_keys()
    return mapping


def _columns(top: Fields) -> dict[str, tuple[str, ...]]:
    item = Fields(top.files, FILE, top.mapping("columns"), where="columns.")
    columns = {name: tuple(map(plain, item.texts(name))) for name in item.table}
    for name in REQUIRED_FIELDS:
        if not columns.get(name):
            item.fault(
                name,
                Text("此字段没有对应的列。", "The field has no column."),
                Text("请列出该列可能的列名。", "List the names that its column may have."),
            )
    return columns


def _words(fields: Fields, key: str) -> dict[str, str]:
    words = {}
    for word, code in fields.mapping(key).items():
        if not isinstance(code, str):
            message = Text("「{code}」不是文本。", "{code!r} is no text.", code=code)
            fields.fault(f"{key}.{word}", message, Text("请加上引号。", "Put it in quotation marks."))
            continue
        words[word.strip().casefold()] = code
    return words


def _word_file(fields: Fields, key: str) -> dict[str, str]:
    """A CSV file of the pack with the columns word and unit: the city's words as units."""
    name = fields.text(key, default="")
    if not name:
        return {}
    rows = fields.files.rows(name, columns=("word", "unit"))
    return {" ".join(row["word"].split()).casefold(): row["unit"] for row in rows}


def _templates(fields: Fields, key: str, known: set[str]) -> tuple[str, ...]:
    return tuple(template for template in fields.texts(key) if _is_sound(fields, key, template, known))


def _template(fields: Fields, key: str, known: set[str]) -> str:
    template = fields.text(key, default="")
    return template if _is_sound(fields, key, template, known) else ""


def _is_sound(fields: Fields, key: str, template: str, known: set[str]) -> bool:
    try:
        names = placeholders(template)
    except ValueError as error:
        fields.fault(
            key,
            Text(
                "模板「{template}」无法读取：{why}。",
                "The template {template!r} cannot be read: {why}.",
                template=template,
                why=str(error),
            ),
            Text("字段写在花括号中：{type}。", "Fields stand in braces: {type}."),
        )
        return False
    for name in names:
        if name not in known:
            message = Text(
                "模板「{template}」中的字段「{name}」未知。",
                "The template {template!r} asks for the unknown field {name!r}.",
                template=template,
                name=name,
            )
            every = Text("可用的字段：{known}。", "Known: {known}.", known=", ".join(sorted(known)))
            fields.fault(key, message, did_you_mean(name, known) or every)
            return False
    return True


def _pattern(fields: Fields, key: str, text: str, *, groups: int = 0) -> re.Pattern[str] | None:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        message = Text(
            "正则表达式「{pattern}」无法读取：{why}。",
            "The pattern {pattern!r} cannot be read: {why}.",
            pattern=text,
            why=str(error),
        )
        fields.fault(key, message, Text("此处应为正则表达式。", "A regular expression is expected."))
        return None
    if pattern.groups < groups:
        message = Text(
            "正则表达式「{pattern}」没有捕获内容。", "The pattern {pattern!r} captures nothing.", pattern=text
        )
        fields.fault(key, message, Text("请把要取的内容放在圆括号 ( ) 中。", "Put what is wanted in (brackets)."))
        return None
    return pattern


def _check_field(fields: Fields, name: str, known: set[str]) -> bool:
    if name and name not in known:
        message = Text("未知的字段：「{name}」。", "Unknown field {name!r}.", name=name)
        hint = did_you_mean(name, known) or Text("请在 [columns] 中写上。", "Name it under [columns].")
        fields.fault("field", message, hint)
        return False
    return bool(name)


def _parts(region: Fields, known: set[str]) -> dict[str, Part]:
    parts = {}
    for name, table in region.mapping("part").items():
        item = Fields(region.files, FILE, table, where=f"region.part.{name}.")
        pattern = _pattern(item, "pattern", item.text("pattern"), groups=1)
        field_name, width = item.text("field"), int(item.number("width", default=0.0))
        item.check_keys()
        if _check_field(item, field_name, known) and pattern is not None:
            parts[name] = Part(field=field_name, pattern=pattern, width=width)
    return parts


def _conditions(top: Fields, known: set[str]) -> tuple[ConditionRule, ...]:
    rules = []
    for number, table in enumerate(top.tables("condition"), start=1):
        item = Fields(top.files, FILE, table, where=f"condition {number}: ")
        pattern = _pattern(item, "pattern", item.text("pattern"))
        category, name, condition = item.text("category"), item.text("field"), item.text("condition")
        item.check_keys()
        if _check_field(item, name, known) and pattern is not None:
            rules.append(ConditionRule(category=category, field=name, pattern=pattern, condition=condition))
    return tuple(rules)


def _flag(top: Fields) -> FlagRule | None:
    table = top.mapping("flag")
    if not table:
        return None
    item = Fields(top.files, FILE, table, where="flag.")
    rule = FlagRule(
        ontime=item.text("ontime"),
        overdue=item.text("overdue"),
        no_deadline=item.text("no_deadline", default=""),
        as_of=item.text("as_of", default="latest"),
    )
    item.check_keys()
    if rule.no_deadline not in {"", "ontime", "overdue"}:
        item.fault(
            "no_deadline",
            Text("「{word}」不是有效的填写。", "{word!r} is no answer.", word=rule.no_deadline),
            Text("请写 ontime 或 overdue，或留空。", "Write ontime, overdue or nothing."),
        )
    return rule


def _duplicates(top: Fields) -> DuplicateRule | None:
    table = top.mapping("duplicates")
    if not table:
        return None
    item = Fields(top.files, FILE, table, where="duplicates.")
    rule = DuplicateRule(
        says=_patterns(item, "says"),
        unless=_patterns(item, "unless"),
        numbers=_numbers(item),
        within_m=item.number("within_m", default=50.0, above=0),
        within_days=item.number("within_days", default=30.0, above=0),
    )
    item.check_keys()
    return rule


def _numbers(fields: Fields) -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for number, table in enumerate(fields.tables("number"), start=1):
        item = Fields(fields.files, FILE, table, where=f"duplicates.number {number}: ")
        pattern = _pattern(item, "pattern", item.text("pattern"), groups=1)
        template = item.text("as", default="{}")
        item.check_keys()
        if template.count("{}") != 1:
            item.fault(
                "as",
                Text("「{template}」中没有恰好一个 {{}}。", "{template!r} has no single {{}}.", template=template),
                Text("{} 代表找到的编号。", "It stands for the number found."),
            )
        elif pattern is not None:
            found.append((pattern, template))
    return tuple(found)


def _patterns(fields: Fields, key: str) -> tuple[re.Pattern[str], ...]:
    texts: Sequence[str] = fields.texts(key)
    return tuple(pattern for text in texts if (pattern := _pattern(fields, key, text)) is not None)
