"""Write packs/boston/regions.csv and regions.geojson.gz: city, public works district, ward, precinct.

    .venv/bin/python packs/boston/provenance/boston_regions.py

Why this tree stands in docs/decisions/0060-boston-tree.md. The 26 neighbourhood outlines are real; nothing published with
them outlines wards or precincts, so their cells are grown here: each point of a request of July–September 2011 claims what
lies nearest to it for the precinct and district that the request's own words name. They are labelled approximate.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry import mapping, shape

from boston_data import CITY, NEIGHBORHOODS, PACK, PERIOD, district, precinct, rows, write_csv

COLUMNS = (
    "code", "name", "name_en", "level", "parent", "official_code", "valid_from", "valid_to", "predecessors",
    "source", "confidence",
)  # fmt: skip
DEFAULT_POINT = ("42.3594", "-71.0587")
FEWEST = 5  # requests that a district's part of a precinct must have, unless it is the precinct's larger part
SMALLEST_SHARE = 0.02
SMALL_PIECE_M2 = 30_000  # detached pieces below this go to the neighbour with the longest common border
SIMPLIFY_M = 6.0
METRES_LAT = 111_195.0
METRES_LON = METRES_LAT * np.cos(np.radians(42.32))


def leaves() -> dict[str, int]:
    """Codes of the precincts' parts, with their requests."""
    parts: Counter[tuple[str, str]] = Counter()
    for row in rows():
        part = district(row["pwd_district"]), precinct(row["precinct"])
        if all(part):
            parts[part] += 1
    totals: Counter[str] = Counter()
    largest: dict[str, int] = defaultdict(int)
    for (_, number), count in parts.items():
        totals[number] += count
        largest[number] = max(largest[number], count)
    return {
        f"{CITY}{area}{number}": count
        for (area, number), count in sorted(parts.items())
        if count == largest[number] or (count >= FEWEST and count >= SMALLEST_SHARE * totals[number])
    }


def points(codes: dict[str, int]) -> dict[tuple[float, float], str]:
    """Each place of a request (longitude, latitude) with the leaf that most of its requests name."""
    votes: dict[tuple[float, float], Counter[str]] = defaultdict(Counter)
    for row in rows():
        if (row["latitude"], row["longitude"]) == DEFAULT_POINT or not row["latitude"]:
            continue
        code = f"{CITY}{district(row['pwd_district'])}{precinct(row['precinct'])}"
        if code in codes:
            votes[float(row["longitude"]), float(row["latitude"])][code] += 1
    return {at: max(sorted(found), key=lambda code: found[code]) for at, found in sorted(votes.items())}


def without_strays(places: dict[tuple[float, float], str]) -> dict[tuple[float, float], str]:
    """Drop points that none of their nearest neighbours agrees with: their address was put in the wrong spot."""
    at = np.array([(lon * METRES_LON, lat * METRES_LAT) for lon, lat in places])
    labels = np.array(list(places.values()))
    sizes = Counter(labels.tolist())
    kept = {}
    for index, (place, label) in enumerate(places.items()):
        near = np.argsort(((at - at[index]) ** 2).sum(axis=1))[1:8]
        if sizes[label] <= 4 or (labels[near] == label).sum() >= 2:
            kept[place] = label
    return kept


def cells(
    places: dict[tuple[float, float], str], hoods: list[shapely.Geometry], city: shapely.Geometry
) -> dict[str, shapely.Geometry]:
    """Voronoi cells of the places, joined by leaf (all in metres).

    The real outlines count: ground in a neighbourhood goes to the nearest place in that neighbourhood; only where it has
    none (islands), and in the seams between outlines, to the nearest of all.
    """
    xy = shapely.points(np.array([(lon * METRES_LON, lat * METRES_LAT) for lon, lat in places]))
    labels = np.array(list(places.values()))
    joined: dict[str, list[shapely.Geometry]] = defaultdict(list)
    rest = city
    for hood in hoods:
        inside = shapely.contains_xy(hood, shapely.get_x(xy), shapely.get_y(xy))
        if inside.sum() < 2:
            continue
        part = shapely.intersection(hood, rest)
        for label, cell in _voronoi(xy[inside], labels[inside], city):
            joined[label].append(shapely.intersection(cell, part))
        rest = shapely.difference(rest, hood)
    for label, cell in _voronoi(xy, labels, city):
        joined[label].append(shapely.intersection(cell, rest))
    return {label: shapely.union_all(parts, grid_size=0.01) for label, parts in sorted(joined.items())}


def _voronoi(xy: np.ndarray, labels: np.ndarray, city: shapely.Geometry) -> list[tuple[str, shapely.Geometry]]:
    diagram = shapely.voronoi_polygons(shapely.multipoints(xy), extend_to=city.envelope, ordered=True)
    groups: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for cell, label in zip(diagram.geoms, labels.tolist(), strict=True):
        groups[label].append(cell)
    return [(label, shapely.union_all(parts)) for label, parts in sorted(groups.items())]


def without_crumbs(found: dict[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """Give each small detached piece to the neighbour with which it shares the longest border."""
    pieces: list[tuple[str, shapely.Geometry, bool]] = []
    for label, geometry in found.items():
        parts = sorted(shapely.get_parts(geometry), key=lambda part: -part.area)
        for rank, part in enumerate(parts):
            if part.geom_type == "Polygon":
                pieces.append((label, part, rank > 0 and part.area < SMALL_PIECE_M2))
    tree = STRtree([piece for _, piece, _ in pieces])
    joined: dict[str, list[shapely.Geometry]] = defaultdict(list)
    for index, (label, piece, small) in enumerate(pieces):
        owner = label
        if small:
            borders: Counter[str] = Counter()
            for other in tree.query(piece.buffer(1.0)):
                if other != index and not pieces[other][2]:
                    borders[pieces[other][0]] += shapely.intersection(piece.buffer(1.0), pieces[other][1]).area
            owner = max(sorted(borders), key=lambda code: borders[code]) if borders else label
        joined[owner].append(piece)
    return {label: shapely.union_all(parts) for label, parts in sorted(joined.items())}


def without_overlaps(found: dict[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """On a grid of a centimetre, what two leaves share belongs to the first of them only."""
    snapped = {label: shapely.set_precision(geometry, 0.01) for label, geometry in found.items()}
    tree = STRtree(list(snapped.values()))
    labels = list(snapped)
    clean: dict[str, shapely.Geometry] = {}
    for index, (label, geometry) in enumerate(snapped.items()):
        before = [clean[labels[other]] for other in sorted(tree.query(geometry).tolist()) if other < index]
        clean[label] = polygons_only(
            shapely.difference(geometry, shapely.union_all(before, grid_size=0.01), grid_size=0.01)
        )
    return clean


def polygons_only(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = [part for part in shapely.get_parts(shapely.make_valid(geometry)) if part.geom_type == "Polygon"]
    parts += [
        inner
        for part in shapely.get_parts(shapely.make_valid(geometry))
        if part.geom_type == "MultiPolygon"
        for inner in part.geoms
    ]
    return shapely.multipolygons(parts) if len(parts) != 1 else parts[0]


def to_degrees(geometry: shapely.Geometry) -> shapely.Geometry:
    scaled = shapely.transform(geometry, lambda xy: xy / np.array([METRES_LON, METRES_LAT]))
    return polygons_only(shapely.set_precision(scaled, 1e-6))


def outlines(codes: dict[str, int]) -> dict[str, shapely.Geometry]:
    """Polygons in degrees of every leaf."""
    collection = json.loads(NEIGHBORHOODS.read_text(encoding="utf-8"))
    real = [shapely.make_valid(shape(feature["geometry"])) for feature in collection["features"]]
    metres = [shapely.transform(part, lambda xy: xy * np.array([METRES_LON, METRES_LAT])) for part in real]
    city = shapely.union_all([part.buffer(0.5) for part in metres]).buffer(-0.5)
    grown = without_crumbs(cells(without_strays(points(codes)), metres, city))
    simple = shapely.coverage_simplify(np.array(list(without_overlaps(grown).values())), SIMPLIFY_M)
    return {label: to_degrees(geometry) for label, geometry in zip(grown, simple, strict=True)}


def names() -> tuple[dict[str, str], dict[str, str]]:
    """Names of the districts, from their yards' queues, and of the neighbourhood that most requests of a leaf name."""
    yards: dict[str, str] = {}
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows():
        found = re.fullmatch(r"PWDx_District (\w+): (.+)", row["queue"])
        if found:
            yards[district(found[1])] = found[2]
        code = f"{CITY}{district(row['pwd_district'])}{precinct(row['precinct'])}"
        if row["neighborhood"] not in {"", "Boston"}:
            votes[code][row["neighborhood"]] += 1
    return yards, {code: max(sorted(found), key=lambda name: found[name]) for code, found in votes.items()}


def tree(codes: dict[str, int]) -> list[dict[str, object]]:
    """The lines of regions.csv, from the city down."""
    yards, hoods = names()
    derived = f"derived from requests {PERIOD} (Analyze Boston; PDDL)"
    lines = [_line(CITY, "Boston", "city", "", "", derived, "stated")]
    for area in sorted({code[:5] for code in codes}):
        short = area[2:].lstrip("0")
        name = f"District {short}: {yards[area[2:]]}" if area[2:] in yards else f"District {short}"
        lines.append(_line(area, name, "district", CITY, short, derived, "stated"))
    shared = Counter(code[5:] for code in {code[:7] for code in codes})
    for ward in sorted({code[:7] for code in codes}):
        number = int(ward[5:])
        name = f"Ward {number}" + (f", part in District {ward[2:5].lstrip('0')}" if shared[ward[5:]] > 1 else "")
        lines.append(_line(ward, name, "ward", ward[:5], ward[5:], derived, "stated"))
    split = Counter(code[5:] for code in codes)
    for code, count in codes.items():
        name = f"Precinct {int(code[5:7])}-{int(code[7:])}"
        name += f", {hoods[code]}" if code in hoods else ""
        name += f" (part in District {code[2:5].lstrip('0')})" if split[code[5:]] > 1 else ""
        source = f"{derived}: {count} requests"
        lines.append(_line(code, name, "precinct", code[:7], code[5:], source, "stated"))
    return lines


def _line(
    code: str, name: str, level: str, parent: str, official: str, source: str, confidence: str
) -> dict[str, object]:
    return {
        "code": code, "name": name, "name_en": name, "level": level, "parent": parent, "official_code": official,
        "source": source, "confidence": confidence,
    }  # fmt: skip


def features(found: dict[str, shapely.Geometry]) -> list[dict[str, object]]:
    """GeoJSON features of every level; upper levels are the unions of the lower ones, so that they nest exactly."""
    every = dict(found)
    for width in (7, 5, 2):
        groups: dict[str, list[shapely.Geometry]] = defaultdict(list)
        for code, geometry in found.items():
            groups[code[:width]].append(geometry)
        every |= {code: polygons_only(shapely.union_all(parts)) for code, parts in groups.items()}
    real = "union of the 26 neighbourhood outlines (Analyze Boston; PDDL), simplified to about 6 m"
    grown = f"grown around the places of requests {PERIOD}; no published outline"
    return [
        {
            "type": "Feature",
            "properties": {"code": code, "approximate": code != CITY, "source": real if code == CITY else grown},
            "geometry": mapping(every[code]),
        }
        for code in sorted(every)
    ]


def main() -> None:
    codes = leaves()
    found = outlines(codes)
    missing = sorted(set(codes) - set(found))
    lines = tree(codes)
    write_csv("regions.csv", COLUMNS, lines)
    collection = {"type": "FeatureCollection", "features": features(found)}
    text = json.dumps(collection, separators=(",", ":"))
    with gzip.GzipFile("", "wb", 9, (PACK / "regions.geojson.gz").open("wb"), mtime=0) as stream:
        stream.write(text.encode())
    size = (PACK / "regions.geojson.gz").stat().st_size
    print(f"{len(lines)} regions, {len(found)} leaves with outlines, without: {missing}; {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
