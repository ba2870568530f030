"""How long a session lasts, and what must come first: idle ones end, and a password that somebody else knows is changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from yiwang.server.people.roles import governed_cities

TOUCH_SECONDS = 300
SEEN, MUST_CHANGE, GOVERNS = "seen", "must_change", "governs"
_FREE = ("sign-out", "sign-in", "password", "switch-language")


def begin(request: HttpRequest, user: Any) -> None:
    """Note in a session that has just begun what later requests need without a query."""
    request.session[SEEN] = int(time.time())
    request.session[GOVERNS] = governed_cities(user)
    if user.must_change_password:
        request.session[MUST_CHANGE] = True
    else:
        request.session.pop(MUST_CHANGE, None)


def _is_by_person(request: HttpRequest) -> bool:
    """Whether a person did this: a page that refreshes itself must not keep a deserted desk signed in."""
    return request.method != "GET" or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def _user(request: HttpRequest) -> Any:
    user = get_user(request)
    if not user.is_authenticated:
        return user
    seen, now, idle = request.session.get(SEEN), int(time.time()), settings.YIWANG_IDLE_MINUTES * 60
    if seen is not None and idle and now - seen > idle:
        request.session.flush()
        return AnonymousUser()
    if seen is not None and now - seen > TOUCH_SECONDS and _is_by_person(request):
        request.session[SEEN] = now
    if request.session.get(MUST_CHANGE) and request.path.startswith("/api/"):
        return AnonymousUser()
    return user


class Authentication:
    """``request.user``, found when it is first asked for; nothing is read for a request that does not ask."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known: list[Any] = []

        def user() -> Any:
            if not known:
                known.append(_user(request))
            return known[0]

        request.user = SimpleLazyObject(user)  # type: ignore[assignment]
        if self._must_change(request):
            return redirect("password")
        return self.get_response(request)

    def _must_change(self, request: HttpRequest) -> bool:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith("/api/"):
            return False
        return bool(request.session.get(MUST_CHANGE)) and request.path not in {reverse(name) for name in _FREE}
