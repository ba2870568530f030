"""Django's `flush`, which empties every table: also the one of events, whose rows nothing else deletes."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connection

from yiwang.server.cases.models import Event
from yiwang.server.common.append_only import lift_guard


class Command(Flush):
    """Empties the database. PostgreSQL truncates tables, which no trigger of ours refuses; SQLite deletes rows."""

    def handle(self, **options: Any) -> None:
        table = Event._meta.db_table
        if connection.vendor != "sqlite" or table not in connection.introspection.table_names():
            super().handle(**options)
            return
        with lift_guard(table):
            super().handle(**options)
