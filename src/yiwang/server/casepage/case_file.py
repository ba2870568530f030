"""The case file as a PDF, for those who must have paper: the page's content, with the proof and how to check it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from PIL import Image

from yiwang.server.common.formatting import lasting_text, moment_text
from yiwang.server.common.language import say
from yiwang.server.common.sheets import FONT, LATE, SOFT, Sheet
from yiwang.server.common.templatetags.yiwang import confidence_words, named

MOST_PHOTOS = 6
PHOTO_PIXELS = 1000


def case_file(
    *, context: Mapping[str, Any], ledger: Mapping[str, Any], pictures: Mapping[int, Path], by: str, address: str
) -> bytes:
    """The file.

    Args:
        context: What the page shows of the case, named and masked for its reader (`casepage.views.case_context`).
        ledger: `proving.ledger_of`.
        pictures: Files of the photos that the reader may see, by id.
        by: Who prints it.
        address: Of the page.
    """
    city, case = context["city"], context["case"]
    zone = city.zone

    def when(moment: datetime | None) -> str:
        return moment_text(moment, cast(ZoneInfo, zone))

    printed = say("{at} 由 {by} 打印", "Printed {at} by {by}", at=when(context["now"]), by=by)
    sheet = Sheet(head=f"{named(city)} · {say('案卷', 'Case')} {case['number']}", foot=printed)
    sheet.set_title(case["number"])
    sheet.set_creation_date(context["now"])
    sheet.say_line(case["category_name"], size=18)
    sheet.say_line(f"{case['number']} · {case['step_name']}", colour=SOFT, gap=1)
    if city.notice:
        mark = say("模拟数据 · ", "Simulated · ") if city.simulated else ""
        sheet.say_line(mark + say(city.notice), size=8.5, colour=LATE, gap=1)
    _head(sheet, context, when)
    _story(sheet, context, when)
    _photos(sheet, context, pictures, when)
    _clocks(sheet, context, when)
    _decisions(sheet, context)
    _proof(sheet, case, ledger, address)
    return bytes(sheet.output())


def _head(sheet: Sheet, context: Mapping[str, Any], when: Any) -> None:
    case = context["case"]
    place = f"{case['lon']:.6f}, {case['lat']:.6f} (WGS 84)" if case["lon"] is not None else ""
    sheet.facts(
        [
            (say("内容", "What was said"), case["text"]),
            (say("地点", "Place"), case["address"]),
            (say("区域", "Region"), " › ".join(case["chain"]) or case["region_name"]),
            (say("单元网格", "Grid"), case["grid"]),
            (say("坐标", "Coordinates"), place),
            (say("来源", "Source"), case["source_name"]),
            (say("承办", "Holder"), case["holder_name"]),
            (say("上报", "Reported"), when(case["opened_at"])),
            (say("截止", "Due"), when(case["deadline"])),
            (say("办结", "Closed"), when(case["closed_at"])),
            (say("评价", "Rating"), f"{case['rating']} / 5" if case["rating"] else ""),
            *[(link["name"], ", ".join(link["numbers"])) for link in context["links"]],
        ]
    )
    if context["reports"]:
        sheet.part(say("上报", "Reports"))
        sheet.rows(
            (say("编号", "Number"), say("时间", "At"), say("内容", "What was said"), say("联系方式", "Contact")),
            [(said["number"], when(said["at"]), said["text"], said["contact"]) for said in context["reports"]],
            (30, 26, 84, 24),
        )


def _story(sheet: Sheet, context: Mapping[str, Any], when: Any) -> None:
    sheet.part(say("承办链", "Custody"))
    sheet.rows(
        (say("承办", "Holder"), say("层级", "Level"), say("自", "From"), say("至", "Until"), say("历时", "Lasted")),
        [
            (
                f"{link['way']} {link['unit_name']}".strip(),
                link["level_name"],
                when(link["since"]),
                when(link["until"]),
                lasting_text(link["seconds"]),
            )
            for link in context["custody"]["links"]
        ],
        (62, 26, 30, 30, 26),
    )
    sheet.part(say("经过", "Story"))
    rows = []
    for event in context["events"]:
        who = " · ".join(filter(None, (event["actor_name"], event["role_name"], event["actor_unit_name"])))
        moved = f"{event['from_holder_name'] or '—'} → {event['holder_name']}" if event["moved"] else ""
        said = "\n".join(filter(None, (moved, event["reason"], *event["lines"], " · ".join(event["turns"]))))
        rows.append((str(event["seq"]), when(event["at"]), event["verb_name"], who, said))
    heads = ("#", say("时间", "When"), say("动作", "What"), say("谁", "Who"), say("说明", "How and why"))
    sheet.rows(heads, rows, (8, 28, 28, 44, 66))


def _small(path: Path) -> Image.Image | None:
    """The picture as it is printed; None when its file is damaged, which must not cost the reader the rest."""
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (PHOTO_PIXELS, PHOTO_PIXELS))
            small = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
    small.thumbnail((PHOTO_PIXELS, PHOTO_PIXELS))
    return small


def _photos(sheet: Sheet, context: Mapping[str, Any], pictures: Mapping[int, Path], when: Any) -> None:
    sides = ((say("处置前", "Before"), "before"), (say("处置后", "After"), "after"))
    shown = [(name, photo) for name, side in sides for photo in context["photos"][side] if photo["id"] in pictures]
    if not shown:
        return
    sheet.part(say("照片", "Photos"))
    wide, high = 84.0, 63.0
    for index, (name, photo) in enumerate(shown[:MOST_PHOTOS]):
        if index % 2 == 0:
            if sheet.get_y() + high + 8 > 275:
                sheet.add_page()
            top = sheet.get_y()
        x = sheet.l_margin + (wide + 6) * (index % 2)
        if (small := _small(pictures[photo["id"]])) is not None:
            sheet.image(small, x=x, y=top, w=wide, h=high, keep_aspect_ratio=True)
        else:
            sheet.set_xy(x, top)
            sheet.set_font(FONT, size=9)
            sheet.cell(wide, high, say("照片文件已损坏", "The file of the photo is damaged"), border=1, align="C")
        sheet.set_xy(x, top + high)
        sheet.set_font(FONT, size=8)
        sheet.set_text_color(*SOFT)
        sheet.cell(wide, 5, f"{name} · {photo['verb']} · {when(photo['taken'])}")
        sheet.set_xy(sheet.l_margin, top + high + 7)
    if len(shown) > MOST_PHOTOS:
        rest = len(shown) - MOST_PHOTOS
        sheet.say_line(say("另有 {n} 张，见案卷页。", "{n} more on the case's page.", n=rest), colour=SOFT)


def _clocks(sheet: Sheet, context: Mapping[str, Any], when: Any) -> None:
    for clock in context["clocks"]:
        sheet.part(f"{say('时钟', 'Clock')}: {named(clock)}")
        row = clock["row"]["row"] if clock["row"] else None
        rule = " · ".join(filter(None, (row["id"], row["source"], confidence_words(row["confidence"])))) if row else ""
        sheet.facts(
            [
                (say("时限", "Limit"), clock["limit_text"]),
                (say("依据", "Rule"), rule or (f"workflow.toml [clock {clock['id']}]" if clock["literal"] else "")),
                (say("已用", "Used"), clock["used_text"]),
                (say("超时", "Late by") if clock["is_late"] else say("剩余", "Left"), clock["left_text"]),
                (say("截止", "Due"), when(clock["due"])),
                *[(turn["what"], f"{when(turn['at'])} · {turn['verb']} · {turn['holder']}") for turn in clock["turns"]],
            ]
        )
        if clock["main"]:
            sheet.ln(1)
            sheet.rows(
                (say("自", "From"), say("至", "Until"), say("为什么", "Why"), say("计入", "Counted")),
                [(when(s["start"]), when(s["end"]), s["why"], s["counted_text"]) for s in clock["spans"]],
                (34, 34, 70, 36),
            )


def _decisions(sheet: Sheet, context: Mapping[str, Any]) -> None:
    sheet.part(say("为什么这样办", "Why it went this way"))
    rows = []
    for why in context["whys"]:
        row, second = why["row"], why["second"]
        source = " · ".join(filter(None, (row["source"], confidence_words(row["confidence"]))))
        rows.append((why["table"], row["id"], why["value"], source, second["id"] if second else ""))
    heads = (
        say("规则表", "Table"),
        say("行", "Row"),
        say("得出", "Gives"),
        say("依据", "Source"),
        say("其次", "Second"),
    )
    sheet.rows(heads, rows, (24, 26, 46, 52, 26))


def _proof(sheet: Sheet, case: Mapping[str, Any], ledger: Mapping[str, Any], address: str) -> None:
    sheet.part(say("存证", "Ledger"))
    proof = ledger["proof"]
    whole = say("完整：每个事件都接着上一个的哈希", "whole: every event follows on the hash of the one before")
    sheet.facts([(say("事件链", "Chain"), ledger["fault"] or whole), (say("末哈希", "Last hash"), case["head_hash"])])
    if proof:
        seal = proof["sealed"]
        sheet.facts(
            [
                (say("封存日", "Sealed on"), seal["day"]),
                (say("日根", "Root of the day"), seal["root"]),
                (say("事件与位置", "Event, position"), f"{proof['seq']} · {proof['position']} / {seal['size']}"),
                (say("事件哈希", "Hash of the event"), proof["event_hash"]),
                (say("路径", "Path"), "\n".join(ledger["path"])),
            ]
        )
    if ledger["unsealed"]:
        text = say(
            "{n} 个事件还未封存；一天结束后封存。",
            "{n} events not sealed yet; a day is sealed when it is over.",
            n=ledger["unsealed"],
        )
        sheet.say_line(text, colour=SOFT)
    sheet.facts(
        [
            (say("如何核对", "How to check"), f"yiwang ledger prove {case['number']}"),
            (say("网页", "Page"), address),
        ]
    )
    sheet.part(say("事件哈希", "Hashes of the events"))
    for seq, digest in ledger["hashes"].items():
        mark = "" if seq in ledger["sealed"] else say("（未封存）", " (not sealed)")
        sheet.say_line(f"{seq}  {digest}{mark}", size=7.5)
