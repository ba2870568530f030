"""A bulletin (日报、周报): a period of a region in figures, lists and a summary, as page and paper show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from yiwang.core.space import Region
from yiwang.server.bulletins import lookups
from yiwang.server.bulletins.counting import FIGURES, Counts, count
from yiwang.server.bulletins.periods import WEEKDAYS, Period
from yiwang.server.bulletins.summary import summary
from yiwang.server.cases.api import FIGURE_NAMES, category_name, region_name, unit_name
from yiwang.server.centre.board import board
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named

MOST_UNITS = 8
LEAST_CLOSED = 3  # a unit is called quick for no fewer
MOST_REGIONS = 40
BETTER = {"overdue": -1}  # for the others more is neither good nor bad: on a Sunday fewer are closed
_LAST_MINUTES = timedelta(minutes=10)  # a replayed city stands at five minutes to midnight, and its day is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """What is shown, named in the reader's language; every row's ``link`` leads to the list of its cases.

    Attributes:
        figures: ``id``, ``name``, ``value``, ``link``, ``change`` against the period before, ``usual``, ``tone``.
        lines: The summary.
        points: Of the chart: ``name``, ``link``, ``opened``, ``closed``, ``overdue``.
        on_time: Share of the closed cases that had a deadline; None without any.
        since: How many weeks the usual is the mean of; 0 for no usual.
    """

    period: Period
    region: Region
    at: datetime
    figures: list[dict[str, Any]]
    lines: list[str]
    on_time: float | None
    since: int
    usual_name: str
    before_name: str
    points: list[dict[str, Any]]
    regions: list[dict[str, Any]]
    more_regions: int
    categories: list[dict[str, Any]]
    rises: list[dict[str, Any]]
    late_units: list[dict[str, Any]]
    quick_units: list[dict[str, Any]]
    waiting: list[dict[str, Any]]
    spots: list[dict[str, Any]]
    ratings: list[dict[str, Any]]
    rated: int
    mean_rating: float | None


def bulletin(*, place: CityRuntime, region: Region, period: Period, now: datetime | None = None) -> Bulletin | None:
    """The bulletin of a period.

    Args:
        place: City.
        region: Of the city; its root for all of it.
        period: A day or a week, which may go on still.
        now: Now by default.

    Returns:
        None where no case had been reported by then.

    Raises:
        BoardNotReady: When the cases of a large city are still being read into memory.
    """
    now = now or datetime.now(UTC)
    with board(place.info.id).fresh(at_once=True) as seen:
        counts = count(seen, place=place, region=region.code, period=period, now=now)
    if counts is None:
        return None
    at = period.moment(now)
    cases = _Cases(place, region, period, at)
    units = lookups.holders_at({*counts.late, *counts.waiting}, at=at, now=counts.holders)
    late_units = _late_units(counts, units, cases)
    rated = sum(counts.ratings)
    names = {"usual_name": _usual_name(period), "before_name": _before_name(period)}
    figures = _figures(counts, cases, names["before_name"])
    categories = [_category(one, cases) for one in counts.categories]
    rises = [_category(one, cases) for one in counts.rises]
    on_time = counts.figures["closed_on_time"] / counts.figures["due"] if counts.figures["due"] else None
    regions = _regions(counts, cases)
    return Bulletin(
        period=period,
        region=region,
        at=at,
        figures=figures,
        lines=summary(
            period=period, where=named(region), figures={one["id"]: one for one in figures}, on_time=on_time,
            categories=categories, rises=rises, late_units=late_units, going_on=is_going_on(period, at), **names,
        ),
        on_time=on_time,
        since=counts.since,
        points=_points(counts, cases),
        regions=regions[:MOST_REGIONS],
        more_regions=max(0, len(regions) - MOST_REGIONS),
        categories=categories,
        rises=rises,
        late_units=late_units[:MOST_UNITS],
        quick_units=_quick_units(counts, place, at),
        waiting=_waiting(counts, units, place, at),
        spots=_spots(counts, cases),
        ratings=[{"stars": stars, "count": many} for stars, many in enumerate(counts.ratings, 1)][::-1],
        rated=rated,
        mean_rating=sum(stars * many for stars, many in enumerate(counts.ratings, 1)) / rated if rated else None,
        **names,
    )  # fmt: skip


def is_going_on(period: Period, at: datetime) -> bool:
    """Whether a period is not over at a moment."""
    return period.end - at > _LAST_MINUTES


class _Cases:
    """Addresses of lists: the cases behind each figure, as of the same moment."""

    def __init__(self, place: CityRuntime, region: Region, period: Period, at: datetime) -> None:
        self.place, self.region, self.period, self.at = place, region, period, at
        self.base = reverse("cases", args=[place.info.id])
        self.whole = region.code in {root.code for root in place.regions.roots}

    def of(self, figure: str, *, period: Period | None = None, **more: str) -> str:
        """The list of a figure; ``more`` narrows or replaces filters."""
        period = period or self.period
        span = {"after": period.start.isoformat(), "before": period.end.isoformat()}
        within = {
            "opened": {f"opened_{side}": moment for side, moment in span.items()},
            "filed": {f"filed_{side}": moment for side, moment in span.items()},
            "closed": {f"closed_{side}": moment for side, moment in span.items()} | {"state": "closed"},
            "closed_on_time": {f"closed_{side}": moment for side, moment in span.items()} | {"state": "closed_on_time"},
            "open": {"state": "open", "as_of": self.at.isoformat()},
            "overdue": {"state": "overdue", "as_of": self.at.isoformat()},
        }[figure]
        asked = {**within, "region": "" if self.whole else self.region.code, **more}
        return f"{self.base}?{urlencode({name: value for name, value in asked.items() if value})}"


def _figures(counts: Counts, cases: _Cases, before_name: str) -> list[dict[str, Any]]:
    found = []
    for name in FIGURES:
        value, before, usual = counts.figures[name], counts.before[name], counts.usual.get(name)
        change = value - before
        sign = BETTER.get(name, 0) * change
        found.append(
            {
                "id": name,
                "name": say(FIGURE_NAMES[name]),
                "value": value,
                "change": change,
                "change_text": signed(change),
                "change_line": say("{before} {n}", "{n} {before}", before=before_name, n=signed(change)),
                "before": before,
                "usual": usual,
                "usual_text": "" if usual is None else f"{usual:,.1f}".removesuffix(".0"),
                "tone": "better" if sign > 0 else "worse" if sign < 0 else "",
                "link": cases.of(name),
            }
        )
    return found


def signed(change: int) -> str:
    """``+3``, ``−3``, ``±0``."""
    return f"+{change:,}" if change > 0 else f"−{-change:,}" if change else "±0"


def _usual_name(period: Period) -> str:
    if period.weekly:
        return say("前几周平均", "mean of the weeks before")
    weekday = say(WEEKDAYS[period.first.weekday()])
    return say("{weekday}平均", "mean {weekday}", weekday=weekday)


def _before_name(period: Period) -> str:
    return say("比上周", "on the week before") if period.weekly else say("比前一日", "on the day before")


def _points(counts: Counts, cases: _Cases) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{one.first.month}-{one.first.day:02}",
            "value": one.value,
            "link": cases.of("opened", period=one),
            **{name: figures[name] for name in ("opened", "closed", "overdue")},
        }
        for one, figures in counts.points
    ]


def _share(figures: Mapping[str, int]) -> float | None:
    return figures["closed_on_time"] / figures["due"] if figures["due"] else None


def _regions(counts: Counts, cases: _Cases) -> list[dict[str, Any]]:
    """Parts of the region, those with most overdue cases first."""
    found = [
        {
            "code": code,
            "name": named(cases.place.regions[code]) if code else say("未落到下级区域", "In none of these"),
            "values": [
                {"value": figures[name], "link": cases.of(name, region=code) if code and figures[name] else ""}
                for name in ("opened", "closed", "open", "overdue")
            ],
            "on_time": _share(figures),
            **figures,
        }
        for code, figures in counts.regions.items()
    ]
    return sorted(found, key=lambda one: (not one["code"], -one["overdue"], -one["open"], -one["opened"], one["code"]))


def _category(one: tuple[str, int, int], cases: _Cases) -> dict[str, Any]:
    code, many, before = one
    return {
        "code": code,
        "name": category_name(cases.place, code),
        "value": many,
        "change": many - before,
        "change_text": signed(many - before),
        "link": cases.of("opened", category=code) if code else "",
    }


def _late_units(counts: Counts, units: Mapping[int, str], cases: _Cases) -> list[dict[str, Any]]:
    """Units by what was overdue with them at the end; the list is of who holds the cases now, so it leads there only when
    that is the same."""
    then: defaultdict[str, int] = defaultdict(int)
    today: defaultdict[str, int] = defaultdict(int)
    for case in counts.late:
        then[units[case]] += 1
        today[counts.holders[case]] += units[case] == counts.holders[case]
    still: defaultdict[str, int] = defaultdict(int)
    for case in counts.late:
        still[counts.holders[case]] += 1
    return [
        {
            "unit": unit,
            "name": unit_name(cases.place, unit) or say("无承办单位", "Nobody"),
            "value": many,
            "link": cases.of("overdue", holder=unit) if unit and many == today[unit] == still[unit] else "",
        }
        for unit, many in sorted(then.items(), key=lambda one: (-one[1], one[0]))
    ]


def _quick_units(counts: Counts, place: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """Units by the median time from report to close of what they handled; those that closed at least `LEAST_CLOSED`."""
    taken: defaultdict[str, list[int]] = defaultdict(list)
    for case, unit in lookups.handlers(counts.closed, place=place, at=at).items():
        taken[unit].append(counts.closed[case])
    found: list[dict[str, Any]] = [
        {"unit": unit, "name": unit_name(place, unit), "value": len(times), "seconds": median(times)}
        for unit, times in taken.items()
        if len(times) >= LEAST_CLOSED
    ]
    return sorted(found, key=lambda one: (one["seconds"], -one["value"], one["unit"]))[:MOST_UNITS]


def _waiting(counts: Counts, units: Mapping[int, str], place: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "number": row["number"],
            "category": category_name(place, row["category"]),
            "region": region_name(place, row["region"]),
            "holder": unit_name(place, units[row["id"]]),
            "days": (at - row["opened_at"]).days,
            "link": reverse("case", args=[place.info.id, row["number"]]),
        }
        for row in lookups.rows_of(counts.waiting)
    ]


def _spots(counts: Counts, cases: _Cases) -> list[dict[str, Any]]:
    return [
        {
            "name": named({"name": spot["name"], "name_en": spot["name_en"]}),
            "region": region_name(cases.place, spot["region"], levels=1),
            "value": spot["cases"],
            "link": f"{cases.base}?"
            + urlencode(
                {
                    "category": spot["category"],
                    "bbox": spot["bbox"],
                    "opened_after": spot["since"],
                    "opened_before": cases.period.end.isoformat(),
                }
            ),
        }
        for spot in counts.spots
    ]
