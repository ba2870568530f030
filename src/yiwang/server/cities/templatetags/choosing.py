"""The combobox: a field in which words become one of a city's many units, regions or categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template import Context
from django.urls import reverse

from yiwang.server.cities.choosing import WORDS, choices
from yiwang.server.cities.queries import runtime
from yiwang.server.common.language import say

register = template.Library()


@register.inclusion_tag("parts/combobox.html", takes_context=True)
def combobox(
    context: Context,
    name: str,
    label: str,
    *,
    kind: str,
    code: str = "",
    id: str = "",
    placeholder: str = "",
    required: bool = False,
    suggested: Iterable[tuple[str, str]] = (),
    words: str = "",
    within: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The field with what is chosen now, or with the words that could not be understood.

    Args:
        name: Of the field; it carries the code.
        label: For those who hear the list; the visible label stands before the field.
        kind: ``units``, ``regions``, ``categories``, ``components`` (classes) or ``conditions``.
        code: What is chosen now.
        id: Of the input, for the label; the name unless given.
        words: How ``code`` is called, where the kind is not one that the city's choices know.
        within: What narrows the list, by parameter, e.g. ``{"category": "01001"}``; a field of the same form that is called
            so counts instead, once it holds something.
        suggested: Codes and names that are offered before a word has been typed; else the city's weightiest.
    """
    request, city = context["request"], context["city"].id
    known = choices(runtime(city), kind)
    found = known.get(code) if known and code else None
    typed = (request.POST or request.GET).get(f"{name}{WORDS}", "")
    return {
        "src": reverse("choose", args=[city, kind]) + (f"?{urlencode(within)}" if within else ""),
        "follows": " ".join(within or ()),
        "name": name,
        "label": label,
        "code": found.code if found else code if words else "",
        "words": say(found.name) if found else typed or words or code,
        "id": id or name,
        "placeholder": placeholder or say("名称、拼音首字母或编码", "Name or code"),
        "required": required,
        "suggested": suggested,
    }
