"""Why a case went where it went: the rows of the decision tables that its events name, as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.worktime import Limit
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import limit_words

TABLES = {
    "triage": Text("受理规则", "Triage"),
    "routing": Text("派遣规则", "Routing"),
    "limits": Text("时限规则", "Limits"),
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


def sentence(why: Mapping[str, str], *, place: CityRuntime) -> Text:
    """One of them in words."""
    value: Text | str = why["value"]
    if why["table"] == "limits":
        value = _limit(why["value"])
    elif why["table"] == "routing" and (unit := place.rules.units.get(why["value"])) is not None:
        value = unit.name
    second = (
        Text("；其次是 {row} 行", "; next in line was row {row}", row=why["runner_up"]) if why["runner_up"] else NO_TEXT
    )
    return Text(
        "{table}：{row} 行，得「{value}」{second}。",
        "{table}: row {row} gives “{value}”{second}.",
        table=TABLES[why["table"]],
        row=why["row"],
        value=value or Text("无", "none"),
        second=second,
    )


def _limit(value: str) -> Text | str:
    """A limit as the table says it (``7 work_days``) in words; as it is where it is no limit."""
    try:
        limit = Limit.parse(value)
    except BadInput:
        return value
    return limit_words(limit.amount, limit.unit)
