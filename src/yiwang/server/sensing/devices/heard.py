"""What devices say of themselves: signs of life, battery, firmware, signal; and silence.

A device is silent from `Device.silent_at` on, which each message moves. So silence is a question to an index, begins when it was
long enough whoever notices it, and is over with the next message; nothing has to run for it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from yiwang.core.observations.messages import DeviceFacts
from yiwang.server.common import sql
from yiwang.server.sensing.devices.rejecting import clean
from yiwang.server.sensing.models import Device

_COLUMNS = ("last_seen", "silent_at", "battery", "firmware", "said")
_SAID = ("id", "eui", "battery_v", "rssi", "snr", "f_cnt")


@dataclass(frozen=True, slots=True)
class Silence:
    """A device of which nothing is heard.

    Attributes:
        since: When the time without a message was longer than its ``silence_after``.
        last_seen: None where it never spoke.
    """

    key: str
    thing: str
    since: datetime
    last_seen: datetime | None


def device_silences(city: str, *, at: datetime) -> list[Silence]:
    """The enabled devices of a city that are silent at a moment, the longest silent first."""
    rows = Device.objects.filter(city=city, enabled=True, silent_at__lte=at).order_by("silent_at", "key")
    named = rows.values_list("key", "thing__key", "silent_at", "last_seen")
    return [Silence(key, thing, since, last) for key, thing, since, last in named if since is not None]


def silent_from(device: Device) -> datetime | None:
    """From when on a device is silent if it does not speak; None for never."""
    if device.silence_after is None:
        return None
    return (device.last_seen or device.added) + timedelta(seconds=device.silence_after)


def hear_devices(devices: Collection[Device], facts: Mapping[int, DeviceFacts], *, at: datetime) -> None:
    """Note that devices, which are held, spoke, and what they said; what is older than the last message changes nothing.

    Args:
        devices: As they are in the database.
        facts: What each said of itself, by id.
        at: When they spoke.
    """
    rows = list(_rows(devices, facts, at))
    if not rows:
        return
    statement, _ = sql.change(Device, _COLUMNS, rows[0][0], pk=0)
    with connection.cursor() as cursor:
        cursor.executemany(statement, [[*sql.adapt(_COLUMNS, row), pk] for row, pk in rows])


def _rows(devices: Iterable[Device], facts: Mapping[int, DeviceFacts], at: datetime) -> Iterable[tuple[list[Any], int]]:
    for device in sorted(devices, key=lambda one: one.pk):
        if device.last_seen is not None and device.last_seen > at:
            continue
        told = facts[device.pk]
        device.last_seen = at
        battery = device.battery if told.battery_percent is None else float(told.battery_percent)
        firmware = clean(told.firmware, 60) or device.firmware
        yield [at, silent_from(device), battery, firmware, json.dumps(_said(device.said, told))], device.pk


def _said(before: Mapping[str, Any], told: DeviceFacts) -> dict[str, Any]:
    """What it said last of each thing."""
    now = {name: getattr(told, name) for name in _SAID}
    kept = {name: clean(value, 100) if isinstance(value, str) else value for name, value in now.items()}
    return {**before, **{name: value for name, value in kept.items() if value not in (None, "")}}
