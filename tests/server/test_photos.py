"""Pictures of all kinds: what they cost, what becomes of them, and what one bad one does to the others."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import ExifTags, Image

from yiwang.core.kernel.errors import BadInput

MOST_MEGABYTES = 150
MEASURE = """
import json, os, resource, sys
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
django.setup()
from yiwang.server.common import photos
content = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    kept = photos.keep([content])
    said = [kept[0].width, kept[0].height]
except Exception as error:
    said = str(error)
print(json.dumps([said, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


def written(picture: Image.Image, form: str = "JPEG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **how)
    return buffer.getvalue()


@pytest.fixture
def keep(settings: Any, tmp_path: Path) -> Any:
    from yiwang.server.common import photos

    settings.YIWANG_HOME = tmp_path
    return lambda *files: photos.keep(files)


def shown(kept: Any, home: Path) -> Image.Image:
    with Image.open(home / kept.path) as picture:
        picture.load()
        return picture


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """Red, green and blue at a place of a picture in colour."""
    found = picture.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "size", "mode", "how", "taken"),
    [
        ("JPEG", (8660, 5773), "RGB", {}, True),
        ("JPEG", (4600, 3400), "RGB", {"progressive": True, "subsampling": 0}, True),
        ("JPEG", (8660, 5773), "RGB", {"progressive": True}, False),
        ("PNG", (5900, 4000), "RGBA", {}, True),
        ("PNG", (5900, 4000), "P", {}, True),
        ("PNG", (5900, 4000), "I;16", {}, True),
        ("PNG", (8660, 5773), "RGB", {}, False),
        ("WEBP", (3400, 2300), "RGBA", {}, True),
        ("WEBP", (8660, 5773), "RGB", {"method": 0}, False),
        ("HEIF", (5000, 4900), "RGB", {"quality": 10}, True),
        ("HEIF", (8000, 6200), "RGB", {"quality": 10}, False),
    ],
)
def test_no_picture_costs_more_than_it_may(
    tmp_path: Path, form: str, size: tuple[int, int], mode: str, how: dict[str, Any], taken: bool
) -> None:
    file = tmp_path / "picture"
    file.write_bytes(written(Image.new(mode, size), form, **how))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(tmp_path),
    )
    said, megabytes = json.loads(done.stdout.splitlines()[-1])
    assert megabytes <= MOST_MEGABYTES, f"{megabytes:.0f} MB"
    if taken:
        assert max(said) <= 2048, said
    else:
        assert str(size[0]) in said, "it is not said how large it is"


def environment(home: Path) -> dict[str, str]:
    import os

    return {**os.environ, "YIWANG_HOME": str(home), "YIWANG_DATABASE_URL": ""}


def test_a_photo_of_an_iphone_is_taken(keep: Any, tmp_path: Path) -> None:
    (kept,) = keep(written(Image.new("RGB", (300, 200), (200, 30, 30)), "HEIF"))
    red, green, blue = pixel(shown(kept, tmp_path), 150, 100)
    assert red > 170 > 90 > green
    assert blue < 90


def test_what_is_transparent_is_white(keep: Any, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    palette = Image.new("P", (64, 64), 3)
    palette.putpalette([9] * 768)
    for content in (written(clear, "PNG"), written(palette, "PNG", transparency=3)):
        (kept,) = keep(content)
        assert min(pixel(shown(kept, tmp_path), 32, 32)) >= 250


def test_sixteen_bits_are_scaled_and_not_cut(keep: Any, tmp_path: Path) -> None:
    grey = Image.fromarray(np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1)))
    (kept,) = keep(written(grey, "PNG"))
    row = [pixel(shown(kept, tmp_path), x, 30)[0] for x in (10, 128, 245)]
    assert row == pytest.approx([10, 128, 245], abs=8)


def test_every_bad_photo_is_named(keep: Any) -> None:
    good = written(Image.new("RGB", (50, 50)))
    bad = SimpleUploadedFile("IMG_7.jpg", b"no picture at all")
    with pytest.raises(BadInput) as refused:
        keep(good, bad, good, good[: len(good) // 2])
    said = [str(problem.message) for problem in refused.value.problems]
    assert len(said) == 2
    assert "2" in said[0]
    assert "IMG_7.jpg" in said[0]
    assert "4" in said[1]


def test_a_damaged_file_is_whole_again_when_the_picture_is_sent_again(keep: Any, tmp_path: Path) -> None:
    content = written(Image.new("RGB", (50, 50), "green"))
    (kept,) = keep(content)
    whole = (tmp_path / kept.path).read_bytes()
    (tmp_path / kept.path).write_bytes(whole[:40])
    keep(content)
    assert (tmp_path / kept.path).read_bytes() == whole


def test_the_time_taken_is_kept_and_nothing_else_of_the_camera(keep: Any, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Phone 7"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2019:05:04 03:02:01"
    (kept,) = keep(written(Image.new("RGB", (60, 30)), exif=exif))
    assert kept.taken_at == datetime(2019, 5, 4, 3, 2, 1)
    assert (kept.width, kept.height) == (30, 60)
    assert not shown(kept, tmp_path).getexif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "+08:00"
    (kept,) = keep(written(Image.new("RGB", (60, 30)), exif=exif))
    assert kept.taken_at == datetime(2019, 5, 3, 19, 2, 1, tzinfo=UTC)


def test_the_form_keeps_the_good_photo_and_the_time_it_was_taken(client: Client, mini: str) -> None:
    from yiwang.server.cases.models import Photo

    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2019:05:04 03:02:01"
    good = SimpleUploadedFile("good.jpg", written(Image.new("RGB", (60, 30), "blue"), exif=exif))
    bad = SimpleUploadedFile("bad.jpg", b"GIF89a")
    said = {
        "text": "垃圾",
        "category": "02001",
        "lon": "120.003",
        "lat": "31.003",
        "key": "0123456789abcdef",
        "seen": "1",
    }
    page = client.post("/mini/portal/report", {**said, "photos": [good, bad]})
    assert page.status_code == 422
    assert "bad.jpg" in page.content.decode()
    assert "good.jpg" not in page.content.decode()
    kept = page.content.decode().split('name="kept" value="', 1)[1].split('"', 1)[0]
    assert client.post("/mini/portal/report", {**said, "kept": kept}).status_code in (200, 201, 302)
    photo = Photo.objects.get()
    assert photo.taken_at == datetime(2019, 5, 3, 19, 2, 1, tzinfo=UTC)


def test_the_case_file_is_made_with_a_damaged_photo(report: Any, tmp_path: Path, settings: Any) -> None:
    from yiwang.server.casepage import case_file

    damaged = tmp_path / "damaged.jpg"
    whole = written(Image.effect_noise((400, 300), 50).convert("RGB"))
    for content in (b"", whole[:100], whole[: len(whole) // 2]):
        damaged.write_bytes(content)
        assert case_file._small(damaged) is None
