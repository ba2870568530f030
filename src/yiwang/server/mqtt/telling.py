"""Tells a broker's subscribers what has changed, whoever wrote it: over HTTP, in another process, by an adapter.

A thread looks ten times a second into the outbox, which is empty or nearly so (`yiwang.server.sensing.following`), hands what is
there to the broker, and removes it afterwards.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from django.db import InterfaceError, OperationalError, connection

from yiwang.server.sensing import api as sensing

log = logging.getLogger("yiwang.mqtt")
Messages = Iterable[tuple[str, bytes]]
_LOOK_EVERY = 0.1  # seconds
_RENEW_EVERY = 15.0  # seconds; a process that has not done so for a minute is taken for gone


class Teller:
    """One of the processes that tell a broker's subscribers; of those with one name a single one does it at a time.

    Args:
        name: Of the broker.
        messages: What is to be published for rows of the outbox.
        publish: Hands messages to the broker; False where it is away, and they are to be given again.
        wanted: Whether there is anybody to tell.
    """

    def __init__(
        self,
        name: str,
        *,
        messages: Callable[[Sequence[sensing.Told]], Messages],
        publish: Callable[[Messages], bool],
        wanted: Callable[[], bool],
    ) -> None:
        self.name = name
        self._holder = secrets.token_hex(16)
        self._messages, self._publish, self._wanted = messages, publish, wanted
        self._renewed: float | None = None  # None while it does not follow
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt-tell", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def follow(self) -> bool:
        """From now on writers leave word of what they change; False while another process tells this broker.

        Raises:
            OperationalError: The database is away.
        """
        with self._turn:
            if self._renewed is None or time.monotonic() - self._renewed > _RENEW_EVERY:
                self._renewed = time.monotonic() if sensing.follow(self.name, self._holder) else None
            return self._renewed is not None

    def stop(self, *, forget: bool) -> None:
        """End after the messages in hand; with ``forget`` what waits is given up, since the subscribers go too."""
        self._stopping.set()
        self._thread.join()
        if self._renewed is not None:
            try:
                (sensing.unfollow if forget else sensing.leave)(self.name, self._holder)
            except (OperationalError, InterfaceError) as error:
                log.warning("the database cannot be reached; another process tells in a minute: %s", error)
                connection.close()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY):
            try:
                self._tell()
            except (OperationalError, InterfaceError):
                connection.close()  # the intake says so, and waits
            except Exception:
                log.exception("what has changed cannot be told; it will be tried again")
                self._stopping.wait(1)
        connection.close()

    def _tell(self) -> None:
        if not self._wanted():
            with self._turn:
                if self._renewed is not None:
                    sensing.unfollow(self.name, self._holder)
                    self._renewed = None
            return
        if not self.follow():
            self._stopping.wait(1)
            return
        while rows := sensing.waiting(self.name, self._holder):
            if not self._publish(self._rendered(rows)):
                return
            sensing.told(rows)
            if self._stopping.is_set() or not self.follow():
                return

    def _rendered(self, rows: Sequence[sensing.Told]) -> Messages:
        """The messages for rows; where that fails for another reason than the database's absence, those of each half by itself,
        so that one row that nobody has thought of holds up no other."""
        try:
            return list(self._messages(rows))
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            if len(rows) == 1:
                log.exception("a change of %s cannot be told", rows[0].kind)
                return []
            half = len(rows) // 2
            return [*self._rendered(rows[:half]), *self._rendered(rows[half:])]
