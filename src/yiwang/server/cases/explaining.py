"""Why a case went where it went: the rows of the decision tables that its events name, as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.core.kernel.errors import BadInput
from yiwang.core.worktime import Limit
from yiwang.server.cases.presentation import UNIT_NAMES
from yiwang.server.places.queries import Runtime

TABLES = {
    "triage": ("受理规则", "Triage"),
    "routing": ("派遣规则", "Routing"),
    "limits": ("时限规则", "Limits"),
}


def whys(events: Iterable[Event]) -> list[dict[str, str]]:
    """What the tables said, in the order of events: table, row, value, runner-up."""
    found: list[dict[str, str]] = []
    for event in events:
        said: Mapping[str, Any] = event.payload.get("why") or {}
        found.extend(
            {
                "table": table,
                "row": str(ruled["row"]),
                "value": str(ruled["value"]),
                "runner_up": str(ruled.get("runner_up", "")),
                "verb": event.verb,
            }
            for table in TABLES
            if isinstance(ruled := said.get(table), Mapping)
        )
    return found


def sentence(why: Mapping[str, str], *, place: Runtime, in_english: bool) -> str:
    """One of them in words."""
    zh, en = TABLES[why["table"]]
    value = why["value"]
    if why["table"] == "limits":
        value = _limit(value, in_english)
    unit = place.rules.units.get(value) if why["table"] == "routing" else None
    if unit is not None:
        value = (unit.name_en or unit.name) if in_english else unit.name
    if in_english:
        second = f"; next in line was row {why['runner_up']}" if why["runner_up"] else ""
        return f"{en}: row {why['row']} gives “{value or 'none'}”{second}."
    second = f"；其次是 {why['runner_up']} 行" if why["runner_up"] else ""
    return f"{zh}：{why['row']} 行，得「{value or '无'}」{second}。"


def _limit(value: str, in_english: bool) -> str:
    """A limit as the table says it (``7 work_days``) in words; as it is where it is no limit."""
    try:
        limit = Limit.parse(value)
    except BadInput:
        return value
    return f"{limit.amount:g} {UNIT_NAMES[limit.unit][in_english]}"


def why(events: Iterable[Event], *, place: Runtime, in_english: bool) -> list[str]:
    """All of them in words."""
    return [sentence(row, place=place, in_english=in_english) for row in whys(events)]
