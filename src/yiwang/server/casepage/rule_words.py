"""The row of a decision table in words: what it asks and what it answers, as a reader says it and not as the file has it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from yiwang.core.kernel.text import Text
from yiwang.core.worktime import TimeUnit
from yiwang.server.cases.api import category_name, region_name, source_name, step_name, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import limit_text
from yiwang.server.common.language import say, say_or
from yiwang.server.common.templatetags.yiwang import named

FACT_NAMES = {
    "category": Text("类别", "Category"),
    "condition": Text("立案条件", "Filing condition"),
    "region": Text("区域", "Region"),
    "channel": Text("来源", "Channel"),
    "priority": Text("优先级", "Priority"),
}
_VERIFIED = {"yes": Text("先核实", "to be verified first"), "no": Text("不必核实", "no verification")}
_LEVEL = re.compile(r"\{(\w+)\}")


def fact_name(name: str) -> str:
    """What a column of a table asks; a pack's own column stands as it is."""
    return say_or(FACT_NAMES.get(name), name)


def cell_words(name: str, cell: str, *, place: CityRuntime) -> str:
    """What a cell asks for, in words: names for codes; several values are joined. A code that only begins one keeps its code."""
    values = [_value_words(name, value, place) for value in cell.split("|")]
    return say("、", ", ").join(values)


def _value_words(name: str, value: str, place: CityRuntime) -> str:
    if name == "category" and value in place.categories:
        return category_name(place, value)
    if name == "region":
        return region_name(place, value)
    if name == "channel":
        return source_name(value)
    if name == "priority" and value in place.rules.workflow.priorities:
        return named(place.rules.workflow.priorities[value])
    return value


def answer_words(outputs: Mapping[str, str], *, place: CityRuntime) -> str:
    """What a row answers, in words: priority, first step, unit, whether to verify, time limit; nothing for no answer."""
    said = []
    for name, value in outputs.items():
        if not value or (name == "unit" and "amount" in outputs):
            continue
        if name == "amount":
            said.append(_limit(value, outputs.get("unit", "")))
        elif name in ("unit", "centre"):
            said.append(_unit(value, place))
        elif name == "auto":
            said.append(step_name(place, value))
        elif name == "verify":
            said.append(say_or(_VERIFIED.get(value), value))
        else:
            said.append(_value_words(name, value, place))
    return say("，", ", ").join(said)


def _limit(amount: str, unit: str) -> str:
    try:
        return limit_text(float(amount), TimeUnit(unit))
    except ValueError:
        return amount


def _unit(code: str, place: CityRuntime) -> str:
    """A unit's name, or a template with the level's name where the region's code goes: ``ZX-〈区〉``."""
    levels = {level.id: level.name for level in place.info.levels}
    if not _LEVEL.search(code):
        return unit_name(place, code)
    return _LEVEL.sub(lambda found: f"〈{say_or(levels.get(found[1]), found[1])}〉", code)
