"""The maps of others that an operator names in the file of `YIWANG_BASEMAPS`, instead of the layers of packs: an archive of tiles,
a MapLibre style, or images from an XYZ or WMTS service with a key.

The settings read the file once, when a process starts, and refuse a wrong one with a sentence. The key goes to the browsers,
which ask the service for tiles; it stands in no message and no log.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import TileType
from pydantic import AfterValidator

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.basemap import Credit
from yiwang.packs.files import PackFiles
from yiwang.packs.toml_tables import Expected, Line, ListOf, Texts, TomlTable, choice, read_table

SYSTEMS = ("wgs84", "cgcs2000", "gcj02")  # BD-09 maps have another grid of tiles than the rest of the world
IMAGES = {
    TileType.PNG: "image/png",
    TileType.JPEG: "image/jpeg",
    TileType.WEBP: "image/webp",
    TileType.AVIF: "image/avif",
}
OUR_LAYERS = frozenset({"water", "green", "waterways", "railways", "roads", "labels", "places"})
MOST_ZOOM = 22
_KEY = "{key}"
_HOST = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")


def _is_zoom(zoom: int) -> int:
    if not 1 <= zoom <= MOST_ZOOM:
        raise ValueError("zoom")
    return zoom


_ZOOM_HINT = Text("应为 1 到 {most} 的整数。", "A whole number from 1 to {most}.", most=MOST_ZOOM)


class MapTable(TomlTable):
    """One `[[map]]`; see `ChosenMap`."""

    label: ClassVar[str] = "map"
    cities: Texts = ()
    tiles: Texts = ()
    style: Line = ""
    pmtiles: Line = ""
    key: Annotated[Line, Expected(message=Text("应为文本。", "A text is expected."))] = ""  # no fault may quote it
    crs: Annotated[Line, choice(SYSTEMS, Text("「{value}」不是坐标系。", "{value!r} is no coordinate system."))]
    max_zoom: Annotated[int, AfterValidator(_is_zoom), Expected(_ZOOM_HINT, _ZOOM_HINT, 18)] = 18
    hosts: Texts = ()
    credit: ListOf[Credit] = ()


class MapsTable(TomlTable):
    """The keys of the file."""

    map: ListOf[MapTable] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenMap:
    """One map of the file.

    Attributes:
        cities: Ids of the cities that it lies under; none: every city that no other map of the file names.
        tiles: Address patterns of images, from below; ``{key}`` stands for the key.
        style: A MapLibre style: its address, or its content where it is a file.
        pmtiles: An archive of tiles.
        key: What opens the service.
        crs: Coordinate system that the map is drawn in, one of `SYSTEMS`.
        max_zoom: The nearest zoom that has tiles.
        hosts: Origins that pages may ask, for the content security policy.
        credits: Whom every map names.
        version: Changes with the map.
    """

    cities: tuple[str, ...]
    tiles: tuple[str, ...]
    style: str | Mapping[str, Any]
    pmtiles: Path | None
    key: str = field(repr=False)
    crs: str
    max_zoom: int
    hosts: tuple[str, ...]
    credits: tuple[Credit, ...]
    version: str

    def open(self, text: str) -> str:
        """An address with the key in it. Only for who draws the map: never into a message or log."""
        return text.replace(_KEY, quote(self.key, safe=""))


def chosen_for(city: str, maps: Sequence[ChosenMap]) -> ChosenMap | None:
    """The map of a city: that which names it, else that which names none."""
    named = [one for one in maps if city in one.cities]
    return next(iter(named or [one for one in maps if not one.cities]), None)


def read_maps(name: str, value: str) -> tuple[ChosenMap, ...]:
    """Read the file that a setting names.

    Args:
        name: Of the setting.
        value: The path; nothing for no maps.

    Raises:
        ImproperlyConfigured: With every fault of the file, in both languages.
    """
    if not value:
        return ()
    path = Path(value).expanduser().resolve()
    files = PackFiles(path.parent)
    data = files.toml(path.name)
    table = read_table(MapsTable, data, files, path.name) if data is not None else MapsTable()
    found = []
    if not files.problems:
        for number, one in enumerate(table.map, start=1):
            found.append(_Reading(files, path.name, f"map {number}: ").read(one))
        seen: set[str] = set()
        for city in (city for one in table.map for city in one.cities or ("",)):
            if city in seen:
                files.fault(
                    Text("城市「{city}」有两张底图。", "The city {city!r} has two maps.", city=city or "*"),
                    file=path.name,
                )
            seen.add(city)
    if files.problems:
        said = "\n".join(
            f"{fault.column or path.name}: {text.message.zh}{text.hint.zh} / {text.message.en} {text.hint.en}".rstrip()
            for fault in files.problems
            for text in [fault]
        )
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used.\n{said}")
    return tuple(found)


@dataclass(slots=True)
class _Reading:
    """One `[[map]]` while it is checked. What a fault quotes of an address ends before its query, where keys stand."""

    files: PackFiles
    file: str
    where: str

    def read(self, table: MapTable) -> ChosenMap:
        given = [key for key in ("tiles", "style", "pmtiles") if getattr(table, key)]
        if given not in (["tiles"], ["style"], ["pmtiles"], ["style", "pmtiles"]):
            self._fault(
                "tiles",
                Text("应写明 tiles、style 或 pmtiles 之一。", "Name one of tiles, style or pmtiles."),
                Text("pmtiles 可以另带 style。", "An archive may have a style beside it."),
            )
        if not table.credit:
            self._fault("credit", Text("没有写明数据来源。", "Nobody is credited."))
        style = self._style(table.style)
        pmtiles = self._archive(table.pmtiles, styled=bool(table.style))
        for pattern in table.tiles:
            self._pattern(pattern)
        texts = [*table.tiles, table.style if isinstance(style, str) else json.dumps(style)]
        if table.key and not any(_KEY in text for text in texts):
            self._fault("key", Text("地址中没有 {sign}。", "No address has {sign} in it.", sign=_KEY))
        if not table.key and any(_KEY in text for text in texts):
            self._fault(
                "key",
                Text("地址中有 {sign}，却没有写 key。", "An address has {sign} in it, but there is no key.", sign=_KEY),
            )
        hosts = self._hosts(table, style)
        stamp = pmtiles.stat() if pmtiles else None
        marks = (
            table.model_dump_json(exclude={"credit"}),
            json.dumps(style),
            stamp and (stamp.st_size, stamp.st_mtime_ns),
        )
        return ChosenMap(
            cities=table.cities, tiles=table.tiles, style=style, pmtiles=pmtiles, key=table.key, crs=table.crs,
            max_zoom=table.max_zoom, hosts=hosts, credits=table.credit,
            version=hashlib.sha256(repr(marks).encode()).hexdigest()[:16],
        )  # fmt: skip

    def _fault(self, key: str, message: Text, hint: Text = NO_TEXT) -> None:
        self.files.fault(message, hint, file=self.file, column=f"{self.where}{key}")

    def _pattern(self, pattern: str) -> None:
        shown = _shown(pattern)
        if not _origin(pattern):
            self._fault("tiles", Text("「{shown}」不是网址。", "{shown!r} is no address.", shown=shown))
        elif not all(part in pattern for part in ("{z}", "{x}", "{y}")):
            self._fault(
                "tiles",
                Text("「{shown}」没有 {{z}}、{{x}} 和 {{y}}。", "{shown!r} lacks {{z}}, {{x}} or {{y}}.", shown=shown),
                Text("WMTS 请写作 {like}。", "For WMTS write {like}.", like="TILEMATRIX={z}&TILECOL={x}&TILEROW={y}"),
            )

    def _style(self, style: str) -> str | Mapping[str, Any]:
        if not style or style.startswith(("http://", "https://")):
            return style
        try:
            data = json.loads((self.files.root / style).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            data = None
        if (
            not isinstance(data, dict)
            or not isinstance(data.get("layers"), list)
            or not isinstance(data.get("sources"), dict)
        ):
            self._fault(
                "style", Text("「{file}」不是 MapLibre 样式。", "{file!r} is no MapLibre style.", file=_shown(style))
            )
            return {}
        return data

    def _archive(self, name: str, *, styled: bool) -> Path | None:
        if not name:
            return None
        path = self.files.root / name
        try:
            reader = open_archive(path)
            header, metadata = reader.header(), reader.metadata()
        except Exception:  # whatever the library raises for what is no archive
            self._fault("pmtiles", Text("「{file}」不是 PMTiles 文件。", "{file!r} is no PMTiles file.", file=name))
            return None
        layers = {str(one.get("id")) for one in metadata.get("vector_layers", [])}
        if header["tile_type"] == TileType.MVT and not styled and not (layers and layers <= OUR_LAYERS):
            self._fault(
                "style",
                Text(
                    "「{file}」的图层不是本平台的图层。", "The layers of {file!r} are not those of Yiwang.", file=name
                ),
                Text("请另写 style，说明如何绘制。", "Name a style that says how they are drawn."),
            )
        return path

    def _hosts(self, table: MapTable, style: str | Mapping[str, Any]) -> tuple[str, ...]:
        for host in table.hosts:
            if not _HOST.fullmatch(host):
                self._fault(
                    "hosts",
                    Text("「{host}」不是主机。", "{host!r} is no host.", host=_shown(host)),
                    Text("应为 https://主机，不带路径。", "Write https://host, without a path."),
                )
        asked = [*table.tiles, style] if isinstance(style, str) else [*table.tiles, *_addresses(style)]
        return tuple(dict.fromkeys([*(origin for text in asked if (origin := _origin(text))), *table.hosts]))


def open_archive(path: Path) -> Reader:
    """An archive of tiles."""
    with path.open("rb") as file:
        return Reader(MmapSource(file))  # the mapping outlives the file's handle


def _addresses(style: Mapping[str, Any]) -> Iterator[str]:
    """Every address that a style names, but for its letters: those are drawn from the fonts of the reader's machine."""
    if isinstance(style.get("sprite"), str):
        yield style["sprite"]
    for source in style["sources"].values():
        if isinstance(source, dict):
            yield from (text for text in [source.get("url"), *source.get("tiles", [])] if isinstance(text, str))


def _origin(address: str) -> str:
    """Scheme and host; nothing for what is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if _HOST.fullmatch(origin) else ""


def _shown(address: str) -> str:
    """What may be said of an address: nothing of its query."""
    return address.split("?")[0][:200]
