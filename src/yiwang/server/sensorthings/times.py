"""Times as the standard writes them: an instant, or an interval ``start/end``, in ISO 8601 with an offset."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import from_micros, to_micros
from yiwang.core.kernel.text import Text

_RIGHT = Text("应如 2026-03-02T04:00:00Z。", "It should look like 2026-03-02T04:00:00Z.")


def read_instant(value: Any, *, column: str) -> int:
    """Microseconds of an instant.

    Raises:
        BadInput: It is none, or has no offset.
    """
    try:
        return to_micros(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        message = Text("“{value}”不是带时区的时间。", "{value!r} is no time with an offset.", value=str(value)[:60])
        raise BadInput(Problem(message, _RIGHT, column=column)) from None


def read_time(value: Any, *, column: str) -> tuple[int, int | None]:
    """Microseconds of an instant and none, or of the start and end of an interval.

    Raises:
        BadInput: It is neither, or ends before it begins.
    """
    if not isinstance(value, str) or "/" not in value:
        return read_instant(value, column=column), None
    first, _, last = value.partition("/")
    start, end = read_instant(first, column=column), read_instant(last, column=column)
    if end < start:
        message = Text("时段“{value}”先结束后开始。", "The interval {value!r} ends before it begins.", value=value[:80])
        raise BadInput(Problem(message, column=column))
    return start, end


def show_instant(micros: int) -> str:
    """The instant in UTC, as ``2026-03-02T04:00:00Z``."""
    return from_micros(micros).isoformat()[:-6] + "Z"


def show_time(start: int | None, end: int | None) -> str | None:
    """An instant, an interval, or none."""
    if start is None:
        return None
    return show_instant(start) if end is None else f"{show_instant(start)}/{show_instant(end)}"
