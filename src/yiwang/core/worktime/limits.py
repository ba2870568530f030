"""Limits and the kinds of time they are counted in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text


class TimeUnit(StrEnum):
    """The kinds of time a limit can be counted in.

    * ``urgent_hours`` 紧急工作时: runs day and night, working day or not.
    * ``work_hours`` 工作时: counts only inside the pack's working periods on working days.
    * ``work_days`` 工作日: a working day's periods each, counted like working hours.
    * ``calendar_days`` 自然日: ends at the same wall-clock time so many days later.
    """

    URGENT_HOURS = "urgent_hours"
    WORK_HOURS = "work_hours"
    WORK_DAYS = "work_days"
    CALENDAR_DAYS = "calendar_days"


@dataclass(frozen=True, slots=True)
class Limit:
    """So much time of one kind.

    Attributes:
        amount: Hours or days, by the unit; fractions are allowed, negative amounts are not.
        unit: The kind of time.
    """

    amount: float
    unit: TimeUnit

    def __post_init__(self) -> None:
        if not 0 <= self.amount < 1e6:
            raise BadInput(
                Text(
                    "时限 {amount!r} 没有意义；请给出 0 至 1,000,000 的数。",
                    "A limit of {amount!r} makes no sense; give a number from 0 to 1,000,000.",
                    amount=self.amount,
                )
            )

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read ``"2 work_hours"``.

        Raises:
            BadInput: When it is not an amount and a unit.
        """
        amount, _, unit = text.strip().partition(" ")
        try:
            return cls(float(amount), TimeUnit(unit.strip()))
        except ValueError:
            raise BadInput(
                Text(
                    "「{text}」不是时限；请写数量和 {units} 之一，例如 '2 work_hours'。",
                    "{text!r} is no limit; write an amount and one of {units}, e.g. '2 work_hours'.",
                    text=text,
                    units=", ".join(TimeUnit),
                )
            ) from None

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"
