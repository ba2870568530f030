"""Tables whose rows are only ever added: the database itself refuses to alter one, whoever asks.

For migrations. Deleting is refused too where no schedule demands it (``deleting``). Whoever owns the database can take the
triggers away; they stop mistakes, and programs that may write but not define.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.migrations import RunPython

_FUNCTION = """
CREATE OR REPLACE FUNCTION yiwang_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME; END $$
"""
# what is refused → the end of the trigger's name
_NAMES = {"UPDATE": "append_only", "DELETE": "never_deleted"}
Execute = Callable[..., Any]


def append_only(*tables: str, deleting: bool = False) -> RunPython:
    """The step of a migration that lets the database guard some tables.

    Args:
        tables: Their names.
        deleting: Refuse to delete rows too, and leave what is guarded against altering already as it is.
    """
    what = "DELETE" if deleting else "UPDATE"

    def guard(_apps: Any, schema_editor: Any) -> None:
        for table in tables:
            _guard(schema_editor.execute, schema_editor.connection.vendor, table, what)

    def release(_apps: Any, schema_editor: Any) -> None:
        for table in tables:
            _release(schema_editor.execute, schema_editor.connection.vendor, table, what)

    return RunPython(guard, release)


@contextmanager
def lift_guard(table: str) -> Iterator[None]:
    """Let the rows of a guarded table be altered and deleted meanwhile: for emptying a database, and for the tests that forge."""
    vendor = connection.vendor
    with connection.cursor() as cursor:
        _settle(cursor, vendor)
        for what in _NAMES:
            _release(cursor.execute, vendor, table, what)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            _settle(cursor, vendor)
            for what in _NAMES:
                _guard(cursor.execute, vendor, table, what)


def _settle(cursor: Any, vendor: str) -> None:
    """PostgreSQL changes no table of which rows still wait for their foreign keys to be looked at."""
    if vendor == "postgresql" and connection.in_atomic_block:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _guard(execute: Execute, vendor: str, table: str, what: str) -> None:
    if vendor == "postgresql":
        execute(_FUNCTION, None)  # its % is no placeholder
        then = "FOR EACH ROW EXECUTE FUNCTION yiwang_append_only()"
    else:
        then = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
    execute(f"CREATE TRIGGER {table}_{_NAMES[what]} BEFORE {what} ON {table} {then}", None)


def _release(execute: Execute, vendor: str, table: str, what: str) -> None:
    on = f" ON {table}" if vendor == "postgresql" else ""
    execute(f"DROP TRIGGER IF EXISTS {table}_{_NAMES[what]}{on}", None)
