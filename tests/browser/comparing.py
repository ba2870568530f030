"""Whether two screenshots show the same page, in spite of other fonts: both are made small and soft, then compared.

What it sees: a block that is missing, moved by more than a line, or in other colours. What it must not see: letters. So
a picture is reduced to `SMALL` pixels of width and blurred before the difference is taken; how different the letters of
two fonts look after that is the tolerance (decision 0096 has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageStat

KEPT, SMALL = 320, 96  # width of a stored reference, and of what is compared, in pixels
SOFT = 1.6  # radius of the blur, in pixels of the small picture
FAR = 30  # levels of 256 in any colour, from which on a pixel counts as another
MEAN_MOST, FAR_MOST = 5.0, 0.035


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Mean difference in levels of 256, and the share of pixels that differ by more than `FAR` levels."""

    mean: float
    far: float

    @property
    def alike(self) -> bool:
        return self.mean <= MEAN_MOST and self.far <= FAR_MOST


def difference(one: Image.Image, other: Image.Image) -> Difference:
    """How far two pictures of the same proportions are from each other."""
    height = round(SMALL * one.height / one.width)
    soft = [
        picture.convert("RGB").resize((SMALL, height), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(SOFT))
        for picture in (one, other)
    ]
    apart = ImageChops.difference(*soft)
    bands = apart.split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    far = sum(most.histogram()[FAR + 1 :]) / (SMALL * height)
    return Difference(mean=sum(ImageStat.Stat(apart).mean) / 3, far=far)


def kept(picture: Image.Image) -> Image.Image:
    """The reference that is stored of a screenshot."""
    return picture.convert("RGB").resize((KEPT, round(KEPT * picture.height / picture.width)), Image.Resampling.LANCZOS)
