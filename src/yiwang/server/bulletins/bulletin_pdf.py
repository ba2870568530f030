"""A bulletin on paper: one or two sheets of A4 with what the page shows, for the morning meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yiwang.server.bulletins.bulletin import Bulletin
from yiwang.server.cases.api import FIGURE_NAMES
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import say
from yiwang.server.common.sheets import BRAND, FONT, INK, LATE, LINE, SOFT, Figure, Sheet
from yiwang.server.common.templatetags.yiwang import lasting, named, percent

MOST_REGIONS = 12
MOST_LINES = 8
NUMBERS = frozenset({1, 2})
GAP, MARGIN, FOOT = 8.0, 18.0, 277.0
ROW, HEADING = 5.0, 13.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A titled table of half or the whole width.

    Attributes:
        widths: Of the columns, against each other.
        right: Columns of numbers.
        none: What is said instead of no rows.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int]
    right: frozenset[int] = frozenset({1})
    none: str = ""


def bulletin_pdf(found: Bulletin, *, place: CityRuntime, by: str = "", now: datetime) -> bytes:
    """The file, in the language that is spoken now.

    Args:
        found: What it says.
        place: City.
        by: Who asked for it; nobody for the command line.
        now: When it was made.
    """
    zone, period = place.info.zone, found.period
    kind = say("城市管理周报", "Weekly bulletin") if period.weekly else say("城市管理日报", "Daily bulletin")
    made = say("{at} 生成", "Made {at}", at=moment_text(now, zone))
    sheet = Sheet(head=f"{named(place.info)} · {kind} · {period.value}", foot=" · ".join(filter(None, (made, by))))
    sheet.set_title(f"{named(place.info)} {kind} {period.value}")
    sheet.set_creation_date(now)
    sheet.say_line(f"{named(found.region)} · {kind}", size=18)
    sheet.say_line(period.name, size=11, colour=SOFT, gap=1)
    if place.info.notice:
        mark = say("模拟数据 · ", "Simulated · ") if place.info.simulated else ""
        sheet.say_line(mark + say(place.info.notice), size=8, colour=LATE, gap=1)
    for line in found.lines:
        sheet.say_line(line, size=10.5)
    sheet.ln(3)
    _figures(sheet, found)
    _chart(sheet, found)
    if found.regions:
        _table(sheet, _regions(found))
    parts = [part for part in _parts(found) if part is not None]
    for at in range(0, len(parts), 2):
        _side_by_side(sheet, parts[at : at + 2])
    if found.waiting:
        _table(sheet, _waiting(found))
    return bytes(sheet.output())


def _figures(sheet: Sheet, found: Bulletin) -> None:
    """The figures in a row, each over its changes."""
    sheet.figures(
        [
            Figure(
                name=one["name"],
                value=one["value"],
                late=one["id"] == "overdue",
                below=(
                    one["change_line"],
                    say("{name} {n}", name=found.usual_name, n=one["usual_text"]) if one["usual_text"] else "",
                ),
            )
            for one in found.figures
        ]
    )


def _chart(sheet: Sheet, found: Bulletin) -> None:
    """Bars of what was reported and closed, with the numbers over them, and what was overdue below."""
    weekly = found.period.weekly
    sheet.part(say("近 8 周", "The last 8 weeks") if weekly else say("近 14 天", "The last 14 days"))
    high, points, top = 24.0, found.points, sheet.get_y() + 6
    most = max(1, *(max(one["opened"], one["closed"]) for one in points))
    wide = (sheet.w - 2 * MARGIN) / len(points)
    bar = min(5.0, wide * 0.36)
    legend = ((say(FIGURE_NAMES["opened"]), BRAND), (say(FIGURE_NAMES["closed"]), LINE))
    x = MARGIN
    sheet.set_font(FONT, size=7)
    sheet.set_text_color(*SOFT)
    for name, colour in legend:
        sheet.set_fill_color(*colour)
        sheet.rect(x, top - 5, 3, 3, style="F")
        sheet.text(x + 4, top - 2.4, name)
        x += 8 + sheet.get_string_width(name)
    sheet.text(x, top - 2.4, say("下行：期末超时在办", "Below: open and overdue at the end"))
    top += 4
    for at, one in enumerate(points):
        middle = MARGIN + (at + 0.5) * wide
        for name, colour, left in (("opened", BRAND, middle - bar), ("closed", LINE, middle)):
            tall = high * one[name] / most
            sheet.set_fill_color(*colour)
            sheet.rect(left, top + high - tall, bar, tall, style="F")
        sheet.set_font(FONT, size=6.5)
        sheet.set_text_color(*SOFT)
        sheet.set_xy(middle - wide / 2, top + high - high * max(one["opened"], one["closed"]) / most - 3.5)
        sheet.cell(wide, 3, f"{one['opened']}/{one['closed']}", align="C")
        sheet.set_xy(middle - wide / 2, top + high + 0.5)
        sheet.cell(wide, 3.5, one["name"], align="C")
        sheet.set_xy(middle - wide / 2, top + high + 4)
        sheet.set_text_color(*(LATE if one["overdue"] else SOFT))
        sheet.cell(wide, 3.5, f"{one['overdue']:,}", align="C")
    sheet.set_draw_color(*LINE)
    sheet.line(MARGIN, top + high, sheet.w - MARGIN, top + high)
    sheet.set_xy(MARGIN, top + high + 8)


def _table(sheet: Sheet, part: Part) -> None:
    if sheet.get_y() + HEADING + ROW * (1 + len(part.rows)) > FOOT:
        sheet.add_page()
    sheet.part(part.title)
    _rows(sheet, part)


def _side_by_side(sheet: Sheet, parts: Sequence[Part]) -> None:
    """Tables of half the width beside each other, never broken by the end of a page."""
    if sheet.get_y() + HEADING + ROW * (1 + max(len(part.rows) for part in parts)) > FOOT:
        sheet.add_page()
    half = (sheet.w - 2 * MARGIN - GAP) / 2
    top, below = sheet.get_y(), 0.0
    for at, part in enumerate(parts):
        left = MARGIN + at * (half + GAP)
        sheet.set_left_margin(left)
        sheet.set_right_margin(sheet.w - left - half)
        sheet.set_xy(left, top)
        sheet.part(part.title)
        if part.rows:
            _rows(sheet, part)
        else:
            sheet.say_line(part.none, size=8, colour=SOFT)
        below = max(below, sheet.get_y())
    sheet.set_left_margin(MARGIN)
    sheet.set_right_margin(MARGIN)
    sheet.set_xy(MARGIN, below)


def _rows(sheet: Sheet, part: Part) -> None:
    """A table of one line a row, so that the sheet's length is known: what is too long for its column is cut."""
    left, right = sheet.l_margin, sheet.w - sheet.r_margin
    unit = (right - left) / sum(part.widths)
    sheet.set_draw_color(*LINE)
    for line, row in enumerate([part.head, *part.rows]):
        top, x = sheet.get_y(), left
        sheet.set_font(FONT, size=8)
        sheet.set_text_color(*(INK if line else SOFT))
        for column, (text, width) in enumerate(zip(row, part.widths, strict=True)):
            sheet.set_xy(x, top)
            sheet.cell(
                width * unit, ROW, _cut(sheet, text, width * unit - 2.5), align="R" if column in part.right else "L"
            )
            x += width * unit
        sheet.line(left, top + ROW, right, top + ROW)
        sheet.set_xy(left, top + ROW)


def _cut(sheet: Sheet, text: str, width: float) -> str:
    if sheet.get_string_width(text) <= width:
        return text
    while text and sheet.get_string_width(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _regions(found: Bulletin) -> Part:
    return Part(
        title=say("各区域", "By region"),
        head=[
            say("区域", "Region"),
            *(say(FIGURE_NAMES[name]) for name in ("opened", "closed")),
            say("按期率", "On time"),
            *(say(FIGURE_NAMES[name]) for name in ("open", "overdue")),
        ],
        rows=[
            [one["name"], f"{one['opened']:,}", f"{one['closed']:,}", percent(one["on_time"]), f"{one['open']:,}", f"{one['overdue']:,}"]
            for one in found.regions[:MOST_REGIONS]
        ],
        widths=(60, 20, 20, 22, 22, 30),
        right=frozenset(range(1, 6)),
    )  # fmt: skip


def _parts(found: Bulletin) -> list[Part | None]:
    cases, unit, category = say("件", "Cases"), say("单位", "Unit"), say("类别", "Category")
    change = say(found.before_name, "Change")

    def kinds(title: str, rows: Sequence[Mapping[str, Any]], none: str) -> Part:
        said = [(one["name"], str(one["value"]), one["change_text"]) for one in rows]
        return Part(
            title=title, head=(category, cases, change), rows=said, widths=(44, 14, 26), right=NUMBERS, none=none
        )

    return [
        kinds(
            say("上报最多的类别", "Most reported categories"), found.categories, say("没有上报。", "Nothing was reported.")
        ),
        kinds(say("增加最多", "Biggest rises"), found.rises, say("没有明显增加的类别。", "No category rose noticeably.")),
        Part(
            title=say("超时最多的单位", "Most overdue, by unit"), head=(unit, cases),
            rows=[(one["name"], str(one["value"])) for one in found.late_units[:MOST_LINES]], widths=(66, 18),
            none=say("没有单位有超时案卷。", "No unit has an overdue case."),
        ),
        Part(
            title=say("办结最快的单位", "Quickest units"), head=(unit, say("办结", "Closed"), say("用时中位数", "Median time")),
            rows=[(one["name"], str(one["value"]), lasting(one["seconds"])) for one in found.quick_units[:MOST_LINES]],
            widths=(48, 14, 22), right=NUMBERS, none=say("没有单位办结三件以上。", "No unit closed three cases or more."),
        ),
        Part(
            title=say("反复发生（30 天内）", "Repeat spots (30 days)"), head=(category, say("区域", "Region"), cases),
            rows=[(one["name"], one["region"], str(one["value"])) for one in found.spots[:MOST_LINES]],
            widths=(30, 42, 12), right=frozenset({2}), none=say("没有同类问题反复发生。", "Nothing was reported three times at one place."),
        ),
        Part(
            title=say("市民评价（本期办结）", "Ratings of what was closed"), head=(say("评价", "Stars"), cases),
            rows=[(f"{one['stars']} / 5", str(one["count"])) for one in found.ratings] if found.rated else [],
            widths=(66, 18), none=say("没有评价。", "No ratings."),
        ),
    ]  # fmt: skip


def _waiting(found: Bulletin) -> Part:
    return Part(
        title=say("在办最久的案卷", "Open for longest"),
        head=(say("编号", "Number"), say("类别", "Category"), say("区域", "Region"), say("承办", "Holder"), say("天数", "Days")),
        rows=[
            (one["number"], one["category"], one["region"], one["holder"] or "—", str(one["days"]))
            for one in found.waiting
        ],
        widths=(30, 36, 52, 44, 12),
        right=frozenset({4}),
    )  # fmt: skip
