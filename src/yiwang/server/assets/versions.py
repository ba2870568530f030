"""How often a city's inventory has been written, which everybody who writes it moves on."""

from __future__ import annotations

from django.db import connection
from django.db.models import F

from yiwang.server.assets.models import InventoryVersion


def write_begins(city: str) -> None:
    """Move the version of a city's inventory on, before the first component of a transaction is written.

    Who reads the inventory into memory learns of a change by it. The row is held until the transaction ends: the next
    writer waits, so that no component or change with a smaller id becomes visible after one with a larger.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("The inventory is written in a transaction.")
    InventoryVersion.objects.get_or_create(city=city)
    InventoryVersion.objects.filter(city=city).update(version=F("version") + 1)


def version_of(city: str) -> int:
    """The version; 0 for a city whose inventory was never written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM assets_inventoryversion WHERE city = %s", [city])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
