"""The table of facts ``cases``: cases and their events out of the database, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

from django.db.models import Count, Max

from yiwang.core.facts.case_rows import fact_row
from yiwang.core.facts.cases import CASES
from yiwang.core.facts.table import Row
from yiwang.server.cases.api import EVENT_COLUMNS, Case, Event, Report, event_of
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.facts.recurrences import Recurrences
from yiwang.server.facts.sources import ChangedRow, FactSource, Marks, context_of

PART = 1000  # cases read at once
WINDOW = 20_000  # events looked at at once


def newest(city: str) -> tuple[int, int]:
    """The largest ids of events and reports that can be seen."""
    event = Event.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    report = Report.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    return event, report


def changed_rows(*, city: str, since: Marks, upto: Marks) -> Iterator[list[ChangedRow]]:
    """Cases with an event or report of an id behind ``since`` and not behind ``upto``, part by part."""
    for model, first, last in ((Event, since[0], upto[0]), (Report, since[1], upto[1])):
        written = model._default_manager.filter(city=city, id__lte=last)
        while first < last:
            ids = list(written.filter(id__gt=first).order_by("id").values_list("id", flat=True)[WINDOW - 1 : WINDOW])
            end = ids[0] if ids else last
            cases = Case.objects.filter(id__in=written.filter(id__gt=first, id__lte=end).values("case_id"))
            if model is Event:
                found = [
                    ChangedRow(id, number, (seq, None)) for id, number, seq in cases.values_list("id", "number", "seq")
                ]
            else:
                counted = cases.annotate(n=Count("reports")).values_list("id", "number", "seq", "n")
                found = [ChangedRow(id, number, (seq, reports)) for id, number, seq, reports in counted]
            first = end
            if found:
                yield found


def report_counts(cases: Sequence[int]) -> dict[int, int]:
    """How many reports each case has."""
    counted = Report.objects.filter(case_id__in=cases).values("case_id").annotate(n=Count("id"))
    return {row["case_id"]: row["n"] for row in counted}


def fact_rows(cases: Sequence[int], *, place: CityRuntime) -> list[Row]:
    """The rows of some cases, by id."""
    context = context_of(place)
    numbers = dict(Case.objects.filter(id__in=cases).values_list("id", "number"))
    reports = report_counts(cases)
    stored = Event.objects.filter(case_id__in=cases).order_by("case_id", "seq").values(*EVENT_COLUMNS)
    found = []
    for case, group in groupby(stored, key=itemgetter("case_id")):
        events = [event_of(row, number=numbers[case]) for row in group]
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


def every_row(place: CityRuntime) -> Iterator[list[Row]]:
    """The rows of all cases, part by part."""
    for cases in every_case(city=place.info.id):
        yield fact_rows(cases, place=place)


def size(city: str) -> int:
    """How many cases there are."""
    return Case.objects.filter(city=city).count()


class CaseChanges:
    """What was written of cases since."""

    versions: tuple[str, ...] = ("seq", "reports")

    def changed_rows(self, *, city: str, since: Marks, upto: Marks) -> Iterator[list[ChangedRow]]:
        return changed_rows(city=city, since=since, upto=upto)

    def rows(self, ids: Sequence[int], *, place: CityRuntime) -> list[Row]:
        found: list[Row] = []
        for part in range(0, len(ids), PART):
            found += fact_rows(ids[part : part + PART], place=place)
        return found


SOURCE = FactSource(
    name=CASES, table=attrgetter("table"), rows=every_row, size=size, newest=newest, changes=CaseChanges(), derived=Recurrences(),
)  # fmt: skip
