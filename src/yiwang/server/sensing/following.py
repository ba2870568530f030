"""What changes is told to those who follow: an outbox that is filled only while somebody is there to empty it.

Writers add rows in their own transaction, so what was undone is never told and what was committed always is. A follower takes
the oldest rows, tells of them and then removes them: killed in between it tells once more. Nobody looks for what is new in the
tables of observations, whose ids do not stand in the order of transactions and do not change with a correction.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from yiwang.core.kernel.instants import SECOND
from yiwang.server.sensing.models import Change, Follower

OBSERVATION, DATASTREAM, THING, LOCATION = "Observation", "Datastream", "Thing", "Location"
LASTS = 60 * SECOND  # a follower that has not said for so long that it is there is told nothing
_FORGOTTEN = 3600 * SECOND  # rows of one that never came back
_AT_ONCE = 500  # entities of a row
FOLLOWED = "(SELECT count(*) FROM sensing_follower WHERE until > %s)"  # the question, as part of another statement


class Told(NamedTuple):
    """A row of the outbox.

    Attributes:
        refs: See `Change`.
    """

    id: int
    kind: str
    refs: list[Any]


def clock() -> int:
    """Now, in microseconds."""
    return time.time_ns() // 1000


def note(kind: str, refs: Iterable[Any]) -> None:
    """Leave word for every follower that entities were made or changed; the caller has a transaction open."""
    now = clock()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO sensing_change (follower_id, kind, refs) SELECT id, %s, %s FROM sensing_follower WHERE until > %s"
            " ORDER BY id",
            [(kind, json.dumps(part), now) for part in _parts(list(refs))],
        )


@transaction.atomic
def follow(name: str, holder: str) -> bool:
    """Be the process that follows under a name for another while; False while another one is.

    What was written from the time of this call on is found by `waiting`.
    """
    now = clock()
    mine = Q(holder__in=(holder, "")) | Q(until__lt=now)
    Follower.objects.bulk_create([Follower(name=name, holder=holder, until=0)], ignore_conflicts=True)
    return bool(Follower.objects.filter(mine, name=name).update(holder=holder, until=now + LASTS))


def unfollow(name: str, holder: str) -> None:
    """End it, with what waits; nothing happens where another process follows under the name."""
    Follower.objects.filter(name=name, holder=holder).delete()


def leave(name: str, holder: str) -> None:
    """Let another process follow under the name, and keep what waits for it."""
    Follower.objects.filter(name=name, holder=holder).update(holder="")


def waiting(name: str, holder: str, *, most: int = 100) -> list[Told]:
    """The oldest rows for a follower."""
    asked = Change.objects.filter(follower__name=name, follower__holder=holder).order_by("id")
    return [Told(*row) for row in asked.values_list("id", "kind", "refs")[:most]]


def told(rows: Sequence[Told]) -> None:
    """They have been told of."""
    Change.objects.filter(id__in=[row.id for row in rows]).delete()


def forget() -> int:
    """Remove followers that have been away for an hour, with what waits for them; how many rows."""
    return Follower.objects.filter(until__lt=clock() - _FORGOTTEN).delete()[0]


def _parts(refs: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(refs), _AT_ONCE):
        yield refs[start : start + _AT_ONCE]
