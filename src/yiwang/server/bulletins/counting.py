"""What a bulletin counts, out of the columns that a process keeps of a city's cases: the same as the command centre's.

A past period is counted as it was: what was open and overdue at its end, not what is now. What was closed long before the
weeks that are compared is left out first, so a million old cases cost one comparison each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.cases.lateness import have_passed
from yiwang.server.bulletins.periods import Period
from yiwang.server.cases.api import prefixes_of
from yiwang.server.centre.board import NEVER, Board
from yiwang.server.centre.centre_figures import spots
from yiwang.server.cities.queries import CityRuntime

FIGURES = ("opened", "filed", "closed", "closed_on_time", "open", "overdue")
WEEKS = 4
POINTS = {False: 14, True: 8}  # days, weeks of the chart
MOST_CATEGORIES = 10
MOST_RISES = 5
LEAST_RISE = 3
MOST_WAITING = 8
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class Counts:
    """Everything that is counted of a period; cases by id, units as they are now.

    Attributes:
        figures: The period's, by `FIGURES`, with ``due`` (closed ones that had a deadline).
        before: Those of the period before.
        usual: Means of the four same weekdays, or weeks, before; of fewer where the city is younger; empty for none.
        since: How many of these there are.
        points: Periods of the chart, oldest first, each with its figures.
        regions: By code of a part of the region; empty for what lies in none of them.
        categories: Code, reported, and reported in the period before.
        late, waiting: Ids of the cases that were overdue at the end, and of those that had been open longest then.
        closed: Ids of the cases closed in the period, with the seconds that they took.
        holders: Of the two above, who holds each now.
        ratings: How many of the closed cases got one to five stars.
        spots: See `centre_figures.spots`.
    """

    figures: dict[str, int]
    before: dict[str, int]
    usual: dict[str, float]
    since: int
    points: list[tuple[Period, dict[str, int]]]
    regions: dict[str, dict[str, int]]
    categories: list[tuple[str, int, int]]
    rises: list[tuple[str, int, int]]
    late: list[int]
    waiting: list[int]
    closed: dict[int, int]
    holders: dict[int, str]
    ratings: list[int]
    spots: list[dict[str, Any]] = field(default_factory=list)


def count(seen: Board, *, place: CityRuntime, region: str, period: Period, now: datetime) -> Counts | None:
    """Count a period of a region.

    Args:
        seen: The city's cases, fresh, and held by the caller.
        place: City.
        region: Code, with all below it and what it has replaced; the root for the whole city.
        period: A day or a week; what of it is still to come counts for nothing.
        now: The moment that a period which goes on ends with.

    Returns:
        None where no case had been reported by then.
    """
    columns = seen.columns
    ends = period.moment(now)
    rows = np.flatnonzero(columns.opened <= ends.timestamp())
    if not len(rows):
        return None
    rows = _within(seen, rows, prefixes_of(region, place=place))
    begun = columns.opened.min()
    of_chart = [period.back(back) for back in range(POINTS[period.weekly] - 1, -1, -1)]
    of_weeks = [one for weeks in range(1, WEEKS + 1) if (one := period.weeks_back(weeks)).start.timestamp() >= begun]
    earliest = min(one.start for one in (*of_chart, *of_weeks, period.back())).timestamp()
    recent = rows[columns.closed[rows] >= earliest]
    figures, parts = _figures(seen, recent, period, ends)
    past = [_figures(seen, recent, one, one.moment(now))[0] for one in of_weeks]
    return Counts(
        figures=figures,
        before=_figures(seen, recent, period.back(), period.back().moment(now))[0],
        usual={name: sum(one[name] for one in past) / len(past) for name in FIGURES} if past else {},
        since=len(past),
        points=[(one, _figures(seen, recent, one, one.moment(now))[0]) for one in of_chart],
        regions=_by_region(seen, parts, place=place, region=region),
        categories=(ranked := _categories(seen, recent, period, ends))[:MOST_CATEGORIES],
        rises=sorted(
            (one for one in ranked if one[1] - one[2] >= LEAST_RISE), key=lambda one: (one[2] - one[1], one[0])
        )[:MOST_RISES],
        late=columns.id[parts["overdue"]].tolist(),
        waiting=columns.id[(longest := _longest(seen, parts["open"]))].tolist(),
        closed=dict(
            zip(
                columns.id[parts["closed"]].tolist(),
                (columns.closed[parts["closed"]] - columns.opened[parts["closed"]]).tolist(),
                strict=True,
            )
        ),
        holders=_holders(seen, [parts["overdue"], longest, parts["closed"]]),
        ratings=np.bincount(columns.rating[parts["closed"]].clip(0, 5), minlength=6)[1:].tolist(),
        spots=spots(seen, rows, place, ends),
    )


def _within(seen: Board, rows: Ints, prefixes: tuple[str, ...]) -> Ints:
    wanted = seen.codes["region"].beginning(prefixes) if prefixes else np.empty(0, np.bool_)
    return rows[wanted[seen.columns.region[rows]]] if len(wanted) else rows


def _figures(seen: Board, rows: Ints, period: Period, ends: datetime) -> tuple[dict[str, int], dict[str, Ints]]:
    """A period's figures, and the rows behind each."""
    columns, start, end = seen.columns, period.start.timestamp(), ends.timestamp()
    opened, filed, closed = columns.opened[rows], columns.filed[rows], columns.closed[rows]
    ended = rows[(closed >= start) & (closed <= end)]
    due = ended[(columns.deadline[ended] != NEVER) | columns.overdue[ended]]
    still = rows[(opened <= end) & (closed > end)]
    parts = {
        "opened": rows[(opened >= start) & (opened <= end)],
        "filed": rows[(filed >= start) & (filed <= end)],
        "closed": ended,
        "due": due,
        "closed_on_time": due[~columns.overdue[due]],
        "open": still,
        "overdue": still[have_passed(columns.deadline[still], at=end)],
    }
    return {name: len(part) for name, part in parts.items()}, parts


def _by_region(seen: Board, parts: dict[str, Ints], *, place: CityRuntime, region: str) -> dict[str, dict[str, int]]:
    """The figures of each part of the region; what lies in two (a region that was split) counts in both."""
    children = [child.code for child in place.regions.children(region) if child.validity.contains(place.day)]
    if not children:
        return {}
    codes, found = seen.codes["region"], {}
    everywhere = np.zeros(len(codes.texts), dtype=np.bool_)
    for code in children:
        inside = codes.beginning(place.regions.lineage(code))
        everywhere |= inside
        found[code] = _counts(seen, parts, inside)
    nowhere = _counts(seen, parts, ~everywhere)
    return found | ({"": nowhere} if any(nowhere.values()) else {})


def _counts(seen: Board, parts: dict[str, Ints], wanted: Flags) -> dict[str, int]:
    return {name: int(np.count_nonzero(wanted[seen.columns.region[rows]])) for name, rows in parts.items()}


def _categories(seen: Board, rows: Ints, period: Period, ends: datetime) -> list[tuple[str, int, int]]:
    """Categories with what was reported in the period and the one before, most first."""
    opened, texts = seen.columns.opened[rows], seen.codes["category"].texts
    start, before = period.start.timestamp(), period.back().start.timestamp()
    many, fewer = (
        np.bincount(seen.columns.category[rows[chosen]], minlength=len(texts))
        for chosen in ((opened >= start) & (opened <= ends.timestamp()), (opened >= before) & (opened < start))
    )
    found = [(text, int(many[at]), int(fewer[at])) for at, text in enumerate(texts) if many[at]]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _longest(seen: Board, still: Ints) -> Ints:
    opened = seen.columns.opened[still]
    chosen: Ints = still[np.lexsort((seen.columns.id[still], opened))[:MOST_WAITING]]
    return chosen


def _holders(seen: Board, groups: Sequence[Ints]) -> dict[int, str]:
    texts, columns = seen.codes["holder"].texts, seen.columns
    return {
        case: texts[holder]
        for rows in groups
        for case, holder in zip(columns.id[rows].tolist(), columns.holder[rows].tolist(), strict=True)
    }
