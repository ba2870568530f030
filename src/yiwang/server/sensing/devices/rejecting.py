"""Keeps messages that could not be read: one row for a topic and a kind of fault, so that a broken device fills no disk."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.server.sensing.models import Rejected

KEPT_BYTES = 64 * 1024
MOST = 5_000  # rows of a city; beyond them the oldest are left out, whatever topics strangers think up
_SHOWN = 10  # faults of a message that are told
_COLUMNS = (
    "city", "topic", "digest", "device", "user", "why", "partly", "payload", "encoding", "size", "count", "first_time",
    "last_time",
)  # fmt: skip
_RENEWED = ("device", "user", "why", "partly", "payload", "encoding", "size", "last_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message of which something could not be taken.

    Attributes:
        city: Empty where none could be told.
        device: Its key; empty where it could not be told.
        partly: Whether the rest was taken.
        faults: Why, at least one.
    """

    city: str
    topic: str
    payload: bytes
    user: str
    device: str
    partly: bool
    faults: Sequence[Problem]


def keep_refused(refused: Iterable[Refused], *, received: int) -> None:
    """Write them, each topic and kind of fault once; the caller has a transaction open.

    Args:
        received: When they arrived, in microseconds.
    """
    rows: dict[tuple[str, str, str], list[Any]] = {}
    for one in refused:
        row = _row(one, received)
        key = (row[0], row[1], row[2])
        if (before := rows.get(key)) is not None:
            row[10] += before[10]
        rows[key] = row
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    marks = ", ".join(["%s"] * len(_COLUMNS))
    renewed = ", ".join(f'"{name}" = excluded."{name}"' for name in _RENEWED)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO sensing_rejected ({names}) VALUES ({marks})"  # noqa: S608 - our own columns
            f' ON CONFLICT (city, topic, digest) DO UPDATE SET {renewed}, "count" = sensing_rejected."count" + excluded."count"',
            [rows[key] for key in sorted(rows)],  # in one order, so that no two wait for each other
        )
    for city in {key[0] for key in rows}:
        _leave_out_oldest(city)


@transaction.atomic
def refuse_message(*, topic: str, payload: bytes, user: str, received: int) -> None:
    """Keep a message that failed in a way that nobody has thought of; the log says which."""
    text = Text("报文处理失败，详见系统日志。", "The message could not be handled; the log says more.")
    refused = Refused(city="", topic=topic, payload=payload, user=user, device="", partly=False, faults=[Problem(text)])
    keep_refused([refused], received=received)


def _leave_out_oldest(city: str) -> None:
    there = Rejected.objects.filter(city=city)
    if (over := there.count() - MOST) > 0:
        oldest = list(there.order_by("last_time", "id").values_list("id", flat=True)[:over])
        Rejected.objects.filter(id__in=oldest).delete()


def _row(one: Refused, received: int) -> list[Any]:
    why = Text.join({"zh": "\n", "en": "\n"}, [fault.text for fault in one.faults[:_SHOWN]])
    payload, encoding = _written(one.payload)
    return [
        clean(one.city, 40), clean(one.topic, 400), _digest(one.faults[0]), clean(one.device, 100), clean(one.user, 100),
        json.dumps({tag: clean(why.into(tag), 4000) for tag in ("zh", "en")}), one.partly, payload, encoding,
        len(one.payload), 1, received, received,
    ]  # fmt: skip


def _digest(fault: Problem) -> str:
    """Of the words without their values: a device that sends another wrong number each time has one row."""
    return hashlib.sha256(fault.message.get("zh", "").encode()).hexdigest()[:16]


def _written(payload: bytes) -> tuple[str, str]:
    kept = payload[:KEPT_BYTES]
    for cut in range(4 if len(kept) < len(payload) else 1):  # the last letter may have been cut in two
        try:
            text = kept[: len(kept) - cut].decode()
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, "text"
    return base64.b64encode(kept).decode(), "base64"


def clean(text: str, longest: int) -> str:
    """A stranger's text as databases take it: without zero bytes and halves of letters, not longer than its column."""
    return text[:longest].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
