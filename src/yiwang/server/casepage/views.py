"""The page of one case: show it, act on it, poll it, prove it, print it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Command
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import is_component
from yiwang.server.casepage import dossier, forms, operations
from yiwang.server.casepage.offering import manner_of
from yiwang.server.cases.api import (
    CaseDetail,
    act_on_case,
    actor_for,
    case_of,
    is_estimated,
    load_case,
    map_labels,
    photo_paths,
    readers_for,
    sequence_of,
    shown_row,
    source_name,
    whys_of,
)
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import english, say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.verification import proving

POLL_SECONDS = 20


def case_or_404(place: CityRuntime, number: str) -> CaseDetail:
    """The case with its history, or 404."""
    detail = load_case(city=place.info.id, number=number)
    if detail is None:
        raise Http404(say("没有编号为 {number} 的案卷", "There is no case {number}", number=number))
    return detail


def case_context(
    request: HttpRequest,
    place: CityRuntime,
    detail: CaseDetail,
    *,
    contacts: bool = False,
    masked: bool = False,
) -> dict[str, Any]:
    """What page and printed file both show of a case, for this reader; ``masked`` hides personal data from everybody."""
    now, state = timezone.now(), detail.state
    readers = readers_for(request.user, place=place)
    reader = readers.of_state(state)
    if masked:
        reader = replace(reader, personal=False, own=False)
    words = dossier.words_of(detail, reader=reader, place=place)
    if words.in_full:
        readers.record(numbers=state.number, what="words", purpose="case page")
    region = place.regions.get(state.region)
    return {
        "city": place.info,
        "page": "cases",
        "now": now,
        "reader": reader,
        "case": {
            **shown_row(detail.values, runtime=place, at=now, estimated=is_estimated(state, place=place)),
            "text": words.text,
            "address": words.address,
            "lon": state.lon,
            "lat": state.lat,
            "grid": state.grid,
            "component": state.component,
            "component_page": bool(reader.staff and is_component(city=place.info.id, code=state.component)),
            "seq": state.seq,
            "chain": [named(link) for link in place.regions.chain(state.region)] if region else [],
            "source_name": source_name(state.source),
            "approximate": bool(region and region.approximate),
            "rating": state.rating,
            "head_hash": detail.head_hash.hex(),
            "has_readings": reader.staff and dossier.sensed(detail.events),
        },
        "events": dossier.story(detail, words=words, reader=reader, place=place),
        "custody": dossier.custody(state, place=place, at=now),
        "clocks": dossier.clocks(detail, place=place, at=now),
        "deadlines": dossier.deadlines(detail.events, place=place),
        "whys": [dossier.decision_rows(why, place=place) for why in whys_of(detail.events)],
        "photos": dossier.photos(detail, place=place) if reader.staff else {"before": [], "after": []},
        "reports": dossier.reports(detail, reader=reader, contacts=contacts) if reader.staff else [],
        "contacts": contacts,
        "links": dossier.links(state),
    }


def context_of(
    request: HttpRequest, place: CityRuntime, detail: CaseDetail, *, contacts: bool = False
) -> dict[str, Any]:
    """Everything that the page shows."""
    context = case_context(request, place, detail, contacts=contacts)
    state, city = detail.state, place.info.id
    region = place.regions.get(state.region) or place.regions.roots[0]
    choices, others = _verbs(request, place, detail)
    for side in context["photos"].values():
        for photo in side:
            photo["url"] = reverse("case-photo", args=[city, state.number, photo["id"]])
    return {
        **context,
        "choices": choices,
        "others": others,
        "idempotency_key": secrets.token_urlsafe(16),
        "poll_seconds": POLL_SECONDS,
        "map_regions_url": f"{reverse('map-regions', args=[city])}?{urlencode({'region': region.parent or region.code})}",
        "map_labels": map_labels(),
        "case_link": reverse("case", args=[city, "NUMBER"]).replace("NUMBER", "{number}"),
    }


def _verbs(
    request: HttpRequest, place: CityRuntime, detail: CaseDetail
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The verbs that the reader may do now, with their forms, and the others with the reason why not."""
    if not request.user.is_authenticated:
        return [], []
    actor = actor_for(request.user, city=place.info.id)
    allowed: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for choice in permitted(detail.state, actor, rules=place.rules, at=timezone.now()):
        verb = place.rules.workflow.verbs[choice.verb]
        names = {"id": verb.id, "name": verb.name}
        if choice.allowed:
            fields = forms.fields(verb, state=detail.state, place=place)
            manner = manner_of(place.rules.workflow, verb, step=detail.state.step)
            mapped = any(field["name"] == "lon" for field in fields)
            allowed.append({**names, "fields": fields, "map": mapped, "manner": manner})
        else:
            others.append({**names, "why": say(choice.why)})
    allowed.sort(key=lambda offered: offered["manner"].rank)
    return allowed, others


@require_GET
def case(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """One case: story, holders, clocks, why, and what I may do now."""
    place = city_or_404(city)
    detail = load_case(city=place.info.id, number=number)
    if detail is None and (meant := case_of(number, city=place.info.id)):
        return redirect("case", city, meant)  # a receipt's number, or one in another letter case
    detail = detail or case_or_404(place, number)
    context = context_of(request, place, detail)
    if request.user.is_authenticated and context["reader"].staff:
        operations.mark_read(user=request.user, case_id=detail.values["id"], seq=detail.state.seq)
    return render(request, "cases/case.html", context)


@require_POST
def contacts(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """The same page with the reporters' contacts, for those who may see them. That they were read is recorded."""
    place = city_or_404(city)
    detail = case_or_404(place, number)
    readers = readers_for(request.user, place=place)
    if not readers.of_state(detail.state).personal:
        said = say("联系方式只给需要回访的岗位。", "Contacts are for those who have to call back.")
        return render(request, "cases/case.html", {**context_of(request, place, detail), "refusal": said}, status=403)
    readers.record(numbers=number, what="contact", purpose="case page")
    return render(request, "cases/case.html", context_of(request, place, detail, contacts=True))


@require_POST
def act(request: HttpRequest, city: str, number: str, verb: str) -> HttpResponse:
    """Do a verb. A refusal or a conflict shows the page as it is now, what has changed, and what was typed.

    Nobody acts here without signing in: who is not signed in cannot be shown to be the reporter. Citizens without an
    account rate and reopen by the secret link of their report.
    """
    place = city_or_404(city)
    try:
        if not request.user.is_authenticated:
            raise NotAllowed(Text("请先登录再办理案卷。", "Sign in to act on this case."))
        command = Command(
            verb=verb,
            actor=actor_for(request.user, city=city),
            payload=forms.payload(request.POST, place=place),
            expected_seq=forms.sequence(request.POST),
        )
        answer = act_on_case(
            city=city,
            number=number,
            command=command,
            photos=request.FILES.getlist("photo"),
            key=request.POST.get("idempotency_key", ""),
        )
    except (Refusal, BadInput) as error:
        return _refusal_page(request, place, number, verb, error)
    messages.success(request, forms.done_text(verb, answer["step"], place=place))
    return redirect("case", city, number)


def _refusal_page(
    request: HttpRequest, place: CityRuntime, number: str, verb: str, error: Refusal | BadInput
) -> HttpResponse:
    """The page with the sentence, the form as it was typed, and what others did since it was opened."""
    context = context_of(request, place, case_or_404(place, number))
    typed = {name: values for name, values in request.POST.lists() if any(map(str.strip, values))}
    kept = False
    for choice in context["choices"]:
        if choice["id"] == verb:
            kept = True
            for field in choice["fields"]:
                if field["kind"] != "file" and field["name"] in typed:
                    field["value"] = typed[field["name"]][0]
    hidden = {"seq", "idempotency_key", "csrfmiddlewaretoken"}
    lost = [] if kept else [(name, " · ".join(values)) for name, values in typed.items() if name not in hidden]
    seen = request.POST.get("seq", "")
    since = (
        [event for event in context["events"] if event["seq"] > int(seen)]
        if isinstance(error, Conflict) and seen.isascii() and seen.isdigit()
        else []
    )
    return render(
        request,
        "cases/case.html",
        {
            **context,
            "refusal": " ".join(sentences(error)),
            "opened_verb": verb,
            "since": since,
            "typed": lost,
            "files_again": bool(request.FILES),
        },
        status=status_of(error),
    )


@require_GET
def news_since(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """What happened since the reader opened the page (``seen``): nothing, or a notice. It is asked every few seconds, so
    it costs one small query, and nothing but a header while nothing happens."""
    place = city_or_404(city)
    seq = sequence_of(city=place.info.id, number=number)
    if seq is None:
        raise Http404
    seen = request.GET.get("seen", "")
    since = seq - int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
    tag = f'"{seq}-{since}-{translation.get_language()}"'
    if request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(
            request, "cases/_changed.html", {"city": place.info, "number": number, "since": max(0, since)}
        )
    response["ETag"], response["Cache-Control"] = tag, "private, no-cache"
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    return response


@require_GET
def proof(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """The ledger's part of the page, asked for when it is opened: chain, seals, inclusion proof."""
    place = city_or_404(city)
    detail = case_or_404(place, number)
    template = "cases/_proof.html" if request.headers.get("HX-Request") else "cases/proof.html"
    return render(
        request,
        template,
        {"city": place.info, "page": "cases", "number": number, "ledger": proving.ledger_of(detail=detail)},
    )


@require_GET
def file_pdf(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """The case file as a PDF, in the language of the page or of ``?lang=``; personal data masked.

    For people with an account: setting a file costs too much to give it to anybody who asks.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    place = city_or_404(city)
    detail = case_or_404(place, number)
    language = {"zh": "zh-hans", "en": "en"}.get(request.GET.get("lang", ""), translation.get_language() or "zh-hans")
    # Here, so that a start does not wait for fpdf and its fonts.
    from yiwang.server.casepage.case_file import case_file

    with translation.override(language):
        context = case_context(request, place, detail, masked=True)
        pictures = photo_paths(number=number) if context["reader"].staff else {}
        content = case_file(
            context=context,
            ledger=proving.ledger_of(detail=detail),
            pictures=pictures,
            by=_who(request),
            address=request.build_absolute_uri(reverse("case", args=[city, number])),
        )
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def _who(request: HttpRequest) -> str:
    user = request.user
    if not user.is_authenticated:
        return say("未登录者", "somebody not signed in")
    name, other = getattr(user, "display_name", ""), getattr(user, "display_name_en", "")
    return str((other or name if english() else name) or user.get_username())
