"""The page of one component: what it is, where, its photos, costs, changes and cases; and what is changed there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, Invalid, Refusal, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import (
    Component,
    change_component,
    component_of,
    cost_sums,
    costs_of,
    history_of,
    photos_of,
)
from yiwang.server.cases.api import cases_of_component, map_labels, readers_for
from yiwang.server.cities.choosing import WORDS
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import amount_text, currency_of
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.inventory import words
from yiwang.server.inventory.access import Standing, staff_only

COST_FIELDS = ("kind", "day", "amount", "voucher", "case", "note")


@require_GET
@staff_only
def component(request: HttpRequest, standing: Standing, code: str) -> HttpResponse:
    """One component: what it is, where, its history and its cases."""
    return _page(request, standing, component_or_404(standing, code))


def component_or_404(standing: Standing, code: str) -> Component:
    try:
        found = component_of(city=standing.place.info.id, code=code)
    except Unknown as error:
        raise Http404(say(error.text)) from None
    if not standing.sees(found.region):
        raise Http404(say("没有标识码为 {code} 的部件", "There is no component {code}", code=code[:40]))
    return found


@require_POST
@staff_only
def change(request: HttpRequest, standing: Standing, code: str) -> HttpResponse:
    """Change a component. When somebody else has meanwhile, the page shows it as it is now beside what was typed."""
    place, sent = standing.place, request.POST
    component_or_404(standing, code)
    try:
        change_component(
            city=place.info.id,
            code=code,
            version=_version(sent.get("version", "")),
            values={
                **{name: sent[name] for name in ("name", "note", "state") if name in sent},
                **{name: _unit(sent, name) for name in words.UNITS if name in sent or f"{name}{WORDS}" in sent},
            },
            at=_point(sent.get("lon", ""), sent.get("lat", "")),
            by=standing.by,
            allowed=standing.keeps,
        )
    except (Refusal, BadInput) as error:
        return _page(
            request,
            standing,
            component_or_404(standing, code),
            problem=" ".join(sentences(error)),
            typed={name: _unit(sent, name) if name in words.UNITS else sent.get(name, "") for name in _TYPED},
            wrong=error.field if isinstance(error, Refusal) else "",
            conflict=isinstance(error, Conflict),
            status=status_of(error),
            part="change",
        )
    messages.success(request, say("已保存。", "Saved."))
    return redirect("component", place.info.id, code)


def refused(
    request: HttpRequest,
    standing: Standing,
    code: str,
    error: Refusal | BadInput,
    *,
    part: str,
    cost: dict[str, str] | None = None,
) -> HttpResponse:
    """The page once more, with why something was not done.

    Args:
        part: Of the page: ``photos`` or ``costs``; its form stands open.
        cost: What was typed of a cost.
    """
    return _page(
        request,
        standing,
        component_or_404(standing, code),
        problem=" ".join(sentences(error)),
        status=status_of(error),
        part=part,
        cost=cost,
    )


_TYPED = ("state", "name", *words.UNITS, "note", "lon", "lat")


def _version(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid(Text("请重新打开此部件再改。", "Open the component again, then change it."), field="version")
    return int(text)


def _unit(sent: Any, name: str) -> str:
    """A unit of the city by its code, or the name of somebody else as it was typed."""
    return str(sent.get(name, "").strip() or sent.get(f"{name}{WORDS}", "").strip())


def _point(lon: str, lat: str) -> tuple[float, float] | None:
    if not lon.strip() and not lat.strip():
        return None
    try:
        east, north = float(lon), float(lat)
    except ValueError:
        east = north = float("nan")
    if not (-180 <= east <= 180 and -90 <= north <= 90):
        raise Invalid(
            Text(
                "「{lon}, {lat}」不是经纬度，请写成 120.301234 和 31.570001。",
                "{lon!r}, {lat!r} are no coordinates: write 120.301234 and 31.570001.",
                lon=lon[:40],
                lat=lat[:40],
            ),
            field="lon",
        )
    return east, north


def _page(
    request: HttpRequest,
    standing: Standing,
    found: Component,
    *,
    problem: str = "",
    typed: dict[str, str] | None = None,
    wrong: str = "",
    conflict: bool = False,
    status: int = 200,
    part: str = "",
    cost: dict[str, str] | None = None,
) -> HttpResponse:
    place, now = standing.place, timezone.now()
    region = place.regions.get(found.region)
    today = now.astimezone(place.info.zone).date()
    state, light = words.STATES[found.state]
    cases = cases_of_component(
        readers=readers_for(request.user, place=place), place=place, component=found.code, at=now
    )
    typed = typed or {}
    form = {name: getattr(found, name) for name in _TYPED} | {"lon": f"{found.lon:.6f}", "lat": f"{found.lat:.6f}"}
    if not conflict:
        form |= typed
    context = {
        "city": place.info,
        "page": "components",
        "component": found,
        "title": words.class_name(place, found.kind),
        "state_name": say(state),
        "light": light,
        "age": _age(found.first_on, today),
        "chain": [named(link) for link in place.regions.chain(found.region)] if region else [],
        "units": [
            (words.field_name(name), words.shown_value(place, name, getattr(found, name))) for name in words.UNITS
        ],
        "attributes": sorted(found.attributes.items()),
        "changes": [{"change": one, "lines": words.differences_shown(place, one.fields)} for one in history_of(found)],
        "cases": cases,
        "photos": photos_of(found),
        "costs": _costs(found, place),
        "cost_kinds": [(key, say(name)) for key, name in words.COST_KINDS.items()],
        "cost": {"day": f"{today}", **(cost or {})},
        "currency": currency_of(place.info.country),
        "part": part,
        "open_cases": sum(case["closed_at"] is None for case in cases),
        "keeps": standing.keeps(found.region),
        "keeps_all": standing.keeps_all,
        "problem": problem,
        "wrong": wrong,
        "typed": [(words.field_name(name), value) for name, value in typed.items() if value] if conflict else [],
        "form": form,
        "unit_fields": [{"name": name, "label": words.field_name(name), "value": form[name]} for name in words.UNITS],
        "states": [(key, say(name)) for key, (name, _) in words.STATES.items()],
        "report_url": f"{reverse('report', args=[place.info.id])}?{urlencode({'component': found.code})}",
        "map_regions_url": regions_url(place, found.region),
        "map_labels": map_labels(),
        "case_link": reverse("case", args=[place.info.id, "NUMBER"]).replace("NUMBER", "{number}"),
    }
    return render(request, "inventory/component.html", context, status=status)


def _costs(component: Component, place: CityRuntime) -> dict[str, Any]:
    """Entries and sums, with their amounts as they are written."""
    sums, country = cost_sums(component), place.info.country
    return {
        "entries": [
            {
                "key": one.pk,
                "kind": say(words.COST_KINDS[one.kind]),
                "day": f"{one.day}",
                "amount": amount_text(one.amount, country),
                "voucher": one.voucher,
                "case": one.case,
                "note": one.note,
                "by": one.by,
                "cancelled_at": one.cancelled_at,
                "cancelled_by": one.cancelled_by,
            }
            for one in costs_of(component)
        ],
        "sum": amount_text(sum(sums.values(), Decimal()), country) if sums else "",
        "sums": [(say(name), amount_text(sums[key], country)) for key, name in words.COST_KINDS.items() if key in sums],
    }


def regions_url(place: CityRuntime, code: str) -> str:
    """Where a small map finds the regions around one."""
    region = place.regions.get(code) or place.regions.roots[0]
    return f"{reverse('map-regions', args=[place.info.id])}?{urlencode({'region': region.parent or region.code})}"


def _age(since: date | None, today: date) -> str:
    """How long it has been in place, in years and months."""
    if since is None or since > today:
        return ""
    months = (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)
    years, months = divmod(months, 12)
    if years:
        return say("{y} 年 {m} 个月", "{y} y {m} m", y=years, m=months)
    return say("{m} 个月", "{m} months", m=months) if months else say("不到 1 个月", "less than a month")
