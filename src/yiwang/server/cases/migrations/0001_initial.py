"""The tables of cases, and what no model says: codes in plain order, the index for words, events that are only added."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from yiwang.server.common.append_only import append_only

# Codes compare by code point on PostgreSQL too, whatever the database's language: a prefix is then a range of the index.
PLAIN_ORDER = {
    "cases_case": ("city", "number", "region", "grid"),
    "cases_tally": ("city", "region"),
    "cases_report": ("region",),
}

# Each database has its own kind of index for words, so the table has no model. See `cases/words.py`.
WORDS = {
    "sqlite": [
        "CREATE VIRTUAL TABLE cases_words USING fts5(grams, detail = none, tokenize = 'unicode61 remove_diacritics 0')"
    ],
    "postgresql": [
        "CREATE TABLE cases_words (case_id bigint PRIMARY KEY, grams tsvector NOT NULL)",
        "CREATE INDEX cases_words_grams ON cases_words USING gin (grams)",
    ],
}


def in_plain_order(_apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":  # SQLite compares so anyway
        for table, columns in PLAIN_ORDER.items():
            changes = ", ".join(f'ALTER COLUMN "{column}" TYPE varchar(40) COLLATE "C"' for column in columns)
            editor.execute(f'ALTER TABLE "{table}" {changes}')


def make_words(_apps: Any, editor: Any) -> None:
    for statement in WORDS[editor.connection.vendor]:
        editor.execute(statement)


def drop_words(_apps: Any, editor: Any) -> None:
    editor.execute("DROP TABLE cases_words")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("city", models.CharField(max_length=40)),
                ("number", models.CharField(max_length=40, unique=True)),
                ("seq", models.PositiveIntegerField()),
                ("step", models.CharField(max_length=40)),
                ("stage", models.CharField(max_length=40)),
                ("category", models.CharField(max_length=40)),
                ("condition", models.CharField(max_length=40)),
                ("region", models.CharField(max_length=40)),
                ("grid", models.CharField(max_length=40)),
                ("lon", models.FloatField(null=True)),
                ("lat", models.FloatField(null=True)),
                ("text", models.TextField()),
                ("address", models.TextField()),
                ("source", models.CharField(max_length=40)),
                ("priority", models.CharField(max_length=40)),
                ("holder", models.CharField(max_length=60)),
                ("level", models.CharField(max_length=40)),
                ("opened_at", models.DateTimeField()),
                ("filed_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("deadline", models.DateTimeField(null=True)),
                ("next_due", models.DateTimeField(null=True)),
                ("overdue", models.BooleanField()),
                ("rating", models.PositiveSmallIntegerField()),
                ("merged_into", models.CharField(max_length=40)),
                ("flag", models.CharField(max_length=20)),
                ("head", models.BinaryField(max_length=32)),
                ("rest", models.TextField()),
                ("sought", models.TextField(default="")),
                ("waits", models.TextField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("city"),
                        models.OrderBy(models.F("opened_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="case_opened",
                    ),
                    models.Index(
                        models.F("city"),
                        models.F("step"),
                        models.OrderBy(models.F("opened_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="case_step",
                    ),
                    models.Index(
                        models.F("city"),
                        models.F("category"),
                        models.OrderBy(models.F("opened_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="case_category",
                    ),
                    models.Index(
                        models.F("city"),
                        models.F("holder"),
                        models.OrderBy(models.F("opened_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="case_holder",
                    ),
                    models.Index(
                        fields=["city", "region", "step", "category", "closed_at", "opened_at", "id"],
                        name="case_region",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["city", "deadline", "id", "region"],
                        name="case_deadline",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None), ("lat__isnull", False)),
                        fields=["city", "lat", "lon"],
                        name="case_open_point",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["city", "step", "deadline", "id", "holder"],
                        name="case_open_step",
                    ),
                    models.Index(
                        condition=models.Q(("waits__isnull", False)),
                        fields=["city", "deadline", "id"],
                        name="case_waits",
                    ),
                    models.Index(
                        condition=models.Q(("next_due__isnull", False)), fields=["next_due"], name="case_next_due"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("city", models.CharField(max_length=40)),
                ("seq", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("verb", models.CharField(max_length=40)),
                ("actor", models.CharField(max_length=80)),
                ("actor_name", models.CharField(max_length=120)),
                ("actor_unit", models.CharField(max_length=60)),
                ("role", models.CharField(max_length=40)),
                ("from_step", models.CharField(max_length=40)),
                ("to_step", models.CharField(max_length=40)),
                ("from_holder", models.CharField(max_length=60)),
                ("holder", models.CharField(max_length=60)),
                ("reason", models.TextField()),
                ("payload", models.TextField()),
                ("hash", models.BinaryField(max_length=32)),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="cases.case",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Outbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("city", models.CharField(max_length=40)),
                ("number", models.CharField(max_length=40)),
                ("first", models.PositiveIntegerField()),
                ("last", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
                ("told", models.TextField(db_default="", default="")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at", None)), fields=["next_at", "id"], name="outbox_waiting"
                    ),
                    models.Index(fields=["number"], name="outbox_number"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Photo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField(help_text="The event with which it came.")),
                ("path", models.CharField(help_text="Relative to the data folder.", max_length=200)),
                ("digest", models.CharField(max_length=64)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("taken_at", models.DateTimeField(help_text="By the camera's clock, where it said so.", null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="photos", to="cases.case"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True)),
                ("city", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
                ("text", models.TextField()),
                ("category", models.CharField(max_length=40)),
                ("lon", models.FloatField(null=True)),
                ("lat", models.FloatField(null=True)),
                ("region", models.CharField(max_length=40)),
                ("address", models.TextField()),
                ("source", models.CharField(max_length=40)),
                ("contact", models.CharField(max_length=200)),
                ("reporter", models.CharField(max_length=80)),
                ("origin", models.CharField(max_length=40)),
                ("external", models.CharField(max_length=80)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reports", to="cases.case"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Serial",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("city", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=10)),
                ("day", models.CharField(blank=True, max_length=10)),
                ("next", models.PositiveBigIntegerField(default=1)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("city", "kind", "day"), name="serial_once")],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("city", models.CharField(max_length=40)),
                ("region", models.CharField(max_length=40)),
                ("step", models.CharField(max_length=40)),
                ("late", models.BooleanField()),
                ("count", models.BigIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["city", "region"], name="tally_region")],
            },
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("case", "seq"), name="event_seq"),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external", ""), _negated=True),
                fields=("city", "origin", "external"),
                name="report_once",
            ),
        ),
        migrations.RunPython(in_plain_order, migrations.RunPython.noop),
        migrations.RunPython(make_words, drop_words),
        append_only("cases_event"),
        append_only("cases_event", deleting=True),
    ]
