"""What waits for an answer gets a column and a small index; cases that wait already are found once, by their JSON."""

from typing import Any

import orjson
from django.db import migrations, models
from django.db.models import Q


def fill(apps: Any, editor: Any) -> None:
    from yiwang.server.cases.rows import waits_of

    case = apps.get_model("cases", "Case")
    waiting = case.objects.filter(Q(rest__contains='"pending":{') | Q(rest__contains=':"asked"'))
    for pk, text in waiting.values_list("pk", "rest").iterator(chunk_size=2000):
        rest = orjson.loads(text)
        if waits := waits_of(rest.get("pending"), rest.get("assisting") or {}):
            case.objects.filter(pk=pk).update(waits=waits)


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_words")]
    operations = [
        migrations.AddField("Case", "waits", models.TextField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "Case",
            models.Index(
                fields=["city", "step", "deadline", "id", "holder"],
                condition=models.Q(("closed_at", None)),
                name="case_open_step",
            ),
        ),
        migrations.AddIndex(
            "Case",
            models.Index(
                fields=["city", "deadline", "id"], condition=models.Q(("waits__isnull", False)), name="case_waits"
            ),
        ),
    ]
