"""Regions and their levels: coded places, in force for a time, never known by their names."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapely import Geometry

from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of a city's tree, as its pack declares it, from the city down.

    Attributes:
        id: Word used in data and templates, e.g. ``street``.
        name: For people.
        width: Length of a region's code at this level.
    """

    id: str
    name: Text = NO_TEXT
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A node of the tree.

    Attributes:
        code: Path code: starts with the parent's code, so a prefix finds everything below.
        name: For people. Names are not unique and are no keys.
        level: Id of its level.
        parent: Code of the parent; empty at the root.
        official_code: The code that the authority publishes, where it differs.
        validity: Days on which it exists.
        predecessors: Codes of the regions that it came from by merger, split or renaming.
        geometry: Polygon or multipolygon in WGS 84 degrees, or None.
        approximate: The geometry is not a boundary, only a likely place.
        source: Where the row comes from.
        confidence: How far it is trusted.
    """

    code: str
    name: Text
    level: str
    parent: str = ""
    official_code: str = ""
    validity: Validity = field(default_factory=Validity)
    predecessors: tuple[str, ...] = ()
    geometry: Geometry | None = field(default=None, repr=False)
    approximate: bool = False
    source: str = ""
    confidence: str = ""

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in degrees, or None without a geometry."""
        if self.geometry is None:
            return None
        west, south, east, north = self.geometry.bounds
        return west, south, east, north
