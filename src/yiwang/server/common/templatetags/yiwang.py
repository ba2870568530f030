"""What every template needs: both languages side by side, names of things, times in the city's own zone, built assets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from yiwang.core.kernel.text import Text
from yiwang.server.common import app
from yiwang.server.common.formatting import NONE, lasting_text, moment_text, number_text, percent_text
from yiwang.server.common.language import english, say, say_or

register = template.Library()
BUILD = Path(__file__).resolve().parents[2] / "static" / "build"


# ``{% say "案卷" "Cases" %}``, ``{% say verb.name %}``: escaped by the template as usual
register.simple_tag(say)


@register.filter
def said(words: Mapping[str, str]) -> str:
    """A text that was kept with its languages, in the reader's."""
    return say(Text.of(words))


@register.filter
def named(thing: Any) -> str:
    """The name of anything that has one, in the reader's language: a `Text` under ``name``, or ``name`` and ``name_en``."""
    if thing is None or thing == "":
        return ""
    if isinstance(text := thing if isinstance(thing, Text) else getattr(thing, "name", None), Text):
        return say(text)
    if isinstance(thing, dict):
        if isinstance(text := thing.get("name"), Text):
            return say(text)
        native, other = thing.get("name", ""), thing.get("name_en", "")
    else:
        native, other = getattr(thing, "name", ""), getattr(thing, "name_en", "")
    return str((other or native) if english() else (native or other))


@register.filter
def moment(value: datetime | None, zone: str = "") -> SafeString | str:
    """A time as the city's clocks show it, with the exact time for machines."""
    if value is None:
        return NONE
    local = value.astimezone(ZoneInfo(zone)) if zone else value
    return format_html('<time datetime="{}" class="nowrap number">{}</time>', local.isoformat(), moment_text(local))


@register.filter
def lasting(seconds: float | None) -> str:
    """A length of time in its two largest units."""
    return lasting_text(seconds)


@register.filter
def counted(number: int | None) -> str:
    """A count with commas between thousands."""
    return NONE if number is None else number_text(number)


@register.filter
def percent(share: float | None, places: int = 1) -> str:
    """A share of one as a percentage."""
    return percent_text(share, places)


# How sure a pack is of what it says, in the words that the packs at hand use.
CONFIDENCE = {
    "high": Text("高", "high"),
    "medium-high": Text("较高", "medium-high"),
    "medium": Text("中", "medium"),
    "medium-low": Text("较低", "medium-low"),
    "low": Text("低", "low"),
    "stated": Text("来源明言", "stated"),
    "derived": Text("由数据推得", "derived"),
    "local": Text("本地", "local"),
    "test": Text("测试", "test"),
    "few cases": Text("案卷太少", "few cases"),
    "demonstration": Text("示范", "demonstration"),
    "reference default": Text("参考默认值", "reference default"),
    "reference default: conflict": Text("参考默认值（来源不一）", "reference default: sources differ"),
}


@register.filter
def confidence(word: str) -> SafeString | str:
    """How sure a pack is of a row; a word of its own stands as the pack has it, marked as in no language."""
    known = CONFIDENCE.get(word)
    return say(known) if known else format_html('<span lang="">{}</span>', word)


def confidence_words(word: str) -> str:
    """The same without a mark, for what is no page."""
    return say_or(CONFIDENCE.get(word), word)


@register.filter
def coded(text: str) -> SafeString:
    """A sentence in which what stands between backticks is code."""
    pieces = ((("<code>{}</code>" if odd % 2 else "{}"), piece) for odd, piece in enumerate(text.split("`")))
    return format_html_join("", "{}", ((format_html(form, piece),) for form, piece in pieces))


@register.filter
def item(mapping: dict[Any, Any], key: Any) -> Any:
    """``mapping[key]``, or nothing."""
    return mapping.get(key) if mapping else None


@lru_cache(maxsize=1)
def _read_manifest(_changed: float) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((BUILD / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def _manifest() -> dict[str, Any]:
    try:
        return _read_manifest((BUILD / "manifest.json").stat().st_mtime if settings.DEBUG else 0.0)
    except FileNotFoundError:
        return {}  # pages work without the build, only the map does not


@register.simple_tag
def built(entry: str) -> SafeString:
    """Style sheet and module script of one front-end entry (``app``, ``city-map``), as the build named them."""
    manifest = _manifest()
    chunk = manifest.get(f"src/{entry}.ts")
    if not chunk:
        return SafeString("")
    styles = format_html_join(
        "\n", '<link rel="stylesheet" href="{}">', ((static(f"build/{path}"),) for path in _styles(manifest, chunk))
    )
    return format_html('{}<script type="module" src="{}"></script>', styles, static(f"build/{chunk['file']}"))


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture beside words, of those that `web/icons.ts` lists. It says nothing of its own to a reader of screens."""
    sprite = _manifest().get("icons.svg")
    if not sprite:
        return SafeString("")
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static(f"build/{sprite['file']}"), name
    )


def icon_names() -> list[str]:
    """Every picture of the build, in the order of `web/icons.ts`; none without a build."""
    sprite = _manifest().get("icons.svg")
    return re.findall(r'<symbol id="([^"]+)"', (BUILD / sprite["file"]).read_text(encoding="utf-8")) if sprite else []


def _styles(manifest: dict[str, Any], chunk: dict[str, Any]) -> list[str]:
    """Style sheets of an entry and of what it shares with others, which come first; each once."""
    shared = [path for name in chunk.get("imports", []) for path in _styles(manifest, manifest[name])]
    return list(dict.fromkeys([*shared, *chunk.get("css", [])]))


@register.simple_tag
def brought_to_head(city: str) -> SafeString:
    """What the apps tell the front end in the head of every page of a city."""
    return format_html_join("\n", '<meta name="{}" content="{}">', app.head(city).items())


@register.simple_tag(takes_context=True)
def bar_parts(context: Context) -> list[str]:
    """The templates that the apps bring to the bar of a city's pages, for whoever looks."""
    return app.bar(context["request"], context["city"].id)


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[dict[str, Any]]:
    """The links that the apps bring to the frame of a city's pages, for whoever looks, group by group."""
    city = context["city"].id
    entries = app.navigation(context["request"], city)
    return [
        {
            "name": group.label,
            "links": [
                {"url": reverse(entry.url, args=[city]), "name": entry.name, "page": entry.page, "icon": entry.icon}
                for entry in entries
                if entry.group is group
            ],
        }
        for group in dict.fromkeys(entry.group for entry in entries)
    ]
