"""The custody of a case as a drawing: the levels as lanes, a bar for each holder, so that the two-way flow is seen.

Plain SVG without scripts or styles of its own: classes only, coloured by the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString

WIDTH, LEFT, LANE, BAR, TOP, RIGHT = 900, 110, 44, 24, 8, 12
NARROWEST = 12.0
CHARACTER = 12  # widest character of a label, in drawing units


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One custody: its lane (0 is the top level), how long, what is written on it and what a pointer reads."""

    lane: int
    seconds: float
    label: str
    title: str
    late: bool = False


def lanes_svg(*, levels: Sequence[str], bars: Sequence[Bar], label: str) -> SafeString:
    """The drawing. Lengths are in proportion to time, but no bar is too narrow to be seen.

    Args:
        levels: Names of the lanes, from the top.
        bars: Custodies in their order.
        label: What the drawing is, for those who do not see it; the table beside it says the same in words.
    """
    height = TOP * 2 + LANE * len(levels)
    parts = [
        format_html(
            '<svg class="lanes" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">',
            WIDTH,
            height,
            label,
        )
    ]
    for index, level in enumerate(levels):
        top = TOP + index * LANE
        parts.append(
            format_html(
                '<rect class="lane{}" x="0" y="{}" width="{}" height="{}"/><text x="10" y="{}">{}</text>',
                " odd" if index % 2 else "",
                top,
                WIDTH,
                LANE,
                top + LANE / 2 + 5,
                level,
            )
        )
    x = float(LEFT)
    before: float | None = None
    for bar, width in zip(bars, _widths([bar.seconds for bar in bars]), strict=True):
        y = TOP + bar.lane * LANE + (LANE - BAR) / 2
        if before is not None and before != y:
            tip = y if y > before else y + BAR
            start = before + BAR if y > before else before
            parts.append(
                format_html('<path class="{}" d="M{:} {}V{}"/>', "down" if y > before else "up", f"{x:.1f}", start, tip)
            )
        parts.append(
            format_html(
                '<g><title>{}</title><rect class="bar{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>',
                bar.title,
                " late" if bar.late else "",
                f"{x:.1f}",
                y,
                f"{max(width - 1, 1):.1f}",
                BAR,
            )
        )
        room = int(width // CHARACTER)
        if room >= 3:
            text = bar.label if len(bar.label) <= room else f"{bar.label[: room - 1]}…"
            parts.append(format_html('<text class="on" x="{}" y="{}">{}</text>', f"{x + 6:.1f}", y + 16, text))
        parts.append(SafeString("</g>"))
        x, before = x + width, y
    return SafeString("".join([*parts, "</svg>"]))


def _widths(seconds: Sequence[float]) -> list[float]:
    """Widths that add up to the room there is, none below `NARROWEST` while there is room for that."""
    room = float(WIDTH - LEFT - RIGHT)
    if not seconds:
        return []
    least = min(NARROWEST, room / len(seconds))
    total, spare = sum(seconds), room - least * len(seconds)
    return [least + (spare * part / total if total > 0 else spare / len(seconds)) for part in seconds]
