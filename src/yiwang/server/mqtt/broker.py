"""A broker that comes along, for a city that has none: `amqtt`, with our register of devices at its door, and for SensorThings
whoever may use that over HTTP.

A client's message is acknowledged once it is written to the database, so there is nothing that a killed broker could forget:
what a client has no acknowledgement for it sends again. The broker is written in Python and takes some thousands of messages a
second; a city with more of them runs one of its own and starts `yiwang mqtt listen`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.mqtt.constants import QOS_0
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import ApplicationMessage, Session
from django.db import InterfaceError, OperationalError, connection

from yiwang.core.kernel.errors import YiwangError
from yiwang.server.mqtt.access import ANYBODY, OURSELVES, TOKEN, device_of, may_hear, may_publish, own_password
from yiwang.server.mqtt.intake import Intake
from yiwang.server.mqtt.telling import Messages, Teller
from yiwang.server.sensing.api import Message, check_device
from yiwang.server.sensorthings.api import PREFIX, Subscriptions, TooMany, token_sender

log = logging.getLogger("yiwang.mqtt")
_T = TypeVar("_T")
_PLUGIN = f"{__name__}.Door"
_OWNER = "yiwang.user"  # whose session it is: a name in CONNECT is only what somebody says
MOST_STRANGERS = 200  # clients without a name that are connected at once
MOST_TOPICS = 100  # of a client without a name


class _StoredFirst(asyncio.Queue[Any]):
    """Where a client's messages wait for those who have subscribed; each goes into the store before.

    `amqtt` acknowledges a message when it has been put here.
    """

    def __init__(self, store: Callable[[Message, Callable[[], None]], None], user: str) -> None:
        super().__init__()
        self._store, self._user = store, user

    async def put(self, item: ApplicationMessage) -> None:
        if not may_publish(self._user, item.topic):
            log.warning("%s may not publish on %s", self._user, item.topic)
            return
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()

        def done() -> None:
            loop.call_soon_threadsafe(_tell, stored)

        self._store(self._message(item), done)
        await stored
        if not item.topic.startswith(
            PREFIX
        ):  # subscribers hear of an observation when it is one, as the standard writes it
            await super().put(item)

    def put_nowait(self, item: ApplicationMessage) -> None:
        if item.qos == QOS_0:  # nobody waits for an acknowledgement
            if may_publish(self._user, item.topic):
                self._store(self._message(item), lambda: None)
            if item.topic.startswith(PREFIX):
                return
        super().put_nowait(item)

    def _message(self, item: ApplicationMessage) -> Message:
        if item.topic.startswith(PREFIX):
            return Message(item.topic, bytes(item.data), "" if self._user == OURSELVES else self._user)
        return Message(item.topic, bytes(item.data), self._user.partition("/")[2])


def _tell(stored: asyncio.Future[None]) -> None:
    if not stored.done():  # the client has gone
        stored.set_result(None)


class Door(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]
    """Who may come in, and which topics are theirs. A device signs in as ``city/key``."""

    @dataclass
    class Config:
        """Attributes: ``store``: where messages go; ``password``: of `OURSELVES`; ``watch``: adds a topic that is told of."""

        store: Any = None
        password: str = ""
        watch: Any = None

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the client may come in. A session that outlives its connection stays with whoever began it."""
        user = await self._user_of(session)
        if user is None or session.attributes.get(_OWNER, user) != user:
            return False
        if session.will_flag and (
            (session.will_topic or "").startswith(PREFIX) or not may_publish(user, session.will_topic or "")
        ):
            return False  # a will goes to subscribers without having been looked at
        session.attributes[_OWNER] = user
        session.is_anonymous = user == ANYBODY
        session.delivered_message_queue = _StoredFirst(self.config.store.put, user)
        return True

    async def _user_of(self, session: Session) -> str | None:
        """Who somebody is; None where name and password do not fit."""
        user, password = session.username or "", session.password or ""
        if user == OURSELVES:
            return user if secrets.compare_digest(password.encode(), self.config.password.encode()) else None
        if user == TOKEN:
            sender: str | None = await asyncio.to_thread(_asked, lambda: token_sender(password))
            return sender
        if not user:
            return ANYBODY if self._strangers() < MOST_STRANGERS else None
        city, key = device_of(user)
        if not city:
            return None
        return user if await asyncio.to_thread(_asked, lambda: check_device(city, key, password)) else None

    def _strangers(self) -> int:
        return sum(one.is_anonymous and one.transitions.state == "connected" for one in self.context.sessions)

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """A device publishes below its city's prefix, and hears what is meant for itself; SensorThings is for everybody, each
        message that is published there being looked at."""
        user, topic = str(session.attributes.get(_OWNER, ANYBODY)) if session else ANYBODY, topic or ""
        if action == Action.PUBLISH:
            return may_publish(user, topic)
        if not may_hear(user, topic):
            return False
        if action == Action.RECEIVE or not topic.startswith(PREFIX):
            return True
        if user == ANYBODY and self._topics_of(session) >= MOST_TOPICS:
            log.warning("a client without a name may subscribe to %d topics; it asked for more", MOST_TOPICS)
            return False
        return bool(await asyncio.to_thread(_asked, lambda: self.config.watch(topic)))

    def _topics_of(self, session: Session | None) -> int:
        them = self.context.subscriptions.values()
        return sum(one is session for subscribed in them for one, _ in subscribed)


def _asked(what: Callable[[], _T]) -> _T | None:
    """What the database says; None while it is away, and the client tries again."""
    try:
        return what()
    except (OperationalError, InterfaceError) as error:
        log.warning("a client is turned away: the database cannot be reached: %s", error)
        return None
    finally:
        connection.close()


def _hears(session: Session) -> bool:
    """Whether a message is delivered to a session, now or when its client is there again."""
    return session.transitions.state == "connected" or not (session.clean_session or session.is_anonymous)


class Publisher:
    """Tells the broker's subscribers what has changed."""

    def __init__(self, bind: str) -> None:
        self._topics = Subscriptions()
        self._broker: Broker | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._teller = Teller(
            f"{bind} {secrets.token_hex(8)}",  # the subscribers know this process only
            messages=self._topics.messages,
            publish=self._publish,
            wanted=self._wanted,
        )

    def start(self, broker: Broker) -> None:
        """Begin to tell; in the broker's loop."""
        self._broker, self._loop = broker, asyncio.get_running_loop()
        self._teller.start()

    def stop(self) -> None:
        """End; not in the broker's loop, which is needed for the messages in hand."""
        self._teller.stop(forget=True)

    def watch(self, topic: str) -> bool:
        """Somebody subscribes: whether that is possible. What is written from now on is told."""
        try:
            self._topics.add(topic)
        except TooMany:
            log.warning("%s: too many topics are subscribed to", topic[:200])
            return False
        except YiwangError as error:
            log.info("%s: %s", topic[:200], error)
            return False
        return self._teller.follow()

    def _wanted(self) -> bool:
        if self._broker is not None:
            asked = list(self._broker.subscriptions.items())
            self._topics.keep({topic for topic, them in asked if any(_hears(session) for session, _ in them)})
        return len(self._topics) > 0

    def _publish(self, messages: Messages) -> bool:
        assert self._broker is not None
        assert self._loop is not None
        broker = self._broker

        async def hand_over() -> None:
            for topic, payload in messages:
                await broker.internal_message_broadcast(topic, payload)

        try:
            asyncio.run_coroutine_threadsafe(hand_over(), self._loop).result()
        except RuntimeError:  # the loop has ended
            return False
        return True


async def serve(
    *, bind: str, intake: Intake, started: Callable[[], None], stop: asyncio.Event, listener: dict[str, Any]
) -> None:
    """Run the broker until it is told to stop.

    Args:
        bind: ``host:port``.
        intake: Where messages go.
        started: Called once it listens.
        stop: Set from the loop when it is to end.
        listener: ``certfile`` and ``keyfile`` for TLS; empty for none.

    Raises:
        BrokerError: The address cannot be used.
    """
    publisher = Publisher(bind)
    config = BrokerConfig(
        listeners={"default": ListenerConfig(bind=bind, ssl=bool(listener), **listener)},
        plugins={_PLUGIN: {"store": intake, "password": own_password(), "watch": publisher.watch}},
    )
    broker = Broker(config)
    await broker.start()
    publisher.start(broker)
    try:
        started()
        await stop.wait()
    finally:
        await asyncio.to_thread(publisher.stop)
        await broker.shutdown()
