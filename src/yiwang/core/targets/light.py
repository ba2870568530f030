"""The traffic light of a target, by rule."""

from __future__ import annotations

from enum import StrEnum

from yiwang.core.kernel.text import Text
from yiwang.core.targets.forecast import Forecast
from yiwang.core.targets.letters import Item


class Light(StrEnum):
    """Whether a target will be reached by the end of the year."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


REASONS = {
    Light.GREEN: Text("预测区间全部达到目标", "The whole forecast interval reaches the target"),
    Light.AMBER: Text(
        "目标在预测区间之内，还不能断定", "The target lies within the forecast interval: it cannot be told yet"
    ),
    Light.RED: Text("预测区间全部达不到目标", "The whole forecast interval misses the target"),
    Light.GREY: Text("数据不足，无法预测", "There are too few data for a forecast"),
}


def light_of(item: Item, forecast: Forecast | None) -> Light:
    """Green when the whole interval reaches the target, red when none of it does, amber between; grey without a forecast.

    A figure that is missing is never taken for nothing: it gives grey.
    """
    if forecast is None:
        return Light.GREY
    ends = (item.reached_by(forecast.low), item.reached_by(forecast.high))
    if all(ends):
        return Light.GREEN
    return Light.AMBER if any(ends) else Light.RED


def worst_of(lights: list[Light]) -> Light:
    """The light of a letter: its worst item's, and grey when nothing can be told of any. What cannot be told of one item hides no
    other's."""
    for one in (Light.RED, Light.AMBER):
        if one in lights:
            return one
    return Light.GREEN if lights and Light.GREY not in lights else Light.GREY
