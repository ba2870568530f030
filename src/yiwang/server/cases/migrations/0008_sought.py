"""The column that searches look at. Cases that are there already are indexed by it after ``yiwang cases rebuild``."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_published_roots")]
    operations = [
        migrations.AddField("case", "sought", models.TextField(default="")),
        migrations.RunSQL("DELETE FROM cases_words", migrations.RunSQL.noop),
    ]
