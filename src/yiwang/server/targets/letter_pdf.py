"""A letter on paper, as it is signed."""

from __future__ import annotations

from datetime import datetime

from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import say
from yiwang.server.common.sheets import LATE, SOFT, Sheet
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.targets.models import Letter
from yiwang.server.targets.presentation import item_line, unit_name


def letter_pdf(letter: Letter, *, place: CityRuntime, now: datetime) -> bytes:
    """The file of a letter without signatures, in the language that is spoken now.

    Args:
        letter: With its items.
        place: City.
        now: When it is issued.
    """
    title, unit = say("目标责任书", "Target letter"), unit_name(place, letter.unit)
    made = say("{at} 下达", "Issued {at}", at=moment_text(now, place.info.zone))
    sheet = Sheet(head=f"{named(place.info)} · {title} · {letter.year}", foot=made)
    sheet.set_title(f"{title} {letter.year} {unit}")
    sheet.set_creation_date(now)
    sheet.say_line(title, size=20)
    sheet.say_line(say("{year} 年度 · {unit}", "{unit} · {year}", year=letter.year, unit=unit), size=13, gap=2)
    if place.info.simulated:
        sheet.say_line(say("模拟数据", "Simulated"), size=8, colour=LATE, gap=1)
    pairs = [
        (say("责任单位", "Unit"), unit),
        (say("责任人", "Answers for it"), letter.owner),
        (say("版本", "Version"), f"{letter.version}"),
        (say("下达", "Issued"), moment_text(now, place.info.zone)),
    ]
    if letter.parent is not None:
        above = say(
            "{unit}，第 {n} 版",
            "{unit}, version {n}",
            unit=unit_name(place, letter.parent.unit),
            n=letter.parent.version,
        )
        pairs.append((say("上级责任书", "Letter above"), above))
    if letter.reasons:
        pairs.append((say("变更理由", "Why it was replaced"), letter.reasons))
    sheet.facts(pairs)
    sheet.part(say("指标和目标", "Indicators and targets"))
    lines = [item_line(item, None) for item in letter.items.all()]
    head = [
        say("指标", "Indicator"),
        say("方向", "Direction"),
        say("基数", "Baseline"),
        say("目标值", "Target"),
        say("节点目标", "Milestones"),
    ]
    rows = [
        [
            one["name"], one["direction"], one["baseline"], one["target"],
            say("；", "; ").join(f"{step['name']} {step['wanted']}" for step in one["milestones"]),
        ]
        for one in lines
    ]  # fmt: skip
    sheet.rows(head, rows, [34, 20, 14, 14, 38])
    sheet.ln(2)
    sheet.say_line(
        say(
            "目标值为全年数值；节点目标为 1 月 1 日起累计的数值。指标口径以起草时的城市包为准，随本责任书存档。",
            "Targets are figures of the whole year, milestones those from 1 January on. Indicators are counted as the city's pack said when"
            " this letter was drafted; that is kept with it.",
        ),
        size=8.5,
        colour=SOFT,
    )
    sheet.part(say("签订", "Signatures"))
    sheet.say_line(
        say(
            "本文件由考评方和责任单位各一人在平台上签订，签名嵌在文件里，可用任何 PDF 阅读器查看。签名用本平台的密钥，证明签订人用自己的"
            "账号签订、文件此后没有改动；它不是个人的合格电子签名。",
            "One person for the city's assessment and one for the unit sign this file on the platform; any PDF reader shows the signatures."
            " They are made with the platform's key and show that these people signed with their accounts and that the file is unchanged"
            " since. They are no qualified signatures of the people.",
        ),
        size=8.5,
        colour=SOFT,
    )
    return bytes(sheet.output())
