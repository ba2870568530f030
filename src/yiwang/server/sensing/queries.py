"""What one may ask of observations."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from yiwang.core.kernel.instants import from_micros, to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.conditions import Pattern
from yiwang.core.observations.rollups import Rollups
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.judging.rules import rules_for
from yiwang.server.sensing.judging.turns import Stream
from yiwang.server.sensing.judging.usual import judged_hours
from yiwang.server.sensing.kept.days import city_of
from yiwang.server.sensing.kept.reading import observations, rolled_up
from yiwang.server.sensing.models import Alarm, AlarmState, Datastream
from yiwang.server.sensing.streams import streams_of


def latest_of(city: str) -> Iterator[dict[str, Any]]:
    """The datastreams of a city with what they said last, by their keys."""
    rows = (
        Datastream.objects.filter(city=city)
        .order_by("key", "id")
        .values_list("key", "name", "unit", "state__value", "state__result", "state__last_time")
    )
    for key, name, unit, value, result, last in rows.iterator(2000):
        yield {
            "stream": key,
            "name": name,
            "value": result if value is None else value,
            "unit": unit.get("symbol", ""),
            "time": from_micros(last).isoformat() if last is not None else None,
        }


def series(
    datastream: int, *, since: datetime | None = None, until: datetime | None = None, most: int = 10_000
) -> list[tuple[datetime, float | None, int]]:
    """Time, value and quality of the observations of a datastream from ``since`` and before ``until``, the earliest first."""
    found = observations(
        datastream,
        start=None if since is None else to_micros(since),
        end=None if until is None else to_micros(until),
    )
    rows = zip(found.time[:most].tolist(), found.value[:most].tolist(), found.quality[:most].tolist(), strict=True)
    return [(from_micros(moment), _number(value), quality) for moment, value, quality in rows]


# --- for pages ------------------------------------------------------------------------------------------------------------

_ROW = (
    "id", "key", "name", "unit", "observed_property__name", "thing__name", "thing__component", "sensor__name",
    "state__last_time", "state__value", "state__result",
)  # fmt: skip


def list_streams(
    place: CityRuntime, *, q: str = "", in_alarm: bool = False, after: int = 0, limit: int = 50
) -> tuple[list[dict[str, Any]], bool]:
    """Datastreams of a city behind an id, in the order of their ids, and whether there are more.

    Args:
        place: City.
        q: The beginning of a key, or words of a name.
        in_alarm: Only those of which an alarm stands.
        after: Id of the last one of the page before.
        limit: So many at most.
    """
    asked = Datastream.objects.filter(city=place.info.id, id__gt=after)
    if q:
        asked = asked.filter(Q(key__startswith=q) | Q(name__icontains=q))
    if in_alarm:
        standing = AlarmState.objects.filter(datastream=OuterRef("pk"), level__gt=0)
        asked = asked.filter(Exists(standing))
    rows = list(asked.order_by("id").values(*_ROW)[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    worst = _worst(place, [row["id"] for row in rows])
    return [_shown(row, worst) for row in rows], more


def stream_row(place: CityRuntime, key: int) -> dict[str, Any] | None:
    """One datastream as `list_streams` gives it, with the region of its thing; None where there is none in the city."""
    row = Datastream.objects.filter(city=place.info.id, pk=key).values(*_ROW, "thing__locations__region").first()
    if row is None:
        return None
    return {**_shown(row, _worst(place, [key])), "region": row["thing__locations__region"] or ""}


def streams_of_thing(place: CityRuntime, thing: int) -> list[dict[str, Any]]:
    """The datastreams of a thing as `list_streams` gives them."""
    rows = list(Datastream.objects.filter(city=place.info.id, thing=thing).order_by("id").values(*_ROW))
    worst = _worst(place, [row["id"] for row in rows])
    return [_shown(row, worst) for row in rows]


def _shown(row: dict[str, Any], worst: dict[int, int]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "key": row["key"],
        "name": row["name"],
        "unit": row["unit"].get("symbol", ""),
        "unit_text": json.dumps(row["unit"]),
        "observed": row["observed_property__name"],
        "thing": row["thing__name"],
        "component": row["thing__component"],
        "sensor": row["sensor__name"],
        "last_time": row["state__last_time"],
        "value": row["state__value"],
        "result": row["state__result"],
        "severity": worst.get(row["id"], 0),
    }


def _worst(place: CityRuntime, ids: Sequence[int]) -> dict[int, int]:
    """The worst severity of the alarms that stand, by datastream."""
    found: dict[int, int] = {}
    standing = AlarmState.objects.filter(datastream__in=ids, level__gt=0)
    for pk, condition, level in standing.values_list("datastream_id", "condition", "level"):
        rule = place.pack.sensing.alarms.get(condition)
        levels = rule.condition.levels if rule else ()
        if levels:  # a rule that is no longer declared says nothing
            found[pk] = max(found.get(pk, 0), int(levels[min(level, len(levels)) - 1].severity))
    return found


def stream_counts(city: str) -> dict[str, int]:
    """How many datastreams a city has, and of how many an alarm stands."""
    standing = AlarmState.objects.filter(datastream__city=city, level__gt=0)
    return {
        "streams": Datastream.objects.filter(city=city).count(),
        "in_alarm": standing.values("datastream_id").distinct().count(),
    }


def series_points(
    datastream: int, *, start: int, end: int, width: int
) -> list[tuple[int, int, float | None, float | None, float | None]]:
    """The observations of a datastream from ``start`` and before ``end`` in points of ``width`` microseconds.

    Returns:
        Number of each point that has readings, counted from 0, with their count, mean, least and greatest.
    """
    found = rolled_up(city_of(datastream), [datastream], start=start, end=end, width=width)
    points = ((found.start - start) // width).tolist()
    figures = (column.tolist() for column in (found.mean, found.least, found.greatest))
    return [
        (point, count, *map(_number, values))
        for point, count, *values in zip(points, found.count.tolist(), *figures, strict=True)
    ]


def rollup_of(
    place: CityRuntime, *, since: datetime, until: datetime, step: timedelta, streams: Sequence[int] | None = None,
    region: str = "",
) -> Rollups:  # fmt: skip
    """Figures of many datastreams for a dashboard: one roll-up for each stream and step that has readings.

    Args:
        place: City.
        since, until: From and before; both with an offset.
        step: Length of a roll-up, positive.
        streams: Ids of datastreams; those of ``region`` where none are given. Ids of other cities are passed over.
        region: Code of a region, for the streams whose things stand in it; the whole city by default.

    Raises:
        ValueError: ``step`` is not positive.
    """
    width = step // timedelta(microseconds=1)
    if width <= 0:
        raise ValueError("a step is longer than nothing")
    known = streams_of(place.info.id, region)
    wanted = known if streams is None else sorted(set(streams).intersection(known))
    return rolled_up(place.info.id, wanted, start=to_micros(since), end=to_micros(until), width=width)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def alarms_of(city: str, *, stream: int | None = None, most: int = 50) -> list[Alarm]:
    """The alarms of a city or of one of its datastreams, the latest first."""
    asked = Alarm.objects.filter(city=city)
    if stream is not None:
        asked = asked.filter(datastream=stream)
    return list(asked.select_related("datastream").order_by("-id")[:most])


def alarms_of_case(city: str, number: str, *, most: int = 200) -> list[Alarm]:
    """The alarms that a case came of, and those that are noted on it; the latest first."""
    asked = Alarm.objects.filter(city=city, case=number).exclude(case="")
    return list(asked.select_related("datastream").order_by("-id")[:most])


def rules_of_stream(place: CityRuntime, row: dict[str, Any]) -> list[Text]:
    """Names of the rules that judge a datastream, given as `stream_row` gives it, and of the combinations that its alarms are
    part of. With a rule that needs to know what is usual stands how far that is known."""
    stream = Stream(place.info.id, row["key"], row["observed"], row["unit_text"])
    found = rules_for(place, key=stream.key, observed=stream.observed, unit=stream.unit)
    names = [
        Text(
            "{name}（{known}）",
            "{name} ({known})",
            name=one.rule.condition.name,
            known=judged_hours(place, row["id"], stream, one),
        )
        if isinstance(one.rule.condition, Pattern)
        else one.rule.condition.name
        for one in found
    ]
    combined = place.pack.sensing.combined
    also = {
        rule.condition.id: rule.condition.name
        for one in found
        for rule in combined.get(one.rule.condition.id, ())
        for member in rule.condition.of
        if member.condition == one.rule.condition.id and member.group_of(stream.key or f"#{row['id']}") is not None
    }
    return [*names, *also.values()]
