"""Rows for the detectors out of a city's cases, a page of cases at a time: what stays in memory is what happened in one month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby, pairwise
from math import cos, radians
from operator import itemgetter
from typing import Any

from django.db.models import Q

from yiwang.core.cases.attempt import facts_of
from yiwang.core.cases.events import SYSTEM, Event
from yiwang.core.cases.evolve import evolve
from yiwang.core.cases.state import CaseState
from yiwang.core.facts.case_rows import CLOSED, end_kind, unit_facts
from yiwang.core.indicators.lists import Period
from yiwang.core.irregularities.looking import Rows
from yiwang.core.irregularities.reopened import WITHIN
from yiwang.core.irregularities.rows import (
    ClockReading,
    Closing,
    Filing,
    Opening,
    PhotoPrint,
    Reclassification,
    Suspension,
    Verification,
)
from yiwang.core.worktime import ClockStatus
from yiwang.server.cases.api import EVENT_COLUMNS, Case, Photo, event_of, is_after
from yiwang.server.cases.api import Event as StoredEvent
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.facts.sources import context_of
from yiwang.server.irregularities.fingerprints import prints_of
from yiwang.server.people.models import RoleAssignment, User

PAGE = 500  # cases held at a time
METRES_PER_DEGREE = 111_319.49  # on a great circle of radius 6,378,137 m
PHONE = ("on_site", "by_phone")  # what a phone says of its time, in the evidence of an event
COMPARED_DAYS = 180  # photos so long before a month are compared with its own

Story = list[tuple[Event, CaseState]]


@dataclass(frozen=True, slots=True)
class Span:
    """A month in a city: its first moment, and the first one after it."""

    first: datetime
    after: datetime

    def holds(self, moment: datetime | None) -> bool:
        return moment is not None and self.first <= moment < self.after


def span_of(period: Period, *, place: CityRuntime) -> Span:
    """When a period begins and ends in a city, in UTC."""
    first, after = (
        datetime.combine(day, time(), tzinfo=place.info.zone).astimezone(UTC) for day in (period.first, period.after)
    )
    return Span(first, after)


def gather(*, place: CityRuntime, period: Period) -> Rows:
    """All rows of a month.

    Args:
        place: The city.
        period: A month.
    """
    return _Gathering(place, span_of(period, place=place)).all()


class _Gathering:
    """What is known of the city while its cases are walked through."""

    def __init__(self, place: CityRuntime, span: Span) -> None:
        self.place, self.span, self.rows = place, span, Rows()
        self.main = place.rules.workflow.main_clock
        self.units = unit_facts(place.rules.units)
        self.east_m = METRES_PER_DEGREE * cos(radians(context_of(place).latitude))
        self.checks = {verb.id for verb in place.rules.workflow.verbs.values() if verb.not_handler}
        self.held = _units_of_accounts(place.info.id)
        self.rows.persons = _persons(place.info.id)

    def all(self) -> Rows:
        for cases in self._pages():
            stories = _stories([pk for pk, _, _ in cases], {pk: number for pk, number, _ in cases})
            for pk, number, opened in cases:
                if stories.get(pk):
                    self._case(number, stories[pk], opened)
            self._photos(cases, stories)
        self._photos_before()
        return self.rows

    def _pages(self) -> Iterator[list[tuple[int, str, datetime]]]:
        """Cases that were open in the month, and those opened soon after it, by growing id."""
        asked = Case.objects.filter(
            Q(closed_at=None) | Q(closed_at__gte=self.span.first),
            city=self.place.info.id, opened_at__lt=self.span.after + WITHIN,
        )  # fmt: skip
        last = 0
        while True:
            found = list(asked.filter(id__gt=last).order_by("id").values_list("id", "number", "opened_at")[:PAGE])
            if not found:
                return
            last = found[-1][0]
            yield found

    def _case(self, number: str, story: Story, opened: datetime) -> None:
        last = story[-1][1]
        if last.lon is not None and last.lat is not None and opened >= self.span.first and not last.merged_into:
            x_m, y_m = self._plane(last)
            self.rows.openings.append(Opening(case=number, category=last.category, at=opened, x_m=x_m, y_m=y_m))
        done: tuple[Event, CaseState, CaseState] | None = None
        for (_, before), (event, state) in pairwise(story):
            if not self.span.holds(event.at):
                continue
            self._suspension(number, event, before, state)
            self._verification(number, event, before)
            self._on_site(number, event, before)
            if _finished(before, state, self.main) and event.role != SYSTEM:
                done = (event, before, state)
        first, start = story[0]
        if self.span.holds(opened) and last.main_unit:
            own = self._is_inside(start.reporter or first.actor, first.actor_unit, last.main_unit)
            self.rows.filings.append(Filing(case=number, unit=last.main_unit, own=own))
        if done is not None:
            self._done(number, story, *done)

    def _done(self, number: str, story: Story, event: Event, before: CaseState, after: CaseState) -> None:
        """The case was reported done in the month: the last time counts."""
        unit = before.main_unit or before.holder
        if not unit:
            return
        last, ended = story[-1][1], end_kind([one for one, _ in story])
        closed = last.closed_at if last.closed_at is not None and ended == CLOSED else None
        x_m, y_m = self._plane(last) if last.lon is not None and last.lat is not None else (None, None)
        left = (before.main_deadline - event.at).total_seconds() if before.main_deadline else None
        self.rows.closings.append(
            Closing(
                case=number, unit=unit, category=last.category, at=event.at, left_s=left, actor=event.actor,
                closed_at=closed, x_m=x_m, y_m=y_m,
            )
        )  # fmt: skip
        filed = next((state for _, state in story if state.filed_at is not None), None)
        if filed is not None and (limits := self._limits(filed, after)) is not None:
            self.rows.reclassifications.append(
                Reclassification(case=number, unit=unit, before_s=limits[0], after_s=limits[1])
            )

    def _limits(self, filed: CaseState, done: CaseState) -> tuple[float, float] | None:
        """Time given by the category at filing and by that at the end, both from the filing on and by the rules of its day."""
        assert filed.filed_at is not None
        day = filed.filed_at.astimezone(self.place.info.zone).date()
        asked = facts_of(filed)
        said = facts_of(done)
        seconds = []
        for facts in (asked, {**asked, "category": said["category"], "condition": said["condition"]}):
            limit, _ = self.place.rules.limit_for(facts, day)
            if limit is None:
                return None
            end = self.place.calendar.add(start=filed.filed_at, limit=limit)
            seconds.append((end - filed.filed_at).total_seconds())
        return seconds[0], seconds[1]

    def _suspension(self, number: str, event: Event, before: CaseState, state: CaseState) -> None:
        was, now = before.clocks.get(self.main), state.clocks.get(self.main)
        if now is None or now.status != ClockStatus.PAUSED or (was is not None and was.status == ClockStatus.PAUSED):
            return
        if unit := state.main_unit or before.holder:
            self.rows.suspensions.append(Suspension(case=number, unit=unit, at=event.at))

    def _verification(self, number: str, event: Event, before: CaseState) -> None:
        if event.verb not in self.checks or not before.handlers or not before.main_unit:
            return
        self.rows.verifications.append(
            Verification(
                case=number, unit=before.main_unit, handlers=before.handlers, verifier=event.actor,
                inside=self._is_inside(event.actor, event.actor_unit, before.main_unit),
            )
        )  # fmt: skip

    def _on_site(self, number: str, event: Event, before: CaseState) -> None:
        """The phone's time, where somebody on the spot sent one."""
        evidence = event.payload.get("evidence") or event.payload.get("set", {}).get("evidence") or {}
        claimed = next((evidence[key].get("at") for key in PHONE if isinstance(evidence.get(key), dict)), None)
        if claimed and event.actor_unit:
            self.rows.clock_readings.append(
                ClockReading(
                    case=number, unit=event.actor_unit, claimed=datetime.fromisoformat(claimed), received=event.at,
                    not_before=before.opened_at,
                )
            )  # fmt: skip

    def _photos(self, cases: Sequence[tuple[int, str, datetime]], stories: Mapping[int, Story]) -> None:
        numbers = {pk: (number, opened) for pk, number, opened in cases}
        found = Photo.objects.filter(case_id__in=numbers, at__gte=self.span.first, at__lt=self.span.after)
        shown = list(found.order_by("id").values_list("id", "case_id", "seq", "at", "taken_at"))
        prints = prints_of([row[0] for row in shown])
        for pk, case, seq, at, taken_at in shown:
            story = stories.get(case)
            if not story or seq > len(story):
                continue
            handled = next((event.seq for event, _ in story if event.payload.get("handler")), None)
            after, event = is_after(seq, handled=handled), story[seq - 1][0]
            number, opened = numbers[case]
            unit = event.actor_unit
            if taken_at is not None and unit:
                self.rows.clock_readings.append(
                    ClockReading(
                        case=number, unit=unit, claimed=taken_at, received=at, not_before=opened if after else None
                    )
                )
            if (codes := prints.get(pk)) is not None:
                self.rows.photo_prints.append(
                    PhotoPrint(
                        id=f"{pk}", city=self.place.info.id, case=number, unit=unit, at=at, after=after and bool(unit),
                        seq=seq, phash=codes[0], dhash=codes[1],
                    )
                )  # fmt: skip

    def _photos_before(self) -> None:
        """Photos with which those of the month are compared: earlier ones, and those of other cities."""
        known = {int(one.id) for one in self.rows.photo_prints}
        earliest, last = self.span.first - timedelta(days=COMPARED_DAYS), 0
        while True:
            asked = Photo.objects.filter(id__gt=last, at__gte=earliest, at__lt=self.span.after).order_by("id")
            found = list(asked.values_list("id", "case__number", "case__city", "seq", "at")[:PAGE])
            if not found:
                return
            last = found[-1][0]
            prints = prints_of([row[0] for row in found if row[0] not in known])
            for pk, number, city, seq, at in found:
                if (codes := prints.get(pk)) is not None:
                    self.rows.photo_prints.append(
                        PhotoPrint(
                            id=f"{pk}", city=city, case=number, unit="", at=at, after=False, seq=seq,
                            phash=codes[0], dhash=codes[1],
                        )
                    )  # fmt: skip

    def _plane(self, state: CaseState) -> tuple[float, float]:
        assert state.lon is not None
        assert state.lat is not None
        return state.lon * self.east_m, state.lat * METRES_PER_DEGREE

    def _is_inside(self, account: str, unit: str, handling: str) -> bool:
        """Whether somebody belongs to the handling unit, its department, or what is below that."""
        known = self.units.get(handling)
        home = known.department if known is not None else handling
        team = {home, *self.place.rules.units.at_or_below(home)} if home in self.place.rules.units else {home}
        return unit in team or not team.isdisjoint(self.held.get(account, ()))


def _finished(before: CaseState, state: CaseState, main: str) -> bool:
    was, now = before.clocks.get(main), state.clocks.get(main)
    return (
        now is not None and now.status == ClockStatus.STOPPED and was is not None and was.status == ClockStatus.RUNNING
    )


def _stories(cases: Sequence[int], numbers: Mapping[int, str]) -> dict[int, Story]:
    stored = StoredEvent.objects.filter(case_id__in=cases).order_by("case_id", "seq").values(*EVENT_COLUMNS)
    found: dict[int, Story] = {}
    for case, group in groupby(stored, key=itemgetter("case_id")):
        story: Story = []
        state: CaseState | None = None
        for row in group:
            event = event_of(row, number=numbers[case])
            state = evolve(state, event)
            story.append((event, state))
        found[case] = story
    return found


def _units_of_accounts(city: str) -> Mapping[str, set[str]]:
    """Units at which each account holds a post, by its id in events."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for user, unit in RoleAssignment.objects.filter(city=city).exclude(unit="").values_list("user_id", "unit"):
        found[f"user:{user}"].add(unit)
    return found


def _persons(city: str) -> dict[str, str]:
    """Address of mail by account, for accounts of the city that have one: two accounts with one address are one person."""
    accounts: Any = User.objects.filter(assignments__city=city).exclude(email="").distinct()
    return {f"user:{pk}": email.strip().casefold() for pk, email in accounts.values_list("id", "email")}
