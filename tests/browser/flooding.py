"""The sensors of `test_flood.py`: ``python flooding.py rain|pump START URL``; time runs as fast as the broker takes the readings."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

import django

django.setup()

from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.simulated.api import (  # noqa: E402
    MqttPublisher,
    Simulation,
    make_sensors,
    order_flood,
    order_pump,
    simulated_things,
)

CITY, SITE = "wuxi", "sim-underpass-1"
STEP = timedelta(minutes=1)


def read(*, since: datetime, until: datetime, url: str) -> None:
    publisher = MqttPublisher(url)
    running = Simulation.begin(runtime(CITY), publisher=publisher, now=since, since=since)
    now = since
    while now < until:
        now += STEP
        running.turn(now)
        if now == since + 10 * STEP:
            print("half way", flush=True)
    publisher.close()


def main(what: str, start: datetime, url: str) -> None:
    place = runtime(CITY)
    if what == "rain":  # the pump fails; half an hour of rain
        make_sensors(place, simulated_things(place))
        order_flood(place, site=SITE, minutes=30, rain=60, at=start)
        read(since=start, until=start + timedelta(minutes=40), url=url)
    else:  # it works again; what is over is over after half an hour
        later = start + timedelta(minutes=40)
        order_pump(place, site=SITE, at=later)
        read(since=later, until=later + timedelta(minutes=90), url=url)


if __name__ == "__main__":
    main(sys.argv[1], datetime.fromisoformat(sys.argv[2]), sys.argv[3])
