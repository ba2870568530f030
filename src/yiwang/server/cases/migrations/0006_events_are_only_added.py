"""The database refuses to alter or delete an event."""

from django.db import migrations

from yiwang.server.common.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_waits")]

    operations = [append_only("cases_event"), append_only("cases_event", deleting=True)]
