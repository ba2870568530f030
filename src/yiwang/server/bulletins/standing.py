"""What is open at a unit and should not be lost between two shifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Count, F, Q, Value, When
from django.db.models import Case as Choice

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import LOADED_COLUMNS, Case, is_past_deadline, shown_row
from yiwang.server.cities.queries import CityRuntime

MOST_LISTED = 200
SHIFTS = (8, 12, 24)  # hours
KINDS = {
    "overdue": Text("超时", "Overdue"),
    "soon": Text("下一班内到期", "Due in the next shift"),
    "pressing": Text("紧急", "Urgent"),
    "waiting": Text("待答复", "Waits for an answer"),
    "returned": Text("退回", "Returned"),
    "unclassified": Text("未分类", "No category"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is open at a unit.

    Attributes:
        counts: How many cases are of each kind; ``open`` of all that the unit holds, ``listed`` of all kinds together.
        cases: The most urgent of them, each once with its ``kinds``.
    """

    counts: dict[str, int]
    cases: list[dict[str, Any]]


def standing(*, place: CityRuntime, unit: str, hours: int, at: datetime) -> Standing:
    """The open cases that a unit holds or was asked to assist with, of the kinds that a shift hands over. Two queries.

    Args:
        place: City.
        unit: Code.
        hours: Length of the next shift.
        at: Now.
    """
    conditions = _conditions(place, at, at + timedelta(hours=hours))
    held = Q(holder=unit)
    ours = Case.objects.filter(held | Q(waits__contains=f" @{unit} "), city=place.info.id, closed_at=None)
    every = Q()
    for condition in conditions.values():
        every |= condition
    counts = ours.aggregate(
        open=Count("id", filter=held),
        listed=Count("id", filter=every),
        **{kind: Count("id", filter=condition) for kind, condition in conditions.items()},
    )
    rows = ours.filter(every).annotate(
        **{f"is_{kind}": _flag(condition) for kind, condition in conditions.items()}
    )  # fmt: skip
    names = (*LOADED_COLUMNS, *(f"is_{kind}" for kind in conditions))
    found = rows.order_by(F("deadline").asc(nulls_last=True), "id").values(*names)[:MOST_LISTED]
    return Standing(
        counts=counts,
        cases=[
            {**shown_row(row, runtime=place, at=at), "kinds": [kind for kind in conditions if row[f"is_{kind}"]]}
            for row in found
        ],
    )


def _flag(condition: Q) -> Any:
    return Choice(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _conditions(place: CityRuntime, at: datetime, until: datetime) -> dict[str, Q]:
    # of the priorities that the workflow lists, the first is the ordinary one
    pressing = list(place.rules.workflow.priorities)[1:]
    return {
        "overdue": (late := is_past_deadline(at)),
        "soon": is_past_deadline(until) & ~late,
        "pressing": Q(priority__in=pressing),
        "waiting": Q(waits__isnull=False),
        "returned": Q(rest__contains='"returned_from":"'),
        "unclassified": Q(category=""),
    }
