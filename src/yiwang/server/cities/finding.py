"""The city and the region that an address names, for the views of every app."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from yiwang.core.space import Region
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.common.language import say


def city_or_404(city: str) -> CityRuntime:
    """The installed city, or the page that says there is none.

    Raises:
        Http404: When none of this id is installed.
    """
    try:
        return runtime(city)
    except NoSuchCity as error:
        raise Http404(say(error.text)) from error


def region_of_request(request: HttpRequest, place: CityRuntime) -> Region:
    """The region named in the address, else the whole city."""
    return region_or_404(place, request.GET.get("region", ""))


def region_or_404(place: CityRuntime, code: str) -> Region:
    """The region with this code, the whole city for none.

    Raises:
        Http404: When the city has no such region.
    """
    tree = place.regions
    if code and code not in tree:
        raise Http404(say("没有编码为 {code} 的区域", "There is no region with code {code}", code=code))
    return tree[code] if code else tree.roots[0]
