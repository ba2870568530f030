"""Which request a duplicate repeats: the one that its closing text names, else the likeliest one near it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import cos, hypot, radians

from yiwang.core.space import DefaultPoint
from yiwang.packs.records.mapping import DuplicateRule
from yiwang.packs.records.reading import SourceRecord

_METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a duplicate repeats.

    Attributes:
        original: External id of the other request, or empty when none was found.
        how: ``number`` (the closing text names it), ``place`` (likeliest one near), ``elsewhere`` (the text names one
            that is not in the file), ``later`` (it names one that was opened only after this one was closed),
            ``original`` (it and the named one name each other, and this is the older), or ``unknown``.
    """

    original: str
    how: str

    @property
    def is_usable(self) -> bool:
        """Whether the other request is in the file and was there when the duplicate was closed."""
        return self.how in {"number", "place"}


def link_duplicates(
    records: Sequence[SourceRecord], *, rule: DuplicateRule, default_points: Sequence[DefaultPoint] = ()
) -> dict[str, Link]:
    """For each record whose closing text says that it is a duplicate, what it repeats. The same records, the same links.

    A record whose text names no other is compared with those of its category at the same place in words, or no further
    than ``rule.within_m``, that were open when it came or had come no more than ``rule.within_days`` before. Among them
    one that is itself no duplicate is preferred, then the same words for the place, then one still open, then the
    latest. Links never go in a circle: the oldest of a circle is the original.

    Args:
        records: All records of the file.
        rule: The mapping's rule.
        default_points: Points that stand for "no place known"; they are near to nothing.
    """
    by_id = {record.external_id: record for record in records}
    places = _Places(records, default_points)
    links: dict[str, Link] = {}
    for record in records:
        if record.says_duplicate:
            links[record.external_id] = _link(record, by_id, places, rule)
    return _without_circles(links, by_id)


def _link(record: SourceRecord, by_id: Mapping[str, SourceRecord], places: _Places, rule: DuplicateRule) -> Link:
    if record.duplicate_of:
        other = by_id.get(record.duplicate_of)
        if other is None:
            return Link(original=record.duplicate_of, how="elsewhere")
        if record.closed_at is not None and other.opened_at > record.closed_at:
            return Link(original=other.external_id, how="later")
        return Link(original=other.external_id, how="number")
    found = places.likeliest(record, rule)
    return Link(original=found.external_id, how="place") if found else Link(original="", how="unknown")


def _without_circles(links: Mapping[str, Link], by_id: Mapping[str, SourceRecord]) -> dict[str, Link]:
    sound = dict(links)
    for start in links:
        path = [start]
        while (link := sound.get(path[-1])) is not None and link.is_usable:
            if link.original in path:
                circle = path[path.index(link.original) :]
                oldest = min(circle, key=lambda number: (by_id[number].opened_at, number))
                sound[oldest] = Link(original="", how="original")
                break
            path.append(link.original)
    return sound


class _Places:
    """Records by category and place, for looking around one of them."""

    def __init__(self, records: Sequence[SourceRecord], default_points: Sequence[DefaultPoint]) -> None:
        self._default_points = default_points
        self._points: dict[str, tuple[float, float] | None] = {}
        self._by_words: dict[tuple[str, str], list[SourceRecord]] = defaultdict(list)
        self._by_cell: dict[tuple[str, int, int], list[SourceRecord]] = defaultdict(list)
        for record in records:
            if record.place:
                self._by_words[record.category, _spelling(record.place)].append(record)
            point = self._point(record)
            if point is not None:
                self._by_cell[record.category, *_cell(*point)].append(record)

    def _point(self, record: SourceRecord) -> tuple[float, float] | None:
        if record.lon is None or record.lat is None:
            return None
        point = (record.lon, record.lat)
        real = all(_metres(point, (at.lon, at.lat)) > at.radius_m for at in self._default_points)
        return point if real else None

    def likeliest(self, record: SourceRecord, rule: DuplicateRule) -> SourceRecord | None:
        same_words = self._by_words.get((record.category, _spelling(record.place)), []) if record.place else []
        candidates = {other.external_id: (other, True) for other in same_words}
        point = self._point(record)
        if point is not None:
            for other, other_point in self._around(record.category, point, rule.within_m):
                if _metres(point, other_point) <= rule.within_m:
                    candidates.setdefault(other.external_id, (other, False))
        earliest = record.opened_at - timedelta(days=rule.within_days)
        best: tuple[tuple[bool, bool, bool, float, str], SourceRecord] | None = None
        for other, same in candidates.values():
            still_open = other.closed_at is None or other.closed_at >= record.opened_at
            came_before = (other.opened_at, other.external_id) < (record.opened_at, record.external_id)
            if not came_before or not (still_open or other.opened_at >= earliest):
                continue
            rank = (not other.says_duplicate, same, still_open, other.opened_at.timestamp(), other.external_id)
            if best is None or rank > best[0]:
                best = (rank, other)
        return best[1] if best else None

    def _around(
        self, category: str, point: tuple[float, float], within_m: float
    ) -> list[tuple[SourceRecord, tuple[float, float]]]:
        x, y = _cell(*point)
        reach_y = int(within_m / (_METRES_PER_DEGREE * _CELL)) + 1
        reach_x = int(within_m / (_METRES_PER_DEGREE * _CELL * max(0.01, cos(radians(point[1]))))) + 1
        found = []
        for column in range(x - reach_x, x + reach_x + 1):
            for row in range(y - reach_y, y + reach_y + 1):
                for other in self._by_cell.get((category, column, row), ()):
                    assert other.lon is not None
                    assert other.lat is not None
                    found.append((other, (other.lon, other.lat)))
        return found


_CELL = 0.001  # degrees; about 100 m


def _cell(lon: float, lat: float) -> tuple[int, int]:
    return int(lon // _CELL), int(lat // _CELL)


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance on a plane; good enough for the few hundred metres that matter here."""
    shrink = cos(radians((one[1] + other[1]) / 2))
    return hypot((one[0] - other[0]) * shrink, one[1] - other[1]) * _METRES_PER_DEGREE


def _spelling(place: str) -> str:
    return " ".join(place.split()).casefold()
