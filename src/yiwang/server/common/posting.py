"""Letters on their way to the mail server: a few lanes side by side, each with one connection for all of its letters.

A recipient who is slow, or refused, costs its own lane the time of one letter and the others nothing. Lanes only talk to the
mail server; whoever called keeps the books, with the database, as the letters come back.
"""

from __future__ import annotations

import contextlib
import queue
import smtplib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

LANES = 4
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts that failed, the first being 1: each time twice as long."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts, 16)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message, and what is done once it has gone out."""

    message: EmailMessage
    sent: Callable[[], object]


class DeliverySkip(Exception):
    """The letter was not handed to the mail server, because it was time to stop."""


Posted = tuple[int, Letter, Exception | None]


def post(letters: Sequence[tuple[int, Letter]], *, stop: Callable[[], bool]) -> Iterator[Posted]:
    """Send letters, each with the id of what it is about; give each back as soon as its fate is known.

    Args:
        letters: What is to be sent, in the order in which it is begun.
        stop: Asked before each letter; once it is true the rest come back as `DeliverySkip`.

    Yields:
        The id, the letter, and what went wrong (None: it is with the mail server).
    """
    round_ = _Round(stop=stop)
    for item in letters:
        round_.waiting.put(item)
    for _ in range(min(_lanes(), len(letters))):
        threading.Thread(target=round_.lane, name="letters", daemon=True).start()
    for _ in letters:
        yield round_.posted.get()


def _lanes() -> int:
    """On a console the letters of several lanes would be mixed up."""
    return 1 if settings.EMAIL_BACKEND.endswith("console.EmailBackend") else LANES


@dataclass(slots=True, kw_only=True)
class _Round:
    """The letters of one call, and what its lanes know of each other."""

    stop: Callable[[], bool]
    waiting: queue.SimpleQueue[tuple[int, Letter]] = field(default_factory=queue.SimpleQueue)
    posted: queue.SimpleQueue[Posted] = field(default_factory=queue.SimpleQueue)
    away: Exception | None = None  # why the mail server cannot be reached: nobody else waits for it in vain

    def lane(self) -> None:
        connection = get_connection()
        while True:
            try:
                pk, letter = self.waiting.get_nowait()
            except queue.Empty:
                break
            error = DeliverySkip() if self.stop() else self.away or self._send(letter.message, connection)
            self.posted.put((pk, letter, error))
        _close(connection)

    def _send(self, message: EmailMessage, connection: Any) -> Exception | None:
        """What went wrong, whatever it was: an address that cannot even be written must not end the lane."""
        message.connection = connection
        try:
            if self._open(connection):
                message.send()
            else:
                self._send_again(message, connection)
        except smtplib.SMTPRecipientsRefused as error:  # the connection is as good as before
            return error
        except Exception as error:  # returned to whoever keeps the books
            _close(connection)
            return error
        return None

    def _send_again(self, message: EmailMessage, connection: Any) -> None:
        """Over a connection that has served before. Servers end such, so it may have to be made anew."""
        try:
            message.send()
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, TimeoutError):  # not ended: it is slow
                raise
            _close(connection)
            self._open(connection)
            message.send()

    def _open(self, connection: Any) -> bool:
        """Whether a connection had to be made."""
        try:
            return bool(connection.open())
        except Exception as error:
            self.away = error
            raise


def _close(connection: Any) -> None:
    with contextlib.suppress(Exception):
        connection.close()
