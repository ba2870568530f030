"""The query options of a request, and those that stand in brackets behind an expanded name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from yiwang.core.kernel.text import Text
from yiwang.server.sensorthings.entities import OBSERVATION, TYPES, EntityType, Kind
from yiwang.server.sensorthings.query.grammar import bad_query

USUAL, MOST, MOST_ROWS = 100, 1000, 10_000  # entities of a page: unasked, asked, as a data array
EXPANDED = 25  # entities of an expanded set, unasked
_DEEPEST = 4  # expansions within each other
_MOST_EXPANDED = 20  # expansions in all
_NAMES = {"$filter", "$orderby", "$top", "$skip", "$count", "$select", "$expand"}
_OF_REQUEST = {"$resultformat", "$skiptoken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of a set or of an entity.

    Attributes:
        filter: Its text.
        order: Path and whether it descends.
        top: Entities at most; None for the usual number.
        select: Names of properties; empty for all.
        expand: Navigation property → what is asked of its other end.
        as_rows: Whether observations are to come as a data array.
        after: The ``$skiptoken``: behind which entity the page begins.
        texts: The options as they were written, for links to the next page.
    """

    filter: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] = ()
    expand: dict[str, Options] = field(default_factory=dict)
    as_rows: bool = False
    after: str = ""
    texts: dict[str, str] = field(default_factory=dict)


def read_options(kind: EntityType, given: Sequence[tuple[str, str]], *, depth: int = 0) -> Options:
    """The options of a request, or of an expansion.

    Args:
        given: Names, with their ``$``, and texts.

    Raises:
        BadInput: One is unknown, stands twice, or cannot be read.
    """
    found = Options()
    for written, text in given:
        name = written.lower()
        if name in found.texts:
            raise bad_query(written, "给了两次。", "It is given twice.")
        if name not in _NAMES and (depth or name not in _OF_REQUEST):
            raise bad_query(
                written,
                "没有这个查询选项。",
                "There is no such query option.",
                hint=Text("可用：{names}。", "There are: {names}.", names=", ".join(sorted(_NAMES))),
            )
        found = replace(_with(found, kind, name, text, depth), texts={**found.texts, name: text})
    if found.top is not None and found.top > (most := MOST_ROWS if found.as_rows else MOST):
        found = replace(
            found, top=most
        )  # the standard lets a service send less than was asked for, with a link to the rest
    return found


def _with(options: Options, kind: EntityType, name: str, text: str, depth: int) -> Options:
    match name:
        case "$filter":
            return replace(options, filter=text)
        case "$top":
            return replace(options, top=_whole(name, text))
        case "$skip":
            return replace(options, skip=_whole(name, text))
        case "$count":
            if text.lower() not in ("true", "false"):
                raise bad_query(name, "应为 true 或 false。", "It must be true or false.")
            return replace(options, count=text.lower() == "true")
        case "$orderby":
            return replace(options, order=tuple(_order(part) for part in split(text, ",", name)))
        case "$select":
            return replace(options, select=_selected(kind, text))
        case "$expand":
            return replace(options, expand=_expanded(kind, text, depth))
        case "$skiptoken":
            return replace(options, after=text)
        case _:
            if text.lower() != "dataarray" or kind is not OBSERVATION:
                raise bad_query(
                    "$resultFormat",
                    "只有 Observations 有 dataArray 格式。",
                    "The format is dataArray, and only Observations have it.",
                )
            return replace(options, as_rows=True)


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise bad_query(name, "“{value}”不是非负整数。", "{value!r} is no whole number of at least 0.", value=text[:40])
    return int(text)


def _order(text: str) -> tuple[str, bool]:
    path, _, way = text.strip().partition(" ")
    if way.strip().lower() not in ("", "asc", "desc"):
        raise bad_query("$orderby", "“{way}”应为 asc 或 desc。", "{way!r} must be asc or desc.", way=way.strip()[:40])
    return path, way.strip().lower() == "desc"


def _selected(kind: EntityType, text: str) -> tuple[str, ...]:
    names = tuple("id" if one.strip() == "@iot.id" else one.strip() for one in text.split(","))
    for name in names:
        if name.split("/")[0] not in kind.properties and name not in kind.links:
            raise bad_query(
                "$select",
                "{entity} 没有 {name}。",
                "{entity} has no {name}.",
                entity=kind.name,
                name=name[:60],
                hint=Text("有：{names}。", "It has: {names}.", names=", ".join([*kind.properties, *kind.links])),
            )
    return tuple(name.split("/")[0] for name in names)


def _expanded(kind: EntityType, text: str, depth: int) -> dict[str, Options]:
    if depth >= _DEEPEST:
        raise bad_query("$expand", "最多展开 {most} 层。", "It may be {most} levels deep.", most=_DEEPEST)
    found: dict[str, Options] = {}
    for part in split(text, ",", "$expand"):
        path, bracket, inner = part.strip().partition("(")
        if bracket and not inner.endswith(")"):
            raise bad_query(
                "$expand", "“{part}”的括号不配对。", "The brackets of {part!r} do not match.", part=part[:60]
            )
        name, _, rest = path.strip().partition("/")
        if name not in kind.links:
            raise bad_query(
                "$expand",
                "{entity} 不能展开 {name}。",
                "{entity} has no {name} to expand.",
                entity=kind.name,
                name=name[:60],
                hint=Text("可展开：{names}。", "It has: {names}.", names=", ".join(kind.links)),
            )
        target = TYPES[kind.links[name].target]
        if rest:  # Datastreams/Observations is Datastreams($expand=Observations)
            options = read_options(target, [("$expand", part.strip().partition("/")[2])], depth=depth + 1)
        else:
            options = read_options(target, list(_inner(inner[:-1])), depth=depth + 1)
        before = found.get(name)
        found[name] = options if before is None else replace(before, expand={**before.expand, **options.expand})
    if sum(1 + _size(one) for one in found.values()) > _MOST_EXPANDED:
        raise bad_query("$expand", "最多展开 {most} 处。", "It may name {most} at most.", most=_MOST_EXPANDED)
    return found


def _size(options: Options) -> int:
    return sum(1 + _size(one) for one in options.expand.values())


def _inner(text: str) -> Iterator[tuple[str, str]]:
    for part in split(text, ";", "$expand") if text.strip() else ():
        name, _, value = part.strip().partition("=")
        yield name.strip(), value.strip()


def split(text: str, at: str, option: str) -> list[str]:
    """Parts of a text between the signs that stand outside brackets and quotes.

    Raises:
        BadInput: Brackets or quotes do not match.
    """
    parts, depth, quoted, start = [], 0, False, 0
    for index, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == at and depth == 0:
            parts.append(text[start:index])
            start = index + 1
        if depth < 0:
            break
    if depth or quoted:
        raise bad_query(
            option, "“{text}”的括号或引号不配对。", "Brackets or quotes of {text!r} do not match.", text=text[:80]
        )
    return [*parts, text[start:]]


def keyset_possible(kind: EntityType, order: tuple[tuple[str, bool], ...]) -> bool:
    """Whether every column of an order is never empty and of one kind, so that a page can begin behind a value."""
    plain = (Kind.NUMBER, Kind.TEXT, Kind.MICROS)
    return all(
        (found := kind.properties.get(path)) is not None and not found.nullable and found.kind in plain
        for path, _ in order
    )
