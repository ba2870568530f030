"""The rules on real readings: floods in New York, people in Melbourne, air in Beijing, bins in Boston.

The thresholds are those of `tests/fixtures/alarms.toml`, which were not fitted to any of them. ``python -m
tests.core.test_detection_real`` prints the tables of docs/reference/alarms.md. Needs ../shared/data.
"""

from __future__ import annotations

import csv
import gzip
import statistics
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from yiwang.core.observations.alarms import Alarm, Episode, Turn, episodes
from yiwang.core.observations.baseline import learn
from yiwang.core.observations.conditions import Combination, Condition, Pattern, Threshold
from yiwang.core.observations.declared import read_conditions
from yiwang.core.observations.detecting import detector
from yiwang.core.observations.quality import Instrument, QualityCheck
from yiwang.core.observations.series import alarms_of_series

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
FLOODS, BINS = DATA / "sensors_flood_nyc", DATA / "sensors_bins_boston"
PEOPLE, AIR = DATA / "sensors_pedestrians_melbourne", DATA / "sensors_air_beijing"
Floats = NDArray[np.float64]
Series = dict[str, tuple[Floats, Floats]]

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FLOODS.is_dir(), reason="needs ../shared/data/sensors_flood_nyc and its neighbours"),
]


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


@cache
def rules() -> dict[str, Condition | Combination]:
    tables = tomllib.loads((ROOT / "tests/fixtures/alarms.toml").read_text(encoding="utf-8"))["alarm"]
    return {condition.id: condition for condition in read_conditions(tables, "alarms.toml")}


@cache
def series_in(folder: Path) -> Series:
    """Times and values of each stream, in order of time."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows(folder / "readings.csv.gz"):
        found[row["stream"]].append((moment(row["time"]), float(row["value"])))
    arrays = {}
    for stream, readings in found.items():
        readings.sort(key=lambda reading: reading[0])
        arrays[stream] = (np.array([time for time, _ in readings]), np.array([value for _, value in readings]))
    return arrays


# --- floods -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flood:
    stream: str
    start: float
    end: float
    peak: float


@cache
def published_floods() -> tuple[Flood, ...]:
    return tuple(
        Flood(row["stream"], moment(row["start"]), moment(row["end"]), float(row["max_depth_inches"]))
        for row in rows(FLOODS / "events.csv")
    )


@cache
def flood_alarms() -> tuple[Alarm, ...]:
    """Reading by reading, all streams in the order of time, through quality and the rule, with the clock at the end."""
    rule = rules()["street_flood"]
    assert isinstance(rule, Threshold)
    gauge = Instrument(low=0.0, high=120.0, rest_low=0.0, rest_high=0.0)
    stream_of = series_in(FLOODS)
    judges = {stream: (QualityCheck(gauge), detector(rule, stream=stream)) for stream in stream_of}
    arriving = sorted(
        (
            (time, stream, value)
            for stream, (times, values) in stream_of.items()
            for time, value in zip(times.tolist(), values.tolist(), strict=True)
        ),
        key=lambda reading: reading[0],
    )
    alarms: list[Alarm] = []
    for time, stream, value in arriving:
        check, judge = judges[stream]
        if check.check(time, value, time).judged:
            alarms += judge.feed(time, value)
    for _, judge in judges.values():
        alarms += judge.advance(arriving[-1][0] + 86_400)
    return tuple(alarms)


def compare_floods(found: list[Episode], published: tuple[Flood, ...]) -> dict[str, float]:
    """One alarm for one event: it is raised within it. A second in the same event is false, a merged event is missed."""
    by_stream: dict[str, list[Episode]] = defaultdict(list)
    for episode in found:
        by_stream[episode.stream].append(episode)
    delays, peaks, matched = [], 0, set()
    for flood in published:
        for episode in by_stream[flood.stream]:
            if flood.start <= episode.start <= flood.end + 1 and id(episode) not in matched:
                matched.add(id(episode))
                delays.append(episode.start - flood.start)
                peaks += abs(episode.peak - flood.peak) < 0.02
                break
    return {
        "events": len(published),
        "alarms": len(found),
        "found": len(delays),
        "recall": len(delays) / len(published),
        "precision": len(matched) / len(found),
        "median_delay": statistics.median(delays),
        "delay_90": float(np.percentile(delays, 90)),
        "same_peak": peaks / len(delays),
    }


def test_the_floods_that_were_published_are_found() -> None:
    result = compare_floods(episodes(flood_alarms()), published_floods())
    assert result["events"] == 1226
    assert result["recall"] >= 0.95
    assert result["precision"] >= 0.95
    assert result["median_delay"] <= 300


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
def test_no_year_is_left_behind(year: int) -> None:
    def within(time: float) -> bool:
        return datetime.fromtimestamp(time, ZoneInfo("UTC")).year == year

    result = compare_floods(
        [one for one in episodes(flood_alarms()) if within(one.start)],
        tuple(one for one in published_floods() if within(one.start)),
    )
    assert min(result["recall"], result["precision"]) >= 0.95, result


def test_in_bulk_the_floods_are_the_same() -> None:
    rule = rules()["street_flood"]
    assert isinstance(rule, Threshold)
    last = max(float(times[-1]) for times, _ in series_in(FLOODS).values())
    bulk = chain.from_iterable(
        alarms_of_series(rule, times, values, stream=stream, now=last + 86_400)
        for stream, (times, values) in series_in(FLOODS).items()
    )
    assert episodes(bulk) == episodes(flood_alarms())


# --- what is usual ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Month:
    """A stream's month, judged by what was usual in the weeks before it."""

    stream: str
    month: str
    readings: int
    judged: int
    alarms: int
    injected: int
    detected: int


# public holidays of Victoria in 2016; by its law, not by these counts
HOLIDAYS = [
    *(date(2016, 1, day) for day in (1, 26)),
    *(date(2016, 3, day) for day in (14, 25, 26, 27, 28)),
    *(date(2016, month, day) for month, day in ((4, 25), (6, 13), (9, 30), (11, 1), (12, 25), (12, 26), (12, 27))),
]


def months_of(
    rule: Pattern,
    stream: str,
    times: Floats,
    values: Floats,
    zone: ZoneInfo,
    factor: float,
    days: Mapping[date, int] | None = None,
) -> list[Month]:
    """Each month from the third on, and twenty anomalies put into it, one at a time: six hours times a factor."""
    found = []
    year = datetime.fromtimestamp(float(times[len(times) // 2]), zone).year
    for month in range(3, 13):
        start = datetime(year, month, 1, tzinfo=zone).timestamp()
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone).timestamp()
        inside = (times >= start) & (times < end)
        if inside.sum() < 200:
            continue
        usual = learn(rule, times, values, zone, now=start, days=days)
        when, what = times[inside], values[inside]
        alarms = alarms_of_series(rule, when, what, stream=stream, baseline=usual)
        detected = injected = 0
        draw = np.random.default_rng(month)
        for place in draw.integers(0, when.size - 6, 20).tolist():
            span = (when >= when[place]) & (when < when[place] + 6 * 3600)
            if any(
                one.start < when[place] + 6 * 3600 and (one.end is None or one.end >= when[place])
                for one in episodes(alarms)
            ):
                continue  # an alarm of its own stands there
            injected += 1
            changed = np.where(span, what * factor, what)
            detected += any(
                when[place] <= one.time < when[place] + 6 * 3600 and one.turn is Turn.RAISED
                for one in alarms_of_series(rule, when, changed, stream=stream, baseline=usual)
            )
        found.append(
            Month(
                stream,
                f"{year}-{month:02}",
                int(inside.sum()),
                int(np.isfinite(usual.departures(when, what)).sum()),
                sum(one.turn is Turn.RAISED for one in alarms),
                injected,
                detected,
            )
        )
    return found


@cache
def people_months(factor: float = 0.0, *, holidays: bool = False) -> list[Month]:
    rule = rules()["people_unusual"]
    assert isinstance(rule, Pattern)
    zone = ZoneInfo("Australia/Melbourne")
    days = dict.fromkeys(HOLIDAYS, 6) if holidays else {}
    return [
        month
        for stream, (times, values) in sorted(series_in(PEOPLE).items())
        for month in months_of(rule, stream, times, values, zone, factor, days)
    ]


@cache
def air_months(quantity: str = "PM2.5", factor: float = 8.0) -> list[Month]:
    rule = rules()["air_unusual"]
    assert isinstance(rule, Pattern)
    return [
        month
        for stream, (times, values) in sorted(series_in(AIR).items())
        if stream.endswith(f".{quantity}")
        for month in months_of(rule, stream, times, values, ZoneInfo("Asia/Shanghai"), factor)
    ]


def rate(months: list[Month]) -> dict[str, float]:
    return {
        "stream_months": len(months),
        "alarms_per_stream_month": sum(month.alarms for month in months) / len(months),
        "judged": sum(month.judged for month in months) / sum(month.readings for month in months),
        "median": statistics.median(month.alarms for month in months),
        "most": max(month.alarms for month in months),
        "injected": sum(month.injected for month in months),
        "detected": sum(month.detected for month in months) / max(1, sum(month.injected for month in months)),
    }


def test_what_is_unusual_among_people_is_rare_and_a_dead_counter_is_found() -> None:
    assert rate(people_months(0.0, holidays=True))["alarms_per_stream_month"] < 1
    dead, crowd = rate(people_months(0.0)), rate(people_months(5.0))
    assert dead["stream_months"] == 67
    assert dead["alarms_per_stream_month"] < 2
    assert dead["detected"] > 0.98
    assert crowd["detected"] > 0.9


def test_what_is_unusual_in_the_air_is_rare_but_so_is_its_detection() -> None:
    """PM2.5 has no weekly pattern to speak of: eight times the concentration is within what eight weeks have seen."""
    air = rate(air_months())
    assert air["stream_months"] == 40
    assert air["alarms_per_stream_month"] < 1
    assert air["detected"] < 0.5


# --- bins ---------------------------------------------------------------------------------------------------------------


@cache
def bins() -> dict[str, float]:
    """Full bins, and the time until they were emptied."""
    rule = rules()["bin_level"]
    assert isinstance(rule, Threshold)
    collected: dict[str, list[float]] = defaultdict(list)
    for row in rows(BINS / "readings.csv.gz"):
        if row["collected"] == "1":
            collected[row["stream"]].append(moment(row["time"]))
    waits = []
    full = unended = uncollected = 0
    for stream, (times, values) in series_in(BINS).items():
        for one in episodes(alarms_of_series(rule, times, values, stream=stream)):
            full += 1
            after = [time for time in collected[stream] if time >= one.start]
            unended += one.end is None
            if one.end is not None and (not after or min(after) > one.end):
                uncollected += 1
            if after:
                waits.append((min(after) - one.start) / 3600)
    return {
        "streams": len(series_in(BINS)),
        "full": full,
        "emptied": len(waits),
        "still_full": unended,
        "cleared_without_collection": uncollected,
        "median_hours": statistics.median(waits),
        "hours_90": float(np.percentile(waits, 90)),
    }


def test_full_bins_and_the_time_until_they_are_emptied() -> None:
    result = bins()
    assert result["full"] > 4_000
    assert result["emptied"] + result["still_full"] >= 0.99 * result["full"]
    assert 6 < result["median_hours"] < 24


# --- speed --------------------------------------------------------------------------------------------------------------


def speed(condition: str = "street_flood", times_over: int = 10) -> dict[str, float]:
    """Readings a second: of processor time: one detector for each stream fed one by one, and the same series at once."""
    rule = rules()[condition]
    assert isinstance(rule, Threshold)
    one = [(stream, *arrays) for stream, arrays in sorted(series_in(FLOODS).items())]
    jobs = []
    for stream, times, values in one:
        span = times[-1] - times[0] + 1e6
        jobs.append(
            (
                stream,
                np.concatenate([times + turn * span for turn in range(times_over)]),
                np.tile(values, times_over),
            )
        )
    lists = [(stream, times.tolist(), values.tolist()) for stream, times, values in jobs]
    count = sum(times.size for _, times, _ in jobs)
    streaming, bulk = [], []
    for _ in range(3):
        begin = process_time()
        streamed = 0
        for stream, moments, figures in lists:
            feed = detector(rule, stream=stream).feed
            for time, value in zip(moments, figures, strict=True):
                if alarms := feed(time, value):
                    streamed += len(alarms)
        streaming.append(process_time() - begin)
        begin = process_time()
        at_once = sum(len(alarms_of_series(rule, times, values, stream=stream)) for stream, times, values in jobs)
        bulk.append(process_time() - begin)
        assert at_once == streamed
    return {"readings": count, "alarms": at_once, "streaming": count / min(streaming), "bulk": count / min(bulk)}


if __name__ == "__main__":
    print("floods", compare_floods(episodes(flood_alarms()), published_floods()))
    print("turns", Counter(alarm.turn.value for alarm in flood_alarms()))
    for condition in ("street_flood", "bin_level"):  # four levels with debounce, and one plain threshold
        print("speed", condition, speed(condition))
    print("bins", bins())
    for factor in (0.0, 0.2, 5.0):
        for holidays in (False, True):
            print("people", factor, holidays, rate(people_months(factor, holidays=holidays)))
    for quantity in ("PM2.5", "NO2", "O3"):
        print("air", quantity, rate(air_months(quantity)))
    for month in [*people_months(0.0), *air_months()]:
        print(month.stream, month.month, month.alarms, f"{month.judged / month.readings:.2f}")
