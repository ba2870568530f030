"""Listens at a broker, with as many processes as are started: they share the messages of one subscription (MQTT 5, 4.8.2).

The session outlives the connection, so what is published while a process is away waits at the broker for it. Each process has
a name, which must be the same when it is started again: its session holds the messages that it has not acknowledged.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.mqtt.address import Address
from yiwang.server.mqtt.intake import Intake
from yiwang.server.sensing.api import Message
from yiwang.server.sensorthings.api import PREFIX

log = logging.getLogger("yiwang.mqtt")
GROUP = "yiwang"
OBSERVATIONS = [f"{PREFIX}Observations", f"{PREFIX}+/Observations"]  # where observations of SensorThings are published
AT_ONCE = 4000  # messages that the broker may send before the first of them is acknowledged; two batches
_KEPT = 7 * 86_400  # seconds for which the broker keeps the session of a process that is away
_QOS = 1
_MARK = "yiwang"  # property of a message that is ours
_PATIENCE = 30.0  # seconds for the broker to acknowledge what we publish
_TAKEN_OVER = 142


class Listener:
    """One process at the broker.

    Args:
        address: The broker.
        name: Of this process among those that listen for the site.
        topics: Topic filters.
        intake: Where the messages go.
    """

    def __init__(self, address: Address, *, name: str, topics: Sequence[str], intake: Intake) -> None:
        self._topics = _shared(topics)
        self._intake = intake
        self._ended = threading.Event()
        self._problem: Text | None = None
        self._connection = 0  # which one it is: the numbers of messages mean something within one connection only
        self._turn = threading.Lock()
        self.connected = threading.Event()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{GROUP}-{name}",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        if address.user:
            client.username_pw_set(address.user, address.password)
        if (context := address.context()) is not None:
            client.tls_set_context(context)
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._disconnected, self._arrived
        self._client, self._address = client, address

    def start(self) -> None:
        """Connect in the background; a broker that is away is tried again and again."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _KEPT
        properties.ReceiveMaximum = AT_ONCE
        self._client.connect_async(
            self._address.host, self._address.port, keepalive=30, clean_start=False, properties=properties
        )
        self._client.loop_start()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended by itself within that time.

        Raises:
            NotPossible: The broker refuses us, or somebody else listens under our name.
        """
        ended = self._ended.wait(seconds)
        if self._problem is not None:
            raise NotPossible(self._problem)
        return ended

    def follow(self, topics: Sequence[str]) -> None:
        """Listen for other topics from now on: a city's table may change while we listen."""
        now = _shared(topics)
        if now == self._topics:
            return
        gone = sorted(set(self._topics) - set(now))
        self._topics = now
        if self.connected.is_set():
            if gone:
                self._client.unsubscribe(gone)
            self._subscribe()

    def stop(self) -> None:
        """Leave. What was not acknowledged comes again."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> bool:
        """Publish what has changed; whether the broker has it all. It is not to be called by the thread of the connection."""
        if not self.connected.is_set():
            return False
        sent = []
        for topic, payload in messages:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.UserProperty = (_MARK, "update")
            sent.append(self._client.publish(topic, payload, qos=_QOS, properties=properties))
        until = time.monotonic() + _PATIENCE
        for one in sent:
            try:
                one.wait_for_publish(max(0.0, until - time.monotonic()))
            except (RuntimeError, ValueError):  # it was not even queued
                return False
        return all(one.is_published() for one in sent)

    def _connected(
        self, client: Client, data: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            log.warning("the broker %s does not let us in: %s", self._address, code)
            if code.getName() in ("Bad user name or password", "Not authorized", "Client identifier not valid"):
                self._end(
                    Text(
                        "{broker} 拒绝连接：{why}",
                        "{broker} does not let us in: {why}",
                        broker=str(self._address),
                        why=str(code),
                    )
                )
            return
        # anew each time: a broker that was started again may have forgotten what it was asked for
        self._subscribe()
        if self._connection:
            log.warning("the broker %s is there again", self._address)
        self.connected.set()

    def _disconnected(
        self, client: Client, data: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        with self._turn:
            self._connection += 1
        self.connected.clear()
        if code.value == _TAKEN_OVER:
            self._end(
                Text(
                    "另一个进程用同一名称连接了 {broker}；请用 --name 另取名称。",
                    "Another process listens at {broker} under this name; give one of them another --name.",
                    broker=str(self._address),
                )
            )
        elif code.is_failure:
            log.warning("the broker %s is away: %s", self._address, code)

    def _arrived(self, client: Client, data: Any, message: MQTTMessage) -> None:
        number, connection = message.mid, self._connection
        if (_MARK, "update") in getattr(message.properties, "UserProperty", ()):
            self._acknowledge(number, connection)  # we have said so ourselves; what it says may be out of date by now
            return
        self._intake.put(Message(message.topic, bytes(message.payload)), lambda: self._acknowledge(number, connection))

    def _acknowledge(self, number: int, connection: int) -> None:
        """Tell the broker that a message is stored. After a broken connection it sends the message once more: a broker that
        has forgotten the session would take the number for that of another one."""
        with self._turn:
            if connection == self._connection:
                self._client.ack(number, _QOS)

    def _subscribe(self) -> None:
        self._client.subscribe([(topic, _QOS) for topic in self._topics])

    def _end(self, problem: Text) -> None:
        self._problem = problem
        self._ended.set()


def _shared(topics: Sequence[str]) -> list[str]:
    return [f"$share/{GROUP}/{topic}" for topic in topics]
