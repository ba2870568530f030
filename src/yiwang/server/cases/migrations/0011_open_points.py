from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_outbox_told"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["city", "lat", "lon"],
                condition=Q(("closed_at", None), ("lat__isnull", False)),
                name="case_open_point",
            ),
        ),
    ]
