"""The first photo of each case of a list."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Min

from yiwang.server.cases.models import Photo


def first_photos(cases: Collection[int]) -> dict[int, int]:
    """Id of the first photo by id of the case, for those that have one: one query, none for no cases."""
    if not cases:
        return {}
    found = Photo.objects.filter(case_id__in=cases).order_by().values("case_id").annotate(first=Min("id"))
    return dict(found.values_list("case_id", "first"))
