"""What is said of a lead: its name, what was counted, what it may mean and what else may explain it; a drawing where it helps."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from yiwang.core.irregularities.bunching import BINS
from yiwang.core.irregularities.leads import Kind
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import lasting_text, number_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.irregularities.models import Lead

SHOWN = 100


class Words(NamedTuple):
    """Name of a kind, what is counted, and what may explain it without any fault."""

    name: Text
    counted: Text
    innocent: Text


KINDS: dict[str, Words] = {
    Kind.BUNCHING: Words(
        Text("截止前集中办结", "Closings heaped before the deadline"),
        Text(
            "截止前最后一小时办结的案卷，占截止前两小时到截止后一小时之间办结的比例。",
            "Cases reported done in the last hour before the deadline, of those from two hours before it to one hour after.",
        ),
        Text("按截止时间排班、催办及时，也会这样。", "Work planned by the deadline, or a reminder in time, looks the same."),
    ),
    Kind.BULK: Words(
        Text("临近截止批量办结", "Many closed at once before deadlines"),
        Text(
            "同一人在十分钟内报完五件以上、且都在截止前四小时内的次数，与临近截止办结的案卷数相比。",
            "How often one person reported five or more cases done within ten minutes, all within four hours of their deadlines,"
            " against the cases done that near the deadline.",
        ),
        Text("没有网络时集中补录，也会这样。", "Entering work together after a time without network looks the same."),
    ),
    Kind.REOPENED: Words(
        Text("结案后附近又报", "Closed, then reported again near by"),
        Text(
            "结案后 30 天内、50 米内又有同类案卷的比例。",
            "Closed cases that were followed by one of the same category within 30 days and 50 m.",
        ),
        Text("有的地方本来就容易反复，例如夜市、工地出入口。", "Some places bring the same trouble again, such as a night market."),
    ),
    Kind.SUSPENDING: Words(
        Text("月底集中挂账", "Suspended at the month's end"),
        Text("当月最后三天开始的挂账占全月的比例。", "Suspensions that began in the last three days of the month."),
        Text("月底集中审批，也会这样。", "Approvals that are given once a month look the same."),
    ),
    Kind.PHOTOS: Words(
        Text("照片重复使用", "A photo used twice"),
        Text(
            "用来证明已处置的照片，与以前的某张照片相同，或只是缩放、裁边、调亮、重新保存。",
            "Photos sent as proof of work that are the same as an earlier one, or differ only in size, brightness or storage.",
        ),
        Text("同一处设施、同一角度拍摄的两张照片可能非常像，请点开对照。", "Photos of one thing from one spot may be very alike."),
    ),
    Kind.SAME_PERSON: Words(
        Text("同一人处置又核查", "One person handled and verified"),
        Text("处置账号和核查账号登记的是同一个邮箱。", "The account that handled and the one that verified have one mail address."),
        Text("几个人共用一个单位邮箱，也会这样。", "Colleagues who share an address of the unit look the same."),
    ),
    Kind.VERIFYING: Words(
        Text("本单位核查本单位", "Verified within the unit"),
        Text("由处置单位或其班组人员核查的案卷比例。", "Cases that were verified by somebody with a post in the unit that handled them."),
        Text("人手少的地方一人多岗。", "Where people are few, one holds several posts."),
    ),
    Kind.CLOCKS: Words(
        Text("时间异常", "Clocks that were moved"),
        Text(
            "照片或手机的时间早于立案、晚于服务器，或早了三天以上的比例。",
            "Times of photos and phones that lie before the case, ahead of the server, or more than three days back.",
        ),
        Text("手机时间没有校准，也会这样。", "A phone whose clock is wrong looks the same."),
    ),
    Kind.REPORTING: Words(
        Text("自报自办", "Reported by the unit itself"),
        Text("由处置单位自己人员上报的案卷比例。", "Cases that were reported by people of the unit that handled them."),
        Text("主动发现、自行处置是职责，本身没有问题。", "To find and report trouble is the unit's duty and nothing wrong in itself."),
    ),
    Kind.SHIFTING: Words(
        Text("改为时限更长的类别", "Categories changed to longer limits"),
        Text("立案后改了类别、时限因此延长四分之一以上的案卷比例。", "Cases whose limit grew by a quarter or more with a new category."),
        Text("上报时类别常常选错，改正是应该的。", "Reporters often choose a wrong category; to correct it is right."),
    ),
}  # fmt: skip
JUDGEMENTS = {
    Lead.Judgement.FOUNDED.value: (Text("属实", "Founded"), "red"),
    Lead.Judgement.UNFOUNDED.value: (Text("不属实", "Unfounded"), "green"),
    Lead.Judgement.UNCLEAR.value: (Text("无法判断", "Cannot be told"), "yellow"),
}
FAULTS = {
    "ahead": Text("晚于服务器时间", "ahead of the server"),
    "before": Text("早于立案", "before the case"),
    "behind": Text("早了三天以上", "more than three days back"),
}


def row_of(lead: Lead, *, place: CityRuntime) -> dict[str, Any]:
    """A lead as lists show it."""
    figures, words = lead.figures, KINDS[lead.kind]
    state, light = JUDGEMENTS.get(lead.judgement, (Text("待认定", "To be judged"), ""))
    return {
        "lead": lead,
        "kind": say(words.name),
        "unit": unit_name(place, lead.unit),
        "observed": number_text(figures["observed"]),
        "trials": number_text(figures["trials"]),
        "expected": number_text(figures["expected"], 1),
        "share": percent_text(figures["observed"] / figures["trials"] if figures["trials"] else None),
        "rate": percent_text(figures["rate"]),
        "p_value": chance_text(figures["p_value"]),
        "q_value": chance_text(figures["q_value"]),
        "state": say(state),
        "light": light,
    }


def chance_text(chance: float | None) -> str:
    """A chance for people: no more digits than it is known to."""
    if chance is None:
        return ""
    return "< 0.0001" if chance < 0.0001 else number_text(chance, 4)


def details(lead: Lead, *, place: CityRuntime) -> dict[str, Any]:
    """What explains a lead further, by its kind."""
    data: dict[str, Any] = lead.figures["data"]
    shown: dict[str, Any] = {}
    if "bins" in data:
        names = [f"{hours}–{hours + 1}" if hours >= 0 else f"−{-hours}" for hours in range(BINS - 1, -BINS - 1, -1)]
        shown["bars"] = bars(list(reversed(data["bins"])), marked={BINS - 1}, names=names)
        shown["axis"] = say(
            "办结时离截止还有几小时；右半边已超时", "Hours left when it was done; the right half was late"
        )
    if "days" in data:
        last = monthrange(int(lead.period[:4]), int(lead.period[5:]))[1]
        names = [f"{day}" for day in range(1, last + 1)]
        shown["bars"] = bars(data["days"][:last], marked=set(range(last - data["last_days"], last)), names=names)
        shown["axis"] = say("日期", "Day of the month")
    shown["again"] = data.get("again", [])[:SHOWN]
    shown["photos"] = [
        {
            "case": case,
            "photo": photo,
            "first_city": first_city,
            "first": first,
            "first_photo": first_photo,
            "here": first_city == lead.city,
            "bits": bits,
        }
        for case, photo, first_city, first, first_photo, bits in _pairs(lead, Kind.PHOTOS)
    ]
    shown["accounts"] = _pairs(lead, Kind.SAME_PERSON)
    shown["faults"] = [(say(FAULTS[name]), number_text(count)) for name, count in data.get("faults", {}).items()]
    shown["limits"] = [
        {"case": case, "before": lasting_text(before), "after": lasting_text(after)}
        for case, before, after in data.get("limits", [])[:SHOWN]
    ]
    shown["bursts"] = [
        {"at": datetime.fromisoformat(begin), "lasting": lasting_text(seconds), "count": count}
        for begin, seconds, count in data.get("bursts", [])[:SHOWN]
    ]
    return shown


def _pairs(lead: Lead, kind: Kind) -> list[Any]:
    return list(lead.figures["data"].get("pairs", ())[:SHOWN]) if lead.kind == kind else []


def bars(counts: Sequence[int], *, marked: set[int], names: Sequence[str]) -> dict[str, Any]:
    """A histogram in a box of 100 by 30 units; bars of what is in question are marked."""
    most, width = max([1, *counts]), 100 / max(1, len(counts))
    return {
        "most": most,
        "bars": [
            {
                "x": f"{place * width:.2f}",
                "y": f"{30 - 30 * count / most:.2f}",
                "width": f"{width * 0.8:.2f}",
                "height": f"{30 * count / most:.2f}",
                "marked": place in marked,
                "name": names[place],
                "count": count,
            }
            for place, count in enumerate(counts)
        ],
    }
