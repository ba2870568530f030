"""Open cases as GeoJSON features, from the columns in memory: a feature is written once and kept until its case changes.

What a feature says beside its place is what a map needs to draw and to find it; the rest is on the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from yiwang.core.cases.lateness import have_passed
from yiwang.core.space.tiles import to_map
from yiwang.server.cases.api import Case, unplaced_points
from yiwang.server.centre.board import NEVER, Board, board
from yiwang.server.centre.map_tiles import CaseFilter, matching_rows
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.selecting import select

Box = tuple[float, float, float, float]  # west, south, east, north in degrees
LEAN = ("id", "seq", "number", "category", "step", "holder", "lon", "lat", "deadline")
_ENDS = (b',"overdue":false}}', b',"overdue":true}}')
_NONE = (-1, b"")
_MOST = 20_000  # features that are kept: what the largest answer needs, twice
_ASKED = 500


def open_features(
    *, place: CityRuntime, regions: tuple[str, ...], bbox: Box | None, limit: int, at: datetime, past: bool
) -> tuple[bytes, bool]:
    """The features of open cases with a place, joined by commas, the most urgent first; and whether there are more.

    Args:
        place: City.
        regions: Prefixes of codes, any of which will do; empty for the whole city.
        bbox: Only what lies in it.
        limit: So many at most.
        at: The moment for which it is said what is open and late.
        past: Whether that is another moment than now.

    Raises:
        BoardNotReady: When the first reading of a large city is under way.
    """
    with board(place.info.id).fresh(at_once=True) as seen:
        rows = matching_rows(seen, CaseFilter(at=at, past=past, regions=regions))
        columns = seen.columns
        rows = rows[columns.placed[rows]]
        if bbox:
            (west, east), (south, north) = to_map([bbox[0], bbox[2]], [bbox[1], bbox[3]])
            x, y = columns.x[rows], columns.y[rows]
            rows = rows[(x >= west) & (x <= east) & (y >= north) & (y <= south)]  # y grows towards the south
        # by deadline; those without one last, the newest of them first
        undated, ids = columns.deadline[rows] == NEVER, columns.id[rows]
        newest_first = np.where(undated, -columns.opened[rows], 0)
        order = rows[np.lexsort((np.where(undated, -ids, ids), newest_first, columns.deadline[rows]))]
        more = len(order) > limit
        order = order[:limit]
        kept = _kept(seen)
        shown, seqs = columns.id[order].tolist(), columns.seq[order].tolist()
        lacking = [case for case, seq in zip(shown, seqs, strict=True) if kept.get(case, _NONE)[0] != seq]
        if lacking:
            kept.update(_written(lacking, place))
        late = have_passed(columns.deadline[order], at=at.timestamp()).tolist()
        return b",".join([kept[case][1] + _ENDS[is_late] for case, is_late in zip(shown, late, strict=True)]), more


def apart_of(*, place: CityRuntime, region: str, bbox: Box | None, at: datetime, past: bool) -> list[dict[str, Any]]:
    """`unplaced_points` of a city, counted again only when something has happened there: as fresh as `open_features`.

    Args:
        place: City.
        region: Code; empty for the whole city.
        bbox: Only what lies in it.
        at: The moment for which it is said what is open.
        past: Whether that is another moment than now. What is open now changes by events alone.
    """
    city = place.info.id
    key = (place.version, region, bbox, at if past else None)  # a pack says which regions have replaced which
    with board(city).fresh(at_once=True) as seen:
        version, kept = seen.version, seen.apart
        found = kept.get(key)
    if found is not None and found[0] == version:
        return found[1]
    # Asked outside the board's lock, after its version was read: what it says is at least as new as the version.
    points = unplaced_points(city=city, region=region, bbox=bbox, at=at)
    if len(kept) >= _ASKED:
        kept.clear()
    kept[key] = (version, points)
    return points


def _kept(seen: Board) -> dict[int, tuple[int, bytes]]:
    """What has been written, by case: after how many events, and the feature without its end."""
    kept = seen.features
    if len(kept) > _MOST:
        kept.clear()
    return kept


def _written(cases: Sequence[int], place: CityRuntime) -> Iterable[tuple[int, tuple[int, bytes]]]:
    zone = place.info.zone
    for start in range(0, len(cases), _ASKED):
        asked = cases[start : start + _ASKED]
        tail = f"WHERE id IN ({', '.join(['%s'] * len(asked))})"
        for case, seq, number, category, step, holder, lon, lat, deadline in select(Case, LEAN, tail, asked):
            feature = {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [lon, lat]},
                "properties": {
                    "number": number,
                    "category": category,
                    "step": step,
                    "holder": holder,
                    "deadline": deadline.astimezone(zone) if deadline else None,
                },
            }
            yield case, (seq, orjson.dumps(feature)[:-2])
