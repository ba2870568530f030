"""Space: the region tree and its codes, unit grids, coordinates, and where a point lies."""

from yiwang.core.space.crs import SYSTEMS, from_wgs84, to_wgs84
from yiwang.core.space.geometry import Shape, bounding_box, from_wkb, read_shapes, to_geojson, to_wkb
from yiwang.core.space.grids import BASE_36, DIGITS, GridChanges, GridRules, UnitGrids
from yiwang.core.space.locator import DefaultPoint, Location, Locator
from yiwang.core.space.numbering import generate_unit_grids
from yiwang.core.space.reading import read_regions
from yiwang.core.space.regions import Level, Region
from yiwang.core.space.tree import RegionTree

__all__ = [
    "BASE_36",
    "DIGITS",
    "SYSTEMS",
    "DefaultPoint",
    "GridChanges",
    "GridRules",
    "Level",
    "Location",
    "Locator",
    "Region",
    "RegionTree",
    "Shape",
    "UnitGrids",
    "bounding_box",
    "from_wgs84",
    "from_wkb",
    "generate_unit_grids",
    "read_regions",
    "read_shapes",
    "to_geojson",
    "to_wgs84",
    "to_wkb",
]
