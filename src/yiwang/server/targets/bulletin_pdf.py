"""The bulletin on targets on paper."""

from __future__ import annotations

from datetime import datetime

from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import say
from yiwang.server.common.sheets import LATE, Sheet
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.targets.bulletin import TargetBulletin


def bulletin_pdf(found: TargetBulletin, *, place: CityRuntime, now: datetime) -> bytes:
    """The file, in the language that is spoken now.

    Args:
        found: What it says.
        place: City.
        now: When it was made.
    """
    title = say("目标责任书进度通报", "Progress of target letters")
    made = say("{at} 生成", "Made {at}", at=moment_text(now, place.info.zone))
    sheet = Sheet(head=f"{named(place.info)} · {title} · {found.year}", foot=made)
    sheet.set_title(f"{title} {found.year}")
    sheet.set_creation_date(now)
    sheet.say_line(title, size=18)
    if place.info.notice:
        mark = say("模拟数据 · ", "Simulated · ") if place.info.simulated else ""
        sheet.say_line(mark + say(place.info.notice), size=8, colour=LATE, gap=1)
    for line in found.lines(place):
        sheet.say_line(line, size=10.5)
    head = [
        say("单位", "Unit"), say("指标", "Indicator"), say("目标值", "Target"), say("目前", "So far"), say("年底预测", "Year's end"),
        say("八成区间", "80 % interval"),
    ]  # fmt: skip
    for part in found.parts:
        if part["rows"]:
            sheet.part(f"{part['name']} {len(part['rows'])}")
            rows = [
                [one["unit"], one["name"], one["target"], one["value"], one["forecast"], one["interval"]]
                for one in part["rows"]
            ]
            sheet.rows(head, rows, [24, 34, 14, 14, 16, 26])
    return bytes(sheet.output())
