"""Codes compare by code point on PostgreSQL too, whatever the database's language: a prefix is then a range of the index."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

COLUMNS = {
    "cases_case": ("city", "number", "region", "grid"),
    "cases_tally": ("city", "region"),
    "cases_report": ("region",),
}


def in_plain_order(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return  # SQLite compares so anyway
    for table, columns in COLUMNS.items():
        changes = ", ".join(f'ALTER COLUMN "{column}" TYPE varchar(40) COLLATE "C"' for column in columns)
        schema_editor.execute(f'ALTER TABLE "{table}" {changes}')


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]
    operations = [migrations.RunPython(in_plain_order, migrations.RunPython.noop)]
