"""Pages about cases: the list, reporting, photos. The page of one case is `case_page`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import ReportedComponent, reported_component
from yiwang.server.casepage import columns, exporting, forms
from yiwang.server.casepage.operations import MOST_AT_ONCE
from yiwang.server.casepage.saved_views import LIST, beside
from yiwang.server.cases.api import (
    FIGURE_NAMES,
    FLAG_NAMES,
    MOST_COUNTED,
    CaseFilters,
    Page,
    Readers,
    actor_for,
    estimates_among,
    first_photos,
    is_estimated,
    lateness_moment,
    list_page,
    list_total,
    load_case,
    map_labels,
    photo_path,
    readers_for,
    report_case,
    shown_row,
)
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import photos, throttling
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of

PAGE_SIZE = 50
STATES = {
    "": FIGURE_NAMES["cases"],
    **{state: FIGURE_NAMES[state] for state in ("open", "overdue", "closed", "closed_on_time", "closed_late")},
}
ORDERS = {
    "-opened_at": Text("最新上报", "Newest first"),
    "opened_at": Text("最早上报", "Oldest first"),
    "deadline": Text("最先到期", "Due first"),
    "-deadline": Text("最后到期", "Due last"),
}
NEWEST = "-opened_at"
DUE_ORDERS = ("deadline", "-deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The list that an address asks for. ``filters`` is None where what was asked makes no sense, as ``problem`` says."""

    values: dict[str, str]
    filters: CaseFilters | None
    problem: str = ""

    def address(self, **more: str) -> str:
        """The query part of an address that asks for the same, with other values for some names."""
        return f"?{urlencode({name: value for name, value in {**self.values, **more}.items() if value})}"


def asked_in(query: QueryDict, place: CityRuntime) -> Asked:
    """The list that the query part of an address asks for."""
    values = {
        key: query.get(key, "").strip()
        for key in ("q", "state", "step", "region", "category", "holder", "flag", "order", *forms.NARROWING)
    }
    values["order"] = values["order"] if values["order"] in ORDERS else NEWEST
    try:
        values |= {name: chosen(place, query, name) for name in ("region", "category", "holder")}
        return Asked(values=values, filters=forms.filters(values, zone=place.info.zone))
    except BadInput as error:
        return Asked(values=values, filters=None, problem=" ".join(sentences(error)))


@require_GET
def case_list(request: HttpRequest, city: str) -> HttpResponse:
    """Cases by filters, by cursor: page 500 costs what page 1 costs."""
    place = city_or_404(city)
    if request.user.is_authenticated and (chosen_columns := columns.columns_asked(request)):
        request.session[columns.KEPT] = list(chosen_columns)
    return _list(request, place, asked_in(request.GET, place))


@require_GET
def export(request: HttpRequest, city: str, kind: str) -> HttpResponse | FileResponse:
    """The whole list as a file for spreadsheets: for staff, who are shown in it what the list shows them."""
    place = city_or_404(city)
    if not request.user.is_authenticated:
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
    readers = readers_for(request.user, place=place)
    if kind not in exporting.KINDS or not readers.posts:
        raise Http404
    asked = asked_in(request.GET, place)
    if asked.filters is None:
        return _list(request, place, asked, status=422)
    wanted = exporting.Export(
        readers=readers,
        place=place,
        filters=asked.filters,
        columns=columns.columns_of(request),
        at=lateness_moment(city=city),
    )
    media_type = exporting.KINDS[kind].media_type
    try:
        made = exporting.as_file(wanted, kind)
    except BadInput as error:
        return _list(request, place, replace(asked, problem=" ".join(sentences(error))), status=422)
    day = timezone.now().astimezone(place.info.zone).date()
    answer = FileResponse(made, as_attachment=True, filename=f"{city}-cases-{day}.{kind}", content_type=media_type)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _list(request: HttpRequest, place: CityRuntime, asked: Asked, *, status: int = 200) -> HttpResponse:
    readers, now = readers_for(request.user, place=place), lateness_moment(city=place.info.id)
    cursor, problem = request.GET.get("cursor", ""), asked.problem
    found, total = Page(items=[], next=None), None
    if asked.filters is not None:
        try:
            found = list_page(
                readers=readers, place=place, filters=asked.filters, cursor=cursor, limit=PAGE_SIZE, at=now
            )
            is_whole = found.next is None and not cursor
            total = (
                len(found.items)
                if is_whole
                else list_total(readers=readers, place=place, filters=asked.filters, at=now)
            )
        except BadInput as error:
            problem = " ".join(sentences(error))
    shown = columns.columns_of(request)
    explicit = ",".join(columns.columns_asked(request))
    # for whoever is signed in the session holds the columns; the addresses of visitors do
    in_address = {} if request.user.is_authenticated or not explicit else {"columns": explicit}
    values, actor = asked.values, actor_for(request.user, city=place.info.id)
    # a view has the columns as they are, so that it shows the same whatever was chosen since
    now_shown = asked.address(columns=",".join(column.id for column in shown))
    return render(
        request,
        "cases/list.html",
        {
            "city": place.info,
            "page": "cases",
            "filters": values,
            "active": sum(bool(value) for name, value in values.items() if name != "order"),
            "narrowed": [(name, say(pair), values[name]) for name, pair in forms.NARROWING.items() if values[name]],
            "problem": problem,
            "cases": _rows(found.items, readers=readers, place=place, at=now),
            "total": _total_text(total, shown=len(found.items)),
            "only_open": values["order"] in DUE_ORDERS,
            "heads": [
                (head, asked.address(order=head.order, **in_address) if head.order else "")
                for head in columns.heads(shown, order=values["order"])
            ],
            **(beside(request.user, place=place, role=LIST, query=now_shown) if request.user.is_authenticated else {}),
            "selecting": bool(readers.posts),
            "columns": [(column, column in shown) for column in columns.COLUMNS.values()],
            "kept": [(name, value) for name, value in values.items() if value],
            "columns_kept": in_address.get("columns", ""),
            "export_query": now_shown if readers.posts else "",
            "bulk_query": asked.address(),
            "most_at_once": MOST_AT_ONCE,
            "next_url": asked.address(**in_address, cursor=found.next) if found.next else "",
            "first_url": asked.address(**in_address) if cursor else "",
            "states": [(key, say(pair)) for key, pair in STATES.items()],
            "flags": [("", say("全部", "All")), *((key, say(pair)) for key, pair in FLAG_NAMES.items())],
            "orders": [(key, say(pair)) for key, pair in ORDERS.items()],
            "steps": place.rules.workflow.steps.values(),
            "my_unit": place.rules.units.get(actor.unit) if actor.unit else None,
        },
        status=status,
    )


def _rows(items: list[dict[str, Any]], *, readers: Readers, place: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """The lines of the page; with the first photo of each case for whoever may see its photos."""
    estimated = estimates_among(items, place=place)
    first = first_photos([item["id"] for item in items if readers.of_row(item).staff])
    return [
        columns.with_names(shown_row(item, runtime=place, at=at, estimated=item["id"] in estimated), place=place)
        | {"photo": first.get(item["id"])}
        for item in items
    ]


def _total_text(total: int | None, *, shown: int) -> str:
    """How many cases there are in all; nothing where that cannot be told."""
    if total is None:
        return say("本页 {n} 件", "{n} on this page", n=shown)
    if total > MOST_COUNTED:
        return say("超过 {n} 件", "over {n} cases", n=number_text(MOST_COUNTED))
    return say("共 {n} 件", "1 case" if total == 1 else "{n} cases", n=number_text(total))


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Report a problem, signed in or not."""
    place = city_or_404(city)
    problems: list[str] = []
    status = 200
    values: Mapping[str, Any] = request.POST
    code = (request.POST if request.method == "POST" else request.GET).get("component", "")
    about: ReportedComponent | None = None
    try:
        about = reported_component(place=place, code=code) if code else None
        if about is not None and request.method == "GET":
            values = {"category": about.category, "lon": f"{about.lon:.6f}", "lat": f"{about.lat:.6f}"}
    except Unknown as error:
        if request.method == "GET":  # a report of one that the inventory does not have is taken all the same
            problems, status = sentences(error), status_of(error)
    if request.method == "POST":
        try:
            said = report_case(
                city=city,
                draft=forms.draft(request.POST, place=place, photos=request.FILES.getlist("photos")),
                actor=actor_for(request.user, city=city),
                key=request.POST.get("idempotency_key", ""),
                caller=throttling.stranger(request),
            )
            taken = load_case(city=city, number=said["case"], with_events=False)
            assert taken is not None  # it has just been written
            estimated = is_estimated(taken.state, place=place)
            row = shown_row(taken.values, runtime=place, at=timezone.now(), estimated=estimated)
            return render(
                request,
                "cases/reported.html",
                {
                    "city": place.info,
                    "page": "report",
                    "case": row,
                    "why": said["why"],
                    "notice": say(said.get("notice_zh", ""), said.get("notice", "")),
                },
                status=201,
            )
        except (Refusal, BadInput) as error:
            problems, status = sentences(error), status_of(error)
    root = place.regions.roots[0]
    return render(
        request,
        "cases/report.html",
        {
            "city": place.info,
            "page": "report",
            "problems": problems,
            "files_again": bool(request.FILES),
            "values": values,
            "about": about,
            "about_name": say(about.name) if about else "",
            "idempotency_key": request.POST.get("idempotency_key") or secrets.token_urlsafe(16),
            "map_regions_url": f"{reverse('map-regions', args=[city])}?{urlencode({'region': root.code})}",
            "map_labels": map_labels(),
        },
        status=status,
    )


@require_GET
def photo(request: HttpRequest, city: str, number: str, photo: int) -> FileResponse:
    """A photo as it was re-encoded. Only staff whom the case concerns see it."""
    return _picture(_photo_file(request, city=city, number=number, photo=photo))


@require_GET
def small_photo(request: HttpRequest, city: str, number: str, photo: int) -> FileResponse:
    """The small form of a photo, for lists; for the same people."""
    path = _photo_file(request, city=city, number=number, photo=photo)
    try:
        return _picture(photos.small_copy(path))
    except OSError as error:
        raise Http404 from error


def _photo_file(request: HttpRequest, *, city: str, number: str, photo: int) -> Path:
    place = city_or_404(city)
    detail = load_case(city=city, number=number, with_events=False)
    if detail is None or not readers_for(request.user, place=place).of_state(detail.state).staff:
        raise Http404
    path = photo_path(city=city, number=number, photo=photo)
    if path is None:
        raise Http404
    return path


def _picture(path: Path) -> FileResponse:
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=86400"
    return response
