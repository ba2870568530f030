"""Reading cases: lists by cursor, one case, counts by region, points for the map."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Substr

from yiwang.core.cases.events import Event
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import CODE, Case, Outbox, Photo, Report, Tally
from yiwang.server.cases.models import Event as EventRow
from yiwang.server.cases.reading.answers import LIST_FIELDS
from yiwang.server.cases.reading.placing import UNPLACED
from yiwang.server.cases.storage import rows, walking, words
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.moments import read_moment
from yiwang.server.common.selecting import select

LISTED = ("id", *LIST_FIELDS, "rest")
MOST_LISTED = 500
ORDERS = {
    "-opened_at": ("opened_at", True),
    "opened_at": ("opened_at", False),
    "deadline": ("deadline", False),
    "-deadline": ("deadline", True),
}
FLAGS = ("", "undrawn", "default_point", "outside", "border", "disagrees")
UNDRAWN = Q(flag__in=UNPLACED) | Q(lon=None) | Q(lat=None)
LONG_AGO = timedelta(days=1)  # a moment that far back is another than now: then what has ended since was open
STATES = ("", "open", "overdue", "closed", "closed_on_time", "closed_late")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilters:
    """What a list shows.

    Attributes:
        state: ``open``, ``overdue`` (open, deadline passed), ``closed``, ``closed_on_time``, ``closed_late`` (as the case
            recorded it; what had no deadline is neither), or empty for all; at the moment for which the list is asked.
        region: Prefix: a district gives everything below it.
        q: Words of the text or place, parts of words too, personal data never; or a number (see `words`).
        as_written: Whether ``q`` may be personal data; for those only who read words as written (`listing`).
        flag: How it was located: ``outside``, ``border``, ``default_point``; or ``undrawn``: what no map draws, since it has no
            point, a known stand-in for one, or one outside the city.
        as_of: Judge by this very moment what had been reported, was open and was overdue, however short ago it is.
        bbox: West, south, east, north in degrees.
        order: ``-opened_at``, ``opened_at``, or ``deadline`` and ``-deadline`` (open cases with a deadline only).
    """

    state: str = ""
    step: str = ""
    holder: str = ""
    category: str = ""
    region: str = ""
    flag: str = ""
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    due_before: datetime | None = None
    closed_after: datetime | None = None
    closed_before: datetime | None = None
    filed_after: datetime | None = None
    filed_before: datetime | None = None
    as_of: datetime | None = None
    q: str = ""
    as_written: bool = False
    bbox: tuple[float, float, float, float] | None = None
    order: str = "-opened_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows and the cursor of the next page; None on the last."""

    items: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDetail:
    """One case with its history."""

    values: dict[str, Any]
    state: CaseState
    events: list[Event]
    head_hash: bytes
    photos: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)


# --- lists --------------------------------------------------------------------------------------------------------


def list_cases(
    *, city: str, filters: CaseFilters, cursor: str = "", limit: int = 50, at: datetime | None = None
) -> Page:
    """A page of cases. The page five hundred pages in costs what the first one costs: a cursor names the last row seen.

    Args:
        city: City.
        filters: What to show, in which order.
        cursor: ``next`` of the page before; empty for the first.
        limit: Rows, at most `MOST_LISTED`.
        at: The moment for which it is judged what is open and what is overdue (see `open_at`); now by default.

    Raises:
        BadInput: When a filter or the cursor is no such thing.
    """
    if not 1 <= limit <= MOST_LISTED:
        raise BadInput(
            Problem(
                Text("limit 不能为 {limit}。", "limit={limit} cannot be given.", limit=limit),
                Text("应在 1 到 {most_listed} 之间。", "Between 1 and {most_listed}.", most_listed=MOST_LISTED),
                column="limit",
            )
        )
    column, falling = _order(filters.order)
    at = at or datetime.now(UTC)
    everything = in_order(city=city, order=filters.order, at=at)
    if cursor:
        everything = _beyond(everything, column, falling, cursor)
    query = narrow(everything, filters, place=runtime(city), at=at)
    sign = "-" if falling else ""
    if not _one_index_serves(filters):
        walked = everything.filter(**_leading_filter(filters))
        ids = walking.first_ids(
            walked=walked, narrowed=query, sought=filters.q, column=column, falling=falling, limit=limit + 1
        )
        query = Case.objects.filter(id__in=ids)
    found = list(query.order_by(f"{sign}{column}", f"{sign}id").values(*LISTED)[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(items=found, next=_cursor(found[-1], column) if more else None)


def in_order(*, city: str, order: str, at: datetime) -> QuerySet[Case]:
    """The cases of a city that have a place in an order: by deadline, only open ones that have one.

    Raises:
        BadInput: When there is no such order.
    """
    everything = Case.objects.filter(city=city)
    return everything.filter(open_at(at), deadline__isnull=False) if _order(order)[0] == "deadline" else everything


def _leading_filter(filters: CaseFilters) -> dict[str, str]:
    """The one filter that the index in the list's order can begin with."""
    names = () if _order(filters.order)[0] == "deadline" else ("holder", "step", "category")
    return next(({name: value} for name in names if (value := getattr(filters, name))), {})


def _one_index_serves(filters: CaseFilters) -> bool:
    """Whether a walk along one index passes only rows that the list shows."""
    asked = {item.name for item in fields(filters) if getattr(filters, item.name)} - {"order", "as_written"}
    if _order(filters.order)[0] == "deadline":  # that index has the open cases only, in the order in which they run out
        return asked <= {"due_before", "state"} and not filters.state.startswith("closed")
    return asked <= {"opened_after", "opened_before", *_leading_filter(filters)}


def narrow(query: QuerySet[Case], filters: CaseFilters, *, place: CityRuntime, at: datetime) -> QuerySet[Case]:
    """The cases that pass the filters."""
    if filters.state not in STATES:
        raise BadInput(
            Problem(
                Text("没有「{state}」这种状态。", "There is no state {state!r}.", state=filters.state),
                Text("可选：{value}。", "One of {value}.", value=", ".join(filter(None, STATES))),
                column="state",
            )
        )
    if filters.flag not in FLAGS:
        known = ", ".join(filter(None, FLAGS))
        raise BadInput(
            Problem(
                Text("没有「{flag}」这种标记。", "There is no flag {flag!r}.", flag=filters.flag),
                Text("可选：{known}。", "One of {known}.", known=known),
                column="flag",
            )
        )
    if filters.flag:
        query = query.filter(UNDRAWN if filters.flag == "undrawn" else Q(flag=filters.flag))
    for name in ("step", "holder", "category"):
        if value := getattr(filters, name):
            query = query.filter(**{name: value})
    if filters.region:
        query = within(query, filters.region, place=place)
    if filters.opened_after:
        query = query.filter(opened_at__gte=filters.opened_after)
    if filters.opened_before:
        query = query.filter(opened_at__lt=filters.opened_before)
    open_then, over_then = open_at(at), is_over_at(at)
    if filters.as_of:
        at = filters.as_of
        open_then, over_then = Q(closed_at=None) | Q(closed_at__gt=at), Q(closed_at__lte=at)
        query = query.filter(opened_at__lte=at)
    if filters.state in {"open", "overdue"}:
        query = query.filter(open_then)
    if filters.state.startswith("closed"):
        query = query.filter(over_then)
    if filters.state == "closed_late":
        query = query.filter(overdue=True)
    if filters.state == "closed_on_time":
        query = query.filter(overdue=False, deadline__isnull=False)
    if filters.closed_after:
        query = query.filter(closed_at__gte=filters.closed_after)
    if filters.closed_before:
        query = query.filter(closed_at__lt=filters.closed_before)
    if filters.filed_after:
        query = query.filter(filed_at__gte=filters.filed_after)
    if filters.filed_before:
        query = query.filter(filed_at__lt=filters.filed_before)
    due = [moment for moment in (filters.due_before, at if filters.state == "overdue" else None) if moment]
    if due:
        query = query.filter(open_then, is_past_deadline(min(due)))
    if filters.bbox:
        west, south, east, north = filters.bbox
        query = query.filter(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)
    if filters.q:
        query = words.matching(query, filters.q, as_written=filters.as_written)
    return query


def open_at(at: datetime | None = None) -> Q:
    """What was open at a moment: what has not ended, and what ended only after it.

    Today's moments are now (None too): what has ended since they were taken has ended, and the indexes of open cases serve.
    """
    still = Q(closed_at=None)
    return still | Q(closed_at__gt=at) if _long_ago(at) else still


def is_past_deadline(at: datetime) -> Q:
    """What `core.cases.lateness.passed` says, for the database."""
    return Q(deadline__lt=at)


def is_over_at(at: datetime | None = None) -> Q:
    """What had ended at a moment: what `open_at` leaves."""
    return Q(closed_at__lte=at) if _long_ago(at) else Q(closed_at__isnull=False)


def _long_ago(at: datetime | None) -> bool:
    return at is not None and at < datetime.now(UTC) - LONG_AGO


def within(query: QuerySet[Case], region: str, *, place: CityRuntime) -> QuerySet[Case]:
    """The cases of a region, of everything below it, and of the regions that it has replaced. The root has all of the
    city's, those without a place too."""
    return query.filter(below(region, place=place))


def prefixes_of(region: str, *, place: CityRuntime) -> tuple[str, ...]:
    """What the codes of a region's cases begin with: its own, and those of the regions that it has replaced. None for all."""
    if not region or region in {root.code for root in place.regions.roots}:
        return ()
    return place.regions.lineage(region) if region in place.regions else (region,)


def below(region: str, *, place: CityRuntime) -> Q:
    """The condition of `within`: empty for the root and for no region, which have all cases."""
    found = Q()
    for prefix in prefixes_of(region, place=place):
        if prefix in place.regions and not place.regions.children(prefix):
            found |= Q(region=prefix)  # nothing is below it, and an index can go on to the next column
        else:
            found |= Q(region__gte=prefix, region__lt=_after(prefix))
    return found


def _after(prefix: str) -> str:
    """The first text behind all that begin with a prefix, in the order of code points."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _order(order: str) -> tuple[str, bool]:
    try:
        return ORDERS[order]
    except KeyError:
        raise BadInput(
            Problem(
                Text("没有「{order}」这种排序。", "There is no order {order!r}.", order=order),
                Text("可选：{orders}。", "One of {orders}.", orders=", ".join(ORDERS)),
                column="order",
            )
        ) from None


def cursor_after(row: Mapping[str, Any], *, order: str) -> str:
    """The cursor of what comes after a row in an order."""
    return _cursor(row, _order(order)[0])


def _cursor(row: Mapping[str, Any], column: str) -> str:
    raw = orjson.dumps([row[column].isoformat(), row["id"]])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _beyond(query: QuerySet[Case], column: str, falling: bool, cursor: str) -> QuerySet[Case]:
    try:
        text, last = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment, last = read_moment(text), int(last)
        if not 0 <= last < 2**63:
            raise ValueError
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise BadInput(
            Problem(
                Text("这个游标不是本列表给出的。", "The cursor is not one that this list gave."),
                Text("请不带游标从头开始。", "Begin without one."),
                column="cursor",
            )
        ) from None
    side, strictly = ("lte", "lt") if falling else ("gte", "gt")
    # the first condition is what the index is entered with
    return query.filter(**{f"{column}__{side}": moment}).filter(
        Q(**{f"{column}__{strictly}": moment}) | Q(**{f"id__{strictly}": last})
    )


# --- one case -----------------------------------------------------------------------------------------------------


_PHOTO = ("id", "seq", "digest", "width", "height", "at", "taken_at")
_REPORT = ("number", "at", "text", "category", "source", "contact", "reporter", "origin", "external")


def get_case(*, city: str = "", number: str, with_events: bool = True, with_reports: bool = True) -> CaseDetail | None:
    """A case with its history, photos and reports; None when there is none, or not in this city.

    Read by plain SQL: one case is what programs ask for most, and building its statements took longer than all the rest.
    """
    row = rows.load([number], lock=False).get(number)
    if row is None or (city and row["city"] != city):
        return None
    of_case = 'WHERE "case_id" = %s ORDER BY "id"'
    return CaseDetail(
        values=row,
        state=rows.state_of(row),
        events=events_of(row["id"], number=number) if with_events else [],
        head_hash=row["head"],
        photos=_named(_PHOTO, select(Photo, _PHOTO, of_case, [row["id"]])),
        reports=_named(_REPORT, select(Report, _REPORT, of_case, [row["id"]])) if with_reports else [],
    )


def events_of(case_id: int, *, number: str) -> list[Event]:
    """The events of a case, in their order."""
    found = (
        EventRow.objects.filter(case_id=case_id)
        .order_by("seq")
        .values(*(name for name in rows.EVENT_COLUMNS if name != "hash"))
    )
    return [rows.event_of(row, number=number) for row in found]


def case_of(typed: str, *, city: str = "") -> str | None:
    """The case that somebody means who types a number: a case's own, or that of a receipt, in any letter case.

    Args:
        typed: What was typed.
        city: If given, the case must be of this city.

    Returns:
        The case's number; None when there is no such case or receipt.
    """
    asked = typed.strip()
    forms = list(dict.fromkeys((asked, asked.upper())))
    if not asked or len(asked) > CODE:
        return None
    within = {"city": city} if city else {}
    for query, column in ((Case.objects, "number"), (Report.objects, "case__number")):
        found = query.filter(number__in=forms, **within).values_list(column, flat=True).first()
        if found:
            return str(found)
    return None


def city_of(number: str) -> str | None:
    """The city of a case."""
    found = select(Case, ("city",), 'WHERE "number" = %s', [number])
    return found[0][0] if found else None


def outbox_backlog() -> tuple[int, float]:
    """How many messages wait, and for how many seconds the oldest has."""
    found = Outbox.objects.filter(sent_at=None).aggregate(n=Count("id"), oldest=Min("created_at"))
    age = (datetime.now(UTC) - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return found["n"], age


def sequence_of(*, city: str, number: str) -> int | None:
    """After how many events a case stands; None when there is none in this city."""
    return Case.objects.filter(city=city, number=number).values_list("seq", flat=True).first()


def photo_paths(*, number: str) -> dict[int, Path]:
    """Files of a case's photos by id; those that are gone are left out."""
    found = Photo.objects.filter(case__number=number).values_list("id", "path")
    paths = {photo: Path(settings.YIWANG_HOME, path) for photo, path in found}
    return {photo: path for photo, path in paths.items() if path.is_file()}


def photo_path(*, city: str, number: str, photo: int) -> Path | None:
    """File of a case's photo."""
    found = Photo.objects.filter(pk=photo, case__number=number, case__city=city).values_list("path", flat=True).first()
    path = Path(settings.YIWANG_HOME, found) if found else None
    return path if path and path.is_file() else None


# --- counts -------------------------------------------------------------------------------------------------------


def _tallies(city: str, region: str) -> QuerySet[Tally]:
    query, place = Tally.objects.filter(city=city), runtime(city)
    return query.filter(below(region, place=place))


def _ends(city: str) -> set[str]:
    return {step.id for step in runtime(city).rules.workflow.steps.values() if step.end}


def _overdue(city: str, region: str, at: datetime | None) -> QuerySet[Case]:
    query = Case.objects.filter(open_at(at), is_past_deadline(at or datetime.now(UTC)), city=city)
    return within(query, region, place=runtime(city))


def _open_then(city: str, region: str, at: datetime | None) -> QuerySet[Case]:
    """What has ended, but only after a moment long ago: it was open then. Nothing for today's moments."""
    if not _long_ago(at):
        return Case.objects.none()
    return within(Case.objects.filter(city=city, closed_at__gt=at), region, place=runtime(city))


def figures(*, city: str, region: str, at: datetime | None = None) -> dict[str, Any]:
    """Cases of a region: all that were reported, open, open and overdue, closed (in whatever way), as of a moment (now)."""
    ends = _ends(city)
    sums = _tallies(city, region).values_list("step").annotate(n=Sum("count"))
    total = ended = 0
    for step, count in sums:
        total += count
        ended += count if step in ends else 0
    ended -= _open_then(city, region, at).count()
    return {"cases": total, "open": total - ended, "overdue": _overdue(city, region, at).count(), "closed": ended}


def figures_below(*, city: str, region: str, width: int, at: datetime | None = None) -> dict[str, dict[str, int]]:
    """Cases, open ones and overdue ones by the first ``width`` characters of their region."""
    ends = _ends(city)
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"cases": 0, "open": 0, "overdue": 0})
    sums = (
        _tallies(city, region)
        .annotate(part=Substr("region", 1, width))
        .values_list("part", "step")
        .annotate(n=Sum("count"))
    )
    for part, step, count in sums:
        found[part]["cases"] += count
        if step not in ends:
            found[part]["open"] += count
    for name, query in (("open", _open_then(city, region, at)), ("overdue", _overdue(city, region, at))):
        counts = query.annotate(part=Substr("region", 1, width)).values_list("part").annotate(n=Count("id"))
        for part, count in counts.order_by():
            found[part][name] += count
    hand_on(found, place=runtime(city))
    return {part: counts for part, counts in found.items() if len(part) == width and counts["cases"]}


def hand_on(found: dict[str, dict[str, int]], *, place: CityRuntime) -> None:
    """Give the counts of regions that ended to what has replaced them; of a split, to each of its parts."""
    for code in [code for code in found if code in place.regions]:
        heirs = [heir for heir in place.regions.successors(code, place.day) if heir != code and len(heir) == len(code)]
        if heirs:
            counts = found.pop(code)
            for heir in heirs:
                own = found.get(heir, {})
                found[heir] = {name: own.get(name, 0) + count for name, count in counts.items()}


def by_step(*, city: str, region: str) -> dict[str, int]:
    """Cases by step."""
    sums = _tallies(city, region).values_list("step").annotate(n=Sum("count"))
    return {step: count for step, count in sums if count}


def _named(names: tuple[str, ...], found: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in found]
