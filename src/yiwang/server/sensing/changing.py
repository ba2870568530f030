"""Observations that are there already: found by their moments, moved, and taken away; their datastream's state follows."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, Max, Min

from yiwang.core.kernel.refusals import Conflict
from yiwang.core.kernel.text import Text
from yiwang.core.observations.kept import NONE
from yiwang.core.observations.quality import Quality
from yiwang.server.sensing import following
from yiwang.server.sensing.kept import days as kept_days
from yiwang.server.sensing.kept import reading
from yiwang.server.sensing.models import DatastreamState, Observation
from yiwang.server.sensing.writing import hold_states, look_up


def observation_ids(keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Of each datastream and phenomenon time in microseconds: the id of the observation that is there."""
    return {key: found[0] for key, found in look_up(keys).items()}


@transaction.atomic
def change_observation(pk: int, changes: dict[str, Any]) -> None:
    """Change what an observation says: columns → values; one whose result changes is marked as corrected.

    Raises:
        Conflict: The datastream has another observation at that moment, or it would leave one on a day that has moved to the lake.
    """
    row = Observation.objects.get(pk=pk)
    streams = {row.datastream_id, changes.get("datastream_id", row.datastream_id)}
    hold_states(streams)
    if (row.datastream_id, row.phenomenon_time) != (
        changes.get("datastream_id", row.datastream_id),
        changes.get("phenomenon_time", row.phenomenon_time),
    ):
        kept_days.allow_taking_away(pk=pk)
    before = (row.value, row.result)
    for name, value in changes.items():
        setattr(row, name, value)
    if (row.value, row.result) != before:
        row.quality |= int(Quality.CORRECTED)
    taken = Observation.objects.filter(datastream=row.datastream_id, phenomenon_time=row.phenomenon_time).exclude(pk=pk)
    if taken.exists():
        raise Conflict(
            Text("该监测流在此时刻已有另一条观测。", "The datastream has another observation at that moment."),
            field="phenomenonTime",
        )
    row.save()
    refresh_states(streams)
    following.note(following.OBSERVATION, [(row.datastream_id, row.phenomenon_time)])


@transaction.atomic
def delete_observations(**of: Any) -> int:
    """Take away the observations in the database that fit, by columns; how many.

    Raises:
        Conflict: One of them lies on a day that has moved to the lake.
    """
    asked = Observation.objects.filter(**of)
    streams = set(asked.order_by().values_list("datastream_id", flat=True).distinct())
    if not streams:
        return 0
    kept_days.allow_taking_away(**of)
    hold_states(streams)
    count, _ = asked.delete()
    refresh_states(streams)
    return count


def refresh_states(datastreams: Collection[int]) -> None:
    """Read the states of datastreams, which are held, anew from their observations, wherever they lie."""
    for pk in datastreams:
        rows = Observation.objects.filter(datastream=pk)
        latest = (
            rows.annotate(ahead=F("quality").bitand(int(Quality.FUTURE)))
            .filter(ahead=0)
            .order_by("-phenomenon_time")
            .values_list("phenomenon_time", "value", "result", "received_time")
            .first()
        )
        first = rows.order_by("phenomenon_time").values_list("phenomenon_time", flat=True).first()
        results = rows.aggregate(first=Min("result_time"), last=Max("result_time"))
        last, value, result, received = latest or (None, None, None, None)
        state: dict[str, Any] = {
            "first_time": first if latest else None,
            "last_time": last,
            "value": value,
            "result": result,
            "received_time": received,
            "first_result_time": results["first"],
            "last_result_time": results["last"],
        }
        if kept_days.published(kept_days.city_of(pk)):
            state |= _with_the_lake(pk, state)
        DatastreamState.objects.filter(datastream=pk).update(**state)


def _with_the_lake(pk: int, state: dict[str, Any]) -> dict[str, Any]:
    """What changes in a state because of observations in the lake; what was known of days that are no longer kept stays."""
    known = DatastreamState.objects.get(datastream=pk)
    rows = reading.observations(pk)
    found: dict[str, Any] = {}
    usable = rows.only(rows.quality & int(Quality.FUTURE) == 0)
    if len(usable):
        latest, value = usable.only(np.array([-1])), float(usable.value[-1])
        found = {
            "first_time": int(rows.time[0]),
            "last_time": int(latest.time[0]),
            "value": None if math.isnan(value) else value,
            "result": json.loads(latest.result[0]) if latest.result[0] else None,
            "received_time": int(latest.received[0]),
        }
    said = rows.result_time[rows.result_time != NONE]
    if said.size:
        found |= {"first_result_time": int(said.min()), "last_result_time": int(said.max())}
    if known.first_time is not None and kept_days.any_closed(kept_days.city_of(pk)):
        found["first_time"] = min(known.first_time, found.get("first_time", known.first_time))
        if not len(usable):  # all that is left of it are roll-ups
            found |= {name: getattr(known, name) for name in ("last_time", "value", "result", "received_time")}
    return found
