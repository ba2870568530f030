"""Lists of components by cursor, one component as a row, and those in a piece of the map or near a point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.tiles import BITS, MOST_ZOOM, morton, to_map
from yiwang.server.assets.models import GONE, Component, ComponentChange, State
from yiwang.server.cities.queries import CityRuntime

Box = tuple[float, float, float, float]  # west, south, east, north in degrees
PUBLIC = ("code", "kind", "name", "state", "lon", "lat", "region", "grid", "first_on", "changed_on", "version")
STAFF = ("source_id", "authority", "owner", "maintainer", "attributes", "note", "source")
LOOKED_AT = 2_000  # components that words may mean, of each column that they are looked for in
SOUGHT = ("code", "source_id", "name")
SOUGHT_BY_ALL = ("code", "name")
_BY_CLASS = ("kind", "region", "id")
_BY_REGION = ("region", "id")
_BY_PLACE = ("cell", "id")
_MOST_TILES = 16  # by which a box is covered
_SIGN = 1 << 63  # between a Morton code and how the database holds it


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFilters:
    """Which components a list has.

    Attributes:
        kinds: Classes, any of which will do; None for all.
        state: One of `State`; empty for all.
        region: Code of a region, or the beginning of one, with everything below it; empty for the whole city.
        within: Regions of which at least one must hold the component; none for the whole city.
        q: What the code, the surveyor's id or the name begins with.
        bbox: Only what lies in it.
        staff: Whether the reader has a post in the city; others neither read nor find by `STAFF`.
    """

    kinds: tuple[str, ...] | None = None
    state: str = ""
    region: str = ""
    within: tuple[str, ...] = ()
    q: str = ""
    bbox: Box | None = None
    staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPage:
    """Rows with `PUBLIC`, with `STAFF` too for staff, and the cursor of the next page; None on the last.

    Attributes:
        cut: Whether words were so short that only some of what they may mean was looked at.
    """

    items: list[dict[str, Any]]
    next: str | None
    cut: bool = False


def list_components(
    *, place: CityRuntime, filters: ComponentFilters, cursor: str = "", limit: int = 50
) -> ComponentPage:
    """A page of components: class by class, within a region region by region, in a box by place. A page far back costs what the
    first one costs.

    Args:
        place: City.
        filters: Which.
        cursor: ``next`` of the page before; empty for the first.
        limit: So many at most.

    Raises:
        BadInput: When a filter or the cursor is no such thing.
    """
    found, order, cut = _narrowed(place, filters)
    columns = ("id", *PUBLIC, *(STAFF if filters.staff else ()))
    items: list[dict[str, Any]] = []
    for part in _beyond(found, order, cursor):
        items += part.order_by(*order).values(*columns)[: limit + 1 - len(items)]
        if len(items) > limit:
            break
    more, items = len(items) > limit, items[:limit]
    following = str(items[-1]["id"]) if more else None
    for row in items:
        del row["id"]
    return ComponentPage(items=items, next=following, cut=cut)


def count_components(*, place: CityRuntime, filters: ComponentFilters, most: int) -> int:
    """How many components a list has; ``most`` + 1 for more.

    Raises:
        BadInput: When a filter is no such thing.
    """
    found, _, _ = _narrowed(place, filters)
    return found.order_by()[: most + 1].count()


def standing_components(*, place: CityRuntime, filters: ComponentFilters, most: int) -> list[Component]:
    """The components of a list that are not gone, region by region, at most so many.

    Raises:
        BadInput: When a filter is no such thing.
    """
    found, _, _ = _narrowed(place, filters)
    return list(found.exclude(state__in=GONE).order_by("region", "code")[:most])


def component_row(*, city: str, code: str, staff: bool) -> dict[str, Any] | None:
    """One component as `list_components` gives it; None where the city has no such code."""
    found: dict[str, Any] | None = (
        Component.objects.filter(city=city, code=code).values(*PUBLIC, *(STAFF if staff else ())).first()
    )
    return found


def changes_of(*, city: str, code: str, staff: bool, most: int = 500) -> list[dict[str, Any]]:
    """What was changed of a component, the newest first: ``at, fields`` and, for staff, ``by``.

    Others are not told of `STAFF`'s fields, nor of a change that was of those alone.
    """
    changes = ComponentChange.objects.filter(component__city=city, component__code=code).order_by("-id")
    found = []
    for at, by, fields in changes.values_list("at", "by", "fields")[:most]:
        told = fields if staff else {name: pair for name, pair in fields.items() if name in PUBLIC}
        if told or staff:
            found.append({"at": at, "fields": told, **({"by": by} if staff else {})})
    return found


def components_near(
    *, place: CityRuntime, kinds: tuple[str, ...] | None, lon: float, lat: float, metres: float, most: int = 8
) -> list[tuple[Mapping[str, Any], float]]:
    """Components of some classes around a point that still stand, the nearest first, each with its distance in metres."""
    per_degree = 111_195.0
    across = per_degree * max(0.01, float(np.cos(np.radians(lat))))
    bbox = (lon - metres / across, lat - metres / per_degree, lon + metres / across, lat + metres / per_degree)
    near, _, _ = _narrowed(place, ComponentFilters(kinds=kinds, bbox=bbox))
    query = near.exclude(state=State.REMOVED.value)
    found = [
        (row, float(np.hypot((row["lon"] - lon) * across, (row["lat"] - lat) * per_degree)))
        for row in query.values(*PUBLIC)
    ]
    return sorted((one for one in found if one[1] <= metres), key=lambda one: one[1])[:most]


def _narrowed(place: CityRuntime, filters: ComponentFilters) -> tuple[QuerySet[Component], tuple[str, ...], bool]:
    """The components that pass, the order that an index has them in, and whether words were cut short."""
    if filters.state and filters.state not in State.values:
        raise BadInput(
            Problem(
                Text("没有「{state}」这种状态。", "There is no state {state!r}.", state=filters.state), column="state"
            )
        )
    found = Component.objects.filter(city=place.info.id) & Component.objects.filter(
        in_regions(place, filters.within), in_regions(place, [filters.region] if filters.region else [])
    )
    kinds = filters.kinds
    if kinds is not None:
        found = found.filter(kind=kinds[0]) if len(kinds) == 1 else found.filter(kind__in=kinds)
    if filters.state:
        found = found.filter(state=filters.state)
    regional = bool(filters.region or filters.within)
    order = _BY_REGION if regional and kinds is None and filters.state in ("", State.INTACT) else _BY_CLASS
    if filters.bbox:
        found, order = found.filter(_in_box(filters.bbox)), _BY_PLACE
    if not filters.q:
        return found, order, False
    ids, cut = _meant(place.info.id, filters.q, SOUGHT if filters.staff else SOUGHT_BY_ALL)
    return found.filter(pk__in=ids), order if filters.bbox else _BY_CLASS, cut


def _in_box(bbox: Box) -> Q:
    west, south, east, north = bbox
    cells = Q()
    for first, last in cell_ranges(bbox):
        cells |= Q(cell__gte=first, cell__lte=last)
    return cells & Q(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)


def in_regions(place: CityRuntime, regions: Iterable[str]) -> Q:
    """The condition of lying in one of some regions, below it, or in one that it has replaced; no regions: anywhere."""
    regions = list(regions)
    found = Q()
    roots = {root.code for root in place.regions.roots}
    for region in regions:
        if not region or region in roots:
            return Q()
        for prefix in place.regions.lineage(region) if region in place.regions else (region,):
            found |= Q(region__gte=prefix, region__lt=_after(prefix))
    return found


def _after(prefix: str) -> str:
    """The first text behind all that begin with a prefix, in the order of code points."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _meant(city: str, words: str, columns: Sequence[str]) -> tuple[set[int], bool]:
    """Ids of the components that words may mean, and whether there are more of them."""
    ids: set[int] = set()
    cut = False
    for column in columns:
        begun = {f"{column}__gte": words, f"{column}__lt": _after(words)}
        some = Component.objects.filter(city=city, **begun)
        if column != "code":
            some = some.exclude(**{column: ""})
        keys = list(some.order_by(column).values_list("id", flat=True)[: LOOKED_AT + 1])
        cut = cut or len(keys) > LOOKED_AT
        ids.update(keys[:LOOKED_AT])
    return ids, cut


def _beyond(found: QuerySet[Component], order: Sequence[str], cursor: str) -> Iterator[QuerySet[Component]]:
    """What stands behind the cursor, in parts that follow one another and are each one stretch of the index."""
    if not cursor:
        yield found
        return
    last = Component.objects.filter(pk=int(cursor)).values(*order).first() if _is_key(cursor) else None
    if last is None:
        raise BadInput(
            Problem(
                Text("翻页标记「{cursor}」无效。", "{cursor!r} is no cursor.", cursor=cursor[:40]),
                Text("请从第一页开始。", "Begin with the first page."),
                column="cursor",
            )
        )
    for depth in range(len(order) - 1, -1, -1):
        same = {name: last[name] for name in order[:depth]}
        yield found.filter(**same, **{f"{order[depth]}__gt": last[order[depth]]})


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def cell_ranges(bbox: Box) -> Sequence[tuple[int, int]]:
    """A box as few runs of the column ``cell``, which hold all that lies in it and some of what lies around it."""
    west, south, east, north = bbox
    (left, right), (top, bottom) = (part.tolist() for part in to_map([west, east], [north, south]))
    for zoom in range(MOST_ZOOM, -1, -1):
        shift = BITS - zoom
        columns, rows = (right >> shift) - (left >> shift) + 1, (bottom >> shift) - (top >> shift) + 1
        if columns * rows <= _MOST_TILES:
            break
    across, down = np.meshgrid(
        np.arange(left >> shift, (right >> shift) + 1, dtype=np.uint64),
        np.arange(top >> shift, (bottom >> shift) + 1, dtype=np.uint64),
    )
    firsts = sorted(int(code) << (2 * shift) for code in morton(across.ravel(), down.ravel()))
    found: list[tuple[int, int]] = []
    for first in firsts:
        last = first + (1 << (2 * shift)) - 1
        if found and found[-1][1] + 1 == first - _SIGN:
            found[-1] = (found[-1][0], last - _SIGN)
        else:
            found.append((first - _SIGN, last - _SIGN))
    return found
