"""From an extract of OpenStreetMap (``.osm.pbf``) to the layers of ``basemap/``: which tags become which kind and rank.

Reading needs the package ``osmium``, which an installation without this command does not have. What is outside the area is
left out, and what crosses its edge is cut. The same extract always gives the same bytes.
"""

from __future__ import annotations

import gzip
import importlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.basemap import LAYERS, MOST_LETTERS
from yiwang.packs.coast import NO_SEA, sea_of

MARGIN_M = 3000.0  # beyond the city's outline, so that a map of its edge is not empty on one side
GRID = 1e-6  # degrees to which coordinates are rounded: a tenth of a metre
CLOSENESS = 18  # the `max_zoom` of such a map: the streets are where they are
METRES_PER_DEGREE = 111_195.0
SAY_EVERY = 20_000  # objects
COAST = "coast"  # lines that are gathered, but become no layer: the sea is made of them

_ROADS: Mapping[str, tuple[str, int]] = {
    "motorway": ("motorway", 1), "motorway_link": ("motorway", 1), "trunk": ("trunk", 2), "trunk_link": ("trunk", 2),
    "primary": ("primary", 3), "primary_link": ("primary", 3), "secondary": ("secondary", 4),
    "secondary_link": ("secondary", 4), "tertiary": ("tertiary", 5), "tertiary_link": ("tertiary", 5),
    **dict.fromkeys(("unclassified", "residential", "living_street", "pedestrian", "road"), ("minor", 6)),
}  # fmt: skip
_RAILWAYS = {"rail": 1, "narrow_gauge": 2, "light_rail": 2, "subway": 2, "monorail": 2, "tram": 3}
_WATERWAYS = {"river": 1, "canal": 2, "stream": 3, "ditch": 4, "drain": 4}
_WATER_KINDS = {"river", "canal", "pond", "reservoir", "basin", "dock"}
_GREEN: Mapping[tuple[str, str], str] = {
    **{("leisure", tag): "park" for tag in ("park", "garden", "nature_reserve")},
    **{("landuse", tag): "grass" for tag in ("grass", "meadow", "recreation_ground", "village_green")},
    ("leisure", "golf_course"): "golf", ("landuse", "forest"): "wood", ("natural", "wood"): "wood",
    ("natural", "scrub"): "wood", ("natural", "grassland"): "grass", ("natural", "wetland"): "wetland",
    ("landuse", "cemetery"): "cemetery", ("landuse", "allotments"): "allotments",
}  # fmt: skip
_SETTLED = {
    "city": 1, "town": 2, "borough": 3, "suburb": 3, "quarter": 4, "village": 4, "neighbourhood": 5, "island": 5, "hamlet": 6,
}  # fmt: skip
_SPOTS: Mapping[tuple[str, str], tuple[str, int]] = {
    ("aeroway", "aerodrome"): ("airport", 3), ("railway", "station"): ("station", 6), ("railway", "halt"): ("station", 6),
    ("natural", "peak"): ("peak", 7), ("amenity", "hospital"): ("hospital", 7), ("amenity", "university"): ("college", 7),
    ("amenity", "college"): ("college", 7), ("amenity", "townhall"): ("town_hall", 7), ("tourism", "museum"): ("museum", 7),
    ("tourism", "attraction"): ("attraction", 7), ("leisure", "stadium"): ("stadium", 7), ("tourism", "zoo"): ("zoo", 7),
    ("amenity", "theatre"): ("theatre", 8), ("amenity", "library"): ("library", 8), ("amenity", "police"): ("police", 8),
    ("amenity", "fire_station"): ("fire_station", 8), ("leisure", "park"): ("park", 8), ("amenity", "school"): ("school", 9),
    ("amenity", "place_of_worship"): ("place_of_worship", 9), ("amenity", "marketplace"): ("market", 9),
}  # fmt: skip
KEYS = ("highway", "railway", "waterway", "natural", "landuse", "leisure", "place", "amenity", "tourism", "aeroway")
_BY_AREA = ((10e6, 1), (1e6, 2), (0.1e6, 3))  # square metres from which an area has a rank

Tags = Mapping[str, str]
Step = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What of an extract lies in an area.

    Attributes:
        layers: Of each layer its features as GeoJSON, in an order that depends on nothing but them.
        day: Up to which day the extract is, as far as it says; else the day of its newest object; empty when it tells neither.
        warnings: What could not be drawn, though the extract has something of it.
    """

    layers: Mapping[str, list[dict[str, Any]]]
    day: str
    warnings: tuple[Text, ...] = ()


@dataclass(slots=True)
class _Gathered:
    shapes: list[Any] = field(default_factory=list)
    properties: list[dict[str, Any]] = field(default_factory=list)

    def add(self, shape: Any, properties: dict[str, Any]) -> None:
        self.shapes.append(shape)
        self.properties.append(properties)


def read_extract(path: Path, outline: Any, *, margin: float = MARGIN_M, step: Step = lambda done: None) -> Extract:
    """Read what lies in a city and around it.

    Args:
        path: The ``.osm.pbf``.
        outline: Polygon of the city in WGS 84 degrees.
        margin: Metres around it that are kept.
        step: Told now and then how many objects have been read.

    Raises:
        BadInput: When ``osmium`` is not installed, the file cannot be read to its end, or nothing of it lies in the city.
    """
    osmium = _osmium()
    area = _with_margin(outline, margin)
    gathered = {name: _Gathered() for name in (*LAYERS, COAST)}
    try:
        newest = _gather(osmium, path, shapely.bounds(area), gathered, step)
        header = osmium.io.Reader(str(path)).header()
        stamp = header.get("osmosis_replication_timestamp") or header.get("timestamp") or ""
    except (RuntimeError, ValueError, OSError) as error:  # what osmium raises for a file that it cannot read
        raise _unreadable(path, str(error)) from error
    sea = sea_of(gathered.pop(COAST).shapes, area)
    if sea.shape is not None:
        gathered["water"].add(sea.shape, {"kind": "sea", "rank": 1})
    layers = {name: _features(found, area) for name, found in gathered.items()}
    if not any(layers.values()):
        message = Text(
            "「{path}」里没有这个城市范围内的内容。", "Nothing in {path!r} lies in this city.", path=str(path)
        )
        hint = Text(
            "请换用覆盖该城市的数据摘录，例如所在省份的摘录。",
            "Take an extract that covers the city, such as that of its province.",
        )
        raise BadInput(Problem(message, hint))
    day = stamp[:10] if re.match(r"\d{4}-\d{2}-\d{2}", stamp) else newest
    return Extract(
        layers={name: features for name, features in layers.items() if features},
        day=day,
        warnings=(NO_SEA,) if sea.faulty else (),
    )


def write_folder(folder: Path, extract: Extract) -> None:
    """Write the layers as a pack's ``basemap/`` into an empty folder: the same extract gives the same bytes."""
    for name, features in extract.layers.items():
        text = json.dumps(
            {"type": "FeatureCollection", "features": features},
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        )
        (folder / f"{name}.geojson.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    zh, en = (f"，{extract.day}", f", {extract.day}") if extract.day else ("", "")
    (folder / "basemap.toml").write_text(
        f"""max_zoom = {CLOSENESS}
crs = "wgs84"

[[credit]]
text = "© OpenStreetMap 贡献者（ODbL{zh}）"
text_en = "© OpenStreetMap contributors (ODbL{en})"
url = "https://www.openstreetmap.org/copyright"
""",
        encoding="utf-8",
    )


def _osmium() -> Any:
    try:
        return importlib.import_module("osmium")
    except ImportError as error:
        message = Text("读取 .osm.pbf 需要安装 osmium。", "Reading .osm.pbf needs the package osmium.")
        hint = Text('请运行 pip install "yiwang[basemap]"。', 'Run pip install "yiwang[basemap]".')
        raise BadInput(Problem(message, hint)) from error


def _unreadable(path: Path, why: str) -> BadInput:
    message = Text(
        "「{path}」无法完整读取：{why}。",
        "{path!r} cannot be read to its end: {why}.",
        path=str(path),
        why=why.rstrip("."),
    )
    hint = Text(
        "原有底图不变。请重新下载，并核对校验和。",
        "The map in force stays. Download the file again, and compare its checksum.",
    )
    return BadInput(Problem(message, hint))


def _with_margin(outline: Any, metres: float) -> Any:
    """The area around the city that is kept, wide enough on every side."""
    _, south, _, north = outline.bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    plane = shapely.transform(outline, lambda points: points * (squeeze, 1.0))
    wide = shapely.buffer(plane, metres / METRES_PER_DEGREE, quad_segs=4)
    return shapely.transform(wide, lambda points: points / (squeeze, 1.0))


def _gather(osmium: Any, path: Path, bounds: Any, gathered: Mapping[str, _Gathered], step: Step) -> str:
    """Put every object that is wanted and near into its layers; the day of the newest of them."""
    keys = osmium.filter.KeyFilter(*KEYS)
    objects = osmium.FileProcessor(str(path)).with_locations().with_areas(keys).with_filter(keys)
    writer = osmium.geom.WKBFactory()
    west, south, east, north = bounds
    near = shapely.box(west, south, east, north)
    newest = datetime.min.replace(tzinfo=UTC)
    for number, found in enumerate(objects, start=1):
        if number % SAY_EVERY == 0:
            step(number)
        tags: Tags = dict(found.tags)
        wanted = _wanted(found, tags)
        if not wanted:
            continue
        shape = _shape(writer, found)
        if shape is None or not shapely.intersects(near, shape):
            continue
        newest = max(newest, found.timestamp)
        for layer, said in wanted:
            _put(gathered[layer], layer, shape, {**said, **_names(tags)})
    return newest.date().isoformat() if newest.year > 1970 else ""


def _shape(writer: Any, found: Any) -> Any:
    """The geometry of an object; None where the extract has too little of it."""
    if found.is_node():
        return shapely.Point(found.location.lon, found.location.lat) if found.location.valid() else None
    if found.is_area():
        try:
            return shapely.from_wkb(writer.create_multipolygon(found))
        except RuntimeError:  # a ring that the extract does not close
            return None
    return _line(found.nodes)


def _line(nodes: Any) -> Any:
    """A way, in pieces where nodes of it are not in the extract, as of those that cross its edge."""
    runs: list[list[tuple[float, float]]] = [[]]
    for node in nodes:
        if node.location.valid():
            runs[-1].append((node.lon, node.lat))
        else:
            runs.append([])
    pieces = [run for run in runs if len(run) > 1]
    if not pieces:
        return None
    return shapely.LineString(pieces[0]) if len(pieces) == 1 else shapely.MultiLineString(pieces)


def _wanted(found: Any, tags: Tags) -> list[tuple[str, dict[str, Any]]]:
    """The layers that an object belongs to, with its kind and rank there."""
    if found.is_area():
        return [*_areas_of(tags), *_spots_of(tags)]
    if found.is_node():
        return _spots_of(tags)
    return _lines_of(tags) if found.is_way() else []


def _lines_of(tags: Tags) -> list[tuple[str, dict[str, Any]]]:
    lines = []
    if tags.get("area") != "yes" and (road := _ROADS.get(tags.get("highway", ""))):
        lines.append(("roads", {"kind": road[0], "rank": road[1]}))
    if rank := _RAILWAYS.get(kind := tags.get("railway", "")):
        lines.append(("railways", {"kind": kind, "rank": 3 if "service" in tags else rank}))  # sidings and yards
    if rank := _WATERWAYS.get(kind := tags.get("waterway", "")):
        lines.append(("waterways", {"kind": kind, "rank": rank}))
    if tags.get("natural") == "coastline":
        lines.append((COAST, {}))
    return lines


def _areas_of(tags: Tags) -> list[tuple[str, dict[str, Any]]]:
    if tags.get("natural") == "water" or tags.get("waterway") in ("riverbank", "dock"):
        kind = tags.get("water", "river" if tags.get("waterway") == "riverbank" else tags.get("waterway", ""))
        return [("water", {"kind": kind if kind in _WATER_KINDS else "lake"})]
    if tags.get("landuse") in ("reservoir", "basin"):
        return [("water", {"kind": tags["landuse"]})]
    green = next((kind for (key, value), kind in _GREEN.items() if tags.get(key) == value), "")
    return [("green", {"kind": green})] if green else []


def _spots_of(tags: Tags) -> list[tuple[str, dict[str, Any]]]:
    if not _names(tags):
        return []
    if rank := _SETTLED.get(kind := tags.get("place", "")):
        return [("places", {"kind": kind, "rank": rank})]
    spot = next((spot for (key, value), spot in _SPOTS.items() if tags.get(key) == value), None)
    return [("places", {"kind": spot[0], "rank": spot[1]})] if spot else []


def _names(tags: Tags) -> dict[str, str]:
    """``name`` is what Chinese pages write, ``name_en`` what English ones do; where they are one it stands once."""
    own = tags.get("name", "").strip()
    name = (tags.get("name:zh") or tags.get("name:zh-Hans") or own).strip()[:MOST_LETTERS]
    english = (tags.get("name:en") or (own if name != own else "")).strip()[:MOST_LETTERS]
    if not name:
        name, english = english, ""
    return {"name": name, **({"name_en": english} if english and english != name else {})} if name else {}


def _put(into: _Gathered, layer: str, shape: Any, said: dict[str, Any]) -> None:
    if layer == "places":
        into.add(shapely.point_on_surface(shape), said)
        return
    if layer in ("water", "green"):
        latitude = shape.centroid.y
        size = shape.area * METRES_PER_DEGREE**2 * math.cos(math.radians(latitude))
        said = {**said, "rank": next((rank for least, rank in _BY_AREA if size >= least), 4)}
    into.add(shape, said)


def _features(found: _Gathered, area: Any) -> list[dict[str, Any]]:
    """The features of a layer inside an area, cut at its edge and rounded."""
    if not found.shapes:
        return []
    shapes = np.array(found.shapes, dtype=object)
    shapely.prepare(area)
    shapes = shapely.make_valid(shapes)
    inside = shapely.intersects(area, shapes)
    crossing = inside & ~shapely.covers(area, shapes)
    shapes[crossing] = shapely.intersection(shapes[crossing], area)
    rounded = shapely.set_precision(shapes, GRID)
    features = []
    for at in np.flatnonzero(inside).tolist():
        shape = _of_one_kind(rounded[at], shapely.get_dimensions(found.shapes[at]))
        if shape is not None:
            geometry = json.loads(shapely.to_geojson(shape))
            features.append({"type": "Feature", "geometry": geometry, "properties": found.properties[at]})
    return sorted(features, key=lambda one: json.dumps(one, ensure_ascii=False, sort_keys=True))


def _of_one_kind(shape: Any, dimension: int) -> Any:
    """Of what cutting and repairing left the parts that are still areas, or lines; None where nothing is."""
    parts = [one for one in shapely.get_parts(shape, return_index=False) if not one.is_empty]
    parts = [
        piece for one in parts for piece in (shapely.get_parts(one) if one.geom_type.startswith("Multi") else [one])
    ]
    kept = [one for one in parts if shapely.get_dimensions(one) == dimension]
    if not kept:
        return None
    if len(kept) == 1:
        return kept[0]
    collect = {0: shapely.multipoints, 1: shapely.multilinestrings, 2: shapely.multipolygons}[dimension]
    whole = shapely.normalize(collect(kept))
    return whole if dimension < 2 or whole.is_valid else shapely.union_all(kept)
