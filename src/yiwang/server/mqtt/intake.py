"""Messages on their way into the store, many at a time, none of them given up.

A message is acknowledged when the transaction that wrote it has ended, and not before. While the database is away its
messages wait here, and as nobody is told that they have arrived, the broker keeps them as well: whatever is killed, they come
again, and one that comes twice is a duplicate that changes nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from yiwang.core.kernel.instants import to_micros
from yiwang.server.sensing.api import Message, raise_cases, refuse_message, take_messages
from yiwang.server.sensorthings.api import PREFIX, take_observations

log = logging.getLogger("yiwang.mqtt")
Done = Callable[[], None]
Take = Callable[[Sequence[Message]], object]
MOST = 2000  # messages of a transaction
WAIT = 0.05  # seconds for which the first message of a batch waits for others
_LOOK_EVERY = 0.2  # seconds between two looks for alarms that wait: a query of an index that is mostly empty
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0


class Intake:
    """Takes messages from any thread and writes them from one.

    Attributes:
        stored: How many were written, or put down as faulty.
        away: Whether the database cannot be reached.
    """

    def __init__(self, *, most: int = MOST, wait: float = WAIT, take: Take | None = None) -> None:
        self.most, self.wait = most, wait
        self.stored = 0
        self.away = False
        self._take: Take = take or _take
        self._waiting: deque[tuple[Message, Done]] = deque()
        self._ready = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mqtt-store", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, message: Message, done: Done) -> None:
        """A message has arrived; ``done`` is called, from another thread, once it is written."""
        with self._ready:
            self._waiting.append((message, done))
            if len(self._waiting) in (1, self.most):
                self._ready.notify()

    def stop(self) -> None:
        """Write no more than the batch in hand. What waits was not acknowledged, and will come again."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            if not self._write([message for message, _ in batch]):
                return
            self.stored += len(batch)
            for _, done in batch:
                done()
        connection.close()

    def _next(self) -> list[tuple[Message, Done]]:
        """The next batch; empty when it is time to end."""
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._stopping)
            until = time.monotonic() + self.wait
            self._ready.wait_for(lambda: len(self._waiting) >= self.most or self._stopping, until - time.monotonic())
            if self._stopping:
                return []
            return [self._waiting.popleft() for _ in range(min(self.most, len(self._waiting)))]

    def _write(self, messages: Sequence[Message]) -> bool:
        """Write them, however long the database is away; False where it is time to end before that."""
        pause = _FIRST_PAUSE
        while not self._stopping:
            try:
                self._write_all(messages)
            except (OperationalError, InterfaceError) as error:
                if not self.away:
                    log.warning("the database cannot be reached; %d messages wait: %s", len(messages), error)
                self.away = True
                connection.close()
                with self._ready:
                    self._ready.wait_for(lambda: self._stopping, pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                if self.away:
                    log.warning("the database is there again")
                self.away = False
                return True
        return False

    def _write_all(self, messages: Sequence[Message]) -> None:
        """In one transaction, or where that fails for another reason than the database's absence, each half by itself: so
        one message that nobody has thought of holds up no other."""
        close_old_connections()
        try:
            self._take(messages)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            if len(messages) == 1:
                log.exception("a message on %s cannot be taken up", messages[0].topic)
                one = messages[0]
                refuse_message(topic=one.topic, payload=one.payload, user=one.user, received=_now())
                return
            half = len(messages) // 2
            self._write_all(messages[:half])
            self._write_all(messages[half:])


class Raiser:
    """Opens cases for alarms as soon as they are written: the worker does the same every few seconds, and an alarm that both
    come upon is dealt with once."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt-cases", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the alarms in hand."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY):
            try:
                raise_cases()
            except (OperationalError, InterfaceError):
                connection.close()  # the worker, or our next turn, does it
            except Exception:
                log.exception("alarms wait; they will be tried again")
        connection.close()


def _take(messages: Sequence[Message]) -> object:
    """Readings of devices are one transaction, observations of SensorThings another."""
    observations = [one for one in messages if one.topic.startswith(PREFIX)]
    others = [one for one in messages if not one.topic.startswith(PREFIX)]
    now = _now()
    if others:
        take_messages(others, received=now)
    if observations:
        take_observations(observations, received=now)
    return None


def _now() -> int:
    return to_micros(datetime.now(UTC))
