"""Signing in and out. Where demonstration people exist, the page lists them by role, with what each may do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import NoSuchCity, cities, runtime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.desks import queue
from yiwang.server.people import queries as people
from yiwang.server.people import sessions
from yiwang.server.people.roles import GOVERNING
from yiwang.server.people.throttling import SignInThrottle

SHOWN_VERBS = 6
# what the governing posts do, which is no verb of the workflow
DOES = {
    "administrator": Text("人员、单位、权限、规则、审计", "People, units, permissions, rules, audit"),
    "approver": Text("审批规则变更", "Approves changes of rules"),
}


def next_page(request: HttpRequest) -> str:
    """Where to go afterwards: the page asked for, if it is one of ours."""
    target = request.POST.get("next") or request.GET.get("next") or "/"
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else "/"


def landing_page(request: HttpRequest) -> str:
    """Where somebody begins who asked for no page: at their own desk, in administration, else at the list of cities."""
    target = next_page(request)
    if target != "/":
        return target
    for info in cities():
        if queue.desks_of(request.user, place=runtime(info.id)):
            return reverse("desk-home", args=[info.id])
    governed = request.session.get("governs", ())
    for info in cities():
        if info.id in governed or "*" in governed:
            return reverse("admin", args=[info.id])
    return target


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; after several failures for one name or address it waits."""
    form = AuthenticationForm(request, data=request.POST or None)
    throttle = SignInThrottle(request)
    if request.method == "POST":
        if waiting := throttle.begin():
            return render(request, "pages/sign_in.html", page(request, form, waiting=waiting), status=429)
        if form.is_valid():
            throttle.forget_failures()
            login(request, form.get_user())  # gives the session a new key
            sessions.begin(request, form.get_user())
            return redirect(landing_page(request))
    return render(request, "pages/sign_in.html", page(request, form), status=200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("home")


def page(request: HttpRequest, form: AuthenticationForm, *, waiting: int = 0) -> dict[str, Any]:
    """What the template shows."""
    shown = [row for person in people.demo_people() if (row := account_line(person))]
    order = [info.id for info in cities()]
    return {
        "form": form,
        "next": next_page(request),
        "waiting": waiting,
        "demo_people": sorted(shown, key=lambda row: order.index(row["city"].id)),
        "demo_password": people.DEMO_PASSWORD,
    }


def account_line(person: dict[str, Any]) -> dict[str, Any] | None:
    """A demonstration account with its city, role, unit and verbs by name; None when its city is gone."""
    try:
        place = runtime(person["city"])
    except NoSuchCity:
        return None
    workflow = place.rules.workflow
    verbs = [named(verb) for verb in workflow.verbs.values() if person["role"] in verb.roles]
    more = "…" if len(verbs) > SHOWN_VERBS else ""
    governing = GOVERNING.get(person["role"])
    if governing and person["role"] not in workflow.roles:
        verbs = [say(DOES[person["role"]])]
    return {
        "city": place.info,
        "username": person["username"],
        "role": workflow.roles.get(person["role"]) or governing or {"name": person["role"]},
        "unit": place.rules.units.get(person["unit"]) if person["unit"] else None,
        "verbs": " · ".join(verbs[:SHOWN_VERBS]) + more,
    }
