"""Draw the field app's icons (web/public/icons): the mark of base.html on the brand's green. Run it when the mark changes."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "web" / "public" / "icons"
GREEN, WHITE = "#0b6b5d", "#ffffff"
SCALE = 4  # drawn larger, then made small: smooth edges


def icon(size: int, *, mask: bool) -> Image.Image:
    """The mark; a mask icon fills the square and keeps to its inner four fifths."""
    side = size * SCALE
    picture = Image.new("RGBA", (side, side), GREEN if mask else (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    if not mask:
        pen.rounded_rectangle((0, 0, side - 1, side - 1), radius=side * 0.2, fill=GREEN)
    margin, width = side * (0.24 if mask else 0.16), round(side * 0.05)
    low, high = margin, side - margin
    third, two = low + (high - low) * 0.28, low + (high - low) * 0.72
    for line in (third, two):
        pen.line((low, line, high, line), fill=WHITE, width=width)
        pen.line((line, low, line, high), fill=WHITE, width=width)
    dot = side * 0.085
    pen.ellipse((two - dot, third - dot, two + dot, third + dot), fill=WHITE)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, size, mask in (("field-192", 192, False), ("field-512", 512, False), ("field-mask-512", 512, True)):
        icon(size, mask=mask).quantize(64).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
