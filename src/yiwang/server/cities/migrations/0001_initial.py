import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="City",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("name_en", models.CharField(max_length=80)),
                ("version", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("position", models.PositiveIntegerField(default=0)),
                ("installed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="PackVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("source_digest", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("folder", models.CharField(max_length=200)),
                (
                    "retained",
                    models.JSONField(
                        default=dict, help_text="Codes that the pack no longer names and that were kept, by file."
                    ),
                ),
                ("installed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "origin",
                    models.CharField(choices=[("pack", "Pack"), ("rules", "Rules")], default="pack", max_length=10),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "city",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="cities.city"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("city", "version"), name="pack_version_once")],
            },
        ),
    ]
