"""Clocks: running time against a limit, that can be paused, resumed, extended and stopped.

A clock is a value; every operation gives a new one. What it has used is kept in counted seconds, so holidays or working
periods announced later change only the time that is still to come, never what has been counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.worktime.calendar import WorkCalendar
from yiwang.core.worktime.limits import Limit, TimeUnit


class ClockStatus(StrEnum):
    """Whether a clock runs."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


# looking a word up takes a third of what calling its enumeration takes, and folding reads clocks at every turn
_UNITS = {unit.value: unit for unit in TimeUnit}
_STATUSES = {status.value: status for status in ClockStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Running time against a limit.

    Attributes:
        unit: The kind of time it counts.
        limit_seconds: Counted seconds it may use, extensions included.
        original_seconds: The limit it started with; one extension adds this much.
        started_at: When it first ran.
        resumed_at: Since when it is running; None when paused or stopped.
        used_seconds: Counted seconds used up to the last pause or stop.
        status: Running, paused or stopped.
        extensions: How often it was extended.
        fixed_deadline: A deadline given from outside (a record's own), which holds instead of the computed one for as
            long as the clock runs without a break.
    """

    unit: TimeUnit
    limit_seconds: int
    original_seconds: int
    started_at: datetime
    resumed_at: datetime | None
    used_seconds: float = 0.0
    status: ClockStatus = ClockStatus.RUNNING
    extensions: int = 0
    fixed_deadline: datetime | None = None

    def elapsed_seconds(self, *, calendar: WorkCalendar, at: datetime) -> float:
        """Counted seconds used up to ``at``; a moment before the last start counts as that start."""
        if self.resumed_at is None:
            return self.used_seconds
        running = calendar.elapsed_seconds(start=self.resumed_at, end=at, unit=self.unit)
        return round(self.used_seconds + running, 6)

    def remaining_seconds(self, *, calendar: WorkCalendar, at: datetime) -> float:
        """Counted seconds left at ``at``; negative when more has been counted than the limit.

        Whether a case is late is asked of `deadline`, not of this: after a deadline at closing time nothing more is
        counted until the next opening, so that 0 is left all night although the deadline has passed.
        """
        if self.fixed_deadline is None or self.resumed_at is None:
            return round(self.limit_seconds - self.elapsed_seconds(calendar=calendar, at=at), 6)
        left = calendar.elapsed_seconds(start=at, end=self.fixed_deadline, unit=self.unit)
        return left - calendar.elapsed_seconds(start=self.fixed_deadline, end=at, unit=self.unit)

    def deadline(self, *, calendar: WorkCalendar) -> datetime | None:
        """When the limit will have been used up; None while the clock does not run.

        A clock that is resumed with nothing left is due at the moment it was resumed.
        """
        if self.resumed_at is None:
            return None
        if self.fixed_deadline is not None:
            return self.fixed_deadline
        left = round(self.limit_seconds - self.used_seconds, 6)
        return calendar.add_seconds(start=self.resumed_at, seconds=left, unit=self.unit)

    def pause(self, *, calendar: WorkCalendar, at: datetime) -> Clock:
        """Stop counting for a while. Does nothing unless the clock runs.

        A fixed deadline cannot move with a break, so what was left until then becomes the limit.
        """
        return self if self.resumed_at is None else self._halt(calendar, at, ClockStatus.PAUSED)

    def stop(self, *, calendar: WorkCalendar, at: datetime) -> Clock:
        """Stop counting for good, though work that is sent back may resume it. A paused clock stops as it stands."""
        if self.resumed_at is None:
            return self if self.status == ClockStatus.STOPPED else replace(self, status=ClockStatus.STOPPED)
        return self._halt(calendar, at, ClockStatus.STOPPED)

    def _halt(self, calendar: WorkCalendar, at: datetime, status: ClockStatus) -> Clock:
        used = self.elapsed_seconds(calendar=calendar, at=at)
        limit = self.limit_seconds
        if self.fixed_deadline is not None:
            limit = round(used + self.remaining_seconds(calendar=calendar, at=at))
        return Clock(  # spelled out: `replace` takes three times as long, and every case stops several clocks
            unit=self.unit,
            limit_seconds=limit,
            original_seconds=self.original_seconds,
            started_at=self.started_at,
            resumed_at=None,
            used_seconds=used,
            status=status,
            extensions=self.extensions,
        )

    def resume(self, *, at: datetime) -> Clock:
        """Go on counting. Does nothing when the clock runs."""
        if self.resumed_at is not None:
            return self
        return replace(self, resumed_at=at, status=ClockStatus.RUNNING)

    def extend(self, *, calendar: WorkCalendar, seconds: int | None = None) -> Clock:
        """Allow so many more counted seconds, by default one original limit; also while paused.

        How often, and whether still after the deadline, is for the caller's rules.
        """
        more = self.original_seconds if seconds is None else seconds
        fixed = self.fixed_deadline
        if fixed is not None:
            fixed = calendar.add_seconds(start=fixed, seconds=more, unit=self.unit)
        limit = self.limit_seconds + more
        return replace(self, limit_seconds=limit, extensions=self.extensions + 1, fixed_deadline=fixed)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form, times in UTC."""
        started, used = _text(self.started_at), self.used_seconds
        return {
            "unit": self.unit.value,
            "limit_seconds": self.limit_seconds,
            "original_seconds": self.original_seconds,
            "started_at": started,
            "resumed_at": started if self.resumed_at is self.started_at else _text(self.resumed_at),
            # a whole number as one: so a record needs no copy to be put in canonical form, and a clock stands in most of them
            "used_seconds": int(used) if used.is_integer() else used,
            "status": self.status.value,
            "extensions": self.extensions,
            "fixed_deadline": _text(self.fixed_deadline),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Clock:
        """Read back what `to_dict` wrote.

        Raises:
            BadInput: When it cannot be read.
        """
        try:
            started = datetime.fromisoformat(data["started_at"])
            return cls(
                unit=_UNITS[data["unit"]],
                limit_seconds=int(data["limit_seconds"]),
                original_seconds=int(data["original_seconds"]),
                started_at=started,
                resumed_at=started if data["resumed_at"] == data["started_at"] else _time(data["resumed_at"]),
                used_seconds=float(data["used_seconds"]),
                status=_STATUSES[data["status"]],
                extensions=int(data["extensions"]),
                fixed_deadline=_time(data.get("fixed_deadline")),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise BadInput(
                Text("存储的时钟无法读取：{error!r}。", "A stored clock cannot be read: {error!r}.", error=error)
            ) from error


def start_clock(*, limit: Limit, calendar: WorkCalendar, at: datetime, fixed_deadline: datetime | None = None) -> Clock:
    """A clock that starts to run at ``at``."""
    seconds = calendar.seconds(limit)
    return Clock(
        unit=limit.unit,
        limit_seconds=seconds,
        original_seconds=seconds,
        started_at=at,
        resumed_at=at,
        fixed_deadline=fixed_deadline,
    )


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.isoformat() if moment.tzinfo is UTC else moment.astimezone(UTC).isoformat()


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
