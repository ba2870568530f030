"""What rules give: alarms with their turns, episodes from raised to cleared, and why, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.conditions import (
    Combination,
    Condition,
    Direction,
    Measured,
    Mode,
    Pattern,
    Rate,
    Severity,
    Silence,
)


class Turn(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    WORSENED = "worsened"
    EASED = "eased"
    CLEARED = "cleared"


class Alarm(NamedTuple):
    """One turn of an alarm; a named tuple since a dry run makes very many.

    Attributes:
        turn: What happened.
        condition: Id of the condition.
        stream: Of which stream; of a combination the stream whose alarm decided.
        time: When, in POSIX seconds: the reading's time, or the moment at which a silence was long enough.
        value: The last reading, in the stream's unit.
        level: 1 for the mildest of the condition, 0 once cleared.
        severity: Of the level; of the one that was left once cleared.
        peak: The worst figure since raised: value, change, deviations or seconds of silence, as the condition measures.
        since: When it was raised.
        silent: Cleared because nothing was heard any more.
    """

    turn: Turn
    condition: str
    stream: str
    time: float
    value: float | None
    level: int
    severity: Severity
    peak: float
    since: float
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An alarm from raised to cleared; ``end`` is None while it stands."""

    condition: str
    stream: str
    start: float
    end: float | None
    severity: Severity
    peak: float


_STRETCHES = ((86_400, 172_800, "天", "days"), (3600, 3600, "小时", "h"), (60, 60, "分钟", "min"))


def episodes(alarms: Iterable[Alarm]) -> list[Episode]:
    """The episodes of alarms in the order of their time, with the worst severity and the peak of each, by their start."""
    opened: dict[tuple[str, str], Episode] = {}
    found = []
    for alarm in alarms:
        key = (alarm.condition, alarm.stream)
        before = opened.pop(key, None)
        now = Episode(
            condition=alarm.condition,
            stream=alarm.stream,
            start=alarm.since,
            end=alarm.time if alarm.turn is Turn.CLEARED else None,
            severity=max(alarm.severity, before.severity) if before else alarm.severity,
            peak=alarm.peak,
        )
        if alarm.turn is Turn.CLEARED:
            found.append(now)
        else:
            opened[key] = now
    return sorted([*found, *opened.values()], key=lambda episode: (episode.start, episode.stream, episode.condition))


def explain(alarm: Alarm, condition: Condition | Combination, *, members: Text | None = None) -> Text:
    """Why an alarm took this turn, with the figures and limits that decided.

    Args:
        alarm: The alarm.
        condition: By which it was judged.
        members: What people call the members of a combination; by default their streams and ids.
    """
    if isinstance(condition, Combination):
        return _explain_combination(alarm, condition, members)
    if alarm.turn is Turn.CLEARED:
        return _explain_clearing(alarm, condition)
    level = condition.levels[alarm.level - 1]
    turn = {
        Turn.RAISED: Text("触发{severity}报警", "{severity} alarm raised", severity=level.severity.text),
        Turn.WORSENED: Text("升级为{severity}报警", "worsened to {severity}", severity=level.severity.text),
        Turn.EASED: Text("降级为{severity}报警", "eased to {severity}", severity=level.severity.text),
    }[alarm.turn]
    return Text(
        "{name}：{reason}，{turn}。",
        "{name}: {reason}; {turn}.",
        name=condition.name,
        turn=turn,
        reason=_silence(condition, level.at) if isinstance(condition, Silence) else _reason(alarm, condition, level.at),
    )


def _reason(alarm: Alarm, condition: Condition, at: float) -> Text:
    assert isinstance(condition, Measured)
    worst = Text("，最严重时 {peak:.4g}", " (worst {peak:.4g})", peak=alarm.peak)
    figures = {
        "value": alarm.value,
        "unit": _unit(condition),
        "at": at,
        "side": _side(condition),
        "debounce": _debounce(condition) if alarm.turn is not Turn.EASED else NO_TEXT,
        "worst": worst if isinstance(condition, Rate | Pattern) else NO_TEXT,
    }
    if alarm.turn is Turn.EASED:
        return Text(
            "读数 {value:g}{unit}，已达到上一级的解除值",
            "the reading of {value:g}{unit} is clear of the level above",
            **figures,
        )
    if isinstance(condition, Rate):
        return Text(
            "每 {per}的变化{side} {at:g}{unit}{debounce}（读数 {value:g}{worst}）",
            "the change in {per} is {side} {at:g}{unit}{debounce}; the reading is {value:g}{worst}",
            per=lasting(condition.per),
            **figures,
        )
    if isinstance(condition, Pattern):
        return Text(
            "读数 {value:g}{unit}，{way}近 {weeks} 周同一时段的常值，相差不少于 {at:g} 倍标准差{debounce}{worst}",
            "the reading of {value:g}{unit} is at least {at:g} standard deviations {way} what was usual at this hour of "
            "the week in the last {weeks} weeks{debounce}{worst}",
            way=_WAYS[condition.direction],
            weeks=condition.weeks,
            **figures,
        )
    return Text(
        "读数 {value:g}{unit}，{side}限值 {at:g}{unit}{debounce}",
        "the reading of {value:g}{unit} is {side} the limit of {at:g}{unit}{debounce}",
        **figures,
    )


def _explain_clearing(alarm: Alarm, condition: Condition) -> Text:
    figures = {"name": condition.name, "value": alarm.value, "unit": _unit(condition), "peak": alarm.peak}
    if alarm.silent:
        return Text(
            "{name}：{seconds}没有新读数，报警结束，期间最严重 {peak:.4g}。",
            "{name}: no reading for {seconds}, so the alarm ends; the worst was {peak:.4g}.",
            seconds=lasting(condition.ends_after) if isinstance(condition, Measured) else NO_TEXT,
            **figures,
        )
    if isinstance(condition, Silence):
        return Text(
            "{name}：中断 {silence}后恢复上报，报警解除。",
            "{name}: heard of again after {silence}; the alarm is cleared.",
            silence=lasting(alarm.peak),
            **figures,
        )
    return Text(
        "{name}：读数 {value:g}，已恢复正常{kept}，报警解除，期间最严重 {peak:.4g}。",
        "{name}: the reading of {value:g} is back to normal{kept}; the alarm is cleared, the worst was {peak:.4g}.",
        kept=Text("并保持 {seconds}", " and has been for {seconds}", seconds=lasting(condition.clear_for))
        if isinstance(condition, Measured) and condition.clear_for
        else NO_TEXT,
        **figures,
    )


def _explain_combination(alarm: Alarm, condition: Combination, called: Text | None) -> Text:
    members = called or Text.join(
        {"zh": "、", "en": ", "},
        [Text("{stream} {id}", "{stream} {id}", stream=member.stream, id=member.condition) for member in condition.of],
    )
    words = {
        (True, Mode.ALL): Text(
            "{name}：{within}内同时报警（{of}），触发{severity}报警。",
            "{name}: all of {of} hold within {within}; {severity} alarm raised.",
        ),
        (True, Mode.ANY): Text(
            "{name}：{stream} 报警（条件为其一：{of}），触发{severity}报警。",
            "{name}: {stream} holds, one of {of}; {severity} alarm raised.",
        ),
        (False, Mode.ALL): Text(
            "{name}：{of} 不再同时报警，报警解除。", "{name}: {of} no longer hold at once; cleared."
        ),
        (False, Mode.ANY): Text("{name}：{of} 均已解除，报警解除。", "{name}: none of {of} holds any more; cleared."),
    }
    return words[alarm.turn is Turn.RAISED, condition.mode].with_values(
        name=condition.name,
        of=members,
        within=lasting(condition.within),
        severity=alarm.severity.text,
        stream=alarm.stream,
    )


def _silence(condition: Condition, at: float) -> Text:
    return Text("超过 {at}没有读数", "nothing heard for more than {at}", at=lasting(at))


def _unit(condition: Condition) -> str:
    return f" {condition.unit}" if condition.unit and not isinstance(condition, Silence) else ""


_WAYS = {
    Direction.ABOVE: Text("高于", "above"),
    Direction.BELOW: Text("低于", "below"),
    Direction.EITHER: Text("偏离", "away from"),
}


def lasting(seconds: float) -> Text:
    """A stretch of time in the largest unit of which it has one (two, for days), to a tenth."""
    for size, least, zh, en in _STRETCHES:
        if seconds >= least:
            return Text("{count:g} {unit}", "{count:g} {unit}", count=round(seconds / size, 1), unit=Text(zh, en))
    return Text("{count:g} 秒", "{count:g} s", count=seconds)


def _side(condition: Measured) -> Text:
    if condition.direction is Direction.BELOW:
        return Text("不高于", "at or below")
    return Text("不低于", "at or above")


def _debounce(condition: Measured) -> Text:
    parts = []
    if condition.hold:
        parts.append(Text("持续 {seconds}", "for {seconds}", seconds=lasting(condition.hold)))
    if condition.count > 1:
        parts.append(Text("连续 {count} 次", "{count} times in a row", count=condition.count))
    if not parts:
        return NO_TEXT
    return Text("，{parts}", " {parts}", parts=Text.join({"zh": "且", "en": " and "}, parts))
