"""What the rules page shows: the limits of a category, and what the tables say of it in a region."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import TimeUnit
from yiwang.server.cases.api import unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import limit_text, moment_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named

SHOWN_LIMITS = 60


def limit_rows(place: CityRuntime, *, category: str) -> tuple[list[dict[str, str]], int]:
    """Rows of the limits table (of one category, or from the top), and how many there are."""
    table = place.pack.tables["limits"]
    where = table.spec.input_names.index("category")
    rows = [row for row in table.rows if not category or row.cells[where].matches(category)]
    return [_limit(row, place) for row in rows[:SHOWN_LIMITS]], len(rows)


def _limit(row: Any, place: CityRuntime) -> dict[str, str]:
    cells = dict(zip(place.pack.tables["limits"].spec.input_names, map(str, row.cells), strict=True))
    prefix, condition = cells.get("category", ""), cells.get("condition", "")
    category = place.categories.get(prefix)
    text = place.pack.conditions.get((prefix, condition))
    amount = row.outputs.get("amount", "")
    return {
        "id": row.id,
        "category": named(category) if category else (prefix and f"{prefix}…") or say("其他", "All others"),
        "condition": say(text.text) if text else "",
        "limit": limit_text(float(amount), TimeUnit(row.outputs["unit"])) if amount else say("不设时限", "no limit"),
        "source": row.source,
        "confidence": row.confidence,
    }


def explain_rules(place: CityRuntime, *, category: str, region: str, at: datetime) -> list[dict[str, str]]:
    """Priority, centre, unit, limit and deadline for a category in a region, with the rows that decide."""
    rules = place.rules
    on = at.astimezone(place.info.zone).date()
    facts = {"category": category, "condition": "", "region": region, "channel": "public", "priority": ""}
    triaged = rules.triage_for(facts, on)
    facts["priority"] = triaged.priority if triaged else ""
    routed = rules.unit_for(facts, on)
    limit, ruled = rules.limit_for(facts, on)
    lines = [
        _line(
            Text("受理", "Taken in by"),
            unit_name(place, triaged.centre) if triaged else "",
            triaged.row if triaged else "",
            "",
        ),
        _line(
            Text("派往", "Goes to"),
            unit_name(place, routed.value) if routed else "",
            routed.row if routed else "",
            routed.runner_up if routed else "",
        ),
        _line(
            Text("时限", "Limit"),
            limit_text(limit.amount, limit.unit) if limit else say("不设时限", "none"),
            ruled.row if ruled else "",
            ruled.runner_up if ruled else "",
        ),
    ]
    if limit:
        try:
            due = place.calendar.add(start=at, limit=limit).astimezone(place.info.zone)
            lines.append({"name": say("现在派遣，截止", "Dispatched now, due"), "text": moment_text(due), "why": ""})
        except BadInput as error:
            lines.append({"name": say("截止", "Due"), "text": say(error.text), "why": ""})
    decision = place.pack.tables["limits"].decide(facts, on)
    if decision:
        lines.append({"name": say("为什么", "Why"), "text": " ".join(say(why) for why in decision.why()), "why": ""})
    return lines


def _line(name: Text, text: str, row: str, runner_up: str) -> dict[str, str]:
    why = say("第 {row} 行决定", "Row {row} decides", row=row) if row else say("没有规则匹配", "No row matches")
    if runner_up:
        why += say("；其次 {row}", "; next in line {row}", row=runner_up)
    return {"name": say(name), "text": text or "—", "why": why}
