"""How far a unit is: the figures are those of the score, by month, for the moment that the score is counted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from yiwang.core.indicators.definitions import UNITS, Indicator
from yiwang.core.indicators.scorecard import Cell
from yiwang.core.kernel.text import Text
from yiwang.core.targets import letters as core
from yiwang.core.targets.forecast import Forecast, year_end_count, year_end_rate
from yiwang.core.targets.light import REASONS, Light, light_of
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.scores import queries as scores
from yiwang.server.targets.models import Item, Letter

YEARS_BEFORE = 2
HIGHEST = {"percent": 100.0}
NOT_BEGUN = Text("年度还没有开始", "The year has not begun")
NOT_MEASURED = Text("城市包不再有这个指标", "The pack no longer measures this indicator")
_REMEMBERED = 100
_counted: dict[Any, dict[tuple[str, str], dict[str, Cell]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """What is wanted by the end of a month, and what there was.

    Attributes:
        value: None while the month is not over, and for no data.
        reached: None likewise.
    """

    month: int
    wanted: float
    value: float | None
    reached: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one item of a letter is.

    Attributes:
        value: The figure of the year up to now, as the score has it; None for no data.
        counts: What it was divided from; None for a count and for no data.
        forecast: None where nothing can be said.
        reason: Of the light.
        changed: The pack counts the indicator in another way than when the letter was drafted.
    """

    value: float | None
    counts: tuple[int, int] | None
    forecast: Forecast | None
    light: Light
    reason: Text
    milestones: tuple[Milestone, ...] = ()
    changed: bool = False


class Months:
    """Figures of a city's regions by month, up to the end of a year.

    Attributes:
        as_of: The moment for which they are counted; None where nothing has been counted.
        done: How many months of the year are over by then.
    """

    def __init__(self, place: CityRuntime, *, year: int, indicators: Iterable[str], levels: Iterable[str]) -> None:
        self.year, self.done = year, 0
        self.as_of: datetime | None = None
        self._today: date | None = None
        self.indicators: dict[str, Indicator] = {}
        self._cells: dict[tuple[str, str], dict[str, Cell]] = {}
        self._first = ""
        store = scores.complete_store(place)
        if store is None:
            return
        self.as_of = at = stands_at(city=place.info.id) or store.refreshed_at
        self._today = today = at.astimezone(place.info.zone).date()
        self.done = max(0, min(core.MONTHS, (today.year - year) * core.MONTHS + today.month - 1))
        known = place.pack.indicators.in_force(today)
        self.indicators = {one: known[one] for one in sorted(set(indicators)) if one in known}
        wanted = [level.id for level in place.info.levels if level.id in set(levels) | {place.info.levels[0].id}]
        if self.indicators:
            self._cells = _cells(place, self.indicators, wanted, year, at)
            labels = [label for cells in self._cells.values() for label in cells]
            self._first = min(labels, default="")

    def cells(self, unit: str, indicator: str) -> Mapping[str, Cell]:
        """The months in which a region had anything, like ``2026-03``."""
        return self._cells.get((unit, indicator), {})

    def of_year(self, unit: str, indicator: str, *, year: int | None = None, through: int = core.MONTHS) -> Cell | None:
        """The figure from 1 January to the end of a month; None where nothing has been counted in that time."""
        year = self.year if year is None else year
        one = self.indicators.get(indicator)
        if one is None or not self._first or self._first > f"{year:04}-{through:02}":
            return None
        found = [
            cell
            for label, cell in self.cells(unit, indicator).items()
            if f"{year:04}-01" <= label <= f"{year:04}-{through:02}"
        ]
        above = sum(cell.numerator for cell in found)
        below = None if one.denominator is None else sum(cell.denominator or 0 for cell in found)
        return Cell(above, below, one.value(above, below))

    def before(self, unit: str, indicator: str) -> float | None:
        """The figure of the year before; None unless all of it was counted."""
        if not self._first or self._first > f"{self.year - 1:04}-01":
            return None
        cell = self.of_year(unit, indicator, year=self.year - 1)
        return cell.value if cell else None

    def caseload(self, unit: str, indicator: str) -> float | None:
        """What the rate was divided by, over all months that are kept; None for nothing."""
        return float(sum(cell.denominator or 0 for cell in self.cells(unit, indicator).values())) or None

    def count(self, unit: str, indicator: str) -> float | None:
        """The count over all months that are kept; None for nothing."""
        return float(sum(cell.numerator for cell in self.cells(unit, indicator).values())) or None

    def forecast(self, unit: str, indicator: str) -> Forecast | None:
        """The figure at the end of the year."""
        one = self.indicators.get(indicator)
        if one is None or self.as_of is None or not self._first or self._not_begun():
            return None
        last = f"{self.year:04}-{self.done:02}" if self.done else f"{self.year - 1:04}-12"
        labels = _labels(self._first, last)
        found, scale = self.cells(unit, indicator), float(UNITS[one.unit])
        if one.denominator is None:
            # the city was counted in these months, so one in which the region has no row is one without cases
            series = [found[label].numerator * scale if label in found else 0.0 for label in labels]
            so_far = self.of_year(unit, indicator)
            # a year whose first months were not counted has no total
            if len(labels) < self.done or not any(series):
                return None
            return year_end_count(series, done=self.done, so_far=so_far.value if so_far else None)
        uncounted: list[float | None] = [None] * max(0, self.done - len(labels))
        above = [found[label].numerator * scale if label in found else None for label in labels]
        below = [float(found[label].denominator or 0) if label in found else None for label in labels]
        return year_end_rate([*uncounted, *above], [*uncounted, *below], done=self.done, highest=HIGHEST.get(one.unit))

    def progress(self, unit: str, item: Item) -> Progress:
        """How far an item of a region's letter is."""
        one = self.indicators.get(item.indicator)
        cell = self.of_year(unit, item.indicator)
        forecast = self.forecast(unit, item.indicator)
        wanted = item_of(item)
        light, milestones = light_of(wanted, forecast), []
        for month, value in sorted(wanted.milestones.items()):
            was = self.of_year(unit, item.indicator, through=month) if month <= self.done else None
            there = was.value if was else None
            milestones.append(
                Milestone(
                    month=month,
                    wanted=value,
                    value=there,
                    reached=None if there is None else wanted.reached_by(there, value),
                )
            )
        reason = REASONS[light]
        if self.as_of is not None and one is None:
            reason = NOT_MEASURED
        elif forecast is None and self._not_begun():
            reason = NOT_BEGUN
        return Progress(
            value=cell.value if cell else None,
            counts=(cell.numerator, cell.denominator) if cell and cell.denominator else None,
            forecast=forecast,
            light=light,
            reason=reason,
            milestones=tuple(milestones),
            changed=one is not None and list(one.formula) != item.terms["formula"],
        )

    def _not_begun(self) -> bool:
        return self._today is not None and self._today.year < self.year


def months_for(place: CityRuntime, found: Sequence[Letter], *, year: int) -> Months:
    """The figures that letters of a year need, counted in one pass."""
    levels = {region.level for one in found if (region := place.regions.get(one.unit))}
    return Months(
        place, year=year, indicators={item.indicator for one in found for item in one.items.all()}, levels=levels
    )


def item_of(item: Item) -> core.Item:
    """What the core knows of an item."""
    return core.Item(
        indicator=item.indicator,
        kind=core.Kind(item.terms["kind"]),
        direction=item.terms["direction"],
        baseline=item.baseline,
        target=item.target,
        milestones={int(month): value for month, value in item.milestones.items()},
    )


def letter_of(letter: Letter) -> core.Letter:
    """What the core knows of a letter."""
    return core.Letter(unit=letter.unit, year=letter.year, items=tuple(item_of(one) for one in letter.items.all()))


def share_of(value: float | None, item: Item) -> float | None:
    """How far a count is on its way to the target, as a share of one; None for rates, and for no data."""
    counts = item.terms["kind"] == core.Kind.COUNT and item.terms["direction"] == "up"
    return value / item.target if counts and value is not None and item.target else None


def _cells(
    place: CityRuntime, indicators: Mapping[str, Indicator], levels: Sequence[str], year: int, at: datetime
) -> dict[tuple[str, str], dict[str, Cell]]:
    """(Region, indicator) → month → figure. A process counts it once for everybody who looks, until the facts change."""
    versions = tuple(
        (store.version if (store := scores.current_store(place, table)) else 0)
        for table in scores.measured_tables(place)
    )
    key = (place.info.id, place.digest, versions, at, tuple(indicators), tuple(levels), year)
    if key not in _counted:
        if len(_counted) >= _REMEMBERED:
            _counted.clear()
        card = scores.scorecard(
            place=place, by=("month",), indicators=tuple(indicators), since=date(year - YEARS_BEFORE, 1, 1),
            until=date(year + 1, 1, 1), as_of=at, groupings=[(level,) for level in levels],
        )  # fmt: skip
        found: dict[tuple[str, str], dict[str, Cell]] = {}
        for row in card.rows:
            unit = next((row.keys[level] for level in levels if row.keys.get(level)), "")
            if unit and row.keys["month"]:
                for name, cell in row.cells.items():
                    found.setdefault((unit, name), {})[row.keys["month"]] = cell
        _counted[key] = found
    return _counted[key]


def _labels(first: str, last: str) -> list[str]:
    """Every month from one to another, both included."""
    year, month = int(first[:4]), int(first[5:])
    found = []
    while f"{year:04}-{month:02}" <= last:
        found.append(f"{year:04}-{month:02}")
        year, month = (year, month + 1) if month < core.MONTHS else (year + 1, 1)
    return found
