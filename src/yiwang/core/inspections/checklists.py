"""Checklists as data: items with their points, each found by one of three kinds of measure.

A checklist has versions. Each is in force for a span of days, and a campaign stays with the version that it began with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256

from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text

ALWAYS = Validity()


class Photo(StrEnum):
    """When an item needs a photo."""

    NEVER = "never"
    FAILED = "failed"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class YesNo:
    """Met or not: 1 or 0. All points or none."""

    def share(self, value: float) -> float:
        """The share of the points that a value is worth, 0 to 1."""
        return 1.0 if value else 0.0

    def fails(self, value: float) -> bool:
        """Whether the item counts as not met."""
        return not value

    def takes(self, value: float) -> bool:
        """Whether a value can be one of this measure."""
        return value in (0, 1)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many faults were found; each takes points off.

    Attributes:
        off: Points that each fault beyond the allowed ones takes off.
        points: Points of the item.
        allowed: So many cost nothing.
    """

    off: float
    points: float
    allowed: int = 0

    def share(self, value: float) -> float:
        """The share of the points that a value is worth, 0 to 1."""
        return max(0.0, 1 - self.off * max(0.0, value - self.allowed) / self.points)

    def fails(self, value: float) -> bool:
        """Whether the item counts as not met."""
        return value > self.allowed

    def takes(self, value: float) -> bool:
        """Whether a value can be one of this measure."""
        return value >= 0 and value == int(value)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value, such as dust in g/m² (以克论净): all points up to the limit, none from ``none`` on, in between a line.

    Attributes:
        unit: By UCUM.
        limit: Up to here the item is met.
        none: From here on there are no points; below ``limit`` where more is better.
        least, most: What the instrument can show.
    """

    unit: str
    limit: float
    none: float
    least: float = 0.0
    most: float = float("inf")

    def share(self, value: float) -> float:
        """The share of the points that a value is worth, 0 to 1."""
        if not self.fails(value):
            return 1.0
        return max(0.0, (self.none - value) / (self.none - self.limit))

    def fails(self, value: float) -> bool:
        """Whether the item counts as not met."""
        return value > self.limit if self.none > self.limit else value < self.limit

    def takes(self, value: float) -> bool:
        """Whether a value can be one of this measure."""
        return self.least <= value <= self.most


Measure = YesNo | Counted | Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is looked at.

    Attributes:
        id: Unique in the checklist.
        name: What is to be found.
        points: What it is worth.
        measure: How it is found.
        group: Part of the checklist that it is counted in; empty for none.
        category: The category of the case that it opens where it is not met; empty where none is.
        photo: When it needs one.
        clause: Where it is written.
    """

    id: str
    name: Text
    points: float
    measure: Measure
    group: str = ""
    category: str = ""
    photo: Photo = Photo.NEVER
    clause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """A version of a checklist.

    Attributes:
        id: Of the checklist; versions share it.
        version: Of this one.
        name: In words.
        validity: When campaigns may begin with it.
        level: Level of the regions that are inspected by it; empty where places are components.
        component: Class of the components that are inspected by it, or the beginning of its code; empty where places are regions.
        items: In the order of the form.
        groups: Names of the groups.
        source: Where it comes from.
        confidence: How sure that is.
    """

    id: str
    version: str
    name: Text
    items: tuple[Item, ...]
    validity: Validity = ALWAYS
    level: str = ""
    component: str = ""
    groups: Mapping[str, Text] = field(default_factory=dict)
    source: Text = NO_TEXT
    confidence: str = ""

    @property
    def possible(self) -> float:
        """The points of all items."""
        return sum(item.points for item in self.items)

    def digest(self) -> str:
        """SHA-256 of what is asked and what it is worth, as one line of JSON, sorted: two versions of the same words differ in it."""
        content = {
            "id": self.id,
            "version": self.version,
            "items": [
                [item.id, dict(item.name), item.points, _told(item.measure), item.group, item.category, item.photo]
                for item in self.items
            ],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def in_force(checklists: Iterable[Checklist], *, on: date) -> dict[str, Checklist]:
    """The version of each checklist that is in force on a day, by id."""
    return {one.id: one for one in checklists if one.validity.contains(on)}


def _told(measure: Measure) -> list[object]:
    match measure:
        case Counted():
            return ["counted", measure.off, measure.allowed]
        case Measured():
            return ["measured", measure.unit, measure.limit, measure.none]
        case _:
            return ["yes_no"]
