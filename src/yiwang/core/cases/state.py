"""What a case is after its events so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from yiwang.core.cases.fields import CaseFields
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """One link of the chain of holders: which unit had the case, at which level, from when to when."""

    unit: str
    level: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CaseState(CaseFields):
    """One problem on its way through the loop: what is said of it (`CaseFields`), and what has become of it.

    Attributes:
        number, city, seq: Which case, in which city, after how many events.
        step, stage: Where it stands.
        category, condition, text, priority, source: What it is, how pressing, from whom.
        region, grid, lon, lat, address: Where.
        holder, level, centre: The unit that has it, that unit's level, and the centre that took it in.
        assignee: Who at the holder works on it; empty while nobody was named since it came there.
        main_unit: The unit that answers for the main clock: the holder while that clock last ran.
        opened_at, filed_at, finished_at, closed_at: When it was reported, filed, last reported done (the main clock was
            stopped), ended.
        updated_at: Time of the last event.
        clocks: Running, paused and stopped clocks by name.
        deadline, deadline_clock: The deadline people see, and the clock it belongs to. After the end it is the main
            clock's last one.
        main_deadline: The main clock's deadline when it last ran, also while it is paused or stopped.
        custody: Every holder so far, in order, without gaps.
        handlers: Ids of those who handled it; none of them may close it.
        counts: How often each verb was done, and each effect under its own name (``extend_approve``, ``rework`` …).
        pending: A request that waits for an answer (extension, suspension, appeal), or None: ``kind``, ``by``, ``unit``,
            ``at``, ``reason`` and what else the kind needs.
        returned_from: The step from which the case was returned, until it is there again.
        resume_at: When a suspension ends by itself.
        assisting: Assisting units: ``asked`` or ``done``.
        merged_into, duplicates, part_of, parts: Links to other cases.
        rating: 1 to 5, or 0.
        overdue: The recorded fact that the main clock ran out; no appeal removes it.
        appeal: ``asked``, ``endorsed``, ``granted`` or ``refused``; empty where nobody appealed.
        penalty_lifted: An appeal was granted: evaluation leaves the lateness out.
        fired: Escalations that have already happened.
        reporter: Id of the first reporter.
    """

    number: str
    seq: int = 0
    step: str = ""
    stage: str = ""
    holder: str = ""
    level: str = ""
    centre: str = ""
    assignee: str = ""
    main_unit: str = ""
    opened_at: datetime | None = None
    filed_at: datetime | None = None
    finished_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    deadline: datetime | None = None
    deadline_clock: str = ""
    main_deadline: datetime | None = None
    custody: tuple[Custody, ...] = ()
    handlers: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    pending: Mapping[str, Any] | None = None
    resume_at: datetime | None = None
    returned_from: str = ""
    assisting: Mapping[str, str] = field(default_factory=dict)
    merged_into: str = ""
    duplicates: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    rating: int = 0
    overdue: bool = False
    appeal: str = ""
    penalty_lifted: bool = False
    fired: frozenset[str] = frozenset()

    def count(self, name: str) -> int:
        """How often something has happened to the case."""
        return self.counts.get(name, 0)

    def with_changes(self, changes: Mapping[str, Any]) -> CaseState:
        """The state with some fields changed. Fields that it does not know are passed over: history may know more.

        It copies the instance dictionary, which takes a tenth of `dataclasses.replace` with forty fields, and a
        replay folds a hundred thousand events; that is why this class has no slots.
        """
        state = object.__new__(CaseState)
        fields_ = state.__dict__
        fields_.update(self.__dict__)
        if changes.keys() <= FIELDS:
            fields_.update(changes)
        else:
            fields_.update((name, value) for name, value in changes.items() if name in FIELDS)
        return state

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        data: dict[str, Any] = {name: getattr(self, name) for name in PLAIN}
        data |= {name: value.isoformat() if (value := getattr(self, name)) else None for name in MOMENTS}
        data["clocks"] = {name: clock.to_dict() for name, clock in self.clocks.items()}
        data["custody"] = [
            [link.unit, link.level, link.since.isoformat(), link.until.isoformat() if link.until else None]
            for link in self.custody
        ]
        data |= {name: dict(getattr(self, name)) for name in ("counts", "assisting")}
        data |= {name: list(getattr(self, name)) for name in ("duplicates", "parts")}
        data |= {name: sorted(getattr(self, name)) for name in ("handlers", "fired")}
        data["pending"] = dict(self.pending) if self.pending else None
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CaseState:
        """Read back what `to_dict` wrote.

        Raises:
            BadInput: When the stored form is damaged.
        """
        try:
            values: dict[str, Any] = {name: data[name] for name in PLAIN if name in data}
            values |= {name: datetime.fromisoformat(data[name]) if data.get(name) else None for name in MOMENTS}
            values["clocks"] = {name: Clock.from_dict(clock) for name, clock in data["clocks"].items()}
            values["custody"] = tuple(
                Custody(
                    unit=unit,
                    level=level,
                    since=datetime.fromisoformat(since),
                    until=datetime.fromisoformat(until) if until else None,
                )
                for unit, level, since, until in data["custody"]
            )
            values |= {name: data[name] for name in ("counts", "assisting", "pending")}
            values |= {name: tuple(data[name]) for name in ("duplicates", "parts")}
            values |= {name: frozenset(data[name]) for name in ("handlers", "fired")}
            return cls(**values)
        except (KeyError, ValueError, TypeError) as error:
            raise BadInput(
                Text("存储的案卷无法读取：{error!r}。", "A stored case cannot be read: {error!r}.", error=error)
            ) from error


MOMENTS = (
    "opened_at", "filed_at", "finished_at", "closed_at", "updated_at", "deadline", "main_deadline", "resume_at",
)  # fmt: skip
_MADE = {"clocks", "custody", "counts", "assisting", "duplicates", "parts", "handlers", "fired", "pending", *MOMENTS}
PLAIN = tuple(field_.name for field_ in fields(CaseState) if field_.name not in _MADE)
FIELDS = frozenset(field_.name for field_ in fields(CaseState))
_BLANK = CaseState(number="")


def blank(number: str) -> CaseState:
    """A case before its first event. Copied, since filling in more than forty defaults takes longer than deciding."""
    return _BLANK.with_changes({"number": number})
