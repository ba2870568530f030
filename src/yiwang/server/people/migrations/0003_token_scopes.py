"""What a token may be used for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0002_governing")]
    operations = [
        migrations.AddField("apitoken", "scopes", models.CharField(default="read report act", max_length=40)),
    ]
