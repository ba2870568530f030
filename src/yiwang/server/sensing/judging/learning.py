"""Learning what is usual for streams, from their stored past, wherever it lies; some of them at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
from numpy.typing import NDArray

from yiwang.core.kernel.instants import DAY, SECOND, from_micros, to_micros
from yiwang.core.observations.baseline import Baseline, learn
from yiwang.core.observations.conditions import Pattern
from yiwang.core.observations.quality import Quality
from yiwang.core.observations.units import convert
from yiwang.server.cities.queries import CityRuntime, cities
from yiwang.server.sensing.judging import usual
from yiwang.server.sensing.judging.rules import Fitted, city_with_rules, rules_for
from yiwang.server.sensing.judging.turns import Stream
from yiwang.server.sensing.kept.reading import observations
from yiwang.server.sensing.models import Datastream, KeptBaseline

MOST = 50  # baselines learned in one turn
AGAIN = timedelta(days=1)  # after which one is learned anew
UNUSABLE = int(Quality.OUT_OF_RANGE | Quality.NO_VALUE | Quality.FUTURE)
Floats = NDArray[np.float64]
log = logging.getLogger("yiwang.sensing")


def learn_due(*, at: datetime | None = None, city: str = "", most: int = MOST) -> int:
    """Learn what is usual where nothing that can be used is kept, and then where it is a day old, the oldest first.

    A baseline that cannot be learned is logged and has its turn again like the others. Alarms that stand are left alone.

    Args:
        at: Now.
        city: Of one city only.
        most: So many baselines at most.

    Returns:
        How many were learned.
    """
    now = to_micros(at or datetime.now(UTC))
    due: list[tuple[int, int, CityRuntime, Stream, Fitted]] = []
    for one in [city] if city else [info.id for info in cities()]:
        place = city_with_rules(one)
        if place is not None:
            due += _due(place, now)
    due.sort(key=lambda row: row[:2])
    done = 0
    for _, pk, place, stream, fitted in due[:most]:
        try:
            learn_one(place, pk, stream, fitted, now=now)
            done += 1
        except Exception:
            log.exception("what is usual for stream %s by %s could not be learned", pk, fitted.rule.condition.id)
            _failed(place, pk, stream, fitted, now)
    return done


def _failed(place: CityRuntime, pk: int, stream: Stream, fitted: Fitted, now: int) -> None:
    """It waits for its next turn like one that was learned; what can still be used stays."""
    if Datastream.objects.filter(pk=pk).exists():
        _keep(pk, fitted, tried_at=now)
        made_by = usual.made_by(fitted.rule.learns, stream.unit, place.calendar.zone.key)
        KeptBaseline.objects.filter(datastream=pk, condition=fitted.rule.condition.id).exclude(made_by=made_by).update(
            learned_at=None
        )


def _due(place: CityRuntime, now: int) -> Iterator[tuple[int, int, CityRuntime, Stream, Fitted]]:
    """What is to be learned: when it was tried last (0 for what cannot be used), datastream, city, stream and rule."""
    patterns = [rule for rule in place.pack.sensing.alarms.values() if isinstance(rule.condition, Pattern)]
    if not patterns:
        return
    asked = Datastream.objects.filter(city=place.info.id)
    if all(rule.streams.observed for rule in patterns):
        asked = asked.filter(observed_property__name__in={one for rule in patterns for one in rule.streams.observed})
    names = [rule.condition.id for rule in patterns]
    rows = KeptBaseline.objects.filter(datastream__city=place.info.id, condition__in=names)
    kept = {
        (pk, condition): (made_by, tried_at, learned_at)
        for pk, condition, made_by, tried_at, learned_at in rows.values_list(
            "datastream_id", "condition", "made_by", "tried_at", "learned_at"
        )
    }
    zone = place.calendar.zone.key
    streams = asked.values_list("id", "key", "observed_property__name", "unit")
    for pk, key, observed, unit in streams.iterator(2000):
        stream = Stream(place.info.id, key, observed, orjson.dumps(unit).decode())
        for fitted in rules_for(place, key=key, observed=observed, unit=stream.unit):
            if not isinstance(fitted.rule.condition, Pattern):
                continue
            made_by, tried_at, learned_at = kept.get((pk, fitted.rule.condition.id), ("", 0, None))
            usable = made_by == usual.made_by(fitted.rule.learns, stream.unit, zone)
            if not usable and (learned_at is not None or not tried_at):
                yield 0, pk, place, stream, fitted
            elif tried_at <= now - round(AGAIN.total_seconds() * SECOND):
                yield tried_at, pk, place, stream, fitted


def learn_one(place: CityRuntime, pk: int, stream: Stream, fitted: Fitted, *, now: int) -> Baseline:
    """Learn what is usual for a datastream at a moment (microseconds), and keep it."""
    condition, zone = fitted.rule.condition, place.calendar.zone
    assert isinstance(condition, Pattern)
    times, values = usable(pk, start=now - 7 * condition.weeks * DAY, end=now)
    if fitted.in_unit is not None:
        values = convert(values, usual.symbol_of(stream.unit), fitted.rule.reads_in)
    found = learn(condition, times, values, zone, now / SECOND, usual.days_of(place))
    state = found.state()
    figures = orjson.dumps([state["medians"], state["spreads"]]).decode()
    _keep(
        pk, fitted, tried_at=now, made_by=usual.made_by(fitted.rule.learns, stream.unit, zone.key), figures=figures,
        readings=len(times), hours=found.hours_known, learned_at=from_micros(now),
    )  # fmt: skip
    return found


def usable(datastream: int, *, start: int | None = None, end: int | None = None) -> tuple[Floats, Floats]:
    """Times in POSIX seconds and values of what can be judged, in the order of time, wherever it lies."""
    rows = observations(datastream, start=start, end=end)
    kept = np.isfinite(rows.value) & (rows.quality & UNUSABLE == 0)
    return rows.time[kept] / SECOND, rows.value[kept]


def _keep(pk: int, fitted: Fitted, **values: object) -> None:
    KeptBaseline.objects.update_or_create(datastream_id=pk, condition=fitted.rule.condition.id, defaults=values)
