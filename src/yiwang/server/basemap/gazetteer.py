"""Places by name, and the name of a place: the regions of a city and what its base map calls by name, with points.

Forward, words or coordinates become places to put a pin on; back, a point becomes its community and the nearest named road.
What the base map does not name is not found; doors of houses are in no layer at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.basemap import Layer
from yiwang.server.basemap.grounds import ground_of
from yiwang.server.basemap.tiling import in_wgs84
from yiwang.server.cities.derived import Derived
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.name_index import Named, NameIndex

METRES_PER_DEGREE = 111_195.0  # of latitude, on the sphere
NEAR_M = 300.0  # a road farther away than this does not say where somebody stands
KINDS = {
    "region": Text("区域", "Region"),
    "roads": Text("道路", "Road"),
    "places": Text("地名", "Place"),
    "water": Text("水面", "Water"),
    "waterways": Text("河道", "Waterway"),
    "railways": Text("铁路", "Railway"),
    "green": Text("绿地", "Green space"),
    "point": Text("坐标", "Coordinates"),
}
_PAIR = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*[,，;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*")
_WIDTHS = str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place with a point to put a pin on.

    Attributes:
        name: How it is called.
        kind: Key of `KINDS`.
        lon, lat: WGS 84 degrees; for a line or an area a point on or in it.
        region: Finest region there; empty outside the city.
        within: That region and those around it, in words.
    """

    name: Text
    kind: str
    lon: float
    lat: float
    region: str = ""
    within: Text = NO_TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What a point is called.

    Attributes:
        region: Finest region, empty outside the city.
        within: It and those around it.
        road: The nearest named road, or nothing within `NEAR_M`.
        metres: How far the road is; None without one.
    """

    region: str
    within: Text
    road: Text
    metres: float | None


class Gazetteer:
    """The names of one version of a city. Made once, then only read."""

    def __init__(self, place: CityRuntime, layers: dict[str, Layer], *, crs: str) -> None:
        self._city = place
        self._places = [*_regions(place), *_features(place, layers, crs)]
        weights = {"region": 3.0, "places": 2.0, "roads": 1.0}
        self._index = NameIndex(
            Named(number, tuple(dict.fromkeys(found.name.values())), (), weights.get(found.kind, 0.0))
            for number, found in enumerate(self._places)
        )
        self._roads, self._road_names = _named_roads(layers.get("roads"), crs)
        self._squeeze = math.cos(math.radians(_middle_latitude(place)))
        self._tree = STRtree([shapely.transform(road, self._to_plane) for road in self._roads])

    def __len__(self) -> int:
        return len(self._places)

    def find(self, words: str, *, limit: int = 10) -> list[Place]:
        """Places that words or coordinates mean, best first. Of coordinates either order is read, as it lies in the city."""
        if point := self._point(words):
            return [point]
        if not words.strip():
            return []
        return [self._places[number] for number in self._index.find(words, limit=limit)]

    def about(self, lon: float, lat: float) -> Whereabouts:
        """What a point in WGS 84 is called."""
        region, within = _within(self._city, lon, lat)
        point = shapely.transform(shapely.Point(lon, lat), self._to_plane)
        near, distance = self._tree.query_nearest(
            point, max_distance=NEAR_M / METRES_PER_DEGREE, return_distance=True, all_matches=False
        )
        if not len(near):
            return Whereabouts(region=region, within=within, road=NO_TEXT, metres=None)
        metres = float(distance[0]) * METRES_PER_DEGREE
        return Whereabouts(region=region, within=within, road=self._road_names[near[0]], metres=metres)

    def _to_plane(self, degrees: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(degrees * (self._squeeze, 1.0))

    def _point(self, words: str) -> Place | None:
        pair = _PAIR.fullmatch(words.translate(_WIDTHS))
        if pair is None:
            return None
        one, two = float(pair[1]), float(pair[2])
        for lon, lat in ((one, two), (two, one)):
            if abs(lat) <= 90 and abs(lon) <= 180 and self._city.locate(lon, lat, crs="wgs84")[0].code:
                region, within = _within(self._city, lon, lat)
                called = f"{lon:.6f}, {lat:.6f}"
                return Place(name=Text(called, called), kind="point", lon=lon, lat=lat, region=region, within=within)
        return None


def gazetteer(place: CityRuntime) -> Gazetteer:
    """The gazetteer of a city as it is now; the first question to a version makes it, which takes a second or two.

    A city without a base map still has its regions.
    """
    ground = ground_of(place.pack)
    return _GAZETTEERS.of(place, (place.day, ground.basemap.digest if ground else ""))


def _read(place: CityRuntime, _part: Hashable) -> Gazetteer:
    ground = ground_of(place.pack)
    return Gazetteer(place, ground.layers(), crs=ground.basemap.crs) if ground else Gazetteer(place, {}, crs="wgs84")


_GAZETTEERS = Derived(_read, most=8)


def _regions(place: CityRuntime) -> Iterator[Place]:
    for region in place.locator.tree:
        if region.geometry is not None:
            point = region.geometry.representative_point()
            _, within = _chain(place, region.parent) if region.parent else ("", NO_TEXT)
            yield Place(name=region.name, kind="region", lon=point.x, lat=point.y, region=region.code, within=within)


def _features(place: CityRuntime, layers: dict[str, Layer], crs: str) -> Iterator[Place]:
    """One place for each name in each region below the city: a road comes in many pieces, of which the longest has the pin."""
    longest: dict[tuple[str, str, str], tuple[float, Place]] = {}
    for kind, layer in layers.items():
        points = shapely.point_on_surface(in_wgs84(layer.shapes, crs))
        sizes = shapely.length(layer.shapes)
        for point, size, said in zip(points, sizes, layer.properties, strict=True):
            name = said.get("name", "")
            if not name:
                continue
            region, within = _within(place, point.x, point.y)
            district = place.regions.chain(region)[min(1, len(place.regions.chain(region)) - 1)].code if region else ""
            key = (kind, name, district)
            if key not in longest or longest[key][0] < size:
                text = Text.of({"zh": name, "en": said.get("name_en", "") or name})
                found = Place(name=text, kind=kind, lon=point.x, lat=point.y, region=region, within=within)
                longest[key] = (float(size), found)
    for _, found in longest.values():
        yield found


def _named_roads(layer: Layer | None, crs: str) -> tuple[list[Any], list[Text]]:
    if layer is None:
        return [], []
    named = [number for number, said in enumerate(layer.properties) if said.get("name")]
    shapes = in_wgs84(layer.shapes[named], crs)
    return list(shapes), [
        Text.of({"zh": said["name"], "en": said.get("name_en", "") or said["name"]})
        for said in (layer.properties[number] for number in named)
    ]


def _within(place: CityRuntime, lon: float, lat: float) -> tuple[str, Text]:
    code = place.locate(lon, lat, crs="wgs84")[0].code
    return _chain(place, code) if code else ("", NO_TEXT)


def _chain(place: CityRuntime, code: str) -> tuple[str, Text]:
    names = [region.name for region in place.regions.chain(code)][1:]
    return code, Text.join({"zh": " · ", "en": " · "}, names) if names else NO_TEXT


def _middle_latitude(place: CityRuntime) -> float:
    bounds = [found for region in place.regions.roots if (found := region.bounds)]
    return (bounds[0][1] + bounds[0][3]) / 2 if bounds else 0.0
