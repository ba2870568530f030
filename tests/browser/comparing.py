"""Whether two screenshots show the same page, in spite of other fonts: both are made small and soft, then compared.

What it sees: a block that is missing or moved, an empty list, other colours. What it must not see: letters. So a picture
is reduced to `SMALL` pixels of width and blurred, and the share of pixels is taken that differ by more than `FAR` levels.
Lines wrap elsewhere in another font, on a phone much more than on a desk: so the tolerance goes by the size of the
window. Decision 0096 has the figures from which it was chosen.
"""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

KEPT, SMALL = 320, 96  # width of a stored reference, and of what is compared, in pixels
SOFT = 1.6  # radius of the blur, in pixels of the small picture
FAR = 14  # levels of 256 in any colour, from which on a pixel counts as another
MOST = {"desktop": 0.02, "phone": 0.12}  # share of the pixels that may be others


def difference(one: Image.Image, other: Image.Image) -> float:
    """The share of pixels in which two pictures of the same proportions differ."""
    height = round(SMALL * one.height / one.width)
    soft = [
        picture.convert("RGB").resize((SMALL, height), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(SOFT))
        for picture in (one, other)
    ]
    bands = ImageChops.difference(*soft).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return sum(most.histogram()[FAR + 1 :]) / (SMALL * height)


def kept(picture: Image.Image) -> Image.Image:
    """The reference that is stored of a screenshot."""
    return picture.convert("RGB").resize((KEPT, round(KEPT * picture.height / picture.width)), Image.Resampling.LANCZOS)
