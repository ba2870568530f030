"""Perceptual hashes of photos, made once for each photo and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageOps

from yiwang.core.irregularities.photos import fingerprint
from yiwang.server.cases.api import Photo
from yiwang.server.irregularities.models import Fingerprint

SMALL = (512, 512)


def prints_of(photos: Sequence[int]) -> dict[int, tuple[int, int]]:
    """pHash and dHash by photo, for those that have some; made and kept where they are not there yet."""
    rows = Fingerprint.objects.filter(photo__in=photos).values_list("photo", "phash", "dhash")
    known = {photo: (phash, dhash) for photo, phash, dhash in rows}
    missing = [photo for photo in photos if photo not in known]
    paths = Photo.objects.filter(id__in=missing).values_list("id", "path")
    made = {photo: _print_of(Path(settings.YIWANG_HOME, path)) for photo, path in paths}
    # another look may make the same ones meanwhile
    Fingerprint.objects.bulk_create(
        [Fingerprint(photo=photo, phash=phash, dhash=dhash) for photo, (phash, dhash) in made.items()],
        ignore_conflicts=True,
    )
    return {
        photo: (int(phash, 16), int(dhash, 16)) for photo, (phash, dhash) in (known | made).items() if phash and dhash
    }


def _print_of(path: Path) -> tuple[str, str]:
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", SMALL)
            found = fingerprint(ImageOps.exif_transpose(opened))
    except OSError:  # it was forgotten, or is no picture
        return "", ""
    return (f"{found[0]:016x}", f"{found[1]:016x}") if found else ("", "")
