"""One PMTiles file for each city's base map, made when its pack is installed, or when it is first asked for and is not there.

The file is named after what it was made from, so that it is right or absent. It is written beside and then renamed: whoever is
killed leaves a partial file that nobody reads, and the next one removes it. Two processes that make it at once wait for each
other by a lock that the system takes back from the dead; the second finds it made.
"""

from __future__ import annotations

import fcntl
import gzip
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from yiwang.core.kernel.errors import BadInput
from yiwang.packs.basemap import BaseMap, Layer, read_layers
from yiwang.packs.files import PackFiles
from yiwang.server.basemap import tiling

FOLDER = "basemaps"  # of the data folder; all of it can be made again
FORM = 1  # counts up when the same layers give other tiles

_here = threading.RLock()  # whoever replaces the layers of a city makes their tiles meanwhile


@dataclass(frozen=True, slots=True)
class Archive:
    """An open archive.

    Attributes:
        bounds: West, south, east, north of the base map in degrees.
    """

    reader: Reader
    bounds: tuple[float, float, float, float]

    def tile(self, zoom: int, column: int, row: int) -> bytes:
        """A tile, packed with gzip; no bytes where there is none."""
        return self.reader.get(zoom, column, row) or b""


def version_of(basemap: BaseMap) -> str:
    """What names the tiles of a base map: they change with the layers and with the way tiles are made."""
    return f"{basemap.digest[:16]}-{FORM}"


def archive_of(root: Path, basemap: BaseMap, *, into: Path) -> Archive:
    """The archive of a base map, made now where it is missing.

    Args:
        root: The folder in which ``basemap/`` lies.
        basemap: What it says.
        into: Folder of the archive; the archives of other versions in it are removed.

    Raises:
        BadInput: When it is missing and the layers have faults.
    """
    return _opened(_made(root, basemap, into))


def _made(root: Path, basemap: BaseMap, into: Path) -> Path:
    path = into / f"{version_of(basemap)}.pmtiles"
    if path.is_file():
        return path
    with alone(path.parent):
        if not path.is_file():
            files = PackFiles(root)
            layers = read_layers(files, basemap)
            if files.problems:
                raise BadInput(files.problems)
            _write(path, basemap, layers)
            for other in path.parent.glob("*.pmtiles*"):  # of older packs, and what the killed have left
                if other != path:
                    other.unlink(missing_ok=True)
    return path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Among all threads and processes of this installation, the only one at work in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with _here, (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, basemap: BaseMap, layers: Mapping[str, Layer]) -> None:
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    bounds = tiling.bounds_of(layers, crs=basemap.crs)
    made = sorted(
        (zxy_to_tileid(*tile), data) for tile, data in tiling.tiles(layers, crs=basemap.crs, max_zoom=basemap.max_zoom)
    )
    with partial.open("wb") as file:
        writer = Writer(file)
        for number, data in made or [(0, b"")]:
            writer.write_tile(number, gzip.compress(data, mtime=0))
        writer.finalize(_header(bounds), {"vector_layers": [{"id": name, "fields": {}} for name in tiling.TILE_LAYERS]})
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def _header(bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    west, south, east, north = (0 if degrees != degrees else round(degrees * 10_000_000) for degrees in bounds)
    return {
        "tile_type": TileType.MVT, "tile_compression": Compression.GZIP,
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north,
        "center_zoom": tiling.FIRST_ZOOM, "center_lon_e7": (west + east) // 2, "center_lat_e7": (south + north) // 2,
    }  # fmt: skip


@lru_cache(maxsize=32)
def _opened(path: Path) -> Archive:
    with path.open("rb") as file:
        reader = Reader(MmapSource(file))  # the mapping outlives the file's handle, and the file's removal
    header = reader.header()
    west, south, east, north = (header[f"{edge}_e7"] / 1e7 for edge in ("min_lon", "min_lat", "max_lon", "max_lat"))
    return Archive(reader, (west, south, east, north))


def forget() -> None:
    """Open archives anew at the next question: after a test has removed them."""
    _opened.cache_clear()
