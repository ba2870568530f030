"""The city that an address names, for the views of every app."""

from __future__ import annotations

from django.http import Http404

from yiwang.server.common.language import say
from yiwang.server.places.queries import NoSuchCity, Runtime, runtime


def known_city(city: str) -> Runtime:
    """The installed city, or the page that says there is none.

    Raises:
        Http404: When none of this id is installed.
    """
    try:
        return runtime(city)
    except NoSuchCity as error:
        raise Http404(say(error.text)) from error
