"""Several things at once, each in a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite


def skip_without_shared_database() -> None:
    """A database in memory belongs to one connection; the second run of the tests has another."""
    used = connections["default"]
    if isinstance(used, Sqlite) and used.is_in_memory_db():
        pytest.skip("threads need a database that they can share: the second run has one")


def at_once(*acts: Callable[[], Any], expected: tuple[type[Exception], ...] = ()) -> list[Any]:
    """Do things at the same time; what each gave, or the exception where it is one of those that are expected."""
    start = threading.Barrier(len(acts))
    given: list[Any] = [None] * len(acts)

    def work(number: int, act: Callable[[], Any]) -> None:
        start.wait()
        try:
            given[number] = act()
        except expected as error:
            given[number] = error
        except Exception as error:
            given[number] = AssertionError(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one in given:
        if isinstance(one, AssertionError):
            raise one
    return given
