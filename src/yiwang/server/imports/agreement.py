"""How far the platform, on real records, says what the city said: lateness, deadlines, units. Read from the cases as stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from yiwang.core.cases.lateness import has_passed
from yiwang.packs.records.flags import deadline_agrees
from yiwang.packs.records.mapping import FlagRule
from yiwang.packs.records.model import SourceRecord
from yiwang.server.cases.api import Event, Report
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import month_text

_LOOKED_UP = 400
NAMES = ("ontime", "deadline", "routing", "department")


@dataclass(slots=True)
class MonthTally:
    """Agreements and the records that could be compared, by name, of one month.

    ``dated`` counts the records for which either side has a deadline: where there is none, nothing was compared, however
    often both say that nothing was promised.
    """

    agree: dict[str, int]
    of: dict[str, int]
    dated: int = 0

    def shares(self) -> dict[str, Any]:
        known = {name: bool(self.of[name]) for name in NAMES}
        known["deadline"] = known["deadline"] and bool(self.dated)
        return {f"{name}_agreement": self.agree[name] / self.of[name] if known[name] else None for name in NAMES}


def _nothing() -> MonthTally:
    return MonthTally(dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0))


@dataclass(frozen=True, slots=True)
class StoredCase:
    """What the database has of a record's case."""

    number: str
    region: str
    closed: bool
    overdue: bool
    merged: bool
    deadline: datetime | None
    routed: str
    predicted: datetime | None


def measure(
    *,
    records: Sequence[SourceRecord],
    place: CityRuntime,
    origin: str,
    drawn: datetime | None,
    rule: FlagRule | None,
    present: Collection[str],
) -> dict[str, Any]:
    """Compare every record with its case.

    Args:
        records: The file's records.
        place: The city.
        origin: Where the reports came from.
        drawn: Moment at which the file was drawn, for cases open then.
        rule: How the city marks lateness; None when it does not.
        present: Fields for which the file has a column; what rests on others is not compared, nor are deadlines
            where the pack sets no limit at all.

    Returns:
        ``unlocated``, the agreements over all records and, in ``months``, by the month of opening. A share is None
        when nothing could be compared; for deadlines that is also where no record and no rule has any.
    """
    sets_limits = any(row.outputs.get("amount") for row in place.pack.tables["limits"].rows)
    whole = _nothing()
    months: defaultdict[str, Any] = defaultdict(_nothing)
    unlocated = stored_cases = 0
    for record, stored in _stored_cases(records, place, origin):
        stored_cases += 1
        unlocated += not stored.region
        month = month_text(record.opened_at, place.info.zone)
        compared = _compare(
            record, stored, place, drawn=drawn, rule=rule, deadlines=sets_limits and "deadline" in present
        )
        for tallied in (whole, months[month]):
            tallied.dated += record.deadline is not None or stored.predicted is not None
        for name, agrees in compared:
            for tallied in (whole, months[month]):
                tallied.of[name] += 1
                tallied.agree[name] += agrees
    return {
        "stored": stored_cases,
        "unlocated": unlocated,
        **whole.shares(),
        "compared": whole.of,
        "months": {month: {**tallied.shares(), "compared": tallied.of} for month, tallied in sorted(months.items())},
    }


def _compare(
    record: SourceRecord,
    stored: StoredCase,
    place: CityRuntime,
    *,
    drawn: datetime | None,
    rule: FlagRule | None,
    deadlines: bool,
) -> Iterator[tuple[str, bool]]:
    if record.flag and rule is not None:
        yield "ontime", record.flag == flag_of(stored, drawn=drawn, rule=rule)
    if deadlines:
        yield "deadline", deadline_agrees(recorded=record.deadline, predicted=stored.predicted)
    if record.unit_text:
        yield "routing", bool(record.unit) and record.unit == stored.routed
    mapping = place.pack.replay
    if record.department and mapping is not None:
        above = [stored.routed, *(unit.code for unit in place.rules.units.above(stored.routed))]
        yield "department", mapping.department_among(above) == record.department


def flag_of(stored: StoredCase, *, drawn: datetime | None, rule: FlagRule) -> str:
    """The flag that the stored case says: late as its clock recorded it, or still open behind its deadline."""
    if stored.deadline is None:
        return rule.no_deadline
    if stored.closed:
        return "overdue" if stored.overdue else "ontime"
    return "overdue" if drawn is not None and has_passed(stored.deadline, at=drawn) else "ontime"


def _stored_cases(
    records: Sequence[SourceRecord], place: CityRuntime, origin: str
) -> Iterator[tuple[SourceRecord, StoredCase]]:
    for start in range(0, len(records), _LOOKED_UP):
        part = {record.external_id: record for record in records[start : start + _LOOKED_UP]}
        rows = list(
            Report.objects.filter(city=place.info.id, origin=origin, external__in=list(part)).values(
                "external",
                "case_id",
                "case__number",
                "case__region",
                "case__closed_at",
                "case__overdue",
                "case__merged_into",
                "case__deadline",
                "case__rest",
            )
        )
        said = _first_dispatches({row["case_id"] for row in rows})
        for row in rows:
            routed, predicted = said.get(row["case_id"], ("", None))
            yield (
                part[row["external"]],
                StoredCase(
                    number=row["case__number"],
                    region=row["case__region"],
                    closed=row["case__closed_at"] is not None,
                    overdue=row["case__overdue"],
                    merged=bool(row["case__merged_into"]),
                    deadline=_deadline(row, main=place.rules.workflow.main_clock),
                    routed=routed,
                    predicted=predicted,
                ),
            )


def _deadline(row: Mapping[str, Any], *, main: str) -> datetime | None:
    """The deadline that the case has or had: a clock that was stopped keeps it beside."""
    rest = orjson.loads(row["case__rest"])
    if main not in rest.get("clocks", {}):
        return None
    if due := rest.get("main_deadline"):
        return datetime.fromisoformat(due)
    deadline: datetime | None = row["case__deadline"]
    return deadline


def _first_dispatches(cases: Collection[int]) -> dict[int, tuple[str, datetime | None]]:
    """What routing and limits said when each case was first dispatched."""
    found: dict[int, tuple[str, datetime | None]] = {}
    events = Event.objects.filter(case_id__in=cases, payload__contains='"routing"').order_by("case_id", "seq")
    for case_id, payload in events.values_list("case_id", "payload"):
        if case_id in found:
            continue
        why = orjson.loads(payload).get("why") or {}
        predicted = why.get("predicted_deadline")
        found[case_id] = (str(why["routing"]["value"]), datetime.fromisoformat(predicted) if predicted else None)
    return found
