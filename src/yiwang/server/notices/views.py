"""The bell, the page of notices, and how somebody wants to be told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as site
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import english, say
from yiwang.server.common.refusing import sentence, sentences
from yiwang.server.common.throttling import TooOften
from yiwang.server.notices import channels, confirming, operations, queries, showing
from yiwang.server.notices.kinds import KINDS
from yiwang.server.notices.models import Recipient, Subscription
from yiwang.server.people import operations as people
from yiwang.server.people.masking import mask_contact

CONTACTS = ("email", "phone")


def for_accounts(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in who is signed in; the others are led to sign in."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, **rest: Any) -> HttpResponse:
        place = city_or_404(city)
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=204)  # a page that is still open after its session has ended
            return redirect(f"{reverse('sign-in')}?{urlencode({'next': reverse('notices', args=[city])})}")
        return view(request, place, **rest)

    return guard


@require_GET
@for_accounts
def bell(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """What the bell says, for pages that ask from time to time: 304 when nothing has changed."""
    count = queries.unread_count(queries.mine(request.user, place=place))
    tag = f'"{request.user.pk}-{get_language()}-{count}"'
    if request.headers.get("If-None-Match") == tag:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        context = {"count": count, "more": count > queries.MOST_COUNTED, "most": queries.MOST_COUNTED}
        answer = render(request, "notices/bell_count.html", context)
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ["Cookie", "Accept-Language"])
    return answer


@require_GET
@for_accounts
def notices(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """What concerns me, unread first."""
    own, kind, problem = queries.mine(request.user, place=place), request.GET.get("kind", ""), ""
    unread_only = request.GET.get("unread") == "1"
    try:
        found = queries.page(own, kind=kind, unread_only=unread_only, cursor=request.GET.get("cursor", ""))
    except BadInput as error:
        problem, found = " ".join(sentences(error)), queries.NoticePage(items=[], next="")
    kept = {name: value for name, value in (("kind", kind), ("unread", "1" if unread_only else "")) if value}
    context = {
        "city": place.info,
        "page": "notices",
        "lines": showing.lines(found.items, user=request.user, place=place),
        "kinds": list(KINDS.values()),
        "kind": kind,
        "unread_only": unread_only,
        "problem": problem,
        "told": bool(own.addressees),
        "newest": queries.newest_id(),
        "zone": str(place.calendar.zone),
        "any_unread": queries.unread_count(own, most=0) > 0,
        "here": request.get_full_path(),
        "next_url": f"?{urlencode({**kept, 'cursor': found.next})}" if found.next else "",
        "first_url": f"?{urlencode(kept)}" if request.GET.get("cursor") else "",
    }
    return render(request, "notices/notices.html", context, status=422 if problem else 200)


@require_GET
@for_accounts
def lead(request: HttpRequest, place: CityRuntime, *, pk: int) -> HttpResponse:
    """To the case, and the notice is read."""
    own = queries.mine(request.user, place=place)
    item = next((row for row in queries.of_id(own, pk)), None)
    line = showing.lines([item], user=request.user, place=place)[0] if item else None
    if line is None or not line["may_read"]:
        raise Http404(
            say("没有这条通知，或案卷已不归您查看", "There is no such notice, or its case is no longer yours to see")
        )
    operations.mark_read(own, [pk])
    return redirect("case", place.info.id, line["number"])


@require_POST
@for_accounts
def read(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Mark one as read, or all that were shown or are older."""
    own = queries.mine(request.user, place=place)
    ids = [int(value) for value in request.POST.getlist("id") if _is_id(value)]
    if ids:
        operations.mark_read(own, ids)
    elif _is_id(until := request.POST.get("until", "")):
        operations.mark_all_read(own, until=int(until))
    back = request.POST.get("next", "")
    base = reverse("notices", args=[place.info.id])
    return redirect(back if back == base or back.startswith(f"{base}?") else base)


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 18


@require_http_methods(["GET", "HEAD", "POST"])
@for_accounts
def settings(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Which kinds go by which channel, where to, and when not."""
    open_channels = channels.available()
    problems: dict[str, str] = {}
    if request.method == "POST":
        try:
            operations.save_settings(
                user=request.user,
                place=place,
                chosen={channel.id: request.POST.getlist(f"kinds-{channel.id}") for channel in open_channels},
                contacts=_contacts(request),
                quiet=(request.POST.get("quiet_from", ""), request.POST.get("quiet_to", "")),
                channels=open_channels,
                language=get_language() or "",
                origin=site.YIWANG_PUBLIC_URL.rstrip("/") or f"{request.scheme}://{request.get_host()}",
            )
        except BadInput as error:
            problems = {problem.column or "": sentence(problem) for problem in error.problems}
        except TooOften as error:
            problems = {"email": say(error.text)}
        else:
            messages.success(request, say("设置已保存。", "The settings are saved."))
            return redirect("notices-settings", place.info.id)
    return _settings_page(request, place, open_channels, problems)


def _contacts(request: HttpRequest) -> dict[str, str]:
    """What was written: an empty field leaves what is kept, unless it is to be deleted."""
    found = {name: request.POST.get(name, "") for name in CONTACTS if request.POST.get(name, "").strip()}
    return found | {name: "" for name in CONTACTS if request.POST.get(f"delete-{name}")}


def _settings_page(
    request: HttpRequest, place: CityRuntime, open_channels: list[channels.Channel], problems: dict[str, str]
) -> HttpResponse:
    recipient = Recipient.objects.filter(user_id=int(request.user.pk or 0), city=place.info.id).first() or Recipient()
    kept = {
        row.channel: row for row in Subscription.objects.filter(user_id=int(request.user.pk or 0), city=place.info.id)
    }
    said = request.POST if problems else None
    chosen = {
        channel.id: set(said.getlist(f"kinds-{channel.id}") if said else kept[channel.id].kinds.split() if channel.id in kept else ())
        for channel in open_channels
    }  # fmt: skip
    shown = [
        {
            "id": channel.id,
            "name": channel.name,
            "contact": channel.contact,
            "kept": mask_contact(getattr(recipient, channel.contact)),
            "confirmed": bool(recipient.reached_at(channel.contact)),
            "typed": said.get(channel.contact, "") if said else "",
            "problem": problems.get(channel.contact, ""),
            "error": _said(kept[channel.id].error) if channel.id in kept else "",
        }
        for channel in open_channels
    ]
    grid = [
        {"kind": kind, "cells": [{"channel": one, "on": kind.id in chosen[one.id]} for one in open_channels]}
        for kind in KINDS.values()
    ]
    has_quiet = recipient.quiet_from != recipient.quiet_to
    context = {
        "city": place.info,
        "page": "notices",
        "channels": shown,
        "grid": grid,
        "problems": list(problems.values()),
        "quiet_problem": problems.get("quiet", ""),
        "quiet_from": said.get("quiet_from", "") if said else _clock(recipient.quiet_from) if has_quiet else "",
        "quiet_to": said.get("quiet_to", "") if said else _clock(recipient.quiet_to) if has_quiet else "",
        "kept_days": operations.KEPT.days,
    }
    return render(request, "notices/settings.html", context, status=422 if problems else 200)


def _said(error: str) -> str:
    """Why the last try failed, in the reader's language."""
    chinese, _, other = error.partition("\n")
    return other if english() and other else chinese


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@require_POST
@for_accounts
def contact(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """My own address in clear, on record as every read of personal data is."""
    name = request.POST.get("contact", "")
    recipient = Recipient.objects.filter(user_id=int(request.user.pk or 0), city=place.info.id).first()
    value = getattr(recipient, name) if recipient and name in CONTACTS else ""
    if value:
        people.log_read(
            user=request.user, city=place.info.id, subject=request.user.get_username(), what=f"notices: {name}", purpose="own settings"
        )  # fmt: skip
        messages.info(request, value)
    return redirect("notices-settings", place.info.id)


@require_POST
@for_accounts
def ask_to_confirm(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The letter of confirmation once more."""
    recipient = Recipient.objects.filter(user_id=int(request.user.pk or 0), city=place.info.id).first()
    try:
        if recipient:
            confirming.ask_again(recipient)
    except TooOften as error:
        messages.error(request, say(error.text))
    else:
        messages.success(request, say("确认邮件将再发一次。", "The message is being sent once more."))
    return redirect("notices-settings", place.info.id)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest, city: str, *, ticket: str) -> HttpResponse:
    """What the link of the letter opens, on any device. Looking confirms nothing, since scanners of mail look too."""
    place = city_or_404(city)
    recipient = confirming.of_ticket(ticket, city=place.info.id)
    done = recipient is not None and recipient.email_confirmed_at is not None
    if recipient and request.method == "POST":
        confirming.confirm(recipient)
        done = True
    email = mask_contact(recipient.email) if recipient else ""
    context = {"city": place.info, "page": "notices", "email": email, "confirmed": done}
    return render(request, "notices/confirm.html", context, status=200 if recipient else 410)
