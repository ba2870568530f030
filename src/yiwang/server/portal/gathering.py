"""Words of citizens that came by other ways than the portal, put before the moderators."""

from __future__ import annotations

from django.db.models import Max

from yiwang.server.cases.api import Report
from yiwang.server.cities.queries import cities, runtime
from yiwang.server.common import publishing
from yiwang.server.portal import operations
from yiwang.server.portal.models import Gathering

GATHERED, OVERLAP = 1000, 200


def gather() -> int:
    """Put what citizens wrote by other ways (telephone, programs) before the moderators where something was masked."""
    offered = 0
    for info in cities():
        place = runtime(info.id)
        seen = Gathering.objects.filter(city=info.id).values_list("seen", flat=True).first()
        newest = Report.objects.filter(city=info.id).aggregate(last=Max("id"))["last"] or 0
        if seen is None:  # what lies in the past is shown masked; a moderator can find any of it by its number
            operations.record_gathering(city=info.id, seen=newest)
            continue
        # ids of transactions that are still open come late: look a little back
        rows = list(
            Report.objects.filter(city=info.id, id__gt=max(0, seen - OVERLAP), id__lte=newest, source__in=("public", "hotline"))
            .exclude(reporter__startswith="sim:")
            .order_by("id")
            .values_list("id", "case__number", "text")[:GATHERED]
        )  # fmt: skip
        if rows:
            offered += operations.offer(
                place=place, kind=publishing.CASE, texts={number: text for _, number, text in rows}
            )
        upto = rows[-1][0] if len(rows) == GATHERED else newest
        if upto != seen:
            operations.record_gathering(city=info.id, seen=upto)
    return offered
