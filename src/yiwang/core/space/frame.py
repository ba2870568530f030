"""A city's local metric frame and the lattice of square cells laid over it.

The frame is equirectangular: metres east and north of an origin are longitude and latitude differences times two
constants, the radii of curvature of WGS 84 at the origin's latitude (prime vertical times its cosine, and meridian).
Being affine, it keeps straight lines straight and makes every lattice line a line of constant longitude or latitude,
so cells of different regions share their sides to the last bit. What it distorts: east-west lengths away from the
origin's latitude, by tan(latitude) times the difference in radians (at latitude 31.6, 0.43 degree from the middle:
0.46 %), north-south ones by under 0.01 %. Areas are corrected for this, sides of cells are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# WGS 84 (NIMA TR8350.2): semi-major axis in metres and first eccentricity squared.
_SEMI_MAJOR_AXIS = 6378137.0
_ECCENTRICITY_SQUARED = 0.00669437999014


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Metres that one degree of longitude and one of latitude span at a latitude on the WGS 84 ellipsoid."""
    radians = math.radians(lat)
    magic = 1.0 - _ECCENTRICITY_SQUARED * math.sin(radians) ** 2
    prime_vertical = _SEMI_MAJOR_AXIS / math.sqrt(magic)
    meridian = _SEMI_MAJOR_AXIS * (1.0 - _ECCENTRICITY_SQUARED) / magic**1.5
    return math.radians(prime_vertical * math.cos(radians)), math.radians(meridian)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Square cells, numbered from an origin: column i counts eastward, row j northward, both may be negative.

    Attributes:
        lon: Longitude of the origin in degrees, the lower left corner of cell (0, 0).
        lat: Latitude of the origin; lengths are true there.
        size_m: Side of a cell in metres.
    """

    lon: float
    lat: float
    size_m: float

    @classmethod
    def around(cls, bounds: tuple[float, float, float, float], *, size_m: float) -> Lattice:
        """A lattice with its origin at the middle of a box, rounded to a tenth of a degree: small changes keep it."""
        west, south, east, north = bounds
        return cls(lon=round((west + east) / 2, 1), lat=round((south + north) / 2, 1), size_m=size_m)

    @property
    def step(self) -> tuple[float, float]:
        """Degrees of longitude and of latitude that one cell spans."""
        east, north = metres_per_degree(self.lat)
        return self.size_m / east, self.size_m / north

    def to_cells(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Position in cells from the origin: the integer part is the cell, the fraction the place inside it."""
        step_lon, step_lat = self.step
        return (lon - self.lon) / step_lon, (lat - self.lat) / step_lat

    def to_degrees(self, u: Any, v: Any) -> tuple[Any, Any]:
        """Longitude and latitude of a position in cells."""
        step_lon, step_lat = self.step
        return self.lon + u * step_lon, self.lat + v * step_lat

    def cell_area_m2(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Area on the ellipsoid of one whole cell at these row positions (the middle of a row is j + 0.5)."""
        degrees = self.lat + np.asarray(rows, dtype=np.float64) * self.step[1]
        radians = np.radians(degrees)
        magic = 1.0 - _ECCENTRICITY_SQUARED * np.sin(radians) ** 2
        # Product of the two radii of curvature, times the spans in radians.
        curvature = _SEMI_MAJOR_AXIS**2 * (1.0 - _ECCENTRICITY_SQUARED) / magic**2
        step_lon, step_lat = np.radians(self.step)
        area: NDArray[np.float64] = curvature * np.cos(radians) * step_lon * step_lat
        return area
