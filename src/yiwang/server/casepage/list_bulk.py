"""One verb on many cases of the list: those that were selected, or all that its filter finds."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.server.casepage.bulk import Chosen, Origin, answer, selection
from yiwang.server.casepage.lists import Asked, asked_in
from yiwang.server.casepage.operations import MOST_AT_ONCE
from yiwang.server.cases.api import Readers, actors_for, lateness_moment, list_page, readers_for
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences


@require_POST
def bulk(request: HttpRequest, city: str) -> HttpResponse:
    """A look at what would be done, or the doing. ``all`` in the form stands for what the list's ``query`` finds."""
    place = city_or_404(city)
    if not request.user.is_authenticated:
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': reverse('cases', args=[city])})}")
    readers = readers_for(request.user, place=place)
    if not readers.posts:
        raise Http404
    asked = asked_in(QueryDict(request.POST.get("query", "").lstrip("?")), place)
    chosen, notice = selection(request), ""
    if request.POST.get("all"):
        chosen, notice = _all_found(asked, readers=readers, place=place)
    origin = Origin(
        actors=actors_for(request.user, city=city),
        url=reverse("cases-bulk", args=[city]),
        back=f"{reverse('cases', args=[city])}{asked.address()}",
        back_name=say("回到案卷列表", "Back to the list of cases"),
        page="cases",
    )
    return answer(request, place, origin=origin, chosen=chosen, notice=notice)


def _all_found(asked: Asked, *, readers: Readers, place: CityRuntime) -> tuple[Chosen, str]:
    """What the filter finds, in its order and no more than may be acted on at once; and what there is to say of it."""
    if asked.filters is None:
        return [], asked.problem
    try:
        found = list_page(
            readers=readers,
            place=place,
            filters=asked.filters,
            limit=MOST_AT_ONCE,
            at=lateness_moment(city=place.info.id),
        )
    except BadInput as error:
        return [], " ".join(sentences(error))
    notice = (
        say(
            "筛选出的案卷超过 {n} 件，这里是按当前排序的前 {n} 件。",
            "The filter finds more than {n} cases; these are the first {n} in the list's order.",
            n=MOST_AT_ONCE,
        )
        if found.next
        else ""
    )
    return [(row["number"], row["seq"]) for row in found.items], notice
