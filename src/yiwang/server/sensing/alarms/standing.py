"""How things are at a moment, and which alarms stand: what a map and a control room ask.

A thing has one state, the first of these that holds: somebody works on it (`Maintenance`); an alarm of a reading stands, the worst
one; nothing is heard of it; it is in order. Nothing is heard of a thing when one of its enabled devices is silent, when an alarm of a
rule of silence stands, when it never had a reading, or, where no device of it says after what time it is silent, when the newest
reading is older than `HEARD_WITHIN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery

from yiwang.core.kernel.instants import from_micros, to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.conditions import Severity, Silence
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.models import Alarm, AlarmState, CombinationState, Datastream, Device, Maintenance, Thing

HEARD_WITHIN = timedelta(days=1)


class ThingState(StrEnum):
    """State of a thing. The last four are alarms, the mildest first, and have the names of `Severity`."""

    NORMAL = "fine"
    MAINTENANCE = "maintenance"
    SILENT = "silent"
    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedThing:
    """A thing that has datastreams and a place. ``lon`` and ``lat`` are degrees in WGS 84; ``region`` is empty outside the city."""

    id: int
    name: str
    lon: float
    lat: float
    region: str
    state: ThingState


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlarm:
    """An alarm that stands.

    Attributes:
        stream, stream_name: Id and name of the datastream; ``thing`` is the id of its thing.
        condition: Name of the rule.
        severity: How bad it is now.
        since: When it was raised, by the time of the reading; None where the alarm has been deleted.
        case: Number of the case that it opened or is noted on; empty for none.
    """

    stream: int
    stream_name: str
    thing: int
    condition: Text
    severity: Severity
    since: datetime | None
    case: str


def placed_things(place: CityRuntime, *, at: datetime, thing: int | None = None) -> list[PlacedThing]:
    """The things of a city that have datastreams and a place, by their ids, with the state of each.

    Args:
        place: City.
        at: At which moment it is asked who is silent and what is being maintained; alarms are those that stand now.
        thing: Id of the only one that is wanted.
    """
    here = Q(city=place.info.id) if thing is None else Q(city=place.info.id, pk=thing)
    states = _states(place, at=at, thing=thing)
    rows = Thing.objects.filter(here, locations__lon__isnull=False, locations__lat__isnull=False).order_by(
        "id", "locations__id"
    )
    columns = ("id", "name", "locations__lon", "locations__lat", "locations__region")
    found: dict[int, PlacedThing] = {}
    for pk, name, lon, lat, region in rows.values_list(*columns):
        if pk in states:  # a thing without datastreams is not observed
            one = PlacedThing(id=pk, name=name, lon=lon, lat=lat, region=region, state=states[pk])
            found.setdefault(pk, one)  # of several places the first
    return list(found.values())


def standing_alarms(
    place: CityRuntime, *, regions: Iterable[str] = (), thing: int | None = None
) -> list[StandingAlarm]:
    """The alarms that stand in a city, the most severe first, and of one severity the latest first.

    Args:
        place: City.
        regions: Beginnings of codes of regions, any of which will do; none for the whole city.
        thing: Id of the only thing whose alarms are wanted.
    """
    here = Q() if thing is None else Q(datastream__thing=thing)
    inside = Q()
    for region in regions:
        inside |= Q(datastream__thing__locations__region__startswith=region)
    found = [*_of_streams(place, here & inside), *_of_combinations(place, here & inside)]
    return sorted(found, key=lambda one: (-one.severity, -one.since.timestamp() if one.since else 0.0, one.stream))


def _of_streams(place: CityRuntime, here: Q) -> Iterator[StandingAlarm]:
    turns = Alarm.objects.filter(datastream=OuterRef("datastream"), condition=OuterRef("condition"), group="")
    latest = turns.order_by("-since", "-id")
    asked = _standing(place.info.id, here).annotate(
        raised=Subquery(latest.values("since")[:1]),
        case=Subquery(latest.filter(since=OuterRef("raised")).exclude(case="").values("case")[:1]),
    )
    columns = ("datastream_id", "datastream__name", "datastream__thing_id", "condition", "level", "raised", "case")
    for stream, name, of, condition, level, raised, case in asked.values_list(*columns):
        severity = _severity(place, condition, level)
        if severity is not None:
            yield StandingAlarm(
                stream=stream,
                stream_name=name,
                thing=of,
                condition=place.pack.sensing.alarms[condition].condition.name,
                severity=severity,
                since=None if raised is None else from_micros(raised),
                case=case or "",
            )


def _of_combinations(place: CityRuntime, here: Q) -> Iterator[StandingAlarm]:
    """Those of combinations, at the datastream whose alarm decided."""
    turns = Alarm.objects.filter(
        datastream=OuterRef("datastream"),
        condition=OuterRef("condition"),
        group=OuterRef("group"),
        since=OuterRef("since"),
    )
    asked = _combined(place, here)
    if asked is None:
        return
    asked = asked.annotate(case=Subquery(turns.exclude(case="").order_by("-id").values("case")[:1]))
    columns = ("datastream_id", "datastream__name", "datastream__thing_id", "condition", "since", "case")
    for stream, name, of, condition, since, case in asked.values_list(*columns):
        rule = place.pack.sensing.combinations[condition].condition
        yield StandingAlarm(
            stream=stream,
            stream_name=name,
            thing=of,
            condition=rule.name,
            severity=rule.severity,
            since=from_micros(since),
            case=case or "",
        )


def _standing(city: str, here: Q) -> QuerySet[AlarmState]:
    return AlarmState.objects.filter(here, datastream__city=city, level__gt=0).distinct()


def _combined(place: CityRuntime, here: Q) -> QuerySet[CombinationState] | None:
    """The combinations that stand; None, without a question, in a city that has none."""
    declared = place.pack.sensing.combinations
    if not declared:
        return None
    standing = CombinationState.objects.filter(here, city=place.info.id, since__isnull=False, condition__in=declared)
    return standing.filter(datastream__isnull=False).distinct()


def _severity(place: CityRuntime, condition: str, level: int) -> Severity | None:
    """How bad a level of a rule is; None for a rule that is no longer declared, which says nothing."""
    rule = place.pack.sensing.alarms.get(condition)
    levels = rule.condition.levels if rule else ()
    return levels[min(level, len(levels)) - 1].severity if levels else None


def _states(place: CityRuntime, *, at: datetime, thing: int | None) -> dict[int, ThingState]:
    """State of each thing that has datastreams."""
    city = place.info.id
    streams = Datastream.objects.filter(city=city)
    devices = Device.objects.filter(city=city, enabled=True, silence_after__isnull=False)
    maintained = Maintenance.objects.filter(thing__city=city, start__lte=at, end__gt=at)
    if thing is not None:
        streams, devices = streams.filter(thing=thing), devices.filter(thing=thing)
        maintained = maintained.filter(thing=thing)
    last: dict[int, int | None] = dict(
        streams.order_by().values("thing_id").annotate(last=Max("state__last_time")).values_list("thing_id", "last")
    )
    watched: dict[int, bool] = {}
    for pk, silent_at in devices.values_list("thing_id", "silent_at"):
        watched[pk] = watched.get(pk, False) or (silent_at is not None and silent_at <= at)
    worst, unheard = _alarmed(place, thing)
    working = set(maintained.values_list("thing_id", flat=True))
    oldest = to_micros(at - HEARD_WITHIN)
    found = {}
    for pk, newest in last.items():
        quiet = watched.get(pk, newest is not None and newest < oldest)
        if pk in working:
            found[pk] = ThingState.MAINTENANCE
        elif pk in worst:
            found[pk] = ThingState(worst[pk].name.lower())
        elif quiet or newest is None or pk in unheard:
            found[pk] = ThingState.SILENT
        else:
            found[pk] = ThingState.NORMAL
    return found


def _alarmed(place: CityRuntime, thing: int | None) -> tuple[Mapping[int, Severity], set[int]]:
    """The worst severity of the alarms of readings by thing, and the things of which an alarm of silence stands."""
    worst: dict[int, Severity] = {}
    unheard: set[int] = set()
    here = Q() if thing is None else Q(datastream__thing=thing)
    rows = _standing(place.info.id, here).annotate(thing=F("datastream__thing_id"))
    for pk, condition, level in rows.values_list("thing", "condition", "level"):
        severity = _severity(place, condition, level)
        if severity is None:
            continue
        if isinstance(place.pack.sensing.alarms[condition].condition, Silence):
            unheard.add(pk)
        else:
            worst[pk] = max(severity, worst.get(pk, severity))
    combined = _combined(place, here)
    for pk, condition in combined.values_list("datastream__thing_id", "condition") if combined is not None else ():
        severity = place.pack.sensing.combinations[condition].condition.severity
        worst[pk] = max(severity, worst.get(pk, severity))
    return worst, unheard
