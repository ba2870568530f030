"""Pages of components: the list, its files, one component and its changes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import (
    ComponentFilters,
    ComponentPage,
    count_components,
    export_components,
    list_components,
    standing_components,
)
from yiwang.server.cases.api import region_name
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.inventory import words
from yiwang.server.inventory.access import Standing, staff_only
from yiwang.server.inventory.component_page import component_or_404

PAGE_SIZE = 50
COUNTED = 10_000  # so many are counted; beyond it the page says "over"
MOST_EXPORTED = 200_000
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
}


@require_GET
@staff_only
def component_list(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Components by filters, by cursor: page 500 costs what page 1 costs."""
    place = standing.place
    values = {name: request.GET.get(name, "").strip() for name in ("q", "kind", "region", "state")}
    cursor, problem = request.GET.get("cursor", ""), ""
    found: ComponentPage | None = None
    total = 0
    try:
        values |= {name: chosen(place, request.GET, name) for name in ("kind", "region")}
        filters = _filters(values, standing)
        found = list_components(place=place, filters=filters, cursor=cursor, limit=PAGE_SIZE)
        whole = not cursor and found.next is None
        total = len(found.items) if whole else count_components(place=place, filters=filters, most=COUNTED)
    except BadInput as error:
        problem = " ".join(sentences(error))
    asked = {name: value for name, value in values.items() if value}
    rows = found.items if found else []
    context = {
        "city": place.info,
        "page": "components",
        "filters": values,
        "active": len(asked),
        "problem": problem,
        "rows": [_row(place, row) for row in rows],
        "total": _total_text(total) if found else "",
        "cut": found is not None and found.cut,
        "states": [(key, say(name)) for key, (name, _) in words.STATES.items()],
        "keeps_all": standing.keeps_all,
        "export_query": urlencode({name: asked[name] for name in ("kind", "region") if name in asked}),
        "next_url": f"?{urlencode({**asked, 'cursor': found.next})}" if found and found.next else "",
        "first_url": f"?{urlencode(asked)}" if cursor else "",
    }
    return render(request, "inventory/list.html", context, status=422 if problem else 200)


def _filters(values: dict[str, str], standing: Standing) -> ComponentFilters:
    region = values["region"]
    if region and region not in standing.place.regions:
        message = Text("没有编码为 {code} 的区域。", "There is no region {code!r}.", code=region)
        raise BadInput(Problem(message, column="region"))
    return ComponentFilters(
        kinds=(values["kind"],) if values["kind"] else None,
        state=values["state"],
        region=region,
        q=values["q"][:100],
        within=standing.seen,
        staff=True,
    )


def _row(place: CityRuntime, row: dict[str, Any]) -> dict[str, Any]:
    state, light = words.STATES[row["state"]]
    return {
        **row,
        "class_name": words.class_name(place, row["kind"]),
        "state_name": say(state),
        "light": light,
        "region_name": region_name(place, row["region"]),
        "maintainer": words.shown_value(place, "maintainer", row["maintainer"] or row["authority"]),
    }


def _total_text(total: int) -> str:
    if total > COUNTED:
        return say("超过 {n} 个", "over {n} components", n=number_text(COUNTED))
    return say("共 {n} 个", "1 component" if total == 1 else "{n} components", n=number_text(total))


@require_GET
@staff_only
def export(request: HttpRequest, standing: Standing, ending: str) -> HttpResponseBase:
    """The inventory, or a class or region of it, as a file that an import knows; whole before it is sent."""
    place = standing.place
    if ending not in MEDIA_TYPES:
        raise Http404
    kind, region = request.GET.get("kind", ""), request.GET.get("region", "")
    if region and (region not in place.regions or not standing.sees(region)):
        raise Http404(say("没有这个区域", "There is no such region"))
    within = (region,) if region else standing.seen
    filters = ComponentFilters(kinds=(kind,) if kind else None, region=region, within=standing.seen)
    if count_components(place=place, filters=filters, most=MOST_EXPORTED) > MOST_EXPORTED:
        messages.error(
            request,
            say(
                "超过 {n} 个，请先选一个类别或更小的区域再导出；全部导出用命令 {command}。",
                "These are over {n}: choose a class or a smaller region first, or use the command {command}.",
                n=number_text(MOST_EXPORTED),
                command=f"yiwang assets export {place.info.id}",
            ),
        )
        return redirect("components", place.info.id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"components.{ending}"
        export_components(city=place.info.id, path=path, kind=kind, within=within)
        made = path.open("rb")  # it can be read to its end without its name
    day = timezone.now().astimezone(place.info.zone).date()
    answer = FileResponse(
        made,
        as_attachment=True,
        filename=f"{place.info.id}-components-{kind or 'all'}-{day}.{ending}",
        content_type=MEDIA_TYPES[ending],
    )
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_GET
@staff_only
def labels(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Labels with QR codes as a PDF: of a class or region, or of one component."""
    # Here, so that a start does not wait for fpdf and its fonts.
    from yiwang.server.assets.labels import MOST, label_sheet

    place, code = standing.place, request.GET.get("code", "")
    if code:
        chosen_ones = [component_or_404(standing, code)]
    else:
        values = {
            **dict.fromkeys(("q", "state"), ""),
            **{name: request.GET.get(name, "") for name in ("kind", "region")},
        }
        try:
            chosen_ones = standing_components(place=place, filters=_filters(values, standing), most=MOST + 1)
        except BadInput as error:
            raise Http404(" ".join(sentences(error))) from None
    if not 0 < len(chosen_ones) <= MOST:
        messages.error(
            request,
            say(
                "一个文件最多 {n} 张标签，请先选一个类别或更小的区域。",
                "A file holds 1 to {n} labels: choose a class or a smaller region first.",
                n=number_text(MOST),
            ),
        )
        return redirect("components", place.info.id)
    content = label_sheet(chosen_ones, place=place, address=request.build_absolute_uri("/"))
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = (
        f'inline; filename="{place.info.id}-labels-{code or request.GET.get("kind") or "all"}.pdf"'
    )
    answer["Cache-Control"] = "private, no-store"
    return answer
