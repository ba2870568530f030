"""Cases and their events out of the database, as rows of facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from django.db.models import Count, Max

from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.case_rows import fact_row
from yiwang.core.facts.table import Row
from yiwang.server.cases import rows
from yiwang.server.cases.models import Case, Event, Report
from yiwang.server.places.queries import Runtime

PART = 1000  # cases read at once
WINDOW = 20_000  # events looked at at once


_contexts: dict[tuple[str, str], FactContext] = {}
_digests: dict[tuple[str, str], str] = {}


def context_of(place: Runtime) -> FactContext:
    """The columns of a city's facts, worked out once for each version of its pack."""
    key = (place.info.id, place.digest)
    if key not in _contexts:
        if len(_contexts) > 50:
            _contexts.clear()
        _contexts[key] = place.pack.fact_context()
    return _contexts[key]


def digest_of(place: Runtime) -> str:
    """Changes whenever rows could come out otherwise; worked out once for each version of the pack."""
    key = (place.info.id, place.digest)
    if key not in _digests:
        if len(_digests) > 50:
            _digests.clear()
        _digests[key] = context_of(place).digest()
    return _digests[key]


def newest(*, city: str) -> tuple[int, int]:
    """The largest ids of events and reports that can be seen."""
    event = Event.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    report = Report.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    return event, report


@dataclass(frozen=True, slots=True)
class Touched:
    """A case of which something was written: its row as it is now. ``reports`` is None where none came in."""

    id: int
    number: str
    seq: int
    reports: int | None


def touched(*, city: str, since: tuple[int, int], upto: tuple[int, int]) -> Iterator[list[Touched]]:
    """Cases with an event or report of an id behind ``since`` and not behind ``upto``, part by part."""
    for model, first, last in ((Event, since[0], upto[0]), (Report, since[1], upto[1])):
        written = model._default_manager.filter(city=city, id__lte=last)
        while first < last:
            ids = list(written.filter(id__gt=first).order_by("id").values_list("id", flat=True)[WINDOW - 1 : WINDOW])
            end = ids[0] if ids else last
            cases = Case.objects.filter(id__in=written.filter(id__gt=first, id__lte=end).values("case_id"))
            if model is Event:
                found = [Touched(*row, None) for row in cases.values_list("id", "number", "seq")]
            else:
                counted = cases.annotate(n=Count("reports")).values_list("id", "number", "seq", "n")
                found = [Touched(*row) for row in counted]
            first = end
            if found:
                yield found


def report_counts(cases: Sequence[int]) -> dict[int, int]:
    """How many reports each case has."""
    counted = Report.objects.filter(case_id__in=cases).values("case_id").annotate(n=Count("id"))
    return {row["case_id"]: row["n"] for row in counted}


def fact_rows(cases: Sequence[int], *, place: Runtime) -> list[Row]:
    """The rows of some cases, by id."""
    context = context_of(place)
    numbers = dict(Case.objects.filter(id__in=cases).values_list("id", "number"))
    reports = report_counts(cases)
    stored = Event.objects.filter(case_id__in=cases).order_by("case_id", "seq").values(*rows.EVENT_COLUMNS)
    found = []
    for case, group in groupby(stored, key=itemgetter("case_id")):
        events = [rows.event_of(row, number=numbers[case]) for row in group]
        row = fact_row(events, context=context, calendar=place.calendar)
        row["reports"] = reports.get(case, 0)
        found.append(row)
    return found


def every_case(*, city: str) -> Iterator[list[int]]:
    """Ids of all cases, part by part."""
    last = 0
    while True:
        ids = list(Case.objects.filter(city=city, id__gt=last).order_by("id").values_list("id", flat=True)[:PART])
        if not ids:
            return
        last = ids[-1]
        yield ids
