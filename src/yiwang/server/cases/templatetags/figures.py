"""The names of the figures of cases, for templates."""

from __future__ import annotations

from django import template

from yiwang.server.cases.reading.presentation import FIGURE_NAMES
from yiwang.server.common.language import say

register = template.Library()


@register.simple_tag
def figure_name(figure: str) -> str:
    """What a figure of cases is called on every page: ``{% figure_name "closed_on_time" %}``."""
    return say(FIGURE_NAMES[figure])
