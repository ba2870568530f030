"""What deciding passes around: one wish, with everything that may be looked at to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from yiwang.core.cases.definitions import Plan, Verb
from yiwang.core.cases.events import Actor
from yiwang.core.cases.fields import DECIDING
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import WorkCalendar

NOT_GIVEN: Any = object()


@dataclass(slots=True)
class Attempt:
    """A command that may be done, on its way to an event.

    Attributes:
        plan: The verb, worked out.
        state: The case before it.
        actor: Who wishes it; ``role`` the role in which.
        payload: The fields of the command that enter history, checked.
        rules, calendar: The city's.
        at: Now, in UTC.
        on: The city's local date.
        deadline: A recorded deadline for the main clock, None for a recorded "none", or NOT_GIVEN.
        holder: Another holder than the verb's move would give, or None.
        tells: What the event's payload says besides the changes; operations add to it.
    """

    plan: Plan
    state: CaseState
    actor: Actor
    role: str
    payload: Mapping[str, Any]
    rules: Rulebook
    calendar: WorkCalendar
    at: datetime
    on: date
    deadline: Any = NOT_GIVEN
    holder: str | None = None
    tells: dict[str, Any] = field(default_factory=dict)

    @property
    def verb(self) -> Verb:
        return self.plan.verb

    def why(self, table: str, answer: Mapping[str, Any] | str) -> None:
        """Note which row of a table decided."""
        self.tells.setdefault("why", {})[table] = answer

    def check_region(self, region: str) -> None:
        """Raises `Unknown` when there is no such region."""
        try:
            self.rules.codes_of(region)
        except BadInput as error:
            raise Unknown(
                Text("没有编码为 {region} 的区域。", "There is no region {region}.", region=region), field="region"
            ) from error

    def notify(self, *units: str) -> None:
        """Units that are to be told."""
        known = self.tells.setdefault("notices", [])
        known.extend(unit for unit in units if unit and unit not in known)


def facts_of(state: CaseState) -> dict[str, str]:
    """What the decision tables may ask about a case."""
    return {fact: getattr(state, name) for fact, name in DECIDING.items()}
