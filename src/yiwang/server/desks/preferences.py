"""How somebody has their desk: as a list or a board, and up to when all counts as read."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from yiwang.server.cities.queries import CityRuntime
from yiwang.server.desks.models import DeskPreference
from yiwang.server.desks.queue import Desk

LIST, BOARD = "", "board"
LAYOUTS = (LIST, BOARD)


def layout_of(user: Any, *, place: CityRuntime, desk: Desk) -> str:
    """`BOARD` or `LIST`."""
    kept = _row(user, place, desk).values_list("layout", flat=True).first()
    return kept if kept in LAYOUTS else LIST


def read_before(user: Any, *, place: CityRuntime, desk: Desk) -> QuerySet[Any]:
    """The moment up to which all counts as read, as a query for a larger one."""
    return _row(user, place, desk).values("read_before")[:1]


def _row(user: Any, place: CityRuntime, desk: Desk) -> QuerySet[DeskPreference]:
    return DeskPreference.objects.filter(user_id=user.pk, city=place.info.id, role=desk.role)
