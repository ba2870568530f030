"""Pages of the saved views: keep one, see all of them, change, copy or delete one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.server.casepage import operations
from yiwang.server.casepage.lists import asked_in
from yiwang.server.casepage.models import SavedView
from yiwang.server.casepage.saved_views import LIST, Keeper, address_of, keeper_of, page_name, unit_choices
from yiwang.server.cases.api import lateness_moment, list_total, readers_for, unit_name
from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences

MOST_COUNTED = 999


def _kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let in who uses an account, as a `Keeper`; with the view that the address names, where it names one."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, **rest: Any) -> HttpResponse:
        place = city_or_404(city)
        if not request.user.is_authenticated:
            return redirect(f"{reverse('sign-in')}?{urlencode({'next': reverse('saved-views', args=[city])})}")
        keeper = keeper_of(request.user, place=place)
        if "pk" in rest:
            rest["saved"] = keeper.one(rest.pop("pk"))
            if rest["saved"] is None:
                raise Http404(say("没有这个视图", "There is no such view"))
        return view(request, keeper, **rest)

    return guard


@require_GET
@_kept
def every(request: HttpRequest, keeper: Keeper) -> HttpResponse:
    """All views that somebody may see."""
    return _page(request, keeper)


@require_POST
@_kept
def keep(request: HttpRequest, keeper: Keeper) -> HttpResponse:
    """Keep a query under a name, and back to the page that it is a query of."""
    said = {name: request.POST.get(name, "").strip() for name in ("role", "name", "query", "unit")}
    try:
        return redirect(address_of(operations.save_view(keeper=keeper, **said)))
    except BadInput as error:
        return _page(request, keeper, problem=error, draft=said)


@require_POST
@_kept
def change(request: HttpRequest, keeper: Keeper, *, saved: SavedView) -> HttpResponse:
    """Another name, another query, shared or no longer."""
    said = {name: request.POST.get(name, "").strip() for name in ("name", "query", "unit")}
    return _write(
        request, keeper, partial(operations.change_view, saved, keeper=keeper, **said), typed={saved.pk: said}
    )


@require_POST
@_kept
def copy(request: HttpRequest, keeper: Keeper, *, saved: SavedView) -> HttpResponse:
    """One of one's own from a shared one."""
    return _write(request, keeper, partial(operations.copy_view, saved, keeper=keeper))


@require_POST
@_kept
def delete(request: HttpRequest, keeper: Keeper, *, saved: SavedView) -> HttpResponse:
    """Forget a view."""
    return _write(request, keeper, partial(operations.delete_view, saved, keeper=keeper))


def _write(
    request: HttpRequest, keeper: Keeper, write: Callable[[], object], *, typed: dict[int, dict[str, str]] | None = None
) -> HttpResponse:
    """Back to the page once something is written; what is refused is said there, with what was typed."""
    try:
        write()
    except BadInput as error:
        return _page(request, keeper, problem=error, typed=typed)
    return redirect("saved-views", keeper.place.info.id)


@require_GET
@_kept
def count(request: HttpRequest, keeper: Keeper, *, saved: SavedView) -> HttpResponse:
    """How many cases a view of the list has; empty where a number would tell of words that one may not read."""
    if saved.role != LIST:
        raise Http404
    asked, total = asked_in(QueryDict(saved.query), keeper.place), None
    if asked.filters is not None:
        try:
            total = list_total(
                readers=readers_for(request.user, place=keeper.place),
                place=keeper.place,
                filters=asked.filters,
                at=lateness_moment(city=keeper.place.info.id),
                most=MOST_COUNTED,
            )
        except BadInput:
            total = None
    text = "" if total is None else f"{MOST_COUNTED}+" if total > MOST_COUNTED else str(total)
    return HttpResponse(text, headers={"Cache-Control": "private, no-store"})


def _page(
    request: HttpRequest,
    keeper: Keeper,
    *,
    problem: BadInput | None = None,
    draft: dict[str, str] | None = None,
    typed: dict[int, dict[str, str]] | None = None,
) -> HttpResponse:
    """The page; with what was refused, and what had been typed in its place."""
    own: list[dict[str, Any]] = []
    near: list[dict[str, Any]] = []
    led: list[dict[str, Any]] = []
    for view in keeper.every():
        group = own if view.user_id == keeper.user.pk else near if view.unit in keeper.units else led
        group.append(_line(view, keeper, (typed or {}).get(view.pk)))
    context = {
        "city": keeper.place.info,
        "page": "cases",
        "view_groups": [
            (say("我的视图", "My views"), own),
            (say("本单位共享的", "Shared with my unit"), near),
            (say("下级单位共享的", "Shared with units below mine"), led),
        ],
        "draft": draft and {**draft, "page_name": page_name(draft["role"], place=keeper.place)},
        "units": unit_choices(keeper.units, place=keeper.place),
        "problem": " ".join(sentences(problem)) if problem else "",
    }
    return render(request, "cases/views.html", context, status=422 if problem else 200)


def _line(view: SavedView, keeper: Keeper, typed: dict[str, str] | None) -> dict[str, Any]:
    own, user = view.user_id == keeper.user.pk, view.user
    units = keeper.units | {view.unit} if own else {view.unit}
    return {
        "id": view.pk,
        "title": view.name,
        "url": address_of(view) if keeper.opens(view) else "",
        "page_name": page_name(view.role, place=keeper.place),
        "unit_name": unit_name(keeper.place, view.unit) if view.unit else "",
        "author": "" if own else user.display_name or user.username,
        "may_edit": keeper.may_edit(view),
        "may_copy": not own and keeper.opens(view),
        "open": typed is not None,
        "units": unit_choices(units - {""}, place=keeper.place),
        **(typed or {"name": view.name, "query": view.query, "unit": view.unit}),
    }
