"""The simulated sensors of a city in the store: made where they are missing, and kept reading.

What they say is a function of time (`yiwang.core.observations.simulating`), so a process that was killed is followed by one that
looks how far each stream is and goes on. Every reading is written once, whoever writes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
from django.db import transaction

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import SECOND, from_micros, to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.simulating import FLOOD, KINDS, PUMP, Order, SimulatedStream, due, simulate
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.simulated import SimulatedThing
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.api import (
    DatastreamState,
    Device,
    Reading,
    StreamSaid,
    Thing,
    find_or_make,
    stream_ids,
    write_observations,
)
from yiwang.server.simulated.models import SimulationOrder
from yiwang.server.simulated.publishing import BLOCK, Publisher, message_of, topic_of

MADE_UP = timedelta(hours=24)  # how far back a stream begins, and how much is made up after a pause
LIVE = timedelta(minutes=10)  # what is older is past when it is written, and raises no alarm
MARK = {"simulated": True}
_WINDOW = 6 * 3600  # seconds of the past that are reckoned together
_BEAT = 60  # seconds from one sign of life of the devices to the next
_AT_ONCE = 25  # things that are made in one transaction
_MINUTES, _RAIN = (1.0, 360.0), (1.0, 200.0)


def simulated_things(place: CityRuntime) -> list[SimulatedThing]:
    """What the pack of a city says is simulated.

    Raises:
        BadInput: It says nothing.
    """
    sensors = place.pack.simulated_sensors
    if sensors is None:
        raise BadInput(
            Problem(
                Text("{city} 的城市包没有 simulated.toml。", "The pack of {city} has no simulated.toml.", city=place.info.id),
                Text("见 docs/guide/sensing.md。", "See docs/guide/sensing.md."),
            )
        )  # fmt: skip
    return list(sensors.things(place.regions.on(place.day)))


# --- making -------------------------------------------------------------------------------------------------------------


def make_sensors(place: CityRuntime, things: Sequence[SimulatedThing]) -> int:
    """Make the things, datastreams and devices that are not there yet; how many datastreams were made."""
    city, language = place.info.id, place.info.language
    there = set(stream_ids(city))
    wanted = iter([thing for thing in things if any(stream.key not in there for stream, _ in thing.streams)])
    made = 0
    while part := list(islice(wanted, _AT_ONCE)):
        with transaction.atomic():
            made += sum(_make(place, thing, language) for thing in part)
    return made


def _make(place: CityRuntime, thing: SimulatedThing, language: str) -> int:
    name = thing.name.into(language)
    properties = {**MARK, "name_en": thing.name.en}
    row, _ = Thing.objects.get_or_create(
        city=place.info.id, key=thing.key, defaults={"name": name, "properties": properties}
    )
    Device.objects.get_or_create(
        city=place.info.id, key=thing.key, defaults={"name": name, "thing": row, "said": dict(MARK)}
    )
    return sum(find_or_make(place, _said(thing, stream, observed, name))[1] for stream, observed in thing.streams)


def _said(thing: SimulatedThing, stream: SimulatedStream, observed: str, name: str) -> StreamSaid:
    kind = KINDS[stream.kind]
    return StreamSaid(
        key=stream.key,
        name=f"{name} · {observed}",
        observed=observed,
        unit=kind.unit,
        thing=thing.key,
        lon=thing.lon,
        lat=thing.lat,
        least=kind.low,
        greatest=kind.high,
        properties={**MARK, "kind": stream.kind, "every": stream.every, "name_en": thing.name.en},
    )


# --- orders -------------------------------------------------------------------------------------------------------------


def order_flood(place: CityRuntime, *, site: str, minutes: float, rain: float, at: datetime) -> SimulationOrder:
    """Let it rain hard at a site whose pump fails from then on.

    Args:
        site: Key of a thing that has a water level.
        minutes: How long it rains, 1 to 360. ``rain``: mm/h, 1 to 200.
        at: Now; it holds from the second after the next on, which no reading has passed yet.

    Raises:
        BadInput: There is no such site, or a figure is out of bounds.
    """
    _check_site(place, site)
    _check_figure("minutes", minutes, _MINUTES)
    _check_figure("rain", rain, _RAIN)
    return SimulationOrder.objects.create(
        city=place.info.id, site=site, kind=FLOOD, at=_next_second(at), minutes=minutes, rain=rain
    )


def order_pump(place: CityRuntime, *, site: str, at: datetime) -> SimulationOrder:
    """Let the pump of a site work again.

    Raises:
        BadInput: There is no such site.
    """
    _check_site(place, site)
    return SimulationOrder.objects.create(city=place.info.id, site=site, kind=PUMP, at=_next_second(at))


def _next_second(at: datetime) -> int:
    return (math.ceil(to_micros(at) / SECOND) + 1) * SECOND


def _check_site(place: CityRuntime, site: str) -> None:
    sites = [
        thing.key
        for thing in simulated_things(place)
        if any(stream.kind == "water_level" for stream, _ in thing.streams)
    ]
    if site not in sites:
        raise BadInput(
            Problem(
                Text("没有模拟的下穿通道「{site}」。", "There is no simulated underpass {site!r}.", site=site),
                did_you_mean(site, sites) or one_of(sites),
            )
        )


def _check_figure(name: str, value: float, bounds: tuple[float, float]) -> None:
    least, most = bounds
    if not least <= value <= most:
        message = Text("{name} 不能是 {value:g}。", "{name} cannot be {value:g}.", name=name, value=value)
        hint = Text("可填 {least:g} 到 {most:g}。", "{least:g} to {most:g}.", least=least, most=most)
        raise BadInput(Problem(message, hint, column=name))


def orders_of(city: str) -> list[Order]:
    """All orders that a city was ever given."""
    return [
        Order(kind=one.kind, site=one.site, at=one.at // SECOND, minutes=one.minutes, rain=one.rain)
        for one in SimulationOrder.objects.filter(city=city).order_by("at", "id")
    ]


# --- reading ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Course:
    """A stream and how far it is: POSIX seconds of the last reading that was made."""

    stream: SimulatedStream
    datastream: int
    thing: str
    done: int

    def take(self, until: int, orders: Sequence[Order]) -> list[Reading]:
        """The readings that have become due."""
        times = due(self.stream, after=self.done, until=until)
        self.done = max(self.done, until)
        values = simulate(self.stream, times, orders)
        return [
            Reading(self.datastream, int(time) * SECOND, float(value))
            for time, value in zip(times, values, strict=True)
            if not np.isnan(value)
        ]


@dataclass(slots=True)
class Simulation:
    """The simulated sensors of a city while they run.

    Attributes:
        city: Its id.
        publisher: Where readings go.
        courses: The streams.
    """

    city: str
    publisher: Publisher
    courses: list[_Course]
    things: Sequence[SimulatedThing]
    heard: set[str] = field(default_factory=set)
    beaten: int = 0

    @classmethod
    def begin(
        cls, place: CityRuntime, *, publisher: Publisher, now: datetime, since: datetime | None = None
    ) -> Simulation:
        """Go on where each stream is; a stream without readings begins a day ago.

        Args:
            since: Begin there, whatever is there already.
        """
        things, city = simulated_things(place), place.info.id
        ids = stream_ids(city)
        last = dict(DatastreamState.objects.filter(datastream__city=city).values_list("datastream_id", "last_time"))
        earliest = to_micros(now - MADE_UP)
        courses = []
        for thing in things:
            for stream, _ in thing.streams:
                start = to_micros(since) if since else max(last.get(ids[stream.key]) or 0, earliest)
                courses.append(_Course(stream, ids[stream.key], thing.key, start // SECOND))
        return cls(city, publisher, courses, things)

    def catch_up(self, now: datetime) -> Iterator[int]:
        """Write what is past in the order of time, each block as if it had come in at its end; how many readings those were."""
        end, orders = to_micros(now - LIVE) // SECOND, orders_of(self.city)
        moment = min((course.done for course in self.courses), default=end)
        while moment < end:
            moment = min(moment + _WINDOW, end)
            readings = [one for course in self.courses if course.done < moment for one in course.take(moment, orders)]
            readings.sort(key=lambda one: one.time)
            for start in range(0, len(readings), BLOCK):
                part = readings[start : start + BLOCK]
                write_observations(part, received=part[-1].time, judge=False)
                yield len(part)
            self.heard.update(course.thing for course in self.courses)
            if moment == end:
                self._beat(end)

    def turn(self, now: datetime) -> int:
        """Publish what has become due; how many readings that were."""
        moment, orders = to_micros(now) // SECOND, orders_of(self.city)
        count = 0
        for course in self.courses:
            for one in course.take(moment, orders):
                if one.value is not None:
                    self.publisher.publish(topic_of(self.city, course.stream.key), message_of(one.time, one.value))
                    self.heard.add(course.thing)
                    count += 1
        self.publisher.flush()
        if moment - self.beaten >= _BEAT:
            self._beat(moment)
        return count

    def _beat(self, moment: int) -> None:
        """Signs of life of the devices that were heard, and how full their batteries are."""
        self.beaten = moment
        devices = {one.key: one for one in Device.objects.filter(city=self.city, key__in=self.heard)}
        for key, device in devices.items():
            heard = from_micros(moment * SECOND)
            device.last_seen = max(device.last_seen or heard, heard)
            device.battery = self._battery(key, moment)
        with transaction.atomic():
            Device.objects.bulk_update(devices.values(), ["last_seen", "battery"], batch_size=200)
        self.heard.clear()

    def _battery(self, key: str, moment: int) -> float:
        seed = self.courses[0].stream.seed
        stream = SimulatedStream(kind="battery", key=f"{key}-battery", site=key, seed=seed, every=3600)
        return float(simulate(stream, np.array([moment], np.int64))[0])


def run_simulation(
    place: CityRuntime,
    *,
    publisher: Callable[[], Publisher],
    now: Callable[[], datetime],
    wait: Callable[[float], Any],
    stop: Callable[[], bool] = lambda: False,
    since: datetime | None = None,
    once: bool = False,
    rate: float = 0.0,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> int:
    """Make what is missing, write what is past, and keep reading until somebody stops it.

    Args:
        publisher: Makes the one that takes live readings, once the datastreams are there.
        now: The clock. ``wait``: sleeps for some seconds.
        since: Begin there instead of where each stream is.
        once: End when nothing is due any more.
        rate: Readings a second at most; 0 for as many as there are.
        progress: Takes how many readings were made, and 0 for their unknown total.

    Returns:
        How many readings were made.

    Raises:
        BadInput: The pack has no simulated sensors, or a broker does not take the readings.
    """
    made = make_sensors(place, simulated_things(place))
    total = 0
    taker = publisher()
    try:
        running = Simulation.begin(place, publisher=taker, now=now(), since=since)
        progress(made, 0)
        for count in running.catch_up(now()):
            total += count
            progress(total, 0)
            if stop():
                return total
            wait(count / rate if rate else 0.0)
        while not stop():
            count = running.turn(now())
            total += count
            progress(total, 0)
            if once:
                break
            wait(max(1.0, count / rate if rate else 0.0))
    finally:
        taker.close()
    return total
