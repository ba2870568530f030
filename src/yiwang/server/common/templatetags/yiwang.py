"""What every template needs: both languages side by side, names of things, times in the city's own zone, built assets."""

from __future__ import annotations

import json
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
from yiwang.server.common.language import english, say

register = template.Library()
_LENGTHS = {"d": Text("{n} 天", "{n} d"), "h": Text("{n} 小时", "{n} h"), "min": Text("{n} 分钟", "{n} min")}
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
        return "—"
    local = value.astimezone(ZoneInfo(zone)) if zone else value
    return format_html(
        '<time datetime="{}" class="nowrap number">{}</time>', local.isoformat(), f"{local:%Y-%m-%d %H:%M}"
    )


@register.filter
def lasting(seconds: float | None) -> str:
    """A length of time in its two largest units, e.g. ``2 天 3 小时`` or ``2 d 3 h``; less than a minute says so."""
    if seconds is None:
        return "—"
    if 0 < abs(seconds) < 60:
        return say("不到 1 分钟", "< 1 min")
    minutes = int(abs(seconds)) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [say(_LENGTHS[unit], n=count) for unit, count in (("d", days), ("h", hours), ("min", minutes)) if count]
    text = " ".join(parts[:2]) or say(_LENGTHS["min"], n=0)
    return f"−{text}" if seconds < 0 and parts else text


@register.filter
def percent(share: float | None, places: int = 1) -> str:
    """A share of one as a percentage; no data is a dash, never 0 %."""
    return "—" if share is None else f"{100 * share:.{places}f} %"


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


def _styles(manifest: dict[str, Any], chunk: dict[str, Any]) -> list[str]:
    """Style sheets of an entry and of what it shares with others, which come first; each once."""
    shared = [path for name in chunk.get("imports", []) for path in _styles(manifest, manifest[name])]
    return list(dict.fromkeys([*shared, *chunk.get("css", [])]))


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[dict[str, Any]]:
    """The links that the apps bring to the head of a city's pages, for whoever looks."""
    city = context["city"].id
    return [
        {"url": reverse(entry.url, args=[city]), "name": entry.name, "page": entry.page}
        for entry in app.navigation(context["request"], city)
    ]
