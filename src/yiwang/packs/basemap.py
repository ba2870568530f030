"""`basemap/`: water, roads, railways, green and place names to draw under a city's regions. A pack may have none.

``basemap.toml`` says whom to credit and how close the map may be looked at; each layer is a GeoJSON file beside it. Reading a
pack reads the TOML only; the layers, which may be large, are read by `read_layers` where a pack is checked or its tiles are made.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import AfterValidator

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.space.crs import SYSTEMS
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.toml_tables import Expected, Line, ListOf, TomlTable, Words, choice, read_table, wrong

FOLDER = "basemap"
FILE = f"{FOLDER}/basemap.toml"
POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
LAYERS: Mapping[str, tuple[str, ...]] = {
    "water": POLYGONS,
    "waterways": LINES,
    "roads": LINES,
    "railways": LINES,
    "green": POLYGONS,
    "places": ("Point",),
}
ENDINGS = (".geojson.gz", ".geojson")
LEAST_ZOOM, MOST_ZOOM = 6, 20
MOST_RANK = 9
MOST_FAULTS = 20  # of one layer; a file that is wrong throughout need not say so ten thousand times
MOST_LETTERS = 200
NORTHMOST = 85.0
_BESIDE = re.compile(r"(LICEN[CS]E|README|COPYING)(\.\w+)?", re.IGNORECASE)
_KIND = re.compile(r"[a-z][a-z_]{0,39}")


def _check_address(url: str) -> str:
    if url and not url.startswith("https://"):
        hint = Text("请以 https:// 开头。", "Begin with https://.")
        raise wrong(Text("「{url}」不是网址。", "{url!r} is no address.", url=url), hint)
    return url


def _check_zoom(zoom: float) -> float:
    if not (zoom.is_integer() and LEAST_ZOOM <= zoom <= MOST_ZOOM):
        hint = Text(
            "应为 {least} 到 {most} 的整数。",
            "A whole number from {least} to {most}.",
            least=LEAST_ZOOM,
            most=MOST_ZOOM,
        )
        raise wrong(Text("「{zoom:g}」不是缩放级别。", "{zoom:g} is no zoom.", zoom=zoom), hint)
    return zoom


class Credit(TomlTable):
    """One `[[credit]]`: whom every map must name, and where their terms stand."""

    label: ClassVar[str] = "credit"
    text: Words
    url: Annotated[Line, AfterValidator(_check_address)] = ""


class BasemapTable(TomlTable):
    """The keys of `basemap.toml`; see `BaseMap`."""

    max_zoom: Annotated[float, AfterValidator(_check_zoom), Expected(otherwise=float(LEAST_ZOOM))]
    crs: Annotated[Line, choice(SYSTEMS, Text("「{value}」不是坐标系。", "{value!r} is no coordinate system."))] = (
        "wgs84"
    )
    note: Words = NO_TEXT
    credit: ListOf[Credit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseMap:
    """What `basemap.toml` says, and which layers there are.

    Attributes:
        credits: Whom to name, in this order.
        max_zoom: How close the map is honest; nearer than that it says ``note``.
        crs: Coordinate system of the layers.
        note: What is said nearer than ``max_zoom``.
        layers: File of each layer that the pack has.
        digest: SHA-256 over the folder's TOML and layers, as hex.
    """

    credits: tuple[Credit, ...]
    max_zoom: int
    crs: str
    note: Text
    layers: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The features of one layer.

    Attributes:
        shapes: Geometries in the coordinates of the file, shape ``(n,)``.
        properties: ``name``, ``name_en``, ``kind`` and ``rank`` of each, as far as it has them.
    """

    shapes: NDArray[np.object_]
    properties: tuple[Mapping[str, Any], ...]


def read_basemap(files: PackFiles) -> BaseMap | None:
    """Read the TOML and see which layers there are; problems go to ``files``. None without a folder."""
    present = [name for name in files.names() if name.startswith(f"{FOLDER}/")]
    if not present:
        return None
    layers = _find_layers(files, present)
    data = files.toml(FILE)
    if data is None:
        return None
    table = read_table(BasemapTable, data, files, FILE)
    if not table.credit:
        message = Text("没有写明数据来源。", "Nobody is credited.")
        hint = Text("请用 [[credit]] 写明每张地图上要显示的来源。", "Name in [[credit]] whom every map must show.")
        files.fault(message, hint, file=FILE, column="credit")
    return BaseMap(
        credits=table.credit,
        max_zoom=int(table.max_zoom),
        crs=table.crs,
        note=table.note,
        layers=layers,
        digest=_digest(files, [FILE, *layers.values()]),
    )


def read_layers(files: PackFiles, basemap: BaseMap) -> dict[str, Layer]:
    """Read every layer; faults name the file and the feature and go to ``files``. Faulty features are left out."""
    layers = {}
    for name, file in basemap.layers.items():
        collection = files.geojson(file)
        if collection is not None:
            layers[name] = _LayerReader(files, file, LAYERS[name]).read(collection["features"])
    return layers


def _find_layers(files: PackFiles, present: list[str]) -> dict[str, str]:
    layers: dict[str, str] = {}
    for file in present:
        short = file.removeprefix(f"{FOLDER}/")
        if file == FILE or _BESIDE.fullmatch(short):
            continue
        name = next((short.removesuffix(ending) for ending in ENDINGS if short.endswith(ending)), "")
        if name not in LAYERS:
            known = [f"{layer}{ENDINGS[0]}" for layer in LAYERS]
            message = Text("底图没有这个图层。", "The base map has no such layer.")
            files.fault(message, did_you_mean(short, known) or one_of(known), file=file)
        elif name in layers:
            message = Text("图层「{layer}」有两个文件。", "There are two files of the layer {layer!r}.", layer=name)
            files.fault(message, Text("请删去其中一个。", "Remove one of them."), file=file)
        else:
            layers[name] = file
    if not layers:
        message = Text("底图没有任何图层。", "The base map has no layer at all.")
        files.fault(message, Text("请添加图层文件，或删去此文件夹。", "Add one, or remove the folder."), file=FILE)
    return {name: layers[name] for name in LAYERS if name in layers}


def _digest(files: PackFiles, names: list[str]) -> str:
    total = hashlib.sha256(b"yiwang basemap 1\n")
    for name in names:
        try:
            content = (files.root / name).read_bytes()
        except OSError:
            continue  # said where the file itself is read
        total.update(f"{name}\n{len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


@dataclass(slots=True)
class _LayerReader:
    """One layer while it is read."""

    files: PackFiles
    file: str
    types: tuple[str, ...]
    faults: int = field(default=0)

    def read(self, features: list[Any]) -> Layer:
        numbers, texts, properties = [], [], []
        for number, feature in enumerate(features, start=1):
            said = self._properties(number, feature)
            text = self._geometry(number, feature) if said is not None else None
            if said is not None and text is not None:
                numbers.append(number)
                texts.append(text)
                properties.append(said)
        shapes = np.asarray(shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore"), dtype=object)
        sound = self._sound(numbers, shapes)
        self._summary()
        return Layer(shapes=shapes[sound], properties=tuple(properties[at] for at in np.flatnonzero(sound)))

    def _fault(self, message: Text, hint: Text = NO_TEXT) -> None:
        self.faults += 1
        if self.faults <= MOST_FAULTS:
            self.files.fault(message, hint, file=self.file)

    def _summary(self) -> None:
        if self.faults > MOST_FAULTS:
            more = self.faults - MOST_FAULTS
            self.files.fault(Text("另有 {more} 处错误。", "And {more} more faults.", more=more), file=self.file)

    def _properties(self, number: int, feature: Any) -> dict[str, Any] | None:
        """What is kept of a feature's properties; None when they are faulty."""
        given = feature.get("properties") or {} if isinstance(feature, dict) else None
        if not isinstance(given, dict):
            message = Text(
                "第 {number} 个要素不是 GeoJSON 要素。", "Feature {number} is no GeoJSON feature.", number=number
            )
            self._fault(message)
            return None
        kept = {key: given[key] for key in ("name", "name_en", "kind", "rank") if given.get(key) not in (None, "")}
        for key, value in kept.items():
            if not _is_sound(key, value):
                message = Text(
                    "第 {number} 个要素的 {key} 不能是「{value}」。", "Feature {number} has {value!r} for its {key}.",
                    number=number, key=key, value=str(value)[:40],
                )  # fmt: skip
                self._fault(message, _HINTS[key])
                return None
        return kept

    def _geometry(self, number: int, feature: Mapping[str, Any]) -> str | None:
        given = feature.get("geometry")
        given = given if isinstance(given, dict) else {}
        kind = given.get("type")
        if kind not in self.types:
            message = Text(
                "第 {number} 个要素的图形是「{kind}」。", "Feature {number} has the geometry {kind!r}.",
                number=number, kind=str(kind)[:40],
            )  # fmt: skip
            self._fault(message, one_of(self.types))
            return None
        return json.dumps({"type": kind, "coordinates": given.get("coordinates")})

    def _sound(self, numbers: list[int], shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which geometries can be drawn; a fault for each other one."""
        sound = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        for at in np.flatnonzero(~sound):
            self._fault(
                Text(
                    "第 {number} 个要素的坐标无法读取。", "The coordinates of feature {number} cannot be read.",
                    number=numbers[at],
                )
            )  # fmt: skip
        west, south, east, north = shapely.bounds(shapes).reshape(-1, 4).T
        with np.errstate(invalid="ignore"):
            inside = (west >= -180) & (east <= 180) & (south >= -NORTHMOST) & (north <= NORTHMOST)
        for at in np.flatnonzero(sound & ~inside):
            message = Text("第 {number} 个要素不在地图上。", "Feature {number} is not on the map.", number=numbers[at])
            self._fault(message, Text("坐标应为经度、纬度。", "Coordinates are longitude and latitude in degrees."))
        sound &= inside
        valid = shapely.is_valid(shapes)
        for at in np.flatnonzero(sound & ~valid):
            message = Text(
                "第 {number} 个要素的图形无效：{why}。", "The geometry of feature {number} is not valid: {why}.",
                number=numbers[at], why=shapely.is_valid_reason(shapes[at]),
            )  # fmt: skip
            self._fault(message, Text("请修复，例如用 GIS 软件。", "Repair it, with a GIS for example."))
        return np.asarray(sound & valid, dtype=bool)


_HINTS = {
    "name": Text("应为不超过 {most} 字的文本。", "A text of at most {most} characters.", most=MOST_LETTERS),
    "name_en": Text("应为不超过 {most} 字的文本。", "A text of at most {most} characters.", most=MOST_LETTERS),
    "kind": Text("应为小写字母和下划线。", "Small letters and underscores."),
    "rank": Text(
        "应为 1 到 {most} 的整数，1 最重要。", "A whole number from 1, the most important, to {most}.", most=MOST_RANK
    ),
}


def _is_sound(key: str, value: Any) -> bool:
    if key == "rank":
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_RANK
    if not isinstance(value, str):
        return False
    return bool(_KIND.fullmatch(value)) if key == "kind" else len(value) <= MOST_LETTERS
