"""What is usual for a stream, as `learning` keeps it for the rules of kind ``pattern``.

A kept baseline is of use as long as it was made the same way (`AlarmRule.learns`, the stream's unit, the city's zone); levels may
change without it. The days of the city's calendar are not kept with it: they are those of the pack in force.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from math import nan

import orjson

from yiwang.core.kernel.text import Text
from yiwang.core.observations.baseline import HOURS, Baseline
from yiwang.core.observations.conditions import Pattern
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.judging.rules import Fitted
from yiwang.server.sensing.judging.turns import Stream
from yiwang.server.sensing.models import KeptBaseline

BATCH = 500
MONDAY, SUNDAY = 0, 6
Key = tuple[int, str]  # datastream and condition
_days: dict[tuple[str, str], Mapping[date, int]] = {}
_CITIES = 50


def baselines(place: CityRuntime, asked: Mapping[int, tuple[Stream, Iterable[Fitted]]]) -> dict[Key, Baseline]:
    """The baseline of each stream for each of its rules of kind ``pattern``; one of which nothing is known where none is kept
    that can be used."""
    wanted = {
        (pk, one.rule.condition.id): (stream, one)
        for pk, (stream, rules) in asked.items()
        for one in rules
        if isinstance(one.rule.condition, Pattern)
    }
    if not wanted:
        return {}
    zone, days = place.calendar.zone, days_of(place)
    nothing = Baseline.unknown(zone)
    found = dict.fromkeys(wanted, nothing)
    ids = sorted({pk for pk, _ in wanted})
    for start in range(0, len(ids), BATCH):
        rows = KeptBaseline.objects.filter(datastream__in=ids[start : start + BATCH]).exclude(figures="")
        for pk, condition, how, figures in rows.values_list("datastream_id", "condition", "made_by", "figures"):
            if (pk, condition) not in wanted:
                continue
            stream, one = wanted[pk, condition]
            if how == made_by(one.rule.learns, stream.unit, zone.key):
                medians, spreads = (tuple(nan if n is None else n for n in part) for part in orjson.loads(figures))
                logarithmic = isinstance(one.rule.condition, Pattern) and one.rule.condition.logarithmic
                found[pk, condition] = Baseline(zone, medians, spreads, logarithmic, days)
    return found


def days_of(place: CityRuntime) -> Mapping[date, int]:
    """Days of the city's calendar that count as another day of the week: one off as a Sunday, a weekend's that is worked as a
    Monday."""
    key = (place.info.id, place.digest)
    if key not in _days:
        if len(_days) >= _CITIES:
            _days.clear()
        tables = {**place.calendar.expected, **place.calendar.years}.values()
        _days[key] = {
            **{day: SUNDAY for table in tables for day in table.free_weekdays},
            **{day: MONDAY for table in tables for day in table.worked_weekends},
        }
    return _days[key]


def judged_hours(place: CityRuntime, pk: int, stream: Stream, one: Fitted) -> Text:
    """In words, how far a rule of kind ``pattern`` can judge a stream."""
    kept = KeptBaseline.objects.filter(datastream=pk, condition=one.rule.condition.id).first()
    how = made_by(one.rule.learns, stream.unit, place.calendar.zone.key)
    if kept is None or kept.learned_at is None or kept.made_by != how:
        return Text("常值尚未学习，暂不判断", "not judged yet: what is usual has not been learned")
    if not kept.hours:
        return Text("历史读数不足，暂不判断", "not judged: too little history")
    return Text(
        "每周 {all} 个小时中 {n} 个有足够历史，可以判断",
        "{n} of the {all} hours of the week have enough history to be judged",
        n=kept.hours,
        all=HOURS,
    )


def symbol_of(unit: str) -> str:
    """The symbol of a unit that is given as JSON text."""
    return str((orjson.loads(unit) if unit else {}).get("symbol", ""))


@lru_cache(maxsize=4096)
def made_by(learns: str, unit: str, zone: str) -> str:
    """Changes with what a baseline is made by: the rule, the stream's unit (JSON text) and the name of the city's zone."""
    return hashlib.sha256(repr((learns, symbol_of(unit), zone)).encode()).hexdigest()[:16]
