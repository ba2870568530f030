"""The desk: its queue, live, with filters that can be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.read_marks import Unread, unread
from yiwang.server.casepage.saved_views import beside, keeper_of, normal
from yiwang.server.cases.api import CaseFilters
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.desks import board, duties, operations, preferences, queue, showing
from yiwang.server.desks.case_panel import context_of
from yiwang.server.desks.queue import Desk

KIND_NAMES = {
    duties.DUE: Text("待办", "To do"),
    duties.MINE: Text("我经办的", "Mine"),
    duties.ASKED: Text("待答复", "To answer"),
    duties.ALL: Text("可处理的全部", "All I may act on"),
}
FILTERS = ("q", "region", "category", "step")
AS_LIST = "list"


def at_desk(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only those in who hold the role in the city; the others are led to their own desks, or to sign in."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, role: str, **rest: Any) -> HttpResponse:
        place = city_or_404(city)
        if not request.user.is_authenticated:
            return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
        found = next((desk for desk in queue.desks_of(request.user, place=place) if desk.role == role), None)
        if found is None:
            if request.method != "GET" or request.headers.get("HX-Request"):
                raise Http404(say("这不是您的工作台", "This desk is not yours"))
            return redirect("desk-home", city)
        return view(request, place, found, **rest)

    return guard


@require_GET
def home(request: HttpRequest, city: str) -> HttpResponse:
    """To the desk of my role; a choice where I have several."""
    place = city_or_404(city)
    if not request.user.is_authenticated:
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.path})}")
    desks = queue.desks_of(request.user, place=place)
    if len(desks) == 1:
        return redirect("desk", city, desks[0].role)
    return render(request, "desks/choose.html", {"city": place.info, "page": "desk", "desks": desks})


def requested_queue(request: HttpRequest, place: CityRuntime, desk: Desk, *, layout: str) -> dict[str, Any]:
    """The queue that an address asks for, ready to be shown as a list or a board."""
    kind, values = words_typed(request.GET)
    now, problem = timezone.now(), ""
    shown: dict[str, Any] = {}
    try:
        values |= codes_meant(request.GET, place)
        shown = _shown(request, place, desk, kind=kind, filters=filters_of(values), layout=layout, at=now)
    except BadInput as error:
        problem = " ".join(sentences(error))
    said = {**values, "kind": kind if kind != duties.DUE else "", "as": AS_LIST if _as_list(request) else ""}
    kept = {name: value for name, value in said.items() if value}
    steps = duties.steps_of(place.rules.workflow, desk.role, kind)
    following = shown.get("next", "")
    return {
        "city": place.info,
        "desk": desk,
        "kind": kind,
        "filters": values,
        "active": sum(map(bool, values.values())),
        "query": urlencode(kept),
        "before_case": f"{urlencode(kept)}&" if kept else "",
        "before_step": "".join(f"{urlencode({name: kept[name]})}&" for name in kept if name not in ("step", "as")),
        "problem": problem,
        "layout": layout,
        **shown,
        "next_url": f"?{urlencode({**kept, 'cursor': following})}" if following else "",
        "first_url": f"?{urlencode(kept)}" if request.GET.get("cursor") else "",
        "queue_url": _queue_url(request, place, desk, layout=layout),
        "steps": [place.rules.workflow.steps[step] for step in steps],
        "narrowed": bool(any(values.values())),
    }


def _as_list(request: HttpRequest) -> bool:
    """Whether the address asks for a list whatever layout is kept: where a board says that a step has more."""
    return request.GET.get("as") == AS_LIST


def _queue_url(request: HttpRequest, place: CityRuntime, desk: Desk, *, layout: str) -> str:
    """Where the queue alone is asked for again; it says the layout, so that nobody's preference need be looked up."""
    query = request.GET.copy()
    query["layout"] = layout
    return f"{reverse('desk-queue', args=[place.info.id, desk.role])}?{query.urlencode()}"


def _shown(
    request: HttpRequest, place: CityRuntime, desk: Desk, *, kind: str, filters: CaseFilters, layout: str, at: datetime
) -> dict[str, Any]:
    """The rows of a list and what comes after them, or the columns of a board."""
    sends = layout != preferences.BOARD and duties.sends_down(place.rules.workflow, desk.role)

    def lines_of(entries: Sequence[queue.Entry]) -> list[dict[str, Any]]:
        marks = marks_of(request, place, desk, entries, at=at)
        return showing.lines(entries, place=place, sends=sends, at=at, marks=marks)

    if layout == preferences.BOARD:
        by_step = queue.first_of_steps(
            place=place, desk=desk, kind=kind, filters=filters, limit=board.MOST_CARDS, at=at
        )
        rest = request.GET.get("rest") == "1"
        columns, folded = board.columns(by_step, lines_of=lines_of, place=place, desk=desk, kind=kind, folded=rest)
        return {"columns": columns, "folded": folded, "rest": rest}
    cursor = request.GET.get("cursor", "")
    found = queue.page(place=place, desk=desk, kind=kind, filters=filters, cursor=cursor, at=at)
    rows = lines_of(found.entries)
    return {"rows": rows, "tray": showing.tray(rows) if sends and kind == duties.DUE else [], "next": found.next}


def part_of(layout: str) -> str:
    """The template of the queue in a layout."""
    return "desks/board.html" if layout == preferences.BOARD else "desks/queue.html"


def marks_of(
    request: HttpRequest, place: CityRuntime, desk: Desk, entries: Sequence[queue.Entry], *, at: datetime
) -> dict[int, Unread]:
    """Which of the cases the person has not read as they are: one query."""
    if not entries:
        return {}
    ids = [entry.values["id"] for entry in entries]
    before = preferences.read_before(request.user, place=place, desk=desk)
    return unread(user=request.user, case_ids=ids, at=at, read_before=before)


def words_typed(query: QueryDict) -> tuple[str, dict[str, str]]:
    """Kind and filters of the queue that the query part of an address asks for, as they stand there."""
    kind = query.get("kind", duties.DUE)
    return kind if kind in duties.KINDS else duties.DUE, {name: query.get(name, "").strip() for name in FILTERS}


def codes_meant(query: QueryDict, place: CityRuntime) -> dict[str, str]:
    """The codes of region and category.

    Raises:
        BadInput: When words stand for a code and mean nothing.
    """
    return {name: chosen(place, query, name) for name in ("region", "category")}


def filters_of(values: dict[str, str]) -> CaseFilters:
    """The filters of a queue from the fields of its form."""
    return CaseFilters(
        q=values["q"], region=values["region"], category=values["category"], step=values["step"], order="deadline"
    )


def tag_of(html: str) -> str:
    """The ETag of a fragment."""
    return f'"{hashlib.sha256(html.encode()).hexdigest()[:24]}"'


@require_GET
@at_desk
def desk(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The whole desk: the queue on the left, a case on the right."""
    layout = preferences.LIST if _as_list(request) else preferences.layout_of(request.user, place=place, desk=desk)
    context = requested_queue(request, place, desk, layout=layout)
    html = render_to_string(part_of(layout), context, request)
    opened = request.GET.get("case", "")
    panel, problem = _panel(request, place, desk, opened) if opened else ("", "")
    posts = [
        (place.rules.units.get(actor.unit), place.regions.get(actor.region) if actor.region else None)
        for actor in desk.actors
    ]
    return render(
        request,
        "desks/desk.html",
        {
            **context,
            "page": "desk",
            "queue_html": html,
            "etag": tag_of(html),
            "kinds": _kinds(place, desk),
            "posts": posts,
            **beside(request.user, place=place, role=desk.role, query=context["query"]),
            "opens": duties.opens(place.rules.workflow, desk.role),
            "other_desks": len(queue.desks_of(request.user, place=place)) > 1,
            "opened": opened,
            "panel_html": panel,
            "panel_problem": problem,
        },
    )


def _panel(request: HttpRequest, place: CityRuntime, desk: Desk, number: str) -> tuple[str, str]:
    """The panel of the case that an address names, or why it is not shown."""
    try:
        context = context_of(request, place, desk, number, to=request.GET.get("to", ""))
    except Http404 as error:
        return "", str(error)
    return render_to_string("desks/panel.html", context, request), ""


def _kinds(place: CityRuntime, desk: Desk, *, at: datetime | None = None) -> list[dict[str, Any]]:
    """The queues of a desk; with a moment, how many cases each has, up to `queue.MOST_COUNTED`."""
    workflow = place.rules.workflow
    return [
        {
            "kind": kind,
            "name": say(KIND_NAMES[kind]),
            "count": queue.count(place=place, desk=desk, kind=kind, at=at) if at else None,
        }
        for kind in duties.KINDS
        if kind == duties.DUE
        or (duties.steps_of(workflow, desk.role, kind) and (kind != duties.MINE or duties.assigns(workflow)))
    ]


@require_GET
@at_desk
def tabs(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The tabs with their counts, which come after the page."""
    return render(
        request,
        "desks/tabs.html",
        {"kind": request.GET.get("kind", duties.DUE), "kinds": _kinds(place, desk, at=timezone.now())},
    )


@require_GET
@at_desk
def queue_part(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The queue alone, for the page that asks again and again: 304 when nothing has changed."""
    layout = preferences.BOARD if request.GET.get("layout") == preferences.BOARD else preferences.LIST
    context = requested_queue(request, place, desk, layout=layout)
    if context.get("rest"):
        return render(request, "desks/rest.html", context)
    html = render_to_string(part_of(layout), context, request)
    tag = tag_of(html)
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    return HttpResponse(html, headers={"ETag": tag, "Cache-Control": "private, no-store"})


@require_POST
@at_desk
def read_all(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """All that has happened up to now counts as read."""
    operations.read_all(user=request.user, city=place.info.id, role=desk.role, at=timezone.now())
    return _back(request, place, desk)


@require_POST
@at_desk
def keep_layout(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The desk as a list or a board from now on."""
    layout = preferences.BOARD if request.POST.get("layout") == preferences.BOARD else preferences.LIST
    operations.keep_layout(user=request.user, city=place.info.id, role=desk.role, layout=layout)
    return _back(request, place, desk)


def _back(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """To the desk as it was filtered."""
    query = normal(request.POST.get("query", ""), role=desk.role)
    return redirect(f"{reverse('desk', args=[place.info.id, desk.role])}{f'?{query}' if query else ''}")


@require_GET
@at_desk
def view_count(request: HttpRequest, place: CityRuntime, desk: Desk, *, pk: int) -> HttpResponse:
    """How many cases a view of the desk has; asked for after the page."""
    view = keeper_of(request.user, place=place).one(pk)
    if view is None or view.role != desk.role:
        raise Http404
    query = QueryDict(view.query)
    kind, values = words_typed(query)
    try:
        filters = filters_of(values | codes_meant(query, place))
        text = queue.count(place=place, desk=desk, kind=kind, at=timezone.now(), filters=filters)
    except BadInput:
        text = ""
    return HttpResponse(text, headers={"Cache-Control": "private, no-store"})
