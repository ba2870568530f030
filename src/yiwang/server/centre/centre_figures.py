"""The command centre's figures: counted from the board's columns, each with the filters of the list that it leads to.

Nothing is stored: at a million cases all of it takes some tens of milliseconds, and a process counts once for everybody
who looks at the same region in the same minute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.space.tiles import BITS, cells_of, to_degrees
from yiwang.server.cases.api import hand_on, prefixes_of
from yiwang.server.centre.board import NEVER, Board, board
from yiwang.server.centre.map_tiles import CaseFilter, lights, matching_rows, open_then
from yiwang.server.cities.queries import CityRuntime

DAYS = 30
WEEKS = 4
MOST_UNITS = 8
MOST_SPOTS = 10
SPOT_METRES = 150
SPOT_CASES = 3
_REMEMBERED = 500
_EQUATOR_METRES = 40_075_016.686
Ints = NDArray[np.int64]


def figures(*, place: CityRuntime, region: str, at: datetime, past: bool) -> dict[str, Any]:
    """`side_figures`, remembered until something happens or, live, the minute is over."""
    at = at if past else minute(at)
    key = (place.version, region, at, past)
    with board(place.info.id).fresh() as seen:
        known: dict[str, Any] | None = seen.counted.get(key)
        if known is None or known["version"] != seen.version:
            known = side_figures(place=place, region=region, at=at, past=past)
            if len(seen.counted) >= _REMEMBERED:
                seen.counted.clear()
            seen.counted[key] = known
        return known


def side_figures(*, place: CityRuntime, region: str, at: datetime, past: bool) -> dict[str, Any]:
    """What stands beside the map.

    Args:
        place: City.
        region: Code, with all below it and what it has replaced; empty for the whole city.
        at: The moment that is shown.
        past: Whether it is another than now. Steps and holders are only known as they are now, so those figures are null
            for the past.

    Returns:
        ``version`` (grows with every event), ``now`` (counts), ``hours`` (intake of the local day by hour, and the usual:
        the mean of the same weekday in the four weeks before), ``days`` (the last thirty: opened, ended, due, on time),
        ``steps`` (open cases by traffic light), ``units`` (those with most overdue), ``spots`` (the same category at least
        three times within about 150 m in thirty days). Each carries what a list needs to show the cases behind it.
    """
    zone = place.info.zone
    local = at.astimezone(zone)
    today = datetime.combine(local.date(), time(), zone)
    with board(place.info.id).fresh() as seen:
        rows = matching_rows(seen, CaseFilter(at=at, past=past, state="all", regions=prefixes_of(region, place=place)))
        # live, the moment is the full minute before, and what came since then counts too
        end = at if past else today + timedelta(days=1)
        still = rows[open_then(seen, rows, at=at, past=past)]
        colours = lights(seen, still, at)
        return {
            "version": seen.version,
            "at": at.isoformat(),
            "past": past,
            "now": _now(seen, rows, colours, today=today, end=end)
            | {"undrawn": int(np.count_nonzero(~seen.columns.placed[still]))},
            "hours": _hours(seen, rows, at=at, today=today, end=end),
            "days": _days(seen, rows, today=today, end=end),
            "steps": None if past else _steps(seen, still, colours, place),
            "units": None if past else _units(seen, still, colours, place, at),
            "spots": spots(seen, rows, place, at),
        }


def by_region(*, place: CityRuntime, region: str, width: int, at: datetime) -> dict[str, dict[str, int]]:
    """Cases, open and overdue ones at a past moment, by the first ``width`` characters of their region."""
    with board(place.info.id).fresh() as seen:
        rows = matching_rows(seen, CaseFilter(at=at, past=True, state="all", regions=prefixes_of(region, place=place)))
        still = open_then(seen, rows, at=at, past=True)
        late = np.zeros(len(rows), dtype=np.bool_)
        late[still] = lights(seen, rows[still], at) == 3
        numbers, many = seen.columns.region[rows], len(seen.codes["region"].texts)
        sums = {
            "cases": np.bincount(numbers, minlength=many),
            "open": np.bincount(numbers[still], minlength=many),
            "overdue": np.bincount(numbers[late], minlength=many),
        }
        texts = list(seen.codes["region"].texts)
    found: dict[str, dict[str, int]] = {}
    for number, text in enumerate(texts):
        if len(text) >= width:
            counts = found.setdefault(text[:width], dict.fromkeys(sums, 0))
            for name, column in sums.items():
                counts[name] += int(column[number])
    hand_on(found, place=place)
    return {part: counts for part, counts in found.items() if len(part) == width and counts["cases"]}


def _between(moments: Ints, start: datetime, end: datetime) -> NDArray[np.bool_]:
    return (moments >= start.timestamp()) & (moments < end.timestamp())


def _now(seen: Board, rows: Ints, colours: NDArray[np.int8], *, today: datetime, end: datetime) -> dict[str, Any]:
    columns = seen.columns
    closed = rows[_between(columns.closed[rows], today - timedelta(days=DAYS), end)]
    due = _due(seen, closed)
    return {
        "cases": len(rows),
        "open": len(colours),
        "overdue": int(np.count_nonzero(colours == 3)),
        "soon": int(np.count_nonzero(colours == 2)),
        "opened_today": int(np.count_nonzero(_between(columns.opened[rows], today, end))),
        "closed_today": int(np.count_nonzero(_between(columns.closed[rows], today, end))),
        "closed": len(closed),
        "closed_with_deadline": len(due),
        "closed_on_time": int(np.count_nonzero(~columns.overdue[due])),
        "today": today.isoformat(),
        "since": (today - timedelta(days=DAYS)).isoformat(),
    }


def _due(seen: Board, ended: Ints) -> Ints:
    """Of the closed cases those that had a deadline: the others were neither in time nor late."""
    columns = seen.columns
    due: Ints = ended[(columns.deadline[ended] != NEVER) | columns.overdue[ended]]
    return due


def _hours(seen: Board, rows: Ints, *, at: datetime, today: datetime, end: datetime) -> list[dict[str, Any]]:
    """Intake by hour of the local day. A day that the clock changes has 23 or 25 hours; each is counted by its name."""
    opened = seen.columns.opened[rows]
    found = []
    past_days = [
        _by_hour(opened, day := today - timedelta(weeks=week), day + timedelta(days=1)) for week in range(1, WEEKS + 1)
    ]
    known = [counts for counts in past_days if counts.any()]
    usual = np.mean(known, axis=0) if known else None
    counts = _by_hour(opened, today, end)
    for hour in range(24):
        start = datetime.combine(today.date(), time(hour), today.tzinfo)
        found.append(
            {
                "hour": hour,
                "opened": int(counts[hour]) if start <= at else None,
                "usual": None if usual is None else round(float(usual[hour]), 1),
                "from": start.isoformat(),
                "to": (start + timedelta(hours=1)).isoformat(),
            }
        )
    return found


def _by_hour(opened: Ints, start: datetime, end: datetime) -> Ints:
    edges = [datetime.combine(start.date(), time(hour), start.tzinfo).timestamp() for hour in range(24)]
    chosen = opened[_between(opened, start, end)]
    return np.bincount(np.clip(np.searchsorted(edges, chosen, side="right") - 1, 0, 23), minlength=24)


def _days(seen: Board, rows: Ints, *, today: datetime, end: datetime) -> list[dict[str, Any]]:
    starts = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    edges = [start.timestamp() for start in starts] + [end.timestamp()]
    columns = seen.columns
    recent = columns.closed[rows]
    ended = rows[(recent >= edges[0]) & (recent < edges[-1])]
    due = _due(seen, ended)
    on_time = due[~columns.overdue[due]]
    opened, closed, timed, kept = (
        np.histogram(moments, bins=edges)[0]
        for moments in (columns.opened[rows], columns.closed[ended], columns.closed[due], columns.closed[on_time])
    )
    return [
        {
            "day": start.date().isoformat(),
            "opened": int(opened[index]),
            "closed": int(closed[index]),
            "closed_with_deadline": int(timed[index]),
            "closed_on_time": int(kept[index]),
            "from": start.isoformat(),
            "to": (start + timedelta(days=1)).isoformat(),
        }
        for index, start in enumerate(starts)
    ]


def _steps(seen: Board, still: Ints, colours: NDArray[np.int8], place: CityRuntime) -> list[dict[str, Any]]:
    texts = seen.codes["step"].texts
    table = np.zeros((max(1, len(texts)), 4), dtype=np.int64)
    np.add.at(table, (seen.columns.step[still], colours), 1)
    counts = dict(zip(texts, table.tolist(), strict=False))
    workflow = place.rules.workflow.steps
    order = [step for step in workflow if not workflow[step].end] + [step for step in counts if step not in workflow]
    return [
        {
            "step": step,
            "name": workflow[step].name.zh if step in workflow else step,
            "name_en": workflow[step].name.en if step in workflow else step,
            "none": none,
            "green": green,
            "yellow": yellow,
            "red": red,
        }
        for step in order
        for none, green, yellow, red in [counts.get(step, [0, 0, 0, 0])]
    ]


def _units(
    seen: Board, still: Ints, colours: NDArray[np.int8], place: CityRuntime, at: datetime
) -> list[dict[str, Any]]:
    """The units with most overdue cases; among equals, the one whose cases have been open longest."""
    texts = seen.codes["holder"].texts
    if not texts:
        return []
    holder = seen.columns.holder[still]
    many = np.bincount(holder, minlength=len(texts))
    late = np.bincount(holder[colours == 3], minlength=len(texts))
    ages = at.timestamp() - seen.columns.opened[still]
    found: list[dict[str, Any]] = []
    candidates: Sequence[int] = np.lexsort((-many, -late))[: MOST_UNITS * 2].tolist()
    for unit in candidates:
        if not texts[unit] or not late[unit]:
            continue
        known = place.rules.units.get(texts[unit])
        found.append(
            {
                "unit": texts[unit],
                "name": known.name.zh if known else texts[unit],
                "name_en": known.name.en if known else texts[unit],
                "open": int(many[unit]),
                "overdue": int(late[unit]),
                "median_open_hours": round(float(np.median(ages[holder == unit])) / 3600, 1),
            }
        )
    found.sort(key=lambda row: (-row["overdue"], -row["median_open_hours"]))
    return found[:MOST_UNITS]


def spots(seen: Board, rows: Ints, place: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """Where the same thing happened again: cells of a map square by category, those with most cases first. Cases that have no
    category yet are not the same thing."""
    columns, known = seen.columns, seen.codes["category"].texts
    since = at - timedelta(days=DAYS)
    recent = rows[(columns.opened[rows] >= since.timestamp()) & columns.placed[rows]]
    if "" in known:
        recent = recent[columns.category[recent] != known.index("")]
    if not len(recent):
        return []
    zoom = _spot_zoom(seen, recent)
    cells = cells_of(columns.code[recent], zoom=zoom, depth=0)
    kinds = np.uint64(len(known))
    _, inverse, counts = np.unique(
        cells * kinds + columns.category[recent].astype(np.uint64), return_inverse=True, return_counts=True
    )
    best: Sequence[int] = [
        int(at_) for at_ in np.argsort(-counts, kind="stable")[:MOST_SPOTS] if counts[at_] >= SPOT_CASES
    ]
    return [
        _spot(seen, recent[inverse == number], place, count=int(counts[number]), zoom=zoom, since=since)
        for number in best
    ]


def _spot_zoom(seen: Board, rows: Ints) -> int:
    """The zoom whose squares are about `SPOT_METRES` wide where the city lies."""
    _, lat = to_degrees(0, np.median(seen.columns.y[rows]))
    around = _EQUATOR_METRES * math.cos(math.radians(float(lat)))
    return min(BITS, max(1, round(math.log2(around / SPOT_METRES))))


def _spot(seen: Board, rows: Ints, place: CityRuntime, *, count: int, zoom: int, since: datetime) -> dict[str, Any]:
    columns = seen.columns
    category = seen.codes["category"].texts[int(columns.category[rows[0]])]
    known = place.categories.get(category)
    code = seen.codes["region"].texts[int(np.bincount(columns.region[rows]).argmax())]
    region = place.regions.get(code)
    lon, lat = to_degrees(columns.x[rows].mean(), columns.y[rows].mean())
    size = 1 << (BITS - zoom)
    left, top = (int(value[rows[0]]) // size * size for value in (columns.x, columns.y))
    (west, east), (north, south) = to_degrees(np.array([left, left + size]) - 0.5, np.array([top, top + size]) - 0.5)
    return {
        "category": category,
        "name": known.name.zh if known else category,
        "name_en": known.name.en if known else category,
        "region": code,
        "region_name": region.name.zh if region else code,
        "region_name_en": (region.name.en) if region else code,
        "cases": count,
        "still_open": int(np.count_nonzero(columns.closed[rows] == NEVER)),
        "lon": round(float(lon), 6),
        "lat": round(float(lat), 6),
        "bbox": ",".join(f"{float(edge):.6f}" for edge in (west, south, east, north)),
        "since": since.isoformat(),
    }


def minute(moment: datetime) -> datetime:
    """The minute that a moment lies in: what is shown live changes with events and with the minute."""
    return moment.replace(second=0, microsecond=0)
