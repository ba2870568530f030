"""Following a report by its secret link: opening it, seeing, rating, reopening, and messages on or off."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import load_case
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import throttling
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.portal import forms, limits, links, operations, queries
from yiwang.server.portal.models import Follow
from yiwang.server.portal.views import private

STARS = [(str(stars), "★" * stars) for stars in range(5, 0, -1)]


def _exchange_secret(request: HttpRequest, follow: Follow) -> HttpResponse:
    """Exchange the secret for the cookie, and lead on to an address without it."""
    response = redirect("portal-follow", follow.city, follow.report)
    links.hold(request, response, follow.uid)
    return private(response, secret=True)


def _redirect(request: HttpRequest, city: str, problem: str) -> HttpResponse:
    """A link that opens nothing: say so at an address without it."""
    messages.error(request, problem)
    return private(redirect("portal-find", city), secret=True)


@require_http_methods(["GET", "POST"])
def find(request: HttpRequest, city: str) -> HttpResponse:
    """By number and secret, typed in; and what was opened on this device before."""
    place = city_or_404(city)
    problem, status = "", 200
    if request.method == "POST":
        number, secret = request.POST.get("number", "").strip()[:40], request.POST.get("secret", "").strip()
        try:
            follow = _find_by_secret(request, city, number, secret)
            if follow is not None:
                return _exchange_secret(request, follow)
            problem = say("编号或密码不对。", "The number or the secret is wrong.")
            status = 403
        except Refusal as error:
            problem, status = " ".join(sentences(error)), status_of(error)
    return private(
        render(
            request,
            "portal/find.html",
            {
                "city": place.info,
                "page": "portal",
                "problem": problem,
                "number": request.POST.get("number", ""),
                "mine": queries.opened_follows(city=city, held=links.opened_uids(request)),
            },
            status=status,
        )
    )


def _find_by_secret(request: HttpRequest, city: str, number: str, secret: str) -> Follow | None:
    """The report, unless there were too many wrong guesses from this address."""
    who = throttling.caller(request).network
    throttling.check(limits.GUESS, who)
    follow = queries.by_secret(city=city, number=number, secret=secret)
    if follow is None:
        throttling.count(limits.GUESS, who)
    return follow


@require_GET
def open_link(request: HttpRequest, city: str, report: str, secret: str) -> HttpResponse:
    """The secret link."""
    place = city_or_404(city)
    try:
        follow = _find_by_secret(request, city, report, secret)
    except Refusal as error:
        return _redirect(request, place.info.id, " ".join(sentences(error)))
    if follow is None:
        return _redirect(request, place.info.id, say("链接不对或已失效。", "The link is wrong or no longer valid."))
    return _exchange_secret(request, follow)


@require_GET
def open_mail(request: HttpRequest, city: str, ticket: str) -> HttpResponse:
    """The link in a message."""
    place = city_or_404(city)
    follow = links.of_ticket(ticket, links.NEWS)
    if follow is None or follow.city != city:
        return _redirect(request, place.info.id, say("链接不对或已过期。", "The link is wrong or has expired."))
    return _exchange_secret(request, follow)


def _refusal_page(request: HttpRequest, place: CityRuntime, problem: str, status: int) -> HttpResponse:
    context = {"city": place.info, "page": "portal", "problem": problem, "number": "", "mine": []}
    return private(render(request, "portal/find.html", context, status=status))


def _mine(request: HttpRequest, city: str, report: str) -> Follow | None:
    return queries.follow_of(city=city, report=report, held=links.opened_uids(request))


@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest, city: str, report: str) -> HttpResponse:
    """The report as its holder sees it, and what the holder may do."""
    place = city_or_404(city)
    mine = _mine(request, city, report)
    if mine is None:
        problem = say(
            "请用您的密链打开，或输入编号和密码。", "Open it with your secret link, or type number and secret."
        )
        return _refusal_page(request, place, problem, 404)
    if request.method == "POST":
        try:
            _apply(request, mine)
        except (Refusal, BadInput) as error:
            status = status_of(error)
            return _page(request, place, mine, problems=sentences(error), status=status)
        return private(redirect("portal-follow", city, report))
    return _page(request, place, mine)


def _apply(request: HttpRequest, mine: Follow) -> None:
    """What the holder asked for."""
    throttling.slow_reports(throttling.caller(request))
    place = city_or_404(mine.city)
    post, what = request.POST, request.POST.get("do", "")
    current = queries.surviving_case(place=place, number=mine.current)
    detail = load_case(city=mine.city, number=current, with_events=False)
    if detail is None:
        raise Http404
    if what == "email":
        email = forms.email(post.get("email", ""))
        if email:
            throttling.slow_down(limits.MAIL, email.casefold())
        if not operations.set_email(follow=mine, email=email, told=detail.state.seq, current=current):
            raise BadInput(Text("这个邮箱要求不再接收任何邮件。", "That address asked for no messages at all."))
        return
    payload = {name: text for name in ("stars", "note", "reason") if (text := post.get(name, "").strip())}
    wanted = ("stars", "note") if what == "rate" else ("reason",)
    operations.act(
        follow=mine, effect=what, payload={name: payload[name] for name in wanted if name in payload},
        photos=request.FILES.getlist("photos"), key=post.get("key", "")[:100], reporter=detail.state.reporter,
    )  # fmt: skip


def _page(
    request: HttpRequest, place: CityRuntime, mine: Follow, *, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    found = queries.public_case(place=place, number=queries.surviving_case(place=place, number=mine.current))
    if found is None:
        raise Http404
    response = render(
        request,
        "portal/follow.html",
        {
            "city": place.info,
            "page": "portal",
            "follow": mine,
            "case": found.row,
            "merged": found.row["number"] != mine.number,
            "stages": found.stages,
            "story": found.story,
            "reports": found.reports,
            "rights": queries.rights(place=place, follow=mine, found=found),
            "stars": STARS,
            "problems": problems or [],
            "key": secrets.token_urlsafe(16),
            "now": timezone.now(),
        },
        status=status,
    )
    links.hold(request, response, mine.uid)
    return private(response)


@require_POST
def forget(request: HttpRequest, city: str) -> HttpResponse:
    """Forget on this device which links were opened: for a phone that others use too."""
    response = redirect("portal-find", city)
    links.forget_all(response)
    return private(response)


@csrf_exempt  # mail programs call it by themselves (RFC 8058); the ticket is what proves who asks
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, city: str, ticket: str) -> HttpResponse:
    """No more messages. A look at the page changes nothing, since programs look at links."""
    place = city_or_404(city)
    follow = links.of_ticket(ticket, links.STOP)
    if follow is None or follow.city != city:
        return _redirect(request, place.info.id, say("链接不对或已过期。", "The link is wrong or has expired."))
    done = request.method == "POST"
    if done:
        operations.unsubscribe(follow=follow, everything=request.POST.get("all") == "1")
    context = {"city": place.info, "page": "portal", "follow": follow, "done": done}
    return private(render(request, "portal/unsubscribe.html", context))
