"""Figures, lights and letters as pages and files show them, in the reader's language."""

from __future__ import annotations

from typing import Any

from yiwang.core.indicators.definitions import COUNTED
from yiwang.core.kernel.text import Text
from yiwang.core.targets.light import Light
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import NONE, number_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scores.presentation import DIRECTIONS, SUFFIXES
from yiwang.server.targets.models import Item, Letter
from yiwang.server.targets.progress import Milestone, Progress

LIGHTS = {
    Light.GREEN: (Text("可望完成", "On course"), "green"),
    Light.AMBER: (Text("尚难断定", "Cannot be told"), "yellow"),
    Light.RED: (Text("难以完成", "Off course"), "red"),
    Light.GREY: (Text("数据不足", "No data"), "grey"),
}
STEPS = {
    Letter.Step.DRAFT: (Text("草稿", "Draft"), "grey"),
    Letter.Step.ISSUED: (Text("待签订", "To be signed"), "yellow"),
    Letter.Step.IN_FORCE: (Text("生效", "In force"), "green"),
    Letter.Step.REPLACED: (Text("已被替代", "Replaced"), "grey"),
    Letter.Step.DROPPED: (Text("已作废", "Dropped"), "grey"),
}
EVENTS = {
    "drafted": Text("起草", "Drafted"),
    "changed": Text("修改草稿", "Draft changed"),
    "issued": Text("下达", "Issued"),
    "signed": Text("签订", "Signed"),
    "in_force": Text("生效", "In force"),
    "replaced": Text("被新版替代", "Replaced by a new version"),
    "dropped": Text("作废", "Dropped"),
}
SIDES = {"assessor": Text("考评方", "Assessment"), "unit": Text("责任单位", "Unit")}


def value_text(value: float | None, unit: str) -> str:
    """A figure with its unit; a dash for no data."""
    if value is None:
        return NONE
    if unit in COUNTED:
        return number_text(value)
    return f"{number_text(value, 1)}{say(SUFFIXES[unit])}"


def light_chip(light: Light) -> dict[str, str]:
    """Name and colour of a light."""
    name, colour = LIGHTS[light]
    return {"name": say(name), "light": colour}


def step_chip(letter: Letter) -> dict[str, str]:
    """Name and colour of a letter's state."""
    name, colour = STEPS[Letter.Step(letter.step)]
    return {"name": say(name), "light": colour}


def unit_name(place: CityRuntime, code: str) -> str:
    """The name of a region."""
    found = place.regions.get(code)
    return named(found) if found else code


def month_name(month: int) -> str:
    """The end of a month of the year."""
    return say("{n} 月底", "end of month {n}", n=month)


def item_line(item: Item, found: Progress | None) -> dict[str, Any]:
    """One item of a letter; without progress only what it promises."""
    unit, forecast = item.terms["unit"], found.forecast if found else None
    interval = ""
    if forecast is not None:
        interval = f"{value_text(forecast.low, unit)} – {value_text(forecast.high, unit)}"
    return {
        "id": item.indicator,
        "name": say(Text.of(item.terms["name"])),
        "direction": say(DIRECTIONS[item.terms["direction"]]),
        "baseline": value_text(item.baseline, unit),
        "target": value_text(item.target, unit),
        "value": value_text(found.value if found else None, unit),
        "counts": f"{number_text(found.counts[0])}/{number_text(found.counts[1])}"
        if found and found.counts and unit == "percent"
        else "",
        "forecast": value_text(forecast.value if forecast else None, unit),
        "interval": interval,
        "chip": light_chip(found.light) if found else None,
        "reason": say(found.reason) if found else "",
        "changed": bool(found and found.changed),
        "milestones": [_milestone(one, unit) for one in found.milestones]
        if found
        else [
            {"name": month_name(int(month)), "wanted": value_text(value, unit)}
            for month, value in item.milestones.items()
        ],
    }


def _milestone(one: Milestone, unit: str) -> dict[str, Any]:
    words = {
        True: say("已达到", "reached"),
        False: say("未达到", "missed"),
        None: say("未到期或无数据", "not due, or no data"),
    }
    return {
        "name": month_name(one.month),
        "wanted": value_text(one.wanted, unit),
        "value": value_text(one.value, unit),
        "state": words[one.reached],
    }
