"""The league table on paper, for a meeting."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from yiwang.server.common.formatting import moment_text, number_text
from yiwang.server.common.language import say
from yiwang.server.common.sheets import LATE, SOFT, Sheet
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scores import presentation
from yiwang.server.scores.queries import Scorecard

if TYPE_CHECKING:
    from yiwang.server.scores.views import ScoreQuery

MOST_COLUMNS = 5  # indicators beside the score; the workbook has all


def league_sheet(card: Scorecard, *, asked: ScoreQuery, now: datetime) -> bytes:
    """The file, in the language that is spoken now.

    Args:
        card: One row for each unit.
        asked: Who is compared, and when.
        now: When it is made.
    """
    place, zone = asked.place, asked.place.info.zone
    title = say("评分", "Score")
    period = asked.month or say("全部月份", "all months")
    made = say("{at} 生成", "Made {at}", at=moment_text(now, zone))
    sheet = Sheet(head=f"{named(place.info)} · {title} · {period}", foot=made)
    sheet.set_title(f"{named(place.info)} {title} {period}")
    sheet.set_creation_date(now)
    sheet.say_line(f"{named(place.info)} · {title} · {period}", size=18)
    sheet.say_line(say("统计到 {at}", "Counted up to {at}", at=moment_text(card.facts_at, zone)), colour=SOFT, gap=1)
    if place.info.simulated:
        sheet.say_line(say("模拟数据", "Simulated"), size=8, colour=LATE, gap=1)
    shown = presentation.league(card, place=place, level=asked.level, month=asked.month)
    columns = shown["columns"][:MOST_COLUMNS]
    unit = say("部门", "Department") if asked.level == "department" else say("区域", "Region")
    head = [unit, say("名次", "Place"), say("综合评分", "Score"), *(named(one) for one in columns)]
    rows = []
    for row in shown["rows"]:
        at, span = row["place"], row["interval"]
        places = "" if at is None else f"{at.best}" if at.best == at.worst else f"{at.best}–{at.worst}"
        score = "" if row["score"] is None else number_text(row["score"], 1)
        if score and span is not None:
            score += f" ({number_text(span.low, 1)}–{number_text(span.high, 1)})"
        cells = [
            f"{cell['figure']} {cell['counts']}".strip() if cell["figure"] else ""
            for cell in row["cells"][:MOST_COLUMNS]
        ]
        rows.append([row["name"], places, score, *cells])
    sheet.rows(head, rows, [30, 12, 24, *([20] * len(columns))])
    sheet.ln(2)
    words = say(
        "括号内为 95 % 区间；名次写成范围的，数据分不清是其中的哪一个。没有数据的写“—”，不是零。",
        "In brackets the 95 % interval. A range of places means that the data cannot tell which. What has no data is “—”, never zero.",
    )
    sheet.say_line(words, size=8, colour=SOFT)
    return bytes(sheet.output())
