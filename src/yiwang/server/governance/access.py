"""Who comes in: administration is for those who hold a governing post in the city."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.people.models import User
from yiwang.server.people.roles import ADMINISTRATOR, APPROVER, posts

View = Callable[..., HttpResponse]


def governing(*needed: str) -> Callable[[View], View]:
    """Lets a view be called with the city's runtime by holders of one of the posts; others are told who may."""
    wanted = frozenset(needed or (ADMINISTRATOR, APPROVER))

    def decorate(view: View) -> View:
        @wraps(view)
        def guard(request: HttpRequest, city: str, *args: Any, **kwargs: Any) -> HttpResponse:
            place = city_or_404(city)
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            held = posts(request.user, city=place.info.id)
            if not held & wanted:
                detail = (
                    say("这里只对系统管理员开放。", "This is for administrators only.")
                    if wanted == {ADMINISTRATOR}
                    else say(
                        "这里只对系统管理员和规则审批人开放。", "This is for administrators and approvers of rules."
                    )
                )
                context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
                return render(request, "problem.html", context, status=403)
            request.posts = held  # type: ignore[attr-defined]
            return view(request, place, *args, **kwargs)

        return guard

    return decorate


def context(request: HttpRequest, place: CityRuntime, section: str, **more: Any) -> dict[str, Any]:
    """What every page of administration shows."""
    held: frozenset[str] = request.posts  # type: ignore[attr-defined]
    return {
        "city": place.info,
        "page": "admin",
        "section": section,
        "administers": ADMINISTRATOR in held,
        **more,
    }


def signed_in(request: HttpRequest) -> User:
    """The account that asks, behind a guard that lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user
