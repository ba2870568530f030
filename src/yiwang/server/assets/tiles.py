"""Components on the map, tile by tile: each for itself where there are few, counted by cells where there are many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.space.crs import from_wgs84
from yiwang.core.space.tiles import UInts, cells_of, check, morton, run_of, tiles_below, to_degrees, to_map
from yiwang.server.assets.inventory import GONE_STATES, STATES, Components, inventory
from yiwang.server.assets.models import Component
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import vector_tiles
from yiwang.server.common.selecting import select

DAMAGED = STATES.index("damaged")
_ASKED = 500


def current(city: str) -> Components:
    """The components of which tiles are made now; their ``version`` says how fresh a tile is.

    Raises:
        NotReady: When the first reading of a large city is under way.
    """
    return inventory(city).fresh()


def tile(
    seen: Components,
    *,
    place: CityRuntime,
    zoom: int,
    column: int,
    row: int,
    kind: str = "",
    state: str = "",
    crs: str = "wgs84",
) -> bytes:
    """A vector tile of components.

    Args:
        seen: The components, from `current`.
        place: Their city.
        zoom, column, row: The tile.
        kind: Beginning of the code of a class; empty for all.
        state: Only these.
        crs: In which system the map is drawn that the tile lies on: ``wgs84`` or ``gcj02``.

    Returns:
        Layer ``components`` (``code, kind, class, class_en, state``, and ``name`` where there is one) or, above
        `vector_tiles.MOST_POINTS` of them, ``component_counts`` (``n``, ``damaged`` and ``gone``, which is lost or removed).

    Raises:
        BadInput: When there is no such tile.
    """
    check(zoom=zoom, column=column, row=row)
    where = {"zoom": zoom, "column": column, "row": row}
    if crs == "wgs84":
        rows = _chosen(seen, run_of(seen.code, **where), kind, state)
        x, y, codes = seen.x[rows].astype(np.uint64), seen.y[rows].astype(np.uint64), seen.code[rows]
    else:
        runs = (run_of(seen.code, **one) for one in tiles_below(crs, **where))
        rows = np.concatenate([_chosen(seen, run, kind, state) for run in runs])
        x, y = to_map(*from_wgs84(*to_degrees(seen.x[rows], seen.y[rows]), crs))
        codes = morton(x, y)
        this = (
            cells_of(codes, zoom=zoom, depth=0) == morton(np.array([column], np.uint64), np.array([row], np.uint64))[0]
        )
        rows, x, y, codes = rows[this], x[this], y[this], codes[this]
    if len(rows) > vector_tiles.MOST_POINTS:
        return vector_tiles.encode({"component_counts": _counted(seen, rows, x, y, codes, where)})
    said = list(_said(seen.id[rows].tolist(), place))
    return vector_tiles.encode({"components": vector_tiles.points(x, y, **where, properties=said)})


def _chosen(seen: Components, run: slice, kind: str, state: str) -> NDArray[np.int64]:
    wanted = np.ones(run.stop - run.start, dtype=np.bool_)
    if kind:
        beginning = seen.kinds.beginning((kind,))
        wanted &= beginning[seen.kind[run]] if len(seen) else False
    if state:
        wanted &= seen.state[run] == STATES.index(state)
    rows: NDArray[np.int64] = np.flatnonzero(wanted) + run.start
    return rows


def _counted(
    seen: Components, rows: NDArray[np.int64], x: UInts, y: UInts, codes: UInts, where: Mapping[str, int]
) -> list[dict[str, Any]]:
    states = seen.state[rows]
    parts = {"damaged": np.flatnonzero(states == DAMAGED), "gone": np.flatnonzero(np.isin(states, GONE_STATES))}
    return vector_tiles.counts(x, y, codes, **where, depth=vector_tiles.CLUSTER_DEPTH, parts=parts)


def _said(ids: Sequence[int], place: CityRuntime) -> Iterator[dict[str, Any]]:
    """What a tile says of each component: nothing of what only staff read."""
    found: dict[int, dict[str, Any]] = {}
    waiting = iter(ids)
    while part := list(islice(waiting, _ASKED)):
        tail = f"WHERE id IN ({', '.join(['%s'] * len(part))})"
        for id_, code, kind, state, name in select(Component, ("id", "code", "kind", "state", "name"), tail, part):
            known = place.pack.components.get(kind)
            found[id_] = {
                "code": code,
                "kind": kind,
                "class": known.name.zh if known else kind,
                "class_en": known.name.en if known else kind,
                "state": state,
                **({"name": name} if name else {}),
            }
    return (found[id_] for id_ in ids)
