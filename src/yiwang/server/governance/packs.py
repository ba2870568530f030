"""Packs that could be installed: those at hand on the server, and uploaded archives, opened with care."""

from __future__ import annotations

import csv
import shutil
import uuid
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs import pack_folders
from yiwang.packs.catalogue import CONDITION_KEY
from yiwang.packs.files import PackFiles
from yiwang.packs.info import read_info
from yiwang.server.common.faults import is_full
from yiwang.server.governance.tables import RULE_TABLES

PROPOSALS = "proposals"
MOST_FILES, MOST_BYTES, MOST_ARCHIVE_BYTES = 2000, 200_000_000, 60_000_000
SUFFIXES = frozenset({".toml", ".csv", ".md", ".txt", ".gz", ".geojson", ".json", ".svg"})
_PIECE = 1 << 16
KEYS = {"regions.csv": ("code",), "categories.csv": ("scheme", "code"), "units.csv": ("code",),
        "conditions.csv": CONDITION_KEY, **{f"{table}.csv": ("row",) for table in RULE_TABLES}}  # fmt: skip


def at_hand() -> list[dict[str, Any]]:
    """Packs in the server's own folders."""
    found = []
    for folder in pack_folders().values():
        files = PackFiles(folder)
        info = read_info(files)
        if info is not None:
            found.append({"info": info, "folder": folder, "name": folder.name, "digest": files.digest()})
    return found


def stage(source: Path) -> Path:
    """A copy of a pack's files among the proposals, so that what is approved is what was read."""
    target = _new_folder()
    for name in PackFiles(source).names():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    return target


def unpack(upload: IO[bytes], *, size: int) -> Path:
    """An uploaded ZIP archive among the proposals; the folder that holds pack.toml.

    Sizes are counted while unpacking: what an archive says of itself is not believed.

    Raises:
        BadInput: It is no archive, too large, holds a name that leads outside, a link, or a kind of file that no pack has.
    """
    if size > MOST_ARCHIVE_BYTES:
        raise _fault(
            Text("压缩包太大。", "The archive is too large."),
            Text("最多 {value} MB。", "At most {value} MB.", value=MOST_ARCHIVE_BYTES // 1000000),
        )
    target = _new_folder()
    try:
        with zipfile.ZipFile(upload) as archive:
            _extract(archive, target)
        return _root(target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        shutil.rmtree(target, ignore_errors=True)
        if is_full(error):
            raise  # not the archive's fault
        raise _fault(
            Text("文件不是能读的 ZIP 压缩包。", "The file is no ZIP archive that can be read."),
            Text(str(error), str(error)),
        ) from error
    except BadInput:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MOST_FILES:
        raise _fault(
            Text("压缩包里有 {members} 个文件。", "The archive holds {members} files.", members=len(members)),
            Text("最多 {most_files} 个。", "At most {most_files}.", most_files=MOST_FILES),
        )
    left = MOST_BYTES
    for member in members:
        path = _safe(member)
        if path is None:
            continue
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, place.open("wb") as file:
            while piece := source.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise _fault(
                        Text("压缩包解开后太大。", "Unpacked the archive is too large."),
                        Text("最多 {value} MB。", "At most {value} MB.", value=MOST_BYTES // 1000000),
                    )
                file.write(piece)


def _safe(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """The member's path inside the pack; None for what systems leave behind."""
    name = member.filename
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or ":" in name or "\0" in name or ".." in path.parts:
        raise _fault(
            Text("文件名「{name}」指向压缩包之外。", "The name {name!r} leads out of the archive.", name=name),
            Text("请只压缩城市包的文件夹本身，文件名不带路径。", "Pack the folder itself, with plain names."),
        )
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        raise _fault(
            Text("「{name}」是链接。", "{name!r} is a link.", name=name),
            Text("请把文件本身放进压缩包。", "Put the file itself into the archive."),
        )
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return None
    if path.suffix.lower() not in SUFFIXES:
        raise _fault(
            Text("「{name}」不是城市包的文件。", "{name!r} is no file of a pack.", name=name),
            Text("城市包里只有 TOML、CSV、GeoJSON 和文本文件。", "Packs hold TOML, CSV, GeoJSON and text."),
        )
    return path


def _root(target: Path) -> Path:
    found = [path.parent for path in (target / "pack.toml", *target.glob("*/pack.toml")) if path.is_file()]
    if len(found) != 1:
        raise _fault(
            Text("压缩包里没有唯一的 pack.toml。", "The archive holds no single pack.toml."),
            Text("它应在最上层，或在其中唯一的文件夹里。", "It stands at the top, or in the one folder there."),
        )
    return found[0]


def _new_folder() -> Path:
    folder = Path(settings.YIWANG_HOME, PROPOSALS, uuid.uuid4().hex)
    folder.mkdir(parents=True)
    return folder


def _fault(message: Text, hint: Text) -> BadInput:
    return BadInput(Problem(message, hint))


def preview(new: Path, old: Path) -> list[dict[str, Any]]:
    """What a pack would change, file by file: rows that come, go and change where rows have keys."""
    before, after = set(PackFiles(old).names()), set(PackFiles(new).names())
    found = []
    for name in sorted(before | after):
        if name in before and name in after and (new / name).read_bytes() == (old / name).read_bytes():
            continue
        entry: dict[str, Any] = {
            "file": name,
            "kind": "changed" if name in before & after else "new" if name in after else "gone",
        }
        if name in KEYS and entry["kind"] == "changed":
            entry |= _rows(new / name, old / name, KEYS[name])
        found.append(entry)
    return found


def _rows(new: Path, old: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    def read(path: Path) -> dict[tuple[str, ...], dict[str, str]]:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            rows = ({k: v or "" for k, v in row.items() if k is not None} for row in csv.DictReader(file))
            return {tuple(row.get(key, "") for key in keys): row for row in rows}

    one, two = read(old), read(new)
    altered = [key for key in two if key in one and two[key] != one[key]]
    return {
        "added": len(two.keys() - one.keys()),
        "removed": len(one.keys() - two.keys()),
        "altered": len(altered),
        "some": [" ".join(key) for key in altered[:8]],
    }
