"""Which adapter of which city reads the messages of a topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from yiwang.core.observations.payloads import Adapter as Reader
from yiwang.core.observations.topics import read_topic
from yiwang.packs.adapters import ROOT, STREAMS, Adapter
from yiwang.server.cities.queries import CityRuntime, cities, runtime


@dataclass(frozen=True, slots=True)
class Route:
    """Topics that an adapter of a city reads.

    Attributes:
        filter: As a broker takes it in a subscription.
        reader: The adapter's, which knows this topic's levels.
    """

    city: str
    adapter: Adapter
    reader: Reader
    filter: str
    pattern: re.Pattern[str]

    def device(self, topic: str) -> str:
        """Which device the topic names; empty where it names none."""
        found = self.pattern.fullmatch(topic)
        return found.groupdict().get("device", "") if found else ""


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes: those below a city's own topics, and those of other networks."""

    own: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)  # by city, for every installed one
    absolute: tuple[Route, ...] = ()

    def of(self, topic: str) -> tuple[str, str, tuple[Route, ...]]:
        """The city of a topic and the datastream that it names, empty where it says neither; and the routes that may read it."""
        if not topic.startswith(f"{ROOT}/"):
            return "", "", tuple(one for one in self.absolute if one.pattern.fullmatch(topic))
        _, city, rest = [*topic.split("/", 2), "", ""][:3]
        if city not in self.own:
            return "", "", ()
        first, _, key = rest.partition("/")
        if first == STREAMS:
            return city, key, ()
        return city, "", tuple(one for one in self.own[city] if one.pattern.fullmatch(topic))

    def filters(self) -> list[str]:
        """Which topics a broker has to send."""
        found = [f"{ROOT}/{city}/#" for city in self.own]
        return list(dict.fromkeys([*found, *(one.filter for one in self.absolute)]))


_known: tuple[tuple[tuple[str, str], ...], Routes] = ((), Routes())


def routes() -> Routes:
    """The routes of all installed cities, compiled once for each set of their versions."""
    global _known
    places = [runtime(info.id) for info in cities()]
    asked = tuple((place.info.id, place.digest) for place in places)
    before, found = _known
    if asked != before:
        found = _compiled(places)
        _known = (asked, found)
    return found


def topic_filters() -> list[str]:
    """The topics to which whoever receives messages subscribes: ``yiwang/CITY/#``, and those of other networks."""
    return routes().filters()


def _compiled(places: list[CityRuntime]) -> Routes:
    own: dict[str, tuple[Route, ...]] = {}
    absolute: list[Route] = []
    for place in places:
        adapters = place.pack.sensing.adapters.values()
        made = [_route(place.info.id, adapter, topic.template) for adapter in adapters for topic in adapter.topics]
        own[place.info.id] = tuple(one for one in made if not one.adapter.absolute)
        absolute += [one for one in made if one.adapter.absolute]
    return Routes(own, tuple(absolute))


def _route(city: str, adapter: Adapter, template: str) -> Route:
    topic = read_topic(template, "" if adapter.absolute else f"{ROOT}/{city}/")
    return Route(city, adapter, replace(adapter.reader, topic=topic.pattern), topic.filter, topic.pattern)
