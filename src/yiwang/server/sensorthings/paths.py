"""The path of a resource: ``Things(1)/Datastreams(2)/Observations``, a property of it, ``$value``, ``$ref``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import cities
from yiwang.server.sensorthings.entities import SETS, TYPES, EntityType, Link

_SEGMENT = re.compile(r"(?P<name>[A-Za-z]+)(?:\((?P<id>[^()]*)\))?\Z")
_DEEPEST = 12  # segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a path leads to.

    Attributes:
        kind: Type of the entity or of the entities of a set.
        rows: They.
        id: Of the entity; None for a set.
        parent: Type and id of the entity before, with the link from there; None for a set at the root.
        property: Names behind the entity; ``raw`` for ``$value``, ``refs`` for ``$ref``.
    """

    kind: EntityType
    rows: QuerySet[Any]
    id: int | None = None
    parent: tuple[EntityType, int, Link] | None = None
    property: tuple[str, ...] = ()
    raw: bool = False
    refs: bool = False

    def given(self) -> dict[str, list[int]]:
        """What the path of a set says of the links of an entity that is made in it."""
        if self.parent is None:
            return {}
        parent, pk, _ = self.parent
        return {next(one.name for one in self.kind.links.values() if one.target == parent.name): [pk]}


def visible_cities() -> list[str]:
    """Cities whose entities there are: everybody may see what stands in an installed city, as on its map."""
    return [info.id for info in cities()]


def rows_of(kind: EntityType) -> QuerySet[Any]:
    """All entities of a type that may be seen."""
    return kind.model._default_manager.filter(**{f"{kind.city}__in": visible_cities()})


def find(path: str) -> Resource:
    """The resource of a path.

    Raises:
        Unknown: There is none.
    """
    segments = path.strip("/").split("/")
    if len(segments) > _DEEPEST:
        raise Unknown(Text("路径最多 {most} 段。", "A path has {most} parts at most.", most=_DEEPEST))
    refs, raw = segments[-1] == "$ref", segments[-1] == "$value"
    if refs or raw:
        segments.pop()
    if not segments:
        raise _lost("$ref" if refs else "$value")
    kind, found, parent, at = _first(segments[0])
    for index, segment in enumerate(segments[1:], 1):
        if found is None:
            raise _lost(segment)
        matched = _SEGMENT.fullmatch(segment)
        link = kind.links.get(matched["name"]) if matched else None
        if link is None or matched is None:
            names = tuple(segments[index:])
            if names[0] not in kind.properties and names[0] not in ("@iot.id", "@iot.selfLink"):
                raise _lost(segment)
            return Resource(kind=kind, rows=rows_of(kind).filter(pk=found), id=found, property=names, raw=raw)
        parent, kind = (kind, found, link), TYPES[link.target]
        at = Q(**{link.back: found})
        if not link.many:
            if matched["id"] is not None:
                raise _lost(segment)
            found = rows_of(kind).filter(at).values_list("pk", flat=True).first()
            if found is None:
                raise _lost(segment)
        else:
            found = _exists(rows_of(kind).filter(at), matched["id"], segment)
    rows = kind.model._default_manager.filter(at) if parent else rows_of(kind)
    if found is not None:
        rows = kind.model._default_manager.filter(pk=found)
    if raw or (refs and found is not None):
        raise _lost("$value" if raw else "$ref")
    return Resource(kind=kind, rows=rows, id=found, parent=parent, refs=refs)


def _first(segment: str) -> tuple[EntityType, int | None, None, Q]:
    matched = _SEGMENT.fullmatch(segment)
    kind = SETS.get(matched["name"]) if matched else None
    if kind is None or matched is None:
        raise _lost(segment)
    return kind, _exists(rows_of(kind), matched["id"], segment), None, Q()


def _exists(rows: QuerySet[Any], text: str | None, segment: str) -> int | None:
    """The id that a segment names, when there is such an entity; None for a segment without one."""
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18 or not rows.filter(pk=int(text)).exists():
        raise _lost(segment)
    return int(text)


def _lost(segment: str) -> Unknown:
    return Unknown(
        Text(
            "没有资源“{segment}”。入口有：{sets}。",
            "There is no resource {segment!r}. The sets at the root are: {sets}.",
            segment=segment[:80],
            sets=", ".join(SETS),
        )
    )
