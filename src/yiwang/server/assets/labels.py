"""Labels for components: a QR code that opens a report which knows already what it is about and where.

Twenty-four on a sheet of A4, 70 × 37 mm each, the size in which label sheets are sold. The codes are made by segno with
error correction Q, so that a quarter of one may be scratched or dirty (ISO/IEC 18004).
"""

from __future__ import annotations

from collections.abc import Iterable

import segno
from fpdf import FPDF

from yiwang.core.kernel.text import Text
from yiwang.server.assets.models import Component
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.sheets import FONT, INK, SOFT, font_of

ACROSS, DOWN = 3, 8
WIDE, HIGH = 70.0, 37.0  # millimetres
_CODE = 29.0  # side of a QR code with its quiet zone
_LEFT, _TOP = 2.5, (297.0 - DOWN * HIGH) / 2
MOST = 2400  # labels in a file: a hundred sheets


def label_sheet(components: Iterable[Component], *, place: CityRuntime, address: str) -> bytes:
    """The labels as a PDF.

    Args:
        components: What is labelled, in the order of the sheets.
        place: Their city.
        address: Where its site is found, e.g. ``https://city.example``.
    """
    sheet = FPDF(format="A4")
    sheet.set_auto_page_break(auto=False)
    font_of(sheet)
    sheet.set_title(say("部件标签", "Component labels"))
    for number, component in enumerate(components):
        at = number % (ACROSS * DOWN)
        if at == 0:
            sheet.add_page()
        _label(sheet, component, place, address, x=at % ACROSS * WIDE, y=_TOP + at // ACROSS * HIGH)
    if not sheet.pages:
        sheet.add_page()
    return bytes(sheet.output())


def report_address(component: Component, *, address: str) -> str:
    """Where a report about a component begins."""
    return f"{address.rstrip('/')}/{component.city}/portal/report?component={component.code}"


def _label(sheet: FPDF, component: Component, place: CityRuntime, address: str, *, x: float, y: float) -> None:
    _draw_code(sheet, report_address(component, address=address), x=x + _LEFT, y=y + (HIGH - _CODE) / 2)
    kind = place.pack.components.get(component.kind)
    lines = [
        (11.0, INK, say(kind.name) if kind else component.kind),
        (8.0, INK, component.name),
        (7.5, INK, component.code),
        (7.0, SOFT, say(place.info.name)),
        (7.0, SOFT, say(Text("扫码上报问题", "Scan to report a problem"))),
    ]
    left, wide, top = x + _LEFT + _CODE + 1.5, WIDE - _CODE - 2 * _LEFT - 1.5, y + 5.5
    for size, colour, text in lines:
        if not text:
            continue
        sheet.set_text_color(*colour)
        sheet.set_font(FONT, size=size)
        while sheet.get_string_width(text) > wide and size > 4.5:
            size -= 0.5
            sheet.set_font(FONT, size=size)
        sheet.set_xy(left, top)
        sheet.cell(wide, size * 0.45, text)
        top += size * 0.45 + 1.6


def _draw_code(sheet: FPDF, text: str, *, x: float, y: float) -> None:
    """Dark squares of a QR code as rectangles, neighbours in a row as one."""
    rows = list(segno.make(text, error="q", micro=False).matrix_iter(border=4))
    side = _CODE / len(rows)
    sheet.set_fill_color(0, 0, 0)
    for row, cells in enumerate(rows):
        start = None
        for column, dark in enumerate([*cells, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                sheet.rect(x + start * side, y + row * side, (column - start) * side, side, style="F")
                start = None
