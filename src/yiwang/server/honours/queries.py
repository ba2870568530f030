"""What one may ask of honours: who holds them, what waits for a decision, what was before."""

from __future__ import annotations

from yiwang.core.kernel.text import Text
from yiwang.server.honours.models import Honour, HonourEvent
from yiwang.server.honours.operations import NAME
from yiwang.server.ledger.api import first_broken, stream_of_events

STREAM = stream_of_events(HonourEvent, name=NAME, title=Text("示范区和流动红旗", "demonstration areas and banners"))
PUBLIC = (Honour.Step.HELD, Honour.Step.DOUBTED, Honour.Step.ENDED)


def honours_of(city: str, *, staff: bool) -> list[Honour]:
    """The honours of a city, the latest first; to the public those that were given."""
    found = Honour.objects.filter(city=city)
    return list(found if staff else found.filter(step__in=PUBLIC))


def honour_of(*, city: str, pk: int, staff: bool) -> Honour | None:
    """One honour, if it may be seen."""
    found = Honour.objects.filter(city=city, pk=pk)
    return (found if staff else found.filter(step__in=PUBLIC)).first()


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(HonourEvent, stream=NAME, city=city)
