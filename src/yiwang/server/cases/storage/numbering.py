"""Numbers of cases and reports. Each process takes blocks of serials, so that intake never queues at one counter row.

A block that a process has not used up when it ends leaves a gap; numbers are unique and rising, not without gaps.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from yiwang.packs import PackInfo
from yiwang.server.cases.models import Serial

LARGEST_BLOCK = 64
BUSY_SECONDS = 5.0  # a block used up faster than this makes the next one twice as large
CASE, REPORT = "case", "report"


@dataclass(slots=True)
class _Block:
    next: int
    end: int
    size: int
    taken_at: float


_lock = threading.Lock()
_blocks: dict[tuple[str, str, str], _Block] = {}


def forget() -> None:
    """Give up the blocks of this process: after a fork, or when a test has another database."""
    with _lock:
        _blocks.clear()


def take(*, city: str, kind: str, day: str, count: int) -> int:
    """Take serials from the database; the first one. Other processes wait only as long as this transaction lasts."""
    table = Serial._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" (city, kind, day, next) VALUES (%s, %s, %s, %s) '  # noqa: S608 - our own table
            f'ON CONFLICT (city, kind, day) DO UPDATE SET next = "{table}".next + %s RETURNING next',
            [city, kind, day, count + 1, count],
        )
        return int(cursor.fetchone()[0]) - count


def next_number(info: PackInfo, *, kind: str, at: datetime) -> str:
    """The number of a new case or report. Call it outside a transaction: a block must not be given back by a rollback."""
    day = at.astimezone(info.zone).date()
    key = (info.id, kind, serial_day(info, kind=kind, day=day))
    with _lock:
        block = _blocks.get(key)
        if block is None or block.next >= block.end:
            block = _next_block(key, block)
        serial = block.next
        block.next += 1
    return format_number(info, kind=kind, day=day, serial=serial)


def _next_block(key: tuple[str, str, str], used_up: _Block | None) -> _Block:
    now = time.monotonic()
    size = 1
    if used_up is not None:
        busy = now - used_up.taken_at < BUSY_SECONDS
        size = min(LARGEST_BLOCK, used_up.size * 2) if busy else 1
    first = take(city=key[0], kind=key[1], day=key[2], count=size)
    block = _blocks[key] = _Block(next=first, end=first + size, size=size, taken_at=now)
    if len(_blocks) > 1000:  # days long past, after a replay
        for old in list(_blocks)[:500]:
            if old != key:
                del _blocks[old]
    return block


def serial_day(info: PackInfo, *, kind: str, day: date) -> str:
    """The day within which serials run; empty when the pattern has no date, so that they run on for ever."""
    pattern = info.case_number if kind == CASE else info.report_number
    return day.isoformat() if "{date" in pattern else ""


def format_number(info: PackInfo, *, kind: str, day: date, serial: int) -> str:
    """A serial as a number."""
    if kind == CASE:
        return info.format_case_number(day=day, serial=serial)
    return info.format_report_number(day=day, serial=serial)
