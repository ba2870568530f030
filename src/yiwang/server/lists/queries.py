"""What one may ask of lists: editions, and how often a unit stood on them before."""

from __future__ import annotations

from django.db.models import Count

from yiwang.core.kernel.text import Text
from yiwang.server.ledger.api import first_broken, stream_of_events
from yiwang.server.lists.models import Edition, ListEntry, ListEvent
from yiwang.server.lists.operations import NAME

STREAM = stream_of_events(ListEvent, name=NAME, title=Text("红黑榜", "red and black lists"))


def editions_of(city: str, *, staff: bool) -> list[Edition]:
    """The editions of a city, the latest first: those that are published, and for staff those that stand on notice."""
    steps = [Edition.Step.PUBLISHED, *([Edition.Step.NOTICED] if staff else [])]
    return list(Edition.objects.filter(city=city, step__in=steps).prefetch_related("entries"))


def edition_of(*, city: str, rule: str, period: str) -> Edition | None:
    """One edition that was not withdrawn."""
    found = Edition.objects.filter(city=city, rule=rule, period=period).exclude(step=Edition.Step.WITHDRAWN)
    return found.first()


def times_before(edition: Edition) -> dict[tuple[str, str], int]:
    """How often each unit stood on each of the rule's published lists before this edition: (unit, colour) → times."""
    earlier = ListEntry.objects.filter(
        edition__city=edition.city,
        edition__rule=edition.rule,
        edition__step=Edition.Step.PUBLISHED,
        edition_id__lt=edition.pk,
    )
    counted = earlier.exclude(upheld=True).order_by().values_list("unit", "colour").annotate(times=Count("id"))
    return {(unit, colour): times for unit, colour, times in counted}


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(ListEvent, stream=NAME, city=city)
