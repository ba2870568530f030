"""Where the readings of simulated sensors go: straight into the store, or to an MQTT broker as those of devices do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import from_micros, to_micros
from yiwang.core.kernel.text import Text
from yiwang.server.mqtt.address import Address
from yiwang.server.sensing.api import Reading, stream_ids, write_observations

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

BLOCK = 2000  # readings of a transaction
_SECONDS = 10.0  # for a broker to answer
_CONFIRMS = 60.0  # for it to confirm: it may have been started anew meanwhile


class Publisher(Protocol):
    """Takes messages of sensors."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Take a message; it has arrived once `flush` is through."""

    def flush(self) -> None:
        """Wait until all messages have arrived.

        Raises:
            BadInput: They have not.
        """

    def close(self) -> None:
        """No more messages follow."""


def topic_of(city: str, stream: str) -> str:
    """The topic of a datastream, by its key."""
    return f"yiwang/{city}/streams/{stream}"


def message_of(at: int, value: float) -> bytes:
    """The message of a reading: ``{"time": "2026-11-30T08:15:00Z", "value": 12.3}``.

    Args:
        at: Microseconds.
    """
    said = from_micros(at).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"time": said, "value": value}).encode()


class StorePublisher:
    """Writes the readings of a city itself, judged by its rules; for an installation without a broker."""

    def __init__(self, city: str, *, now: Callable[[], datetime]) -> None:
        """Args: city: its id. now: when messages arrive."""
        self._prefix = topic_of(city, "")
        self._streams = stream_ids(city)
        self._now = now
        self._waiting: list[Reading] = []

    def publish(self, topic: str, payload: bytes) -> None:
        said = json.loads(payload)
        at = to_micros(datetime.fromisoformat(said["time"]))
        self._waiting.append(Reading(self._streams[topic.removeprefix(self._prefix)], at, said["value"]))

    def flush(self) -> None:
        received = to_micros(self._now())
        while self._waiting:
            write_observations(self._waiting[:BLOCK], received=received)
            del self._waiting[:BLOCK]

    def close(self) -> None:
        self.flush()


class MqttPublisher:
    """Sends the readings to a broker, each until the broker has confirmed it (QoS 1)."""

    def __init__(self, url: str) -> None:
        """Connect.

        Args:
            url: ``mqtt://user:password@host:1883``, or ``mqtts`` for TLS.

        Raises:
            BadInput: The broker cannot be reached, or refuses.
        """
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        address = Address.read(url)
        self._host, self._port = address.host, address.port
        self._client: Client = Client(CallbackAPIVersion.VERSION2)
        # by itself the client soon waits longer between two tries than we wait for a confirmation
        self._client.reconnect_delay_set(min_delay=1, max_delay=4)
        if address.user:
            self._client.username_pw_set(address.user, address.password)
        if (context := address.context()) is not None:
            self._client.tls_set_context(context)
        self._sent: list[MQTTMessageInfo] = []
        self._connect(until=time.monotonic() + _SECONDS)
        self._client.loop_start()

    def _connect(self, *, until: float) -> None:
        """A broker that was started beside us may need a moment."""
        while True:
            try:
                self._client.connect(self._host, self._port)
                return
            except OSError as error:
                if time.monotonic() > until:
                    raise self._unreachable(str(error)) from error
                time.sleep(0.5)

    def publish(self, topic: str, payload: bytes) -> None:
        self._sent.append(self._client.publish(topic, payload, qos=1))

    def flush(self) -> None:
        for message in self._sent:
            try:
                message.wait_for_publish(_CONFIRMS)
            except (RuntimeError, ValueError) as error:
                raise self._unreachable(str(error)) from error
            if not message.is_published():
                raise self._unreachable("no confirmation")
        self._sent.clear()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _unreachable(self, why: str) -> BadInput:
        return BadInput(
            Problem(
                Text(
                    "消息服务器 {host}:{port} 没有收下读数：{why}。",
                    "The broker at {host}:{port} did not take the readings: {why}.",
                    host=self._host,
                    port=self._port,
                    why=why,
                ),
                Text(
                    "请检查 YIWANG_MQTT_URL 和服务器；不设此项则直接写入数据库。",
                    "See YIWANG_MQTT_URL and the broker; without the setting readings go straight into the database.",
                ),
            )
        )


def publisher_for(city: str, *, url: str, now: Callable[[], datetime]) -> Publisher:
    """The publisher of an installation.

    Args:
        url: Of the broker; empty for none.
    """
    return MqttPublisher(url) if url else StorePublisher(city, now=now)
