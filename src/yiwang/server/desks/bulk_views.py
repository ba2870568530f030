"""One verb on many cases of a desk's queue."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from yiwang.server.casepage.bulk import Origin, answer, selection
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.desks.queue import Desk
from yiwang.server.desks.views import at_desk


@require_POST
@at_desk
def bulk(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """First a look at what would be done; with ``confirm``, the doing."""
    at = [place.info.id, desk.role]
    origin = Origin(
        actors=desk.actors,
        url=reverse("desk-bulk", args=at),
        back=reverse("desk", args=at),
        back_name=say("回到工作台", "Back to the desk"),
        page="desk",
    )
    return answer(request, place, origin=origin, chosen=selection(request))
