"""Sheets of A4 as a PDF: paragraphs, parts, facts and tables, in the platform's inks.

fpdf2 sets them with Noto Sans CJK from a wheel, of which only the characters used go into the file (decision 0110).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos

from yiwang.server.common.language import english

FONT, SIMPLIFIED = "noto", 2  # the collection's fonts: Japanese, Korean, Simplified Chinese, …
INK, SOFT, LINE, BRAND, LATE = (28, 37, 41), (86, 97, 104), (200, 206, 202), (11, 107, 93), (179, 38, 30)


@lru_cache(maxsize=1)
def _font_file() -> Path:
    return Path(str(files("noto_cjk_sans_otc").joinpath("NotoSansCJK-Regular.ttc")))


def font_of(paper: FPDF) -> None:
    """Give a paper the platform's font, as `FONT`."""
    paper.add_font(FONT, fname=_font_file(), collection_font_number=SIMPLIFIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of a row of figures.

    Attributes:
        late: Whether it counts what is overdue; red unless it is none.
        below: Up to two short lines under the number.
    """

    name: str
    value: int
    late: bool = False
    below: Sequence[str] = ()


class Sheet(FPDF):
    """A4 with a head on every page and a foot with the page's number."""

    def __init__(self, *, head: str, foot: str) -> None:
        super().__init__(format="A4")
        self.head, self.foot = head, foot
        font_of(self)
        self.set_font(FONT, size=9.5)
        self.set_margins(18, 20, 18)
        self.set_auto_page_break(auto=True, margin=20)
        self.alias_nb_pages()
        self.add_page()

    def header(self) -> None:
        self.set_xy(18, 9)
        self.set_font(FONT, size=8)
        self.set_text_color(*SOFT)
        self.cell(0, 5, self.head)
        self.set_xy(18, 20)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(FONT, size=7.5)
        self.set_text_color(*SOFT)
        self.cell(0, 4, self.foot)
        self.set_y(-14)
        self.cell(0, 4, f"{self.page_no()} / {{nb}}", align="R")

    def say_line(self, text: str, *, size: float = 9.5, colour: Sequence[int] = INK, gap: float = 0.0) -> None:
        """A paragraph."""
        self.set_font(FONT, size=size)
        self.set_text_color(*colour)
        self.set_x(self.l_margin)
        self.multi_cell(0, size * 0.52, text or "—", new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=wrap())
        if gap:
            self.ln(gap)

    def part(self, title: str) -> None:
        """The title of a part."""
        if self.get_y() > 255:
            self.add_page()
        self.ln(3)
        self.say_line(title, size=12, colour=BRAND)
        self.set_draw_color(*LINE)
        self.line(self.l_margin, self.get_y() + 0.5, self.w - self.r_margin, self.get_y() + 0.5)
        self.ln(2)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names on the left, values on the right."""
        for name, value in pairs:
            if self.get_y() > 268:
                self.add_page()
            top = self.get_y()
            self.set_font(FONT, size=8.5)
            self.set_text_color(*SOFT)
            self.multi_cell(34, 5, name, align="L", new_x=XPos.LEFT, new_y=YPos.NEXT, wrapmode=wrap())
            below = self.get_y()  # a long name takes two lines
            self.set_xy(self.l_margin + 36, top)
            self.set_font(FONT, size=9.5)
            self.set_text_color(*INK)
            self.multi_cell(0, 5, value or "—", new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=wrap())
            self.set_y(max(self.get_y(), below))

    def figures(self, found: Sequence[Figure]) -> None:
        """Numbers in a row across the sheet, each under its name; the names become smaller where they would touch."""
        wide, top, lines = (self.w - 2 * self.l_margin) / len(found), self.get_y(), max(len(one.below) for one in found)
        self.set_font(FONT, size=8.5)
        small = min(1.0, (wide - 1.5) / max(self.get_string_width(one.name) for one in found))
        self.set_draw_color(*LINE)
        self.line(self.l_margin, top, self.w - self.r_margin, top)
        for at, one in enumerate(found):
            shown = [
                (2.0, one.name, 8.5 * small, SOFT),
                (7.0, f"{one.value:,}", 17.0, LATE if one.late and one.value else INK),
                *((15.5 + 3.5 * line, text, 7.0, SOFT) for line, text in enumerate(one.below)),
            ]
            for y, text, size, colour in shown:
                self.set_xy(self.l_margin + at * wide, top + y)
                self.set_font(FONT, size=size)
                self.set_text_color(*colour)
                self.cell(wide, size * 0.5, text, new_x=XPos.LEFT, new_y=YPos.NEXT)
        below = top + 17 + 3.5 * lines
        self.line(self.l_margin, below, self.w - self.r_margin, below)
        self.set_xy(self.l_margin, below + 2)

    def rows(self, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        """A table whose head comes again on every page."""
        if not rows:
            self.say_line("—", colour=SOFT)
            return
        self.set_font(FONT, size=8)
        self.set_text_color(*INK)
        self.set_draw_color(*LINE)
        with self.table(
            col_widths=tuple(widths),
            line_height=4.4,
            text_align="LEFT",
            borders_layout="HORIZONTAL_LINES",
            wrapmode=wrap(),
            headings_style=cast(Any, _plain_heading()),
        ) as table:
            for line in [head, *rows]:
                row = table.row()
                for text in line:
                    row.cell(text or "—")


def wrap() -> WrapMode:
    """English breaks between words, Chinese anywhere."""
    return WrapMode.WORD if english() else WrapMode.CHAR


def _plain_heading() -> Any:
    from fpdf.fonts import FontFace

    return FontFace(family=FONT, emphasis="", color=SOFT)
