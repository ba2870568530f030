"""Many observations as rows: ``CreateObservations``, and ``$resultFormat=dataArray``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from yiwang.core.kernel.errors import BadInput, YiwangError
from yiwang.core.kernel.instants import to_micros
from yiwang.server.common.language import say
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.access import Writer
from yiwang.server.sensorthings.entities import DATASTREAM, FEATURE, OBSERVATION
from yiwang.server.sensorthings.operations import feature_of
from yiwang.server.sensorthings.paths import rows_of
from yiwang.server.sensorthings.taking import as_object, observation_of, wrong
from yiwang.server.sensorthings.times import read_instant

MOST = 100_000  # observations of a request
_FEATURE = "FeatureOfInterest/id"
_COMPONENTS = ("id", "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters", _FEATURE)
_SHOWN = ("id", "phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters")
_USUAL = 4  # of them are shown unasked


@transaction.atomic
def create_observations(body: Any, *, writer: Writer, link: Callable[[int], str]) -> list[str]:
    """Write the observations of a data array; for each row the address of its observation, or what was wrong with it.

    Raises:
        BadInput: The arrays themselves cannot be read; then nothing is written.
        NotAllowed: A datastream is not of a city of the caller; then nothing is written.
    """
    groups = _groups(body)
    streams = dict(rows_of(DATASTREAM).filter(pk__in={one[0] for one in groups}).values_list("pk", "city"))
    for city in dict.fromkeys(streams.values()):
        writer.check(city)
    now = to_micros(timezone.now())
    readings: list[sensing.Reading] = []
    answers: list[str | int] = []  # what was wrong, or which reading it is
    for stream, components, rows in groups:
        if stream not in streams:
            error = say("没有 Datastreams({id})。", "There is no Datastreams({id}).", id=stream)
            answers += [f"error: {error}"] * len(rows)
            continue
        read = _reader(stream, components, now)
        for number, row in enumerate(rows, 1):
            try:
                readings.append(read(row))
                answers.append(len(readings) - 1)
            except YiwangError as error:
                answers.append(f"error: {_told(error, number)}")
    if readings:
        sensing.write_observations(readings, received=now)
    keys = [(one.datastream, one.time) for one in readings]
    ids = sensing.observation_ids(keys)
    return [one if isinstance(one, str) else link(ids[keys[one]]) for one in answers]


def _groups(body: Any) -> list[tuple[int, list[str], list[Any]]]:
    """Datastream, components and rows of each array."""
    if not isinstance(body, list):
        example = (
            '[{"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray": [[…, 1.5]]}]'
        )
        raise wrong("", "这里要一个列表，如 {example}。", "A list is needed here, such as {example}.", example=example)
    groups: list[tuple[int, list[str], list[Any]]] = []
    for index, one in enumerate(body):
        at = f"[{index}]"
        entry = as_object(one, at)
        stream = as_object(entry.get("Datastream"), f"{at}.Datastream").get("@iot.id")
        if not isinstance(stream, int) or isinstance(stream, bool) or not 0 < stream < 2**63:
            raise wrong(f"{at}.Datastream", "@iot.id 应为整数。", "The @iot.id must be a whole number.")
        components, rows = entry.get("components"), entry.get("dataArray")
        if not isinstance(components, list) or not all(name in _COMPONENTS for name in components):
            raise wrong(
                f"{at}.components", "只能有 {names}。", "There may be {names} only.", names=", ".join(_COMPONENTS)
            )
        if "result" not in components or len(set(components)) < len(components):
            raise wrong(f"{at}.components", "要有 result，且不得重复。", "There must be result, and none twice.")
        if not isinstance(rows, list):
            raise wrong(f"{at}.dataArray", "这里要一个列表。", "A list is needed here.")
        groups.append((stream, components, rows))
    if (count := sum(len(rows) for _, _, rows in groups)) > MOST:
        raise wrong(
            "dataArray",
            "共 {count} 条观测，一次最多 {most} 条。",
            "There are {count} observations; one request takes {most} at most.",
            count=count,
            most=MOST,
        )
    return groups


def _reader(stream: int, components: list[str], now: int) -> Callable[[Any], sensing.Reading]:
    """What reads a row of an array."""
    width = len(components)
    usual = None if _FEATURE in components else feature_of(stream)
    simple = set(components) <= {"phenomenonTime", "result"} and "phenomenonTime" in components
    time_at = components.index("phenomenonTime") if simple else 0
    result_at = components.index("result")

    def read(row: Any) -> sensing.Reading:
        if not isinstance(row, list) or len(row) != width:
            raise wrong("", "一行要有 {width} 个值。", "A row needs {width} values.", width=width)
        if simple and type(result := row[result_at]) in (int, float) and "/" not in str(row[time_at]):
            if not math.isfinite(result) or row[time_at] is None:
                return slow(row)
            return sensing.Reading(
                stream, read_instant(row[time_at], column="phenomenonTime"), float(result), feature=usual
            )
        return slow(row)

    def slow(row: list[Any]) -> sensing.Reading:
        given = dict(zip(components, row, strict=True))
        columns = observation_of({"phenomenonTime": None, **given}, now=now)
        feature = given.get(_FEATURE, usual)
        if _FEATURE in given:
            feature = _feature_id(feature, stream)
        return sensing.Reading(
            stream,
            columns["phenomenon_time"],
            columns["value"],
            result=columns["result"],
            end=columns["phenomenon_end"],
            result_time=columns.get("result_time"),
            feature=feature,
            more=columns.get("more"),
        )

    known: dict[int, bool] = {}

    def _feature_id(pk: Any, stream: int) -> int | None:
        if pk is None:
            return feature_of(stream)
        if not isinstance(pk, int) or isinstance(pk, bool) or not 0 < pk < 2**63:
            raise wrong(_FEATURE, "应为整数。", "It must be a whole number.")
        if pk not in known:
            known[pk] = (
                rows_of(FEATURE).filter(pk=pk, city__in=rows_of(DATASTREAM).filter(pk=stream).values("city")).exists()
            )
        if not known[pk]:
            raise wrong(_FEATURE, "没有 FeaturesOfInterest({id})。", "There is no FeaturesOfInterest({id}).", id=pk)
        return pk

    return read


def _told(error: YiwangError, number: int) -> str:
    problems = error.problems if isinstance(error, BadInput) else ()
    where = problems[0].column if problems else ""
    text = say(problems[0].message) if problems else say(error.text)
    said = f"{where}: {text}" if where else text
    return say("第 {row} 行，", "row {row}, ", row=number) + said


def as_data_arrays(rows: Sequence[tuple[Any, ...]], select: Sequence[str], *, base: str) -> list[dict[str, Any]]:
    """Rows of observations as one array for each datastream, in the order in which the datastreams come first.

    Args:
        rows: Columns of `entities.OBSERVATION`.
        select: Names of components; none for the usual ones.
    """
    names = [name for name in _SHOWN if name in select] or list(_SHOWN[:_USUAL])
    stream_at = OBSERVATION.ends["Datastream"]
    arrays: dict[int, list[list[Any]]] = {}
    for row in rows:
        shown = OBSERVATION.show(row)
        shown["id"] = row[0]
        arrays.setdefault(row[stream_at], []).append([shown.get(name) for name in names])
    return [
        {
            "Datastream@iot.navigationLink": f"{base}/Datastreams({stream})",
            "components": names,
            "dataArray@iot.count": len(array),
            "dataArray": array,
        }
        for stream, array in arrays.items()
    ]
