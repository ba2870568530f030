"""Who comes in: where time goes, and what sensors say, is for all who hold a post in the city."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.language import say
from yiwang.server.people.models import User
from yiwang.server.people.queries import posts_of
from yiwang.server.people.roles import ADMINISTRATOR, GOVERNING, posts

View = Callable[..., HttpResponseBase]


def is_staff(user: Any, *, place: CityRuntime) -> bool:
    """Whether somebody holds a post in a city: any role of its workflow but the one that everybody has, or one that governs.

    A role needs no axis for that: who keeps the records of cases belongs to none. The deployment's own staff belong to every city.
    """
    if not isinstance(user, User):
        return False
    if user.is_superuser or user.is_staff:
        return True
    workflow = place.rules.workflow
    inside = workflow.roles.keys() - workflow.outside_roles()
    held = posts_of(user, city=place.info.id)
    return any(role in inside or (role in GOVERNING and not region) for _, region, role in held)


def assesses(user: Any, *, place: CityRuntime) -> bool:
    """Whether somebody plans inspections and gives notice of lists: administrators, and roles of which the workflow says so
    (`Role.assessment`) where their region is the whole city."""
    if not isinstance(user, User):
        return False
    if ADMINISTRATOR in posts(user, city=place.info.id):
        return True
    roles = place.rules.workflow.roles
    return any(
        role in roles and roles[role].assessment and place.rules.concerns(region, "")
        for _, region, role in posts_of(user, city=place.info.id)
    )


def belongs_to(user: Any, *, place: CityRuntime, level: str, code: str) -> bool:
    """Whether somebody holds a post in a unit that is scored: at the department or below it, or within the region.

    For a region, whoever answers for a region around it short of the whole city belongs to it too: most communities have
    nobody of their own in the system.

    Args:
        level: A level of regions, or ``department``.
        code: Of the region or department.
    """
    if not isinstance(user, User):
        return False
    inside = place.rules.workflow.roles.keys() - place.rules.workflow.outside_roles()
    held = [(unit, region) for unit, region, role in posts_of(user, city=place.info.id) if role in inside]
    if level == "department":
        below = set(place.rules.units.at_or_below(code))
        return any(unit in below for unit, _ in held)
    roots = {root.code for root in place.regions.roots}
    return any(
        region and (place.rules.concerns(code, region) or (region not in roots and place.rules.concerns(region, code)))
        for _, region in held
    )


def shown_to_staff(request: HttpRequest, city: str) -> bool:
    """Whether a link to a page of `staff_only` is shown: to those whom the page lets in."""
    return request.user.is_authenticated and is_staff(request.user, place=runtime(city))


def staff_only(view: View) -> View:
    """Lets a view be called with the city's runtime by those who hold a post in it (`is_staff`)."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, **rest: Any) -> HttpResponseBase:
        place = city_or_404(city)
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        if not is_staff(request.user, place=place):
            detail = say("这里只对本市工作人员开放。", "This is for people who hold a post in this city.")
            context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
            return render(request, "problem.html", context, status=403)
        return view(request, place, **rest)

    return guard
