"""Photos: only what decodes as a picture is taken, re-encoded, so that nothing of the camera, the place or a payload survives."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
import tempfile
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pillow_heif
from django.conf import settings
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.common.formatting import number_text

# What each format may have: JPEG is decoded at a part of its size, the others whole, and a progressive JPEG keeps all its
# coefficients. So much stays below 150 MB at the highest point (measured in tests/server/test_photos.py).
MOST_PIXELS = {"JPEG": 50_000_000, "PROGRESSIVE": 16_000_000, "PNG": 24_000_000, "WEBP": 8_000_000, "HEIF": 25_000_000}
FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "HEIF",
)  # the JPEG reader takes MPO too; naming it makes Pillow fail on what is no picture
LONGEST_SIDE = 2048
MOST_PHOTOS = 6
FOLDER = "photos"
SMALL_FOLDER = "cache/thumbnails"  # made again when it is not there; backups leave it out
SMALL_SIDE = 240  # twice what a list shows, for screens with fine pixels
T = TypeVar("T")
_UNREADABLE = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)
_one_at_a_time = threading.BoundedSemaphore(1)  # memory: a process decodes one picture, whoever else sends some

pillow_heif.register_heif_opener(thumbnails=False)
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `MOST_PIXELS` is lower or is meant


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPhoto:
    """A picture as it lies in the data folder."""

    path: str
    digest: str
    width: int
    height: int
    taken_at: datetime | None = None  # by the camera's clock; without a zone where the camera named none


def keep(files: Sequence[Any]) -> list[StoredPhoto]:
    """Take pictures (bytes, or anything with ``read``) into the data folder.

    A file is named by its content, and written before the transaction that refers to it: a rollback leaves at most a
    file that nobody refers to, never a reference without a file.

    Raises:
        BadInput: When there are too many, or some are too large or no pictures; with every one that is.
    """
    kept, problems = _each(files, _keep)
    if problems:
        raise BadInput(problems)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPhoto:
    """A picture that was not taken: which (from 0, as it was sent), and why in both languages."""

    index: int
    reason: str
    reason_zh: str


def keep_good(files: Sequence[Any]) -> tuple[list[StoredPhoto], list[RefusedPhoto]]:
    """Take those pictures that are some, and tell of the others; see :func:`keep`.

    Raises:
        BadInput: When there are too many.
    """
    _check_number(files)
    kept, refused = [], []
    for index, file in enumerate(files):
        try:
            kept.append(_keep(_read(file)))
        except _Bad as bad:
            refused.append(RefusedPhoto(index=index, reason=bad.why.en, reason_zh=bad.why.zh))
    return kept, refused


def store_pictures(files: Sequence[Any], *, folder: str) -> tuple[list[str], list[Problem]]:
    """Re-encode pictures of a form that is not finished yet into a folder of its own.

    Args:
        files: The pictures.
        folder: Relative to the data folder.

    Returns:
        The paths of those that are pictures, and what is wrong with the others.

    Raises:
        BadInput: When there are too many.
    """
    return _each(files, lambda content: _store_picture(content, folder=folder, taken_at=None))


def store_picture(file: Any, *, folder: str, taken_at: datetime | None) -> str:
    """Re-encode one picture into a folder; its path. Who sends one knows which it is, so that a refusal says only why.

    Args:
        file: The picture.
        folder: Relative to the data folder.
        taken_at: By the camera's clock, without a zone, for a picture that does not say it itself any more.

    Raises:
        BadInput: When it cannot be taken.
    """
    try:
        return _store_picture(_read(file), folder=folder, taken_at=taken_at)
    except _Bad as bad:
        raise BadInput(Problem(bad.why)) from bad


def _store_picture(content: bytes, *, folder: str, taken_at: datetime | None) -> str:
    picture, said = _decode(content)
    said = said or taken_at
    exif = Image.Exif() if said else None
    if exif is not None and said:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = said.strftime(_EXIF_TIME)
    encoded = _encode(picture, exif=exif)
    path = f"{folder}/{hashlib.sha256(encoded).hexdigest()}.jpg"
    _write(Path(settings.YIWANG_HOME, path), encoded)
    return path


def _each(files: Sequence[Any], take: Callable[[bytes], T]) -> tuple[list[T], list[Problem]]:
    """What became of each picture that could be taken, and which could not."""
    _check_number(files)
    taken, problems = [], []
    for number, file in enumerate(files, 1):
        name = f" ({Path(str(file.name)).name})" if getattr(file, "name", "") else ""
        try:
            taken.append(take(_read(file)))
        except _Bad as bad:
            message = Text(
                "第 {number} 张照片{name}：{why}", "Photo {number}{name}: {why}", number=number, name=name, why=bad.why
            )
            problems.append(Problem(message, column="photos"))
    return taken, problems


def _check_number(files: Sequence[Any]) -> None:
    if len(files) > MOST_PHOTOS:
        message = Text(
            "收到 {count} 张照片，一次最多 {most} 张。",
            "{count} photos came, at most {most} are taken at once.",
            count=len(files),
            most=MOST_PHOTOS,
        )
        raise BadInput(Problem(message, column="photos"))


class _Bad(Exception):
    """Why a picture is not taken."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def _read(file: Any) -> bytes:
    most = settings.YIWANG_PHOTO_BYTES
    content: bytes = file if isinstance(file, bytes) else file.read(most + 1)
    if len(content) > most:
        raise _Bad(
            Text("文件太大，最多 {most} 字节。", "The file is too large, at most {most} bytes.", most=number_text(most))
        )
    return content


def path_of(digest: str) -> str:
    """Where the picture with a digest lies, relative to the data folder."""
    return f"{FOLDER}/{digest[:2]}/{digest}.jpg"


def small_copy(path: Path) -> Path:
    """The small form of a picture that was kept: at most `SMALL_SIDE` long, made the first time that it is asked for.

    Args:
        path: The picture's file, named by its content.

    Raises:
        OSError: When the file is gone or damaged.
    """
    small = Path(settings.YIWANG_HOME, SMALL_FOLDER, path.stem[:2], f"{path.stem}.jpg")
    if not small.is_file():
        with _one_at_a_time, Image.open(path, formats=("JPEG",)) as opened:
            opened.draft("RGB", (2 * SMALL_SIDE, 2 * SMALL_SIDE))
            opened.thumbnail((SMALL_SIDE, SMALL_SIDE))
            picture = opened.convert("RGB")
        _write(small, _encode(picture))
    return small


def _keep(content: bytes) -> StoredPhoto:
    picture, taken_at = _decode(content)
    encoded = _encode(picture)
    digest = hashlib.sha256(encoded).hexdigest()
    relative = path_of(digest)
    _write(Path(settings.YIWANG_HOME, relative), encoded)
    return StoredPhoto(path=relative, digest=digest, width=picture.width, height=picture.height, taken_at=taken_at)


def _encode(picture: Image.Image, *, exif: Image.Exif | None = None) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85, optimize=True, **({} if exif is None else {"exif": exif}))
    return buffer.getvalue()


def _decode(content: bytes) -> tuple[Image.Image, datetime | None]:
    """The picture upright, in plain colours, at most `LONGEST_SIDE` long; and when the camera says it was taken."""
    try:
        with _one_at_a_time, Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            _check_size(opened)
            exif = opened.getexif()
            turned, taken_at = exif.get(ExifTags.Base.Orientation, 1), _exif_time(exif)
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded at a half, a quarter or an eighth
            opened.load()
            picture = _plain(_smaller(opened))
    except _UNREADABLE as error:
        raise _Bad(
            Text(
                "不是能读的图片，请发 JPEG、PNG、WebP 或 HEIC。",
                "It cannot be read as a picture; send a JPEG, PNG, WebP or HEIC.",
            )
        ) from error
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    clean.getexif()[ExifTags.Base.Orientation] = turned
    return ImageOps.exif_transpose(clean), taken_at


def _check_size(opened: Image.Image) -> None:
    kind = "PROGRESSIVE" if opened.info.get("progressive") else str(opened.format)
    most = MOST_PIXELS.get(kind, MOST_PIXELS["JPEG"])  # MPO is JPEG
    if opened.width * opened.height > most:
        raise _Bad(
            Text(
                "有 {width} × {height} 像素，这种格式最多 {most} 万像素，请缩小。",
                "It has {width} × {height} pixels, of this kind at most {millions} million; make it smaller.",
                width=opened.width,
                height=opened.height,
                most=most // 10_000,
                millions=most // 1_000_000,
            )
        )


def _smaller(picture: Image.Image) -> Image.Image:
    """At most `LONGEST_SIDE` long, whole steps first: other kinds of pixels and other modes are made of few pixels only."""
    steps = max(picture.size) // (2 * LONGEST_SIDE)
    if steps > 1 and picture.mode not in ("P", "1"):
        picture = picture.reduce(steps)
    elif steps > 1:
        picture.thumbnail((2 * LONGEST_SIDE, 2 * LONGEST_SIDE), Image.Resampling.NEAREST)
    return picture


def _plain(picture: Image.Image) -> Image.Image:
    """Colours of eight bits; what is transparent is white."""
    if picture.mode.startswith("I") or picture.mode == "F":  # sixteen bits of grey
        values = np.asarray(picture, dtype=np.float64)
        picture = Image.fromarray(np.clip(values / 257, 0, 255).round().astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    picture = picture.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture


_EXIF_TIME = "%Y:%m:%d %H:%M:%S"


def _exif_time(exif: Image.Exif) -> datetime | None:
    """By the camera's clock, which may be wrong; None where it does not say."""
    said = exif.get_ifd(ExifTags.IFD.Exif)
    text = str(said.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
    zone = str(said.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    for value, form in ((text + zone, f"{_EXIF_TIME}%z"), (text, _EXIF_TIME)):
        with contextlib.suppress(ValueError):
            return datetime.strptime(value, form)  # noqa: DTZ007 - the zone is set by who knows the city
    return None


def in_zone(taken_at: datetime | None, zone: tzinfo) -> datetime | None:
    """The camera's time as a moment; None also for one that no calendar holds in UTC."""
    if taken_at is None:
        return None
    try:
        return (taken_at if taken_at.tzinfo else taken_at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also when two processes write the same picture."""
    if path.is_file() and path.read_bytes() == content:  # a damaged one is written anew
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
