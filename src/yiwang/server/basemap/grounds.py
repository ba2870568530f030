"""Which layers lie under a city's maps: those that its operator made from an extract, else those of its pack.

What an operator made lies in ``own_basemaps/<city>/<digest>/basemap/`` in a pack's form, and the file ``current`` beside it names
the digest in force. Both are written beside and renamed, so that whoever is killed leaves the map that was.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from yiwang.core.kernel.errors import BadInput
from yiwang.packs import Pack
from yiwang.packs.basemap import FOLDER as LAYERS_FOLDER
from yiwang.packs.basemap import BaseMap, Layer, read_basemap, read_layers
from yiwang.packs.files import PackFiles
from yiwang.server.basemap import archives

OWN = "own_basemaps"  # of the data folder; a backup takes it along, since the extract it was made from may be gone


@dataclass(frozen=True, slots=True)
class Ground:
    """Layers in force.

    Attributes:
        city: Whose they are.
        root: The folder in which ``basemap/`` lies.
        basemap: What it says.
        own: The operator made it; it is not the pack's.
    """

    city: str
    root: Path
    basemap: BaseMap
    own: bool

    def layers(self) -> dict[str, Layer]:
        """Its layers. They were checked before: a faulty feature would be left out here."""
        return read_layers(PackFiles(self.root), self.basemap)

    def archive(self) -> archives.Archive:
        """Its tiles, made now where they are missing.

        Raises:
            BadInput: When they are missing and the layers have faults.
        """
        return archives.archive_of(self.root, self.basemap, into=_tiles(self.city, own=self.own))


def ground_of(pack: Pack) -> Ground | None:
    """The layers under the maps of a city; None where there are none."""
    folder = _base(pack.id)
    name = _current(folder)
    own = _read(folder / name) if name and (folder / name).is_dir() else None
    if own is not None:
        return Ground(pack.id, folder / name, own, own=True)
    return Ground(pack.id, pack.root, pack.basemap, own=False) if pack.basemap else None


def prepare(pack: Pack) -> None:
    """Make the tiles of a pack's own layers, unless they are there or it has none.

    Raises:
        BadInput: With every fault of the layers.
    """
    if pack.basemap is not None:
        archives.archive_of(pack.root, pack.basemap, into=_tiles(pack.id, own=False))


def replace(city: str, write: Callable[[Path], None]) -> BaseMap:
    """Put other layers under the maps of a city. Until they and their tiles are whole, those in force stay.

    Args:
        city: Id of the city.
        write: Fills an empty ``basemap/`` folder.

    Raises:
        BadInput: When what was written has faults; nothing has changed then.
    """
    base = _base(city)
    with archives.alone(base):
        for left in base.glob(".new-*"):  # of those who were killed
            shutil.rmtree(left, ignore_errors=True)
        building = base / f".new-{uuid.uuid4().hex}"
        try:
            (building / LAYERS_FOLDER).mkdir(parents=True)
            write(building / LAYERS_FOLDER)
            files = PackFiles(building)
            basemap = read_basemap(files)
            if basemap is None or files.problems:
                raise BadInput(files.problems)
            archives.archive_of(building, basemap, into=_tiles(city, own=True))
            folder = base / basemap.digest[:16]
            if not folder.exists():
                building.rename(folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        before = _current(base)
        _name(base, folder.name)
        for other in base.iterdir():  # a process may still be reading the one before
            if other.is_dir() and other.name not in (folder.name, before):
                shutil.rmtree(other, ignore_errors=True)
    return basemap


def remove(city: str) -> bool:
    """Go back to the layers of the pack; whether there were others."""
    base = _base(city)
    if not base.is_dir():
        return False
    with archives.alone(base):
        there = bool(_current(base))
        (base / "current").unlink(missing_ok=True)
        for other in base.iterdir():
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
    return there


def _base(city: str) -> Path:
    return Path(settings.YIWANG_HOME, OWN, city)


def _tiles(city: str, *, own: bool) -> Path:
    return Path(settings.YIWANG_HOME, archives.FOLDER, city, *(["own"] if own else []))


def _current(base: Path) -> str:
    try:
        return (base / "current").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _name(base: Path, name: str) -> None:
    partial = base / f".current-{uuid.uuid4().hex}"
    with partial.open("w", encoding="ascii") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(base / "current")


@lru_cache(maxsize=32)
def _read(root: Path) -> BaseMap | None:
    """The TOML of a folder, which never changes under its name."""
    return read_basemap(PackFiles(root))
