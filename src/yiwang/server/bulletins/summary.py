"""A bulletin in at most three sentences, made of its figures by rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yiwang.server.bulletins.periods import Period
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import percent

Figure = Mapping[str, Any]


def summary(
    *,
    period: Period,
    where: str,
    figures: Mapping[str, Figure],
    on_time: float | None,
    categories: Sequence[Figure],
    rises: Sequence[Figure],
    late_units: Sequence[Figure],
    going_on: bool,
    usual_name: str,
    before_name: str,
) -> list[str]:
    """What came in and was closed; what is open and late, and with whom; what it was about."""
    lines = [
        _coming_in(period, where, figures, on_time, before_name), _standing(figures, late_units, before_name, going_on)
    ]  # fmt: skip
    return [*lines, about] if (about := _about(categories, rises, before_name)) else lines


def _change(figure: Figure, before_name: str) -> str:
    """E.g. ``比前一日多 12 件``."""
    change = figure["change"]
    if not change:
        return say("{before}持平", "no change {before}", before=before_name)
    return say(
        "{before}{word} {n} 件", "{up} {n} {before}",
        before=before_name, n=f"{abs(change):,}", word="多" if change > 0 else "少",
        up="up" if change > 0 else "down",
    )  # fmt: skip


def _coming_in(
    period: Period, where: str, figures: Mapping[str, Figure], on_time: float | None, before_name: str
) -> str:
    opened, filed, closed = (figures[name] for name in ("opened", "filed", "closed"))
    first = say(
        "{period}，{where}上报 {opened} 件（{change}），立案 {filed} 件，办结 {closed} 件",
        "{period}, {where}: {opened} reported ({change}), {filed} filed, {closed} closed",
        period=period.name, where=where, opened=f"{opened['value']:,}", change=_change(opened, before_name),
        filed=f"{filed['value']:,}", closed=f"{closed['value']:,}",
    )  # fmt: skip
    if on_time is None:
        return first + say("。", ".")
    return say(
        "{first}，按期办结率 {share}。", "{first}, {share} of them on time.", first=first, share=percent(on_time)
    )


def _standing(figures: Mapping[str, Figure], late_units: Sequence[Figure], before_name: str, going_on: bool) -> str:
    opened, late = figures["open"], figures["overdue"]
    when = say("目前", "Now") if going_on else say("期末", "At the end")
    if not late["value"]:
        return say(
            "{when}在办 {open} 件，没有超时案卷。", "{when} {open} were open, none of them overdue.",
            when=when, open=f"{opened['value']:,}",
        )  # fmt: skip
    said = say(
        "{when}在办 {open} 件，其中超时 {late} 件（{change}）",
        "{when} {open} were open, {late} of them overdue ({change})",
        when=when, open=f"{opened['value']:,}", late=f"{late['value']:,}", change=_change(late, before_name),
    )  # fmt: skip
    worst = next((one for one in late_units if one["unit"]), None)
    if worst is None:
        return said + say("。", ".")
    return say(
        "{said}，超时最多的是{unit}（{n} 件）。", "{said}; most of them with {unit} ({n}).",
        said=said, unit=worst["name"], n=f"{worst['value']:,}",
    )  # fmt: skip


def _about(categories: Sequence[Figure], rises: Sequence[Figure], before_name: str) -> str:
    if not categories:
        return ""
    most = categories[0]
    said = say("上报最多的是{name}（{n} 件）", "Most reported: {name} ({n})", name=most["name"], n=f"{most['value']:,}")
    if not rises:
        return said + say("。", ".")
    return say(
        "{said}，增加最多的是{name}（{change}）。", "{said}; biggest rise: {name} ({change}).",
        said=said, name=rises[0]["name"], change=_change(rises[0], before_name),
    )  # fmt: skip
