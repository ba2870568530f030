"""Survey files that were brought and are not taken up yet, each in a folder of its own below the data folder.

What a file is called decides nothing: its first bytes must be those of its kind, since GDAL would otherwise open whatever is
in it, files that name other files among them.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

KEPT_SECONDS = 7 * 86_400
_ENDINGS = (".csv", ".xlsx", ".geojson", ".json", ".gpkg", ".zip")
_SHAPEFILE = frozenset({".shp", ".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qmd", ".xml", ".qix"})
_BEGINNINGS = {".gpkg": b"SQLite format 3\x00", ".zip": b"PK\x03\x04", ".xlsx": b"PK\x03\x04"}
_MOST_UNPACKED = 2_000_000_000
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFile:
    """A file that was brought.

    Attributes:
        token: Names it.
        city, kind: For which city, and of which class its components are.
        name: As the person's computer called it.
        by: Who brought it.
        path: Where it lies.
    """

    token: str
    city: str
    kind: str
    name: str
    by: str
    path: Path


def keep_survey(upload: UploadedFile, *, city: str, kind: str, by: str) -> SurveyFile:
    """Keep a file that was sent.

    Raises:
        BadInput: When it is of no kind that can be read.
    """
    name = PurePath((upload.name or "").replace("\\", "/")).name[:200]
    ending = PurePath(name).suffix.lower()
    if ending not in _ENDINGS:
        raise BadInput(
            Problem(
                Text("不能读取「{name}」。", "{name!r} cannot be read.", name=name),
                Text(
                    "可用 CSV、Excel（.xlsx）、GeoJSON、GeoPackage（.gpkg），或装有 Shapefile 的 .zip。",
                    "CSV, Excel (.xlsx), GeoJSON, GeoPackage (.gpkg), or a .zip with a Shapefile can be.",
                ),
                column="file",
            )
        )
    token = uuid.uuid4().hex
    folder = _folder(token)
    folder.mkdir(parents=True)
    path = folder / f"survey{ending}"
    try:
        with path.open("wb") as out:
            for chunk in upload.chunks():
                out.write(chunk)
        _check(path, ending, name)
        said = {"city": city, "kind": kind, "name": name, "by": by, "path": path.name}
        (folder / "file.json").write_text(json.dumps(said), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return SurveyFile(token=token, city=city, kind=kind, name=name, by=by, path=path)


def survey_file(token: str, *, city: str) -> SurveyFile | None:
    """A file that is kept for a city."""
    if not _TOKEN.fullmatch(token):
        return None
    folder = _folder(token)
    try:
        said = json.loads((folder / "file.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if said["city"] != city:
        return None
    return SurveyFile(
        token=token, city=city, kind=said["kind"], name=said["name"], by=said["by"], path=folder / said["path"]
    )


def forget_survey(token: str) -> None:
    """Delete a file once it is taken up, or given up."""
    shutil.rmtree(_folder(token), ignore_errors=True)


def forget_surveys() -> None:
    """Delete what nobody took up for a week."""
    for folder in _home().glob("*"):
        if _TOKEN.fullmatch(folder.name) and folder.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _home() -> Path:
    return Path(settings.YIWANG_HOME) / "surveys"


def _folder(token: str) -> Path:
    return _home() / token


def _check(path: Path, ending: str, name: str) -> None:
    with path.open("rb") as stream:
        begins = stream.read(64)
    right = True
    if ending in _BEGINNINGS:
        right = begins.startswith(_BEGINNINGS[ending])
    elif ending in (".geojson", ".json"):
        right = begins.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    if not right:
        raise BadInput(
            Problem(
                Text(
                    "「{name}」的内容不是 {ending} 文件。",
                    "{name!r} is no {ending} file inside.",
                    name=name,
                    ending=ending,
                ),
                Text("请从普查软件重新导出。", "Export it from the surveying software again."),
                column="file",
            )
        )
    if ending == ".zip":
        _check_archive(path, name)


def _check_archive(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.infolist() if not one.is_dir()]
    except zipfile.BadZipFile:
        inside = []
    endings = {PurePath(one.filename).suffix.lower() for one in inside}
    if ".shp" not in endings or not endings <= _SHAPEFILE:
        raise BadInput(
            Problem(
                Text(
                    "压缩包「{name}」里不是一个 Shapefile。",
                    "The archive {name!r} does not hold a Shapefile.",
                    name=name,
                ),
                Text(
                    "只放 .shp、.shx、.dbf、.prj、.cpg。",
                    "Put .shp, .shx, .dbf, .prj and .cpg into it, and nothing else.",
                ),
                column="file",
            )
        )
    if sum(one.file_size for one in inside) > _MOST_UNPACKED:
        raise BadInput(
            Problem(
                Text("压缩包「{name}」解开后太大。", "The archive {name!r} is too large once unpacked.", name=name),
                Text("请改用 GeoPackage。", "Use a GeoPackage instead."),
                column="file",
            )
        )
