"""The index for words: a table that each database has in its own kind, so it has no model. See `cases/words.py`."""

from typing import Any

from django.db import migrations

MAKE = {
    "sqlite": [
        "CREATE VIRTUAL TABLE cases_words USING fts5(grams, detail = none, tokenize = 'unicode61 remove_diacritics 0')"
    ],
    "postgresql": [
        "CREATE TABLE cases_words (case_id bigint PRIMARY KEY, grams tsvector NOT NULL)",
        "CREATE INDEX cases_words_grams ON cases_words USING gin (grams)",
    ],
}


def make(apps: Any, editor: Any) -> None:
    for statement in MAKE[editor.connection.vendor]:
        editor.execute(statement)


def drop(apps: Any, editor: Any) -> None:
    editor.execute("DROP TABLE cases_words")


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_region_gathering")]
    operations = [migrations.RunPython(make, drop)]
