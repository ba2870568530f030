"""Photos: only what decodes as a picture is taken, re-encoded, so that nothing of the camera, the place or a payload survives."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from yiwang.core.kernel.errors import BadInput, Problem

FORMATS = ("JPEG", "PNG", "WEBP")  # the JPEG reader takes MPO too; naming it makes Pillow fail on what is no picture
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 2048
MOST_PHOTOS = 6
FOLDER = "photos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A picture as it lies in the data folder."""

    path: str
    digest: str
    width: int
    height: int


def keep(files: Sequence[Any]) -> list[Kept]:
    """Take pictures (bytes, or anything with ``read``) into the data folder.

    A file is named by its content, and written before the transaction that refers to it: a rollback leaves at most a
    file that nobody refers to, never a reference without a file.

    Raises:
        BadInput: When there are too many, or one is too large or no picture.
    """
    if len(files) > MOST_PHOTOS:
        raise BadInput(Problem(f"{len(files)} photos.", f"At most {MOST_PHOTOS} are taken at once.", column="photos"))
    return [_keep(_read(file)) for file in files]


def _read(file: Any) -> bytes:
    content: bytes = file if isinstance(file, bytes) else file.read(settings.YIWANG_PHOTO_BYTES + 1)
    if len(content) > settings.YIWANG_PHOTO_BYTES:
        raise BadInput(
            Problem(
                "The photo is too large.", f"At most {settings.YIWANG_PHOTO_BYTES:,} bytes are taken.", column="photos"
            )
        )
    return content


def put_by(files: Sequence[Any], *, folder: str) -> list[str]:
    """Re-encode pictures of a form that is not finished yet into a folder of its own; their paths there.

    Raises:
        BadInput: As `keep` does.
    """
    if len(files) > MOST_PHOTOS:
        raise BadInput(Problem(f"{len(files)} photos.", f"At most {MOST_PHOTOS} are taken at once.", column="photos"))
    paths = []
    for file in files:
        encoded = _encoded(_decoded(_read(file)))
        paths.append(f"{folder}/{hashlib.sha256(encoded).hexdigest()}.jpg")
        _write(Path(settings.YIWANG_HOME, paths[-1]), encoded)
    return paths


def path_of(digest: str) -> str:
    """Where the picture with a digest lies, relative to the data folder."""
    return f"{FOLDER}/{digest[:2]}/{digest}.jpg"


def _keep(content: bytes) -> Kept:
    picture = _decoded(content)
    encoded = _encoded(picture)
    digest = hashlib.sha256(encoded).hexdigest()
    relative = path_of(digest)
    _write(Path(settings.YIWANG_HOME, relative), encoded)
    return Kept(path=relative, digest=digest, width=picture.width, height=picture.height)


def _encoded(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85, optimize=True)
    return buffer.getvalue()


def _decoded(content: bytes) -> Image.Image:
    """The picture upright, in plain colours, at most `LONGEST_SIDE` long."""
    hint = "Send a JPEG, PNG or WebP picture."
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise BadInput(
                    Problem(
                        f"The photo has {opened.width} × {opened.height} pixels.", "Make it smaller.", column="photos"
                    )
                )
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInput(Problem("The photo cannot be read as a picture.", hint, column="photos")) from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    return clean


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also when two processes write the same picture."""
    if path.exists():
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
