"""Simulated sensors: what one says at a moment is a function of seed, stream, moment and orders, and of nothing before.

So any process can go on where another was killed, and a day can be made anew. Nothing here is measured: the formulas give
courses that look and alarm like those of real instruments. Where no source is named, figures are engineering judgement.
Hours of the day are those of the mean sun at the longitude, which needs no time zone; seasons are the northern ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from yiwang.core.observations.dice import Episodes, Floats, Integers, dice, episodes
from yiwang.core.observations.reservoir import SECONDS_OFF, depths

FLOOD, PUMP = "flood", "pump"
DAY, HOUR = 86_400, 3_600
_RAIN_BLOCK = 12 * HOUR
_LAG = 0.95  # of the hourly noise of the air
_LAGS = 72  # hours after which nothing of it is left: 0.95 ** 72 = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody tells the simulation: an event that changes what comes after it.

    Attributes:
        kind: ``flood``: it rains hard at a site and its pump fails, until a later ``pump``, at the latest six hours after the
            rain; ``pump``: it works again.
        site: Key of the site.
        at: POSIX seconds from which it holds.
        minutes: How long it rains. ``rain``: mm/h.
    """

    kind: str
    site: str
    at: int
    minutes: float = 0.0
    rain: float = 0.0

    @property
    def until(self) -> int:
        """When its rain is over."""
        return self.at + round(self.minutes * 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with an instrument at times.

    Attributes:
        stuck, gap, drift: The chance that in a day it sticks at a value, says nothing, or drifts away.
        spike: The chance of a single wrong value, for each reading.
        hours: The longest of these, up to 24.
    """

    stuck: float = 0.0
    gap: float = 0.0
    drift: float = 0.0
    spike: float = 0.0
    hours: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedStream:
    """A stream that is simulated.

    Attributes:
        kind: One of `KINDS`.
        key: Its own; ``site`` that of the place, at which rain gauge and water level see the same rain.
        seed: Of the city.
        every: Seconds from one reading to the next.
        lon, lat: Degrees, for the hours of the sun.
        faults: What is wrong with it at times.
    """

    kind: str
    key: str
    site: str
    seed: int
    every: int
    lon: float = 0.0
    lat: float = 0.0
    faults: Faults = field(default_factory=Faults)

    def draw(self, what: str, least: float = 0.0, most: float = 1.0) -> float:
        """A property of this stream that never changes."""
        return dice(self.seed, self.key, what).one(least, most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of simulated stream.

    Attributes:
        unit: As it is commonly written.
        low, high: Bounds of the instrument, in the unit.
        step: The smallest difference that it shows.
        spike: How far a spike goes. ``drift``: how far it has drifted at the end of an episode.
        course: What a sound instrument says; no number where it says nothing.
    """

    unit: str
    low: float
    high: float
    step: float
    spike: float
    drift: float
    course: Callable[[SimulatedStream, Integers, Sequence[Order]], Floats]


def due(stream: SimulatedStream, *, after: int, until: int) -> Integers:
    """When the stream reads after a moment, up to and including another: POSIX seconds. Each stream has its own second."""
    phase = int(stream.draw("phase") * stream.every)
    first = (after - phase) // stream.every + 1
    last = (until - phase) // stream.every
    return np.arange(first, last + 1, dtype=np.int64) * stream.every + phase


def simulate(stream: SimulatedStream, times: Integers, orders: Sequence[Order] = ()) -> Floats:
    """What the stream says.

    Args:
        stream: The stream.
        times: POSIX seconds, shape (n,).
        orders: All that were ever given in the city; those of other sites are left aside.

    Returns:
        Values in the unit of its kind, shape (n,), within its bounds; no number (NaN) where it says nothing.
    """
    kind = KINDS[stream.kind]
    if not len(times):
        return np.zeros(0)
    ours = [order for order in orders if order.site == stream.site]
    values = _with_faults(stream, kind, times, ours)
    result: Floats = np.round(np.clip(values, kind.low, kind.high) / kind.step) * kind.step
    return np.round(result, 6)


def _with_faults(stream: SimulatedStream, kind: Kind, times: Integers, orders: Sequence[Order]) -> Floats:
    faults = stream.faults

    def daily(what: str, chance: float) -> Episodes:
        return episodes(
            stream.seed, stream.key, what, times=times, block=DAY, chance=chance, least=0.25 * HOUR,
            most=faults.hours * HOUR,
        )  # fmt: skip

    values = kind.course(stream, times, orders)
    silent = np.isnan(values)
    if faults.drift:
        drifting = daily("drift", faults.drift)
        values = values + kind.drift * drifting.elapsed(times)
    if faults.stuck:
        stuck = daily("stuck", faults.stuck)
        for start in np.unique(stuck.start[stuck.inside]):
            held = kind.course(stream, np.array([start], np.int64), orders)[0]
            values[stuck.inside & (stuck.start == start)] = held
    if faults.spike:
        number = times // stream.every
        draws = dice(stream.seed, stream.key, "spike").uniform(number)
        values = values + np.where(draws < faults.spike, kind.spike, 0.0)
    if faults.gap:
        silent |= daily("gap", faults.gap).inside
    values[silent] = np.nan
    return values


# --- hours and seasons ----------------------------------------------------------------------------------------------------


def _sun_seconds(stream: SimulatedStream, times: Integers) -> Integers:
    """Seconds on the clock of the mean sun, 240 for a degree."""
    return times + round(240 * stream.lon)


def _part_of_day(stream: SimulatedStream, times: Integers) -> Floats:
    """0 at midnight, 0.5 at noon."""
    result: Floats = (_sun_seconds(stream, times) % DAY) / DAY
    return result


def _part_of_year(times: Integers) -> Floats:
    """0 on 1 January, to a day or so."""
    result: Floats = (times / DAY % 365.2425) / 365.2425
    return result


def _dark(stream: SimulatedStream, times: Integers) -> Floats:
    """1 between sunset and sunrise, else 0.

    Half a day is ``acos(−tan φ · tan δ)`` with the declination ``δ = −23.44° · cos(2π (day + 10) ÷ 365)`` (the sunrise
    equation; Cooper, The absorption of radiation in solar stills, 1969, has its declination in this form).
    """
    declination = -np.radians(23.44) * np.cos(2 * np.pi * (_part_of_year(times) + 10 / 365))
    half = np.arccos(np.clip(-np.tan(np.radians(stream.lat)) * np.tan(declination), -1.0, 1.0)) / (2 * np.pi)
    result: Floats = (np.abs(_part_of_day(stream, times) - 0.5) > half).astype(np.float64)
    return result


def _noise(stream: SimulatedStream, times: Integers) -> Floats:
    """White noise of standard deviation 1, bounded to 3."""
    return np.clip(dice(stream.seed, stream.key, "noise").normal(times), -3.0, 3.0)


# --- the kinds ------------------------------------------------------------------------------------------------------------


def _rain_at(seed: int, site: str, times: Integers, orders: Sequence[Order]) -> Floats:
    """mm/h at a site: showers of the whole city, each site with 0.7 to 1.3 of them, and what is ordered.

    In each half day a shower begins with a chance of 0.2; it lasts one to six hours, rises to its peak in a third of that and
    falls off evenly (a triangular hyetograph: Yen and Chow, Design hyetographs for small drainage structures, 1980). Peaks
    are exponential with mean 3.5 mm/h, at most 40. That makes some 900 mm a year.
    """
    shower = episodes(seed, "rain", times=times, block=_RAIN_BLOCK, chance=0.2, least=HOUR, most=6 * HOUR)
    peak = np.minimum(-3.5 * np.log1p(-dice(seed, "rain", "peak").uniform(shower.number)), 40.0)
    over = shower.elapsed(times)
    shape = np.where(over < 1 / 3, 3 * over, 1.5 * (1 - over))
    share = dice(seed, site, "rain", "share").one(0.7, 1.3)
    rain: Floats = np.where(shower.inside, share * peak * shape, 0.0)
    for order in orders:
        if order.kind == FLOOD:
            rain = rain + np.where((order.at <= times) & (times < order.until), order.rain, 0.0)
    return rain


def _rain(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """mm/h, as `_rain_at` has it."""
    return _rain_at(stream.seed, stream.site, times, orders)


def _pump_runs(seed: int, site: str, times: Integers, orders: Sequence[Order]) -> Floats:
    """1 where the pump of a site works: it fails with a chance of 0.01 a day for up to three hours, and as it is ordered."""
    repaired = sorted(order.at for order in orders if order.kind == PUMP)
    failing = episodes(seed, site, "pump", times=times, block=DAY, chance=0.01, least=HOUR, most=3 * HOUR)
    fails = failing.inside.copy()
    for moment in repaired:
        fails &= ~((failing.start <= moment) & (moment <= times))
    for order in orders:
        if order.kind == FLOOD:
            back = min([at for at in repaired if at > order.at] + [order.until + SECONDS_OFF])
            fails |= (order.at <= times) & (times < back)
    return (~fails).astype(np.float64)


def _water_level(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """cm at the lowest point of an underpass: a linear reservoir, see `yiwang.core.observations.reservoir`.

    Its catchment is 50 to 70 times the floor on which the water gathers.
    """
    seed, site = stream.seed, stream.site
    return depths(
        times,
        rain=lambda moments: _rain_at(seed, site, moments, orders),
        pump=lambda moments: _pump_runs(seed, site, moments, orders),
        catchment=dice(seed, site, "catchment").one(50.0, 70.0),
    )


def _bin_fill(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """% of a bin that is emptied once a day between five and eight, and left out with a chance of 0.006.

    It takes 45 to 65 % of itself on a day, 0.85 to 1.15 of that on one or another, at a rate of ``1 − 0.6 · cos(2π · part of
    the day)``: most at noon. A bin that was left out is full on the next day.
    """
    usual = stream.draw("usual", 45.0, 65.0)
    hour = stream.draw("emptied", 5 / 24, 8 / 24)
    busy, missed = dice(stream.seed, stream.key, "busy"), dice(stream.seed, stream.key, "missed")
    seconds = _sun_seconds(stream, times)
    # days begin when the bin is to be emptied, so that each has one load
    emptied = seconds - round(hour * DAY)
    days, part = emptied // DAY, (emptied % DAY) / DAY
    load = _load(part, hour) * usual * busy.between(days, 0.85, 1.15)
    still = np.ones(times.shape, np.bool_)
    for back in range(3):
        still &= missed.uniform(days - back) < 0.006
        load = load + np.where(still, usual * busy.between(days - back - 1, 0.85, 1.15), 0.0)
    return load + 0.7 * _noise(stream, times)


def _load(part: Floats, hour: float) -> Floats:
    """The share of a day's load that has come after a part of a day that began at an hour (a part of a day as well)."""
    wave = 0.6 / (2 * np.pi)
    result: Floats = part - wave * (np.sin(2 * np.pi * (part + hour)) - np.sin(2 * np.pi * hour))
    return result


def _slow_noise(seed: int, *names: str, times: Integers) -> Floats:
    """Noise that forgets within hours: ``x(h) = 0.95 · x(h − 1) + e``, cut off after 72 hours, and straight between hours."""
    weights = np.sqrt(1 - _LAG**2) * _LAG ** np.arange(_LAGS)
    hours = times // HOUR
    draws = dice(seed, *names, "hours")

    def at(wanted: Integers) -> Floats:
        result: Floats = draws.normal(wanted[:, None] - np.arange(_LAGS)[None, :]) @ weights
        return result

    over = (times % HOUR) / HOUR
    result: Floats = (1 - over) * at(hours) + over * at(hours + 1)
    return result


def _air_noise(stream: SimulatedStream, times: Integers) -> Floats:
    """What the whole city has in common, and a smaller part of the station's own."""
    common = _slow_noise(stream.seed, stream.kind, times=times)
    own = _slow_noise(stream.seed, stream.key, times=times)
    return 0.9 * common + 0.35 * own


def _weekday(stream: SimulatedStream, times: Integers) -> Floats:
    """1 from Monday to Friday, 0 at the weekend. Day 0 of the epoch was a Thursday."""
    return ((_sun_seconds(stream, times) // DAY + 3) % 7 < 5).astype(np.float64)


def _pm25(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """µg/m³: 26, more in winter, twice a day with the traffic, a tenth more on weekdays, and lognormal slow noise."""
    part = _part_of_day(stream, times)
    season = 1 + 0.45 * np.cos(2 * np.pi * (_part_of_year(times) - 15 / 365))
    daily = 1 + 0.15 * np.cos(4 * np.pi * (part - 8.5 / 24))
    weekly = 0.95 + 0.1 * _weekday(stream, times)
    return stream.draw("usual", 22.0, 30.0) * season * daily * weekly * np.exp(0.4 * _air_noise(stream, times))


def _ozone(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """µg/m³: made by the sun, so most at two in the afternoon and in June; lognormal slow noise."""
    part = _part_of_day(stream, times)
    season = 1 + 0.5 * np.cos(2 * np.pi * (_part_of_year(times) - 165 / 365))
    daily = 0.35 + np.maximum(np.cos(2 * np.pi * (part - 14 / 24)), 0.0) ** 1.5
    usual = stream.draw("usual", 70.0, 90.0) * (1.05 - 0.1 * _weekday(stream, times))
    return usual * season * daily * np.exp(0.25 * _air_noise(stream, times))


def _tilt(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """Degrees of a manhole cover: at rest 0 to 3; with a chance of 0.003 a day it stands open at 18 to 60 for hours."""
    moved = episodes(stream.seed, stream.key, "moved", times=times, block=DAY, chance=0.003, least=HOUR, most=6 * HOUR)
    angle = dice(stream.seed, stream.key, "angle").between(moved.number, 18.0, 60.0)
    return stream.draw("rest", 0.3, 2.5) + 0.1 * _noise(stream, times) + np.where(moved.inside, angle, 0.0)


def _lamp_current(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """% of the rated current of a lamp circuit, while it is dark; by day it says nothing.

    With a chance of 0.008 a day some lamps fail (60 to 85 % are left), one time in four all of them.
    """
    failed = episodes(stream.seed, stream.key, "out", times=times, block=DAY, chance=0.008, least=HOUR, most=8 * HOUR)
    left = dice(stream.seed, stream.key, "left").between(failed.number, 60.0, 85.0)
    left = np.where(dice(stream.seed, stream.key, "all").uniform(failed.number) < 0.25, 3.0, left)
    sound = stream.draw("usual", 98.5, 101.5) + 0.4 * _noise(stream, times)
    result: Floats = np.where(_dark(stream, times) > 0, np.where(failed.inside, left, sound), np.nan)
    return result


def _ammonia(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """mg/m³ in a public toilet: with its use by day; with a chance of 0.02 a day not cleaned for hours, 1.2 to 2 more."""
    part = _part_of_day(stream, times)
    dirty = episodes(stream.seed, stream.key, "dirty", times=times, block=DAY, chance=0.02, least=HOUR, most=3 * HOUR)
    peak = dice(stream.seed, stream.key, "peak").between(dirty.number, 1.2, 2.0)
    shape = np.clip(6 * np.minimum(dirty.elapsed(times), 1 - dirty.elapsed(times)), 0.0, 1.0)
    use = 0.06 * (1 - np.cos(2 * np.pi * part)) * stream.draw("use", 0.6, 1.0)
    result: Floats = 0.05 + use + 0.01 * _noise(stream, times) + np.where(dirty.inside, peak * shape, 0.0)
    return result


def _noise_level(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """dB(A) from six to twenty-two; with a chance of 0.02 a day something loud for up to an hour and a half."""
    part = _part_of_day(stream, times)
    loud = episodes(
        stream.seed, stream.key, "loud", times=times, block=DAY, chance=0.02, least=HOUR / 3, most=1.5 * HOUR
    )
    more = dice(stream.seed, stream.key, "more").between(loud.number, 18.0, 24.0)
    usual = stream.draw("usual", 50.0, 53.0) + 3 * np.sin(np.pi * (part * 24 - 6) / 16) + 0.8 * _noise(stream, times)
    day = (part >= 6 / 24) & (part < 22 / 24)
    return np.where(day, usual + np.where(loud.inside, more, 0.0), np.nan)


def _battery(stream: SimulatedStream, times: Integers, orders: Sequence[Order]) -> Floats:
    """% of a battery that lasts 200 to 600 days, and is replaced at 10."""
    life = stream.draw("life", 200.0, 600.0) * DAY
    result: Floats = 100 - 90 * ((stream.draw("age") + times / life) % 1.0)
    return result


KINDS: Mapping[str, Kind] = {
    "rain": Kind(unit="mm/h", low=0, high=200, step=0.1, spike=60, drift=0.5, course=_rain),
    "water_level": Kind(unit="cm", low=0, high=300, step=0.1, spike=40, drift=1.5, course=_water_level),
    "bin_fill": Kind(unit="%", low=0, high=100, step=1, spike=60, drift=5, course=_bin_fill),
    "air_pm25": Kind(unit="µg/m³", low=1, high=999, step=1, spike=300, drift=15, course=_pm25),
    "air_ozone": Kind(unit="µg/m³", low=1, high=999, step=1, spike=300, drift=15, course=_ozone),
    "tilt": Kind(unit="°", low=0, high=90, step=0.1, spike=50, drift=1.5, course=_tilt),
    "lamp_current": Kind(unit="%", low=0, high=150, step=0.1, spike=-60, drift=-2, course=_lamp_current),
    "ammonia": Kind(unit="mg/m³", low=0, high=20, step=0.01, spike=3, drift=0.04, course=_ammonia),
    "noise": Kind(unit="dB(A)", low=30, high=120, step=0.1, spike=30, drift=1.5, course=_noise_level),
    "battery": Kind(unit="%", low=0, high=100, step=1, spike=-20, drift=-3, course=_battery),
}  # fmt: skip
