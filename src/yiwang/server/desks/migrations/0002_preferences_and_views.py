from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def keep_filters_as_views(apps: Any, schema_editor: Any) -> None:
    """The filters of desks become private views, under the same names."""
    filters, views = apps.get_model("desks", "SavedFilter"), apps.get_model("casepage", "SavedView")
    views.objects.bulk_create(
        [
            views(
                user_id=old.user_id,
                city=old.city,
                role=old.role,
                name=old.name,
                query=old.query,
                created_at=old.created_at,
            )
            for old in filters.objects.order_by("id")
        ],
        batch_size=500,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("desks", "0001_initial"),
        ("casepage", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeskPreference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("city", models.CharField(max_length=40)),
                ("role", models.CharField(max_length=40)),
                ("layout", models.CharField(blank=True, max_length=10)),
                ("read_before", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "city", "role"), name="desk_preference_once")],
            },
        ),
        migrations.RunPython(keep_filters_as_views, migrations.RunPython.noop),
    ]
