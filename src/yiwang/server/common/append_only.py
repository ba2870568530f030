"""Tables whose rows are only ever added: the database itself refuses to alter one, whoever asks.

For migrations. Deleting is not refused, since a schedule may demand it; no operation offers it.
"""

from __future__ import annotations

from typing import Any

from django.db.migrations import RunPython

_FUNCTION = """
CREATE OR REPLACE FUNCTION yiwang_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME; END $$
"""


def append_only(*tables: str) -> RunPython:
    """The step of a migration that lets the database guard some tables."""

    def guard(_apps: Any, schema_editor: Any) -> None:
        vendor = schema_editor.connection.vendor
        if vendor == "postgresql":
            schema_editor.execute(_FUNCTION, params=None)
        for table in tables:
            if vendor == "postgresql":
                what = "FOR EACH ROW EXECUTE FUNCTION yiwang_append_only()"
            else:
                what = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
            schema_editor.execute(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} {what}")

    def release(_apps: Any, schema_editor: Any) -> None:
        on = {table: f" ON {table}" if schema_editor.connection.vendor == "postgresql" else "" for table in tables}
        for table in tables:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only{on[table]}")

    return RunPython(guard, release)
