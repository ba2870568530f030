"""Notices in words: what happened, to which case, when. Nothing that anybody wrote, so that nothing is to be masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import Readers, category_name, load_rows, readers_for, state_of_row, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.notices.kinds import KINDS

GONE = Text("案卷已不归您查看", "A case that is no longer yours to see")


def lines(items: Sequence[Mapping[str, Any]], *, user: Any, place: CityRuntime) -> list[dict[str, Any]]:
    """Notices as pages, answers and messages say them. One query for all cases; who may read a case is the cases' policy.

    Of a case that the reader does not work on any more, only the kind and the time are said.
    """
    numbers = sorted({str(item["number"]) for item in items})
    rows = load_rows(numbers, lock=False) if numbers else {}
    readers = readers_for(user, place=place)
    return [_line(item, rows.get(item["number"]), readers, place) for item in items]


def _line(
    item: Mapping[str, Any], row: Mapping[str, Any] | None, readers: Readers, place: CityRuntime
) -> dict[str, Any]:
    kind, workflow = KINDS.get(item["kind"]) or KINDS["told"], place.rules.workflow
    state = state_of_row(row) if row is not None else None
    may_read = state is not None and readers.of_state(state).staff
    verb = workflow.verbs.get(item["verb"])
    found: dict[str, Any] = {
        "id": item["id"], "kind": kind, "at": item["at"], "unread": item.get("unread", True), "may_read": may_read,
        "number": item["number"] if may_read else "", "text": say(kind.text if may_read else GONE),
        "verb": say(verb.name) if verb and may_read else "",
    }  # fmt: skip
    if may_read and state is not None:
        step = workflow.steps.get(state.step)
        found |= {
            "category": category_name(place, state.category), "step": say(step.name) if step else state.step,
            "holder": unit_name(place, state.holder), "deadline": None if state.closed_at else state.deadline,
        }  # fmt: skip
    return found
