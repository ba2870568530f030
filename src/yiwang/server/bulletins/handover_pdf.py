"""A hand-over between shifts on paper: the record as its page shows it, for the file at the unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from yiwang.server.bulletins.models import Handover
from yiwang.server.cases.api import FIGURE_NAMES, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import say
from yiwang.server.common.sheets import LATE, SOFT, Figure, Sheet
from yiwang.server.common.templatetags.yiwang import named


def handover_pdf(
    record: Handover,
    *,
    place: CityRuntime,
    counts: Sequence[tuple[str, str, int]],
    cases: Sequence[Mapping[str, Any]],
    by: str = "",
    now: datetime,
) -> bytes:
    """The file, in the language that is spoken now.

    Args:
        record: The hand-over, with its signature where there is one.
        place: City.
        counts: Kind, name and number of each figure besides what is open.
        cases: Rows of the snapshot, named.
        by: Who asked for it.
        now: When it was made.
    """
    zone, unit = place.info.zone, unit_name(place, record.unit)
    title, at = say("交接班记录", "Hand-over"), moment_text(record.at, zone)
    made = say("{at} 生成", "Made {at}", at=moment_text(now, zone))
    sheet = Sheet(head=f"{named(place.info)} · {title} · {unit} · {at}", foot=" · ".join(filter(None, (made, by))))
    sheet.set_title(f"{named(place.info)} {title} {unit} {at}")
    sheet.set_creation_date(now)
    sheet.say_line(f"{unit} · {title}", size=18)
    sheet.say_line(at, size=11, colour=SOFT, gap=1)
    if place.info.notice:
        mark = say("模拟数据 · ", "Simulated · ") if place.info.simulated else ""
        sheet.say_line(mark + say(place.info.notice), size=8, colour=LATE, gap=1)
    sheet.facts(_who(record, zone))
    sheet.ln(3)
    kept = record.snapshot["counts"]
    sheet.figures(
        [
            Figure(name=say(FIGURE_NAMES["open"]), value=kept.get("open", 0)),
            *(Figure(name=name, value=count, late=kind == "overdue") for kind, name, count in counts),
        ]
    )
    sheet.part(say("交代的案卷", "Cases handed over"))
    if cases:
        sheet.rows(
            [
                say("编号", "Number"), say("情况", "Why"), say("类别", "Category"), say("区域", "Region"), say("环节", "Step"),
                say("截止", "Due"), say("备注", "Note"),
            ],
            [
                (
                    row["number"],
                    say("、", ", ").join(name for _, name in row["kind_names"]),
                    row["category_name"], row["region_name"], row["step_name"],
                    moment_text(row["due"], zone) if row["due"] else "—",
                    row["note"],
                )
                for row in cases
            ],
            widths=(30, 24, 24, 26, 20, 22, 34),
        )  # fmt: skip
    else:
        sheet.say_line(say("没有需要特别交代的案卷。", "Nothing that needs a word."), colour=SOFT)
    if unlisted := kept.get("listed", len(cases)) - len(cases):
        sheet.say_line(say("另有 {n} 件没有列出。", "{n} more are not listed.", n=unlisted), size=8, colour=SOFT)
    if others := record.snapshot["others"]:
        sheet.part(say("其他有备注的案卷", "Notes on other cases"))
        sheet.facts([(row["number"], row["note"]) for row in others])
    return bytes(sheet.output())


def _who(record: Handover, zone: Any) -> list[tuple[str, str]]:
    """Who handed over and who took over, with what they wrote."""
    signature = getattr(record, "signature", None)
    taken = f"{signature.by_name} · {moment_text(signature.at, zone)}" if signature else say("待签收", "Not signed yet")
    pairs = [
        (say("交班人", "Handed over by"), f"{record.by_name} · {moment_text(record.at, zone)}"),
        (say("接班人", "Taken over by"), taken),
        (say("下一班时长", "Length of the next shift"), say("{n} 小时", "{n} hours", n=record.hours)),
        (say("交班说明", "Notes"), record.note),
    ]
    if signature and signature.note:
        pairs.insert(2, (say("接班人意见", "Remark of the next shift"), signature.note))
    return pairs
