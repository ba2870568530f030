"""A later export of records that are known: the verbs that bring each case to where its record is now.

Only what the record says is done: it was closed, it was handed to another unit before it was closed, or it is open
again. An earlier export does not turn anything back, and the same file again does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from yiwang.core.cases.events import SYSTEM, Actor, Command
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import Verb, Workflow
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.packs.records.duplicates import Link
from yiwang.packs.records.model import SourceRecord
from yiwang.server.cases.api import Case, Report, act_on_case, load_rows, state_of_row
from yiwang.server.cities.queries import CityRuntime

_LOOKED_UP = 400
Steps = list[tuple[datetime, Command]]


@dataclass(slots=True)
class FollowResult:
    """What a later export changed: records whose case was moved, those that could not be, events written, cases closed."""

    updated: int = 0
    refused: int = 0
    events: int = 0
    closed: int = 0


def follow(
    *,
    records: Sequence[SourceRecord],
    links: Mapping[str, Link],
    place: CityRuntime,
    origin: str,
    drawn: datetime | None,
    closing: Callable[[SourceRecord, CaseState], Steps],
    refused: Callable[[SourceRecord, str], None],
) -> FollowResult:
    """Bring the cases of known records to where their records are now.

    Args:
        records: Records whose reports were taken before.
        links: Which of them repeat another.
        place: The city.
        origin: Where the reports came from.
        drawn: Moment at which the file was drawn: a case closed after it is no news.
        closing: The verbs from where a case is to its end.
        refused: Told of each record that cannot be followed, with the reason.
    """
    found = FollowResult()
    for record, state in _known_cases(records, place, origin):
        link = links.get(record.external_id)
        original = _number(link.original, place, origin) if link is not None else ""
        ways = [_merging(record, original, place)] if original else []
        if _is_newly_closed(record, state):
            ways.append([*_handover_steps(record, state, place), *closing(record, state)])
            ways.append(closing(record, state))
        elif _is_open_again(record, state, drawn):
            ways = [_reopening(place.rules.workflow, drawn or record.opened_at)]
        else:
            continue
        events, closed, reason = _follow_way(state.number, ways, place)
        if reason:
            found.refused += 1
            refused(record, reason)
        found.updated += events > 0
        found.events += events
        found.closed += closed
    return found


def _known_cases(
    records: Sequence[SourceRecord], place: CityRuntime, origin: str
) -> Iterator[tuple[SourceRecord, CaseState]]:
    """Records with their cases as they are, in the order in which they were closed: what is merged comes after its original."""
    for start in range(0, len(records), _LOOKED_UP):
        part = {record.external_id: record for record in records[start : start + _LOOKED_UP]}
        reports = Report.objects.filter(city=place.info.id, origin=origin, external__in=list(part))
        numbers = dict(reports.values_list("external", "case__number"))
        stored = load_rows(numbers.values(), lock=False) if numbers else {}
        for external, number in numbers.items():
            yield part[external], state_of_row(stored[number])


def _number(external: str, place: CityRuntime, origin: str) -> str:
    report = Report.objects.filter(city=place.info.id, origin=origin, external=external)
    return report.values_list("case__number", flat=True).first() or ""


def _is_newly_closed(record: SourceRecord, state: CaseState) -> bool:
    if record.closed_at is None or state.closed_at is not None:
        return False
    reopened = state.count("reopen") > 0
    return not (reopened and state.updated_at is not None and record.closed_at < state.updated_at)


def _is_open_again(record: SourceRecord, state: CaseState, drawn: datetime | None) -> bool:
    if record.closed_at is not None or state.closed_at is None or state.merged_into:
        return False
    return drawn is not None and drawn > state.closed_at


def _merging(record: SourceRecord, into: str, place: CityRuntime) -> Steps:
    verb = next((verb for verb in place.rules.workflow.verbs.values() if verb.effect == "merge"), None)
    if verb is None or record.closed_at is None:
        return []
    payload = {"into": into, "reason": record.closing_text or "duplicate"}
    return [(record.closed_at, Command(verb=verb.id, actor=_actor(verb, ""), payload=payload))]


def _handover_steps(record: SourceRecord, state: CaseState, place: CityRuntime) -> Steps:
    """The case to the unit that had it in the end, where that is another one and the workflow knows a way."""
    if not record.unit or record.unit == state.holder or record.closed_at is None:
        return []
    for verb in place.rules.workflow.verbs_from(state.step):
        if verb.moves == "across" and not verb.effect and set(verb.requires) <= {"unit", "reason"}:
            payload = {"unit": record.unit, "reason": "as recorded"}
            return [(record.closed_at, Command(verb=verb.id, actor=_actor(verb, state.holder), payload=payload))]
    return []


def _reopening(workflow: Workflow, at: datetime) -> Steps:
    """The first verb that opens a closed case again and that somebody of the city may do."""
    for verb in workflow.verbs.values():
        if verb.effect == "reopen" and verb.who == "any":
            return [(at, Command(verb=verb.id, actor=_actor(verb, ""), payload={"reason": "as recorded"}))]
    return []


def _actor(verb: Verb, unit: str) -> Actor:
    role = next((role for role in verb.roles if role != SYSTEM), verb.roles[0])
    return Actor(id=f"replay:{verb.id}", roles=frozenset({role}), unit=unit)


def _follow_way(number: str, ways: Sequence[Steps], place: CityRuntime) -> tuple[int, bool, str]:
    """Go the first of the ways that can be gone to its end: events written, whether the case is closed, why none could."""
    reason = "The workflow has no verb for it."
    for steps in filter(None, ways):
        try:
            with transaction.atomic():
                for at, command in steps:
                    act_on_case(number=number, command=command, city=place.info.id, at=at)
                # the case belongs to the past: the passing of time now asks nothing of it
                Case.objects.filter(number=number).update(next_due=None)
        except (Refusal, BadInput) as error:
            reason = str(error)
            continue
        return len(steps), load_rows([number], lock=False)[number]["closed_at"] is not None, ""
    return 0, False, reason
