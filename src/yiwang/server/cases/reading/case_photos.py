"""The photos of many cases at once, those from before the handling apart from those since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Min

from yiwang.server.cases.models import Event, Photo


@dataclass(frozen=True, slots=True)
class SidedPhoto:
    """A photo by its id, and whether it came once the case was being handled."""

    id: int
    after: bool


def is_after(seq: int, *, handled: int | None) -> bool:
    """Whether what came with an event came once the case was being handled.

    Args:
        seq: Number of the event; what came with the first one is the report's.
        handled: Number of the first event that handled; None before that.
    """
    return handled is not None and seq >= handled and seq > 1


def photos_of_cases(cases: Collection[int]) -> dict[int, list[SidedPhoto]]:
    """Photos in the order in which they came, by id of the case, for those that have some: at most two queries."""
    if not cases:
        return {}
    rows = list(Photo.objects.filter(case_id__in=cases).order_by("id").values_list("case_id", "id", "seq"))
    # the report's own photos are of before, whatever happened since: most cases have no others
    handled = _first_handled({case for case, _, seq in rows if seq > 1})
    found: defaultdict[int, list[SidedPhoto]] = defaultdict(list)
    for case, photo, seq in rows:
        found[case].append(SidedPhoto(photo, is_after(seq, handled=handled.get(case))))
    return dict(found)


def _first_handled(cases: Collection[int]) -> dict[int, int]:
    """Number of the first event that handled, by id of the case."""
    if not cases:
        return {}
    # the key as JSON writes it; inside a text its quotes would be escaped
    handling = Event.objects.filter(case_id__in=cases, payload__contains='"handler":').order_by()
    return dict(handling.values("case_id").annotate(first=Min("seq")).values_list("case_id", "first"))
