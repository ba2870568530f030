"""The MQTT extension of SensorThings (18-088), driven by paho over a socket: observations go in, changes come out.

The broker runs in a process of its own; what is written over HTTP is written by another one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.server.own_sites import Site, site_on
from tests.server.sensorthings_calls import PASSWORD
from tests.server.test_mqtt_killed import free_port, mosquitto, process, wait_for

SCRIPT = Path(__file__).with_name("sensorthings_processes.py")
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
REFUSED = 128
pytestmark = pytest.mark.slow


class Subscriber:
    """A client of the broker; without a name it is anybody."""

    def __init__(self, port: int, user: str = "", password: str = "", *, name: str = "", lasting: bool = False) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.published = 0
        self.answer: list[int] = []
        self.entered: str | None = None
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=name or uuid4().hex, clean_session=not lasting, reconnect_on_failure=False
        )  # fmt: skip
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_message = lambda _c, _u, message: self.heard.append((message.topic, json.loads(message.payload)))
        self.client.on_publish = self._published
        self.client.on_subscribe = lambda _c, _u, _mid, codes, _p: self.answer.extend(code.value for code in codes)
        self.client.on_connect = self._entered
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(lambda: self.entered is not None)

    def _entered(self, _client: object, _data: object, _flags: object, code: Any, _properties: object) -> None:
        self.entered = "refused" if code.is_failure else "in"

    def _published(self, *_: object) -> None:
        self.published += 1

    def subscribe(self, topic: str) -> int:
        """The broker's answer: the QoS that it grants, or `REFUSED`."""
        before = len(self.answer)
        self.client.subscribe(topic, 1)
        wait_for(lambda: len(self.answer) > before)
        return self.answer[-1]

    def publish(self, topic: str, body: Any) -> None:
        """Publish and wait until it is acknowledged."""
        before = self.published
        self.client.publish(topic, body if isinstance(body, bytes) else json.dumps(body), qos=1)
        wait_for(lambda: self.published > before)

    def next(self, topic: str) -> Any:
        """The next message of a topic."""
        found: list[Any] = []

        def arrived() -> bool:
            for index, (of, said) in enumerate(self.heard):
                if of == topic:
                    del self.heard[index]
                    found.append(said)
                    return True
            return False

        wait_for(arrived)
        return found[0]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Writers:
    """A process that writes over HTTP."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "http"],
            env={**site.environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def send(self, method: str, path: str, body: Any, status: int = 201) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([self.site.case["token"], method, path, body, status]), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExitStack]:
    with ExitStack() as made:
        made.site = made.enter_context(site_on(request.param, tmp_path, SCRIPT))  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def site(stack: ExitStack) -> Site:
    found: Site = stack.site  # type: ignore[attr-defined]
    return found


@pytest.fixture
def http(site: Site) -> Iterator[Writers]:
    made = Writers(site)
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.fixture
def port(site: Site, stack: ExitStack) -> int:
    """Where the broker that comes along listens."""
    found = free_port()
    stack.enter_context(process(site, "mqtt", "broker", "--bind", f"127.0.0.1:{found}"))
    return found


@pytest.fixture
def client(port: int) -> Iterator[Callable[..., Subscriber]]:
    made: list[Subscriber] = []

    def make(*signed: str, **more: Any) -> Subscriber:
        made.append(Subscriber(port, *signed, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def said(minute: int, result: Any, **more: Any) -> dict[str, Any]:
    return {"phenomenonTime": f"2026-03-02T04:{minute:02}:00Z", "result": result, **more}


def test_observations_come_in_and_changes_go_out(site: Site, http: Writers, client: Callable[..., Subscriber]) -> None:
    one, two, token = site.case["one"], site.case["two"], site.case["token"]
    reader = client()
    of_stream, chosen = f"v1.1/Datastreams({one})/Observations", "v1.1/Observations?$select=result,phenomenonTime"
    name = f"v1.1/Datastreams({one})/name"
    for topic in (of_stream, chosen, f"v1.1/Datastreams({one})", name):
        assert reader.subscribe(topic) == 1, topic

    # a program with a token
    program = client("token", token)
    program.publish(of_stream, said(0, 5, parameters={"by": "hand"}))
    first = reader.next(of_stream)
    assert first["result"] == 5
    assert first["phenomenonTime"] == "2026-03-02T04:00:00Z"
    assert first["parameters"] == {"by": "hand"}
    assert first["@iot.selfLink"].endswith(f"/sensorthings/v1.1/Observations({first['@iot.id']})")
    assert first["Datastream@iot.navigationLink"] == f"{first['@iot.selfLink']}/Datastream"
    assert reader.next(chosen) == {"result": 5.0, "phenomenonTime": "2026-03-02T04:00:00Z"}
    stream = reader.next(f"v1.1/Datastreams({one})")
    assert stream["phenomenonTime"] == "2026-03-02T04:00:00Z/2026-03-02T04:00:00Z"

    # linked in the body, with a feature that is made; of another datastream, so only the set at the root hears of it
    feature = {"name": "here", "description": "", "encodingType": "application/geo+json",
               "feature": {"type": "Point", "coordinates": [120, 31]}}  # fmt: skip
    program.publish("v1.1/Observations", said(1, "dry", Datastream={"@iot.id": two}, FeatureOfInterest=feature))
    assert reader.next(chosen)["result"] == "dry"

    # HTTP, in another process: one, many, a correction, a name
    result = f"v1.1/Observations({first['@iot.id']})/result"
    assert reader.subscribe(result) == 1
    http.send("POST", f"/Datastreams({one})/Observations", said(2, 7))
    assert (reader.next(of_stream)["result"], reader.next(chosen)["result"]) == (7, 7)
    rows = [["2026-03-02T04:03:00Z", 8], ["2026-03-02T04:04:00Z", 9]]
    array = {"Datastream": {"@iot.id": one}, "components": ["phenomenonTime", "result"], "dataArray": rows}
    http.send("POST", "/CreateObservations", [array])
    assert [reader.next(of_stream)["result"] for _ in range(2)] == [8, 9]
    http.send("PATCH", f"/Observations({first['@iot.id']})", {"result": 6}, 200)
    assert reader.next(result) == {"result": 6.0}
    http.send("POST", f"/Datastreams({one})/Observations", said(0, 5.5))  # corrects as well
    assert reader.next(result) == {"result": 5.5}
    http.send("PATCH", f"/Datastreams({one})", {"name": "depth"}, 200)
    assert reader.next(name) == {"name": "depth"}

    # the device of the thing, and what is published twice changes nothing
    device = client("mini/gauge", PASSWORD)
    for _ in range(2):
        device.publish(of_stream, said(5, 11))
    device.publish(of_stream, said(6, 12))
    assert [reader.next(of_stream)["result"] for _ in range(4)] == [6, 5.5, 11, 12]
    assert site.run("verify") == {"observations": 7, "rejected": []}
    assert [topic for topic, _ in reader.heard if topic == of_stream] == []


def test_who_may_what(site: Site, client: Callable[..., Subscriber]) -> None:
    one, two, topic = site.case["one"], site.case["two"], f"v1.1/Datastreams({site.case['one']})/Observations"
    assert client("token", "no token").entered == "refused"
    assert client("mini/gauge", "no password").entered == "refused"
    anybody = client()
    for asked in (
        "#", "v1.1/#", "v1.1/+/Observations", "yiwang/mini/#", "v1.1/Nothing", "v1.1/Datastreams(99999)",
        "v1.1/Observations?$top=3", "v1.1/Observations?$filter=result gt 1", f"v1.1/Datastreams({one})/name?$select=name",
    ):  # fmt: skip
        assert anybody.subscribe(asked) == REFUSED, asked
    assert anybody.subscribe("v1.1/Things") == 1

    device, reads, program = (
        client("mini/gauge", PASSWORD),
        client("token", site.case["reading"]),
        client("token", site.case["token"]),
    )
    assert device.subscribe(topic) == 1
    anybody.publish(topic, said(0, 1))  # acknowledged, and thrown away
    device.publish(f"v1.1/Datastreams({two})/Observations", said(0, 1))
    device.publish("v1.1/Observations", said(0, 1, Datastream={"@iot.id": two}))
    device.publish(topic, said(0, 1, FeatureOfInterest={"name": "x"}))
    reads.publish(topic, said(0, 1))
    program.publish(topic, b"no json")
    program.publish(topic, {"phenomenonTime": "yesterday", "result": 1})
    program.publish(topic, said(0, 1, reslt=2))
    program.publish("v1.1/Things", {"name": "x"})
    program.publish(topic, said(1, 2))
    assert device.next(topic)["result"] == 2
    found = site.run("verify")
    assert found["observations"] == 1
    assert [(user, of) for user, of, _ in found["rejected"]] == [
        ("mini/gauge", f"v1.1/Datastreams({two})/Observations"), ("mini/gauge", "v1.1/Observations"), ("mini/gauge", topic),
        *[("token", topic)] * 4, ("token", "v1.1/Things"),
    ]  # fmt: skip
    for (_, _, why), words in zip(
        found["rejected"],
        ("not one of the thing", "not one of the thing", "only refer to a FeatureOfInterest", "scope", "no valid JSON",
         "phenomenonTime", "no such property", "Observations are published to"),
        strict=True,
    ):  # fmt: skip
        assert words in why


def test_a_session_stays_with_whoever_began_it(client: Callable[..., Subscriber]) -> None:
    device = client("mini/gauge", PASSWORD, name="kept", lasting=True)
    assert device.entered == "in"
    assert device.subscribe("yiwang/mini/devices/gauge/down") == 1
    device.close()
    assert client(name="kept", lasting=True).entered == "refused"
    assert client("mini/gauge", PASSWORD, name="kept", lasting=True).entered == "in"


def test_a_broker_of_ones_own(site: Site, http: Writers, stack: ExitStack, tmp_path: Path) -> None:
    port, one = free_port(), site.case["one"]
    topic = f"v1.1/Datastreams({one})/Observations"
    stack.enter_context(mosquitto(tmp_path, port))
    listen = ("mqtt", "listen", "--sensorthings", "--url", f"mqtt://127.0.0.1:{port}")
    stack.enter_context(process(site, *listen, "--name", "1"))
    stack.enter_context(process(site, *listen, "--name", "2"))
    reader = Subscriber(port)
    stack.callback(reader.close)
    for asked in (topic, "v1.1/Observations", f"v1.1/Datastreams({one})"):
        assert reader.subscribe(asked) == 1
    http.send("POST", f"/Datastreams({one})/Observations", said(0, 5))
    assert reader.next(topic)["result"] == 5
    assert reader.next("v1.1/Observations")["result"] == 5
    assert reader.next(f"v1.1/Datastreams({one})")["name"] == "level"
    reader.publish(topic, said(1, 6))
    assert reader.next(topic) == said(1, 6)  # the broker passes on what a client publishes
    assert "@iot.id" in reader.next(topic)  # and this is the observation, told by one of the two
    http.send("POST", f"/Datastreams({one})/Observations", said(1, 7))
    http.send("POST", f"/Datastreams({one})/Observations", said(2, 8))
    assert [reader.next(topic)["result"] for _ in range(2)] == [7, 8]
    # what they publish themselves they do not take up: the corrected one stays as it is
    assert http.send("GET", f"/Datastreams({one})/Observations?$orderby=id", None, 200)["value"][1]["result"] == 7
    assert site.run("verify") == {"observations": 3, "rejected": []}
    assert [of for of, _ in reader.heard if of == topic] == []
