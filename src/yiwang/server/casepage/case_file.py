"""The case file as a PDF, for those who must have paper: the page's content, with the proof and how to check it.

fpdf2 sets it with Noto Sans CJK from a wheel, of which only the characters used go into the file (decision 0110).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from PIL import Image

from yiwang.server.common.language import english, say
from yiwang.server.common.templatetags.yiwang import lasting, named

FONT, SIMPLIFIED = "noto", 2  # the collection's fonts: Japanese, Korean, Simplified Chinese, …
INK, SOFT, LINE, BRAND, LATE = (28, 37, 41), (86, 97, 104), (200, 206, 202), (11, 107, 93), (179, 38, 30)
MOST_PHOTOS = 6
PHOTO_PIXELS = 1000


@lru_cache(maxsize=1)
def _font_file() -> Path:
    return Path(str(files("noto_cjk_sans_otc").joinpath("NotoSansCJK-Regular.ttc")))


class _Sheet(FPDF):
    """A4 with a head on every page and a foot with the page's number."""

    def __init__(self, *, head: str, foot: str) -> None:
        super().__init__(format="A4")
        self.head, self.foot = head, foot
        self.add_font(FONT, fname=_font_file(), collection_font_number=SIMPLIFIED)
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
        self.multi_cell(0, size * 0.52, text or "—", new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=_wrap())
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
            self.multi_cell(34, 5, name, new_x=XPos.RIGHT, new_y=YPos.TOP, wrapmode=_wrap())
            below = self.get_y()
            self.set_xy(self.l_margin + 36, top)
            self.set_font(FONT, size=9.5)
            self.set_text_color(*INK)
            self.multi_cell(0, 5, value or "—", new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=_wrap())
            self.set_y(max(self.get_y(), below))

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
            wrapmode=_wrap(),
            headings_style=cast(Any, _plain_heading()),
        ) as table:
            for line in [head, *rows]:
                row = table.row()
                for text in line:
                    row.cell(text or "—")


def _wrap() -> WrapMode:
    """English breaks between words, Chinese anywhere."""
    return WrapMode.WORD if english() else WrapMode.CHAR


def _plain_heading() -> Any:
    from fpdf.fonts import FontFace

    return FontFace(family=FONT, emphasis="", color=SOFT)


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
        return f"{moment.astimezone(cast(ZoneInfo, zone)):%Y-%m-%d %H:%M}" if moment else "—"

    printed = say("{at} 由 {by} 打印", "Printed {at} by {by}", at=when(context["now"]), by=by)
    sheet = _Sheet(head=f"{named(city)} · {say('案卷', 'Case')} {case['number']}", foot=printed)
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


def _head(sheet: _Sheet, context: Mapping[str, Any], when: Any) -> None:
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
            (say("办结", "Ended"), when(case["closed_at"])),
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


def _story(sheet: _Sheet, context: Mapping[str, Any], when: Any) -> None:
    sheet.part(say("承办链", "Custody"))
    sheet.rows(
        (say("承办", "Holder"), say("层级", "Level"), say("自", "From"), say("至", "Until"), say("历时", "Lasted")),
        [
            (
                f"{link['way']} {link['unit_name']}".strip(),
                link["level_name"],
                when(link["since"]),
                when(link["until"]),
                lasting(link["seconds"]),
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


def _photos(sheet: _Sheet, context: Mapping[str, Any], pictures: Mapping[int, Path], when: Any) -> None:
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


def _clocks(sheet: _Sheet, context: Mapping[str, Any], when: Any) -> None:
    for clock in context["clocks"]:
        sheet.part(f"{say('时钟', 'Clock')}: {named(clock)}")
        row = clock["row"]["row"] if clock["row"] else None
        rule = " · ".join(filter(None, (row["id"], row["source"], row["confidence"]))) if row else ""
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


def _decisions(sheet: _Sheet, context: Mapping[str, Any]) -> None:
    sheet.part(say("为什么这样办", "Why it went this way"))
    rows = []
    for why in context["whys"]:
        row, second = why["row"], why["second"]
        source = " · ".join(filter(None, (row["source"], row["confidence"])))
        rows.append((why["table"], row["id"], why["value"], source, second["id"] if second else ""))
    heads = (
        say("规则表", "Table"),
        say("行", "Row"),
        say("得出", "Gives"),
        say("依据", "Source"),
        say("其次", "Second"),
    )
    sheet.rows(heads, rows, (24, 26, 46, 52, 26))


def _proof(sheet: _Sheet, case: Mapping[str, Any], ledger: Mapping[str, Any], address: str) -> None:
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
