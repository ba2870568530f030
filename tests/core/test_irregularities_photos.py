"""One photo used twice: found when it was edited, not when it is another."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from yiwang.core.irregularities.photos import CONFIRMED, NEAR, fingerprint, near_pairs, photos, same_photos
from yiwang.core.irregularities.rows import PhotoPrint

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def scene(seed: int, width: int = 480, height: int = 360) -> Image.Image:
    """A picture with the spectrum of a photograph (power falls as 1/f²), a horizon and some things in it."""
    random = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]
    frequency = np.hypot(down, across)
    frequency[0, 0] = 1
    layers = []
    for _ in range(3):
        noise = np.fft.ifft2(np.fft.fft2(random.normal(size=(height, width))) / frequency).real
        layers.append(128 + 45 * noise / noise.std())
    picture = np.stack(layers, axis=-1)
    picture[: int(height * random.uniform(0.2, 0.5))] += 40
    for _ in range(6):
        top, left = int(random.integers(height - 60)), int(random.integers(width - 60))
        picture[top : top + int(random.integers(20, 60)), left : left + int(random.integers(20, 60))] = random.uniform(
            0, 255, 3
        )
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def stored(image: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(io.BytesIO(data.getvalue()))


def cropped(image: Image.Image, share: float) -> Image.Image:
    width, height = image.size
    return image.crop((int(width * share), int(height * share), int(width * (1 - share)), int(height * (1 - share))))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half the size": lambda image: image.resize((240, 180)),
    "stored at quality 30": lambda image: stored(image, 30),
    "brighter by a fifth": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "without colour": lambda image: image.convert("L"),
    "cropped by 1 % at each side": lambda image: cropped(image, 0.01),
}


def code(image: Image.Image) -> tuple[int, int]:
    found = fingerprint(image)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def scenes() -> list[Image.Image]:
    return [scene(seed) for seed in range(60)]


def is_same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return (one[0] ^ other[0]).bit_count() <= NEAR and (one[1] ^ other[1]).bit_count() <= CONFIRMED


@pytest.mark.parametrize("edit", list(EDITS))
def test_edited_photos_are_recognised(scenes: list[Image.Image], edit: str) -> None:
    found = sum(is_same(code(image), code(EDITS[edit](image))) for image in scenes)
    assert found >= 0.9 * len(scenes)


def test_different_photos_are_not_taken_for_one() -> None:
    codes = [code(scene(seed, 160, 120)) for seed in range(1000, 1600)]
    assert sum(is_same(one, other) for one, other in combinations(codes, 2)) == 0  # of 179,700 pairs


def test_pictures_that_show_nothing_have_no_print() -> None:
    assert fingerprint(Image.new("RGB", (300, 200), (12, 12, 14))) is None
    assert fingerprint(Image.fromarray(np.full((80, 80), 200, dtype=np.uint8))) is None


def test_the_search_finds_every_near_pair() -> None:
    random = np.random.default_rng(3)
    codes = [int(value) for value in random.integers(0, 2**64, 400, dtype=np.uint64)]
    for place in range(300):
        changed = codes[place]
        for bit in random.permutation(64)[: place % 12]:
            changed ^= 1 << int(bit)
        codes.append(changed)
    slow = {
        (one, other)
        for one, other in combinations(range(len(codes)), 2)
        if (codes[one] ^ codes[other]).bit_count() <= NEAR
    }
    found = list(near_pairs(codes))
    assert len(found) == len(set(found))
    assert set(found) == slow
    assert len(slow) >= 150
    with pytest.raises(ValueError, match="7 bits"):
        list(near_pairs(codes, near=8))


def test_the_search_looks_at_few() -> None:
    """Candidates are a small part of all pairs: counted, not timed."""
    random = np.random.default_rng(4)
    codes = [int(value) for value in random.integers(0, 2**64, 5000, dtype=np.uint64)]
    looked = 0

    class Counted(int):
        def __xor__(self, other: int) -> int:
            nonlocal looked
            looked += 1
            return int(self) ^ int(other)

    assert list(near_pairs([Counted(one) for one in codes])) == []
    assert looked < 5000 * 4999 / 2 / 100


def shot(
    number: int, phash: int, *, city: str = "here", case: str = "", after: bool = True, seq: int = 4, unit: str = "a"
) -> PhotoPrint:
    return PhotoPrint(
        id=f"p{number}", city=city, case=case or f"c{number}", unit=unit, at=NOON + timedelta(minutes=number),
        after=after, seq=seq, phash=phash, dhash=phash,
    )  # fmt: skip


def test_only_what_shows_work_done_is_a_lead() -> None:
    prints = [
        shot(1, 0b1, after=False),  # a citizen's, then sent as proof of the work
        shot(2, 0b11, unit="b"),
        shot(3, 1 << 60, after=False),  # one citizen, two reports
        shot(4, 1 << 60, after=False),
        shot(5, (1 << 40) - 1, case="one", seq=7),  # two of one event
        shot(6, (1 << 40) - 1, case="one", seq=7),
        shot(7, 0xFFFF << 44, city="there"),
        shot(8, 0xFFFF << 44),
        shot(9, 0xF0F0F0F0F0F0F0F0, city="there"),
        shot(10, 0xF0F0F0F0F0F0F0F0, city="there"),
    ]
    found = {one.unit: one for one in photos(prints, city="here", period="2026-11")}
    assert found["b"].data["pairs"] == [["c2", "p2", "here", "c1", "p1", 1]]
    assert found["a"].data["pairs"] == [["c8", "p8", "there", "c7", "p7", 0]]
    assert found["a"].p_value is None
    assert found["a"].cases == ("c8",)
    assert len(found) == 2


def test_both_hashes_must_agree() -> None:
    prints = [
        shot(1, 1),
        PhotoPrint(id="x", city="here", case="c", unit="a", at=NOON, after=True, seq=1, phash=1, dhash=2**40 - 1),
    ]
    assert same_photos(prints) == []
