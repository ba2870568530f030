"""Cases on the map, tile by tile: points with their traffic light, counts where there are many, or warmth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from yiwang.core.cases.lateness import have_passed
from yiwang.core.kernel.codes import Codes
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.crs import from_wgs84
from yiwang.core.space.tiles import UInts, cells_of, check, morton, tiles_below, to_degrees, to_map
from yiwang.server.cases.api import YELLOW_FROM
from yiwang.server.centre.board import NEVER, Board, board, numbers_of
from yiwang.server.common import vector_tiles

LIGHTS = ("", "green", "yellow", "red")
STATES = ("open", "overdue", "closed", "all")
FORMS = ("cases", "heat")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases a map or a figure shows.

    Attributes:
        at: The moment that is shown: what had been opened by then, what was open, and what was late.
        past: Whether that is another moment than now.
        state: ``open``, ``overdue``, ``closed`` or ``all``, as it was at that moment.
        regions: Prefixes of codes, any of which will do (`RegionTree.lineage`); empty for the whole city.
        step, category, holder: As they are now; empty for all.
        opened_after: Leaves out what was opened before.
    """

    at: datetime
    past: bool = False
    state: str = "open"
    regions: tuple[str, ...] = ()
    step: str = ""
    category: str = ""
    holder: str = ""
    opened_after: datetime | None = None


def version(city: str) -> int:
    """How many events the city's cases have had: what a tile or figure is as fresh as.

    Raises:
        BoardNotReady: When the first reading of a large city is under way.
    """
    with board(city).fresh() as seen:
        return seen.version


def tile(
    *, city: str, zoom: int, column: int, row: int, shown: CaseFilter, form: str = "cases", crs: str = "wgs84"
) -> bytes:
    """A vector tile of cases.

    Args:
        city: City.
        zoom, column, row: The tile.
        shown: Which cases.
        form: ``cases`` gives a layer ``cases`` (properties ``number, category, light``) or, above
            `vector_tiles.MOST_POINTS` of them, a layer ``clusters`` (``n, red, yellow``); ``heat`` a layer ``heat`` (``n``).
        crs: In which system the map is drawn that the tile lies on: ``wgs84`` or ``gcj02``.

    Raises:
        BadInput: When there is no such tile or state.
    """
    check(zoom=zoom, column=column, row=row)
    place: dict[str, int] = {"zoom": zoom, "column": column, "row": row}
    with board(city).fresh() as seen:
        chosen, x, y, codes = _in_tile(seen, shown, crs, **place)
        # what has ended has no light, and of all cases ever most have ended
        still = np.flatnonzero(open_then(seen, chosen, at=shown.at, past=shown.past))
        lit = lights(seen, chosen[still], shown.at)
        if form == "heat" or len(chosen) > vector_tiles.MOST_POINTS:
            depth = vector_tiles.HEAT_DEPTH if form == "heat" else vector_tiles.CLUSTER_DEPTH
            ids, categories = [], []
        else:
            depth = 0
            ids = seen.columns.id[chosen].tolist()
            categories = [seen.codes["category"].texts[number] for number in seen.columns.category[chosen]]
    if depth and len(chosen):
        parts = {} if form == "heat" else {"red": still[lit == 3], "yellow": still[lit == 2]}
        made = vector_tiles.counts(x, y, codes, **place, depth=depth, parts=parts)
        return vector_tiles.encode({"heat" if form == "heat" else "clusters": made})
    colours = np.zeros(len(ids), dtype=np.int8)
    colours[still] = lit
    numbers = numbers_of(ids)
    said = [
        {"number": numbers.get(case, ""), "category": category, "light": LIGHTS[colour]}
        for case, category, colour in zip(ids, categories, colours, strict=True)
    ]
    return vector_tiles.encode({"cases": vector_tiles.points(x, y, **place, properties=said)})


def _in_tile(
    seen: Board, shown: CaseFilter, crs: str, *, zoom: int, column: int, row: int
) -> tuple[NDArray[np.int64], UInts, UInts, UInts]:
    """The rows that a tile shows, with their map units and Morton codes in the system that the map is drawn in."""
    columns = seen.columns
    if crs == "wgs84":
        rows = _filter_rows(seen, seen.in_tile(zoom=zoom, column=column, row=row), shown)
        return rows, columns.x[rows], columns.y[rows], columns.code[rows]
    around = [seen.in_tile(**one) for one in tiles_below(crs, zoom=zoom, column=column, row=row)]
    rows = _filter_rows(seen, np.concatenate(around), shown)
    x, y = to_map(*from_wgs84(*to_degrees(columns.x[rows], columns.y[rows]), crs))
    codes = morton(x, y)
    this = cells_of(codes, zoom=zoom, depth=0) == morton(np.array([column], np.uint64), np.array([row], np.uint64))[0]
    return rows[this], x[this], y[this], codes[this]


def open_then(seen: Board, rows: NDArray[np.int64], *, at: datetime, past: bool) -> NDArray[np.bool_]:
    """Whether each case was open. Live, what is shown is of the full minute before, but what has ended since has ended."""
    closed = seen.columns.closed[rows]
    return closed > at.timestamp() if past else closed == NEVER


def lights(seen: Board, rows: NDArray[np.int64], at: datetime) -> NDArray[np.int8]:
    """Traffic lights of cases as indexes into `LIGHTS`: what `presentation.light` says, for many at once."""
    now = at.timestamp()
    opened, deadline = seen.columns.opened[rows], seen.columns.deadline[rows]
    used = now - opened
    whole = deadline - opened
    colours = np.where(used >= YELLOW_FROM * whole, 2, 1)
    colours[have_passed(deadline, at=now)] = 3
    colours[(deadline == NEVER) | (seen.columns.closed[rows] <= now)] = 0
    return colours.astype(np.int8)


def _filter_rows(seen: Board, rows: NDArray[np.int64], shown: CaseFilter) -> NDArray[np.int64]:
    """The rows that are shown, narrowed filter by filter, the cheapest and narrowest first."""
    if shown.state not in STATES:
        raise BadInput(
            Problem(
                Text("没有「{state}」这种状态。", "There is no state {state!r}.", state=shown.state),
                Text("可选：{states}。", "One of {states}.", states=", ".join(STATES)),
                column="state",
            )
        )
    columns, now = seen.columns, shown.at.timestamp()
    if shown.state in {"open", "overdue"}:
        rows = rows[open_then(seen, rows, at=shown.at, past=shown.past)]
    if shown.state == "closed":
        rows = rows[~open_then(seen, rows, at=shown.at, past=shown.past)]
    if shown.state == "overdue":
        rows = rows[have_passed(columns.deadline[rows], at=now)]
    if shown.past:
        rows = rows[columns.opened[rows] <= now]
    if shown.opened_after:
        rows = rows[columns.opened[rows] >= shown.opened_after.timestamp()]
    for name in ("step", "category", "holder"):
        if value := getattr(shown, name):
            rows = rows[getattr(columns, name)[rows] == seen.codes[name].number_of(value)]
    if shown.regions:
        rows = _beginning(seen.codes["region"], columns.region, rows, shown.regions)
    return rows


def _beginning(
    codes: Codes, numbers: NDArray[np.int32], rows: NDArray[np.int64], prefixes: tuple[str, ...]
) -> NDArray[np.int64]:
    wanted = codes.beginning(prefixes)
    return rows[wanted[numbers[rows]]] if len(wanted) else rows


def matching_rows(seen: Board, shown: CaseFilter) -> NDArray[np.int64]:
    """The rows of all cases that are shown, with a place or without."""
    return _filter_rows(seen, np.arange(len(seen.columns)), shown)
