"""Simulated sensors in the store: made once, the same after a kill, alarms that open one case, messages to a broker."""

from __future__ import annotations

import json
import queue
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from tests.server.own_sites import KINDS, Site, site_on
from tests.server.simulated_pack import CITY, NOW, SINCE, simulated_pack

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import SECOND, to_micros
from yiwang.server.cases.api import Case, Event
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.sensing.api import Alarm, Datastream, Device, Observation, Thing, raise_cases
from yiwang.server.simulated import publishing
from yiwang.server.simulated.api import (
    MqttPublisher,
    Simulation,
    SimulationOrder,
    StorePublisher,
    make_sensors,
    order_flood,
    order_pump,
    run_simulation,
    simulated_things,
)
from yiwang.server.simulated.publishing import message_of, topic_of

SCRIPT = Path(__file__).with_name("simulated_sensors.py")
BROKER = ("127.0.0.1", 1883)
SITE = "sim-underpass-1"


@pytest.fixture
def place(db: None, tmp_path: Path) -> Iterator[CityRuntime]:
    """The toy city with simulated sensors."""
    from yiwang.server.cases.storage import numbering
    from yiwang.server.cities import queries
    from yiwang.server.provision.operations import install_pack

    for module in (queries, numbering):
        module.forget()
    install_pack(simulated_pack(tmp_path / CITY))
    yield runtime(CITY)
    for module in (queries, numbering):
        module.forget()


def run_until(place: CityRuntime, now: datetime, **more: Any) -> int:
    return run_simulation(
        place,
        publisher=lambda: StorePublisher(CITY, now=lambda: now),
        now=lambda: now,
        wait=lambda _: None,
        once=True,
        **more,
    )


def test_what_is_missing_is_made_once_and_marked_as_simulated(place: CityRuntime) -> None:
    things = simulated_things(place)
    assert [make_sensors(place, things), make_sensors(place, things)] == [8, 0]
    Datastream.objects.get(key="sim-bin-2-bin-fill").delete()
    assert make_sensors(place, things) == 1
    counts = (Thing.objects.count(), Device.objects.count(), Datastream.objects.count())
    assert counts == (5, 5, 8)
    assert all(one.properties["simulated"] for one in [*Thing.objects.all(), *Datastream.objects.all()])
    assert all(one.said["simulated"] and "模拟" in one.name for one in Device.objects.all())
    assert all("模拟" in one.name for one in Datastream.objects.all())
    assert {one.locations.get().region[:4] for one in Thing.objects.filter(key__contains="underpass")} == {"9001"}


def test_the_first_run_makes_up_a_day_without_alarms_and_the_next_goes_on(place: CityRuntime) -> None:
    first = run_until(place, NOW)
    assert first == Observation.objects.count() > 20_000 // 2
    assert not Alarm.objects.filter(time__lt=to_micros(NOW - timedelta(minutes=10))).exists()
    earliest = Observation.objects.order_by("phenomenon_time").values_list("phenomenon_time", flat=True)[0]
    assert to_micros(NOW - timedelta(hours=24)) < earliest < to_micros(NOW - timedelta(hours=23))
    assert run_until(place, NOW) == 0
    more = run_until(place, NOW + timedelta(minutes=5))
    assert Observation.objects.count() == first + more
    assert 20 <= more <= 50
    seen = Device.objects.get(key=SITE)
    assert seen.last_seen == NOW + timedelta(minutes=5)
    assert seen.battery is not None
    assert 10 <= seen.battery <= 100


def test_a_flood_opens_one_case_and_the_pump_ends_its_alarms(place: CityRuntime) -> None:
    run_until(place, NOW)
    order_flood(place, site=SITE, minutes=10, rain=60, at=NOW)
    moment, opened_after = NOW, 0
    for minute in range(1, 41):
        if minute == 20:
            order_pump(place, site=SITE, at=moment)
        moment = NOW + timedelta(minutes=minute)
        run_until(place, moment)
        raise_cases(at=moment)
        if not opened_after and Case.objects.exists():
            opened_after = minute
    assert opened_after in range(1, 6)
    (case,) = Case.objects.all()
    alarms = Alarm.objects.filter(datastream__key=f"{SITE}-water-level").order_by("id")
    assert {one.case for one in alarms if one.outcome != "nothing"} == {case.number}
    assert [one.turn for one in alarms][-1] == "cleared"
    assert max(one.severity for one in alarms) >= 3
    assert Event.objects.filter(case=case, verb="sensed").count() >= 2


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ({"site": "sim-underpas-1"}, "sim-underpass-1"),
        ({"site": "sim-bin-1"}, "sim-underpass-3"),
        ({"minutes": 0}, "1 to 360"),
        ({"minutes": float("nan")}, "1 to 360"),
        ({"rain": 500}, "1 to 200"),
    ],
)
def test_an_order_that_cannot_be_obeyed_is_refused(place: CityRuntime, call: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        order_flood(place, at=NOW, **{"site": SITE, "minutes": 20, "rain": 60, **call})
    assert not SimulationOrder.objects.exists()


def test_a_city_without_the_table_says_so(place: CityRuntime) -> None:
    with pytest.raises(BadInput, match=r"simulated\.toml"):
        simulated_things(replace(place, pack=replace(place.pack, simulated_sensors=None)))


def test_orders_hold_from_a_second_that_no_reading_has_passed(place: CityRuntime) -> None:
    order = order_pump(place, site=SITE, at=NOW + timedelta(microseconds=1))
    assert order.at == to_micros(NOW) + 2 * SECOND


def test_the_commands(place: CityRuntime, run: Callable[..., Result]) -> None:
    said = run("sensing", "flood", CITY, SITE, "--minutes", "5", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout) | {"from": ""} == {
        "order": "flood", "site": SITE, "from": "", "minutes": "5", "rain": "60 mm/h",
    }  # fmt: skip
    assert run("sensing", "pump", CITY, SITE).exit_code == 0
    assert list(SimulationOrder.objects.values_list("kind", flat=True).order_by("id")) == ["flood", "pump"]
    refused = run("sensing", "flood", CITY, "nowhere")
    assert refused.exit_code == 1
    assert "nowhere" in refused.stderr


@pytest.fixture(params=KINDS)
def sensor_sites(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """Two sites alike."""
    with site_on(request.param, tmp_path / "a", SCRIPT) as one, site_on(request.param, tmp_path / "b", SCRIPT) as other:
        yield one, other


def test_a_killed_simulation_goes_on_with_the_same_readings(sensor_sites: tuple[Site, Site]) -> None:
    killed, whole = sensor_sites
    process = killed.start("simulate", "0.3", "since")
    assert process.stdout is not None
    assert [json.loads(process.stdout.readline())["done"] for _ in range(3)][2] > 0
    process.kill()
    process.communicate()
    partly = killed.run("readings")["count"]
    killed.run("simulate", "0", "")
    whole.run("simulate", "0", "since")
    expected = whole.run("readings")
    assert 0 < partly < expected["count"]
    assert killed.run("readings") == expected
    killed.all([("simulate", "0", "since")] * 2)
    assert killed.run("readings") == expected, "two at once, from the beginning, write nothing twice"


# --- MQTT -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[tuple[str, queue.Queue[tuple[str, bytes]]]]:
    """A city's name of its own, and what a client that listens to its streams hears."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    try:
        socket.create_connection(BROKER, timeout=2).close()
    except OSError:
        pytest.skip("no Mosquitto at 127.0.0.1:1883")
    city, messages, ready = f"t{uuid4().hex[:12]}", queue.Queue[tuple[str, bytes]](), queue.Queue[bool]()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _, __, message: messages.put((message.topic, bytes(message.payload)))
    client.on_subscribe = lambda *_: ready.put(True)
    client.connect(*BROKER)
    client.loop_start()
    client.subscribe(topic_of(city, "#"), qos=1)
    ready.get(timeout=10)
    yield city, messages
    client.disconnect()
    client.loop_stop()


def test_a_broker_hears_every_reading_that_has_become_due(
    place: CityRuntime, heard: tuple[str, queue.Queue[tuple[str, bytes]]]
) -> None:
    city, messages = heard
    make_sensors(place, simulated_things(place))
    publisher = MqttPublisher(f"mqtt://{BROKER[0]}:{BROKER[1]}")
    running = Simulation.begin(place, publisher=publisher, now=NOW, since=NOW - timedelta(minutes=5))
    running.city = city
    count = running.turn(NOW)
    publisher.close()
    told = [messages.get(timeout=10) for _ in range(count)]
    assert messages.empty()
    streams = [one.split("/")[-1] for one, _ in told]
    assert 20 <= count <= 60
    assert {*streams} <= {*Datastream.objects.values_list("key", flat=True)}
    store = StorePublisher(CITY, now=lambda: NOW)
    for topic, payload in told:
        assert {*json.loads(payload)} == {"time", "value"}
        store.publish(topic.replace(city, CITY), payload)
    store.flush()
    assert Observation.objects.count() == count
    before = sorted(Observation.objects.values_list("datastream_id", "phenomenon_time", "value"))
    Observation.objects.all().delete()
    run_until(place, NOW, since=NOW - timedelta(minutes=5))
    assert sorted(Observation.objects.values_list("datastream_id", "phenomenon_time", "value")) == before


def test_a_message_is_a_time_and_a_value() -> None:
    assert topic_of("city", "a-1") == "yiwang/city/streams/a-1"
    assert json.loads(message_of(to_micros(SINCE), 1.5)) == {"time": "2026-03-01T08:00:00Z", "value": 1.5}


def test_a_broker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_SECONDS", 0.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(BadInput, match=str(port)) as caught:
            MqttPublisher(f"mqtt://someone:secret@127.0.0.1:{port}")
    assert "secret" not in str(caught.value)
