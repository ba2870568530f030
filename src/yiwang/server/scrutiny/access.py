"""Who comes in: where time goes is for all who hold a post in the city."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.language import say
from yiwang.server.people.models import User
from yiwang.server.people.queries import posts_of
from yiwang.server.people.roles import posts

View = Callable[..., HttpResponseBase]


def staff_only(view: View) -> View:
    """Lets a view be called with the city's runtime by those who hold a post in it: on an axis of the loop, or in administration."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, **rest: Any) -> HttpResponseBase:
        place = city_or_404(city)
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        roles = place.rules.workflow.roles
        working = any(role in roles and roles[role].axis for _, _, role in posts_of(request.user, city=city))
        if not working and not posts(request.user, city=city):
            detail = say("这里只对本市工作人员开放。", "This is for people who hold a post in this city.")
            context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
            return render(request, "problem.html", context, status=403)
        return view(request, place, **rest)

    return guard
