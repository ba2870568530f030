"""A survey file on its way into the inventory: brought, its columns named, tried, taken up."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space import SYSTEMS
from yiwang.server.assets.api import FIELDS, Headings, check_class, column_names, read_headings, saved_columns
from yiwang.server.cities.choosing import chosen
from yiwang.server.common.language import say
from yiwang.server.common.models import Job
from yiwang.server.common.refusing import sentences
from yiwang.server.inventory import operations, uploads, words
from yiwang.server.inventory.access import Standing, keepers_only
from yiwang.server.inventory.census_views import list_page
from yiwang.server.inventory.uploads import SurveyFile

WITHIN, TOLERANCE = "10", "2"  # metres
MOST_METRES = 1000.0
PLACED = ("lon", "lat")


@require_POST
@keepers_only
def bring(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Keep a file and go to its columns."""
    place = standing.place
    try:
        kind = chosen(place, request.POST, "kind")
        if not kind:
            raise BadInput(Text("请选择文件中部件的类别。", "Choose the class of the components in the file."))
        check_class(place, kind)
        upload = request.FILES.get("file")
        if upload is None:
            raise BadInput(Text("请选择文件。", "Choose a file."))
        kept = uploads.keep_survey(upload, city=place.info.id, kind=kind, by=standing.by)
    except BadInput as error:
        return list_page(request, standing, problem=" ".join(sentences(error)), status=422)
    try:
        read_headings(kept.path)
    except BadInput as error:
        uploads.forget_survey(kept.token)
        return list_page(request, standing, problem=_plainly(error, kept), status=422)
    return redirect("census-file", place.info.id, kept.token)


def _plainly(error: BadInput, kept: SurveyFile) -> str:
    """What is wrong with a file, under the name that the person knows it by."""
    said = " ".join(sentences(error))
    for called in (str(kept.path), kept.path.name):
        said = said.replace(called, kept.name)
    return said


def _file_or_404(standing: Standing, token: str) -> SurveyFile:
    found = uploads.survey_file(token, city=standing.place.info.id)
    if found is None:
        raise Http404(say("文件已不在服务器上，请重新上传。", "The file is no longer on the server: bring it again."))
    return found


@require_http_methods(["GET", "POST"])
@keepers_only
def survey(request: HttpRequest, standing: Standing, token: str) -> HttpResponse:
    """What the columns mean and how it is compared; a dry run; and taking it up."""
    city = standing.place.info.id
    taking = Job.objects.filter(kind=operations.TAKE, city=city, key=token).first()
    if taking is not None and taking.state == Job.State.DONE and taking.result.get("census"):
        return redirect("census", city, taking.result["census"])
    kept = _file_or_404(standing, token)
    if request.method == "GET":
        return _page(request, standing, kept, taking=taking)
    try:
        parameters = _parameters(request.POST, read_headings(kept.path))
        if request.POST.get("do") != "take":
            operations.ask_check(kept, parameters)
        elif operations.was_checked(kept, parameters):
            operations.ask_take(kept, parameters, by=standing.by)
        else:
            operations.ask_check(kept, parameters)
            messages.warning(
                request,
                say(
                    "读取方式已改，先重新试算；请核对结果后再写入。",
                    "The file is read otherwise now, so it was tried again: look at the result, then take it up.",
                ),
            )
    except BadInput as error:
        return _page(request, standing, kept, taking=taking, problem=_plainly(error, kept), status=422)
    return redirect("census-file", city, token)


@require_POST
@keepers_only
def give_up(request: HttpRequest, standing: Standing, token: str) -> HttpResponse:
    """Delete a file that is not to be taken up."""
    kept = _file_or_404(standing, token)
    uploads.forget_survey(kept.token)
    messages.success(request, say("文件已删除。", "The file is deleted."))
    return redirect("censuses", standing.place.info.id)


def _parameters(sent: QueryDict, headings: Headings) -> dict[str, Any]:
    """How the file is to be read, as the form says it.

    Raises:
        BadInput: When metres are none, or no columns of coordinates are chosen.
    """
    fields = [name for name in FIELDS if not (headings.geographic and name in PLACED)]
    columns = {name: sent.get(f"column-{name}", "") for name in fields}
    if not headings.geographic and not (columns["lon"] and columns["lat"]):
        raise BadInput(Text("请选择经度列和纬度列。", "Choose the columns of longitude and of latitude."))
    return {
        "columns": columns,
        "crs": sent.get("crs", "").strip()[:40],
        "within": _metres(sent.get("within", ""), "within"),
        "tolerance": _metres(sent.get("tolerance", ""), "tolerance"),
        "save_as": sent.get("save_as", "").strip()[:80],
    }


def _metres(text: str, column: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = -1.0
    if not 0 <= metres <= MOST_METRES:
        raise BadInput(
            Problem(
                Text("「{text}」不是距离。", "{text!r} is no distance.", text=text[:20]),
                Text("请填 0 到 {most} 之间的米数。", "Give metres between 0 and {most}.", most=int(MOST_METRES)),
                column=column,
            )
        )
    return metres


def _page(
    request: HttpRequest,
    standing: Standing,
    kept: SurveyFile,
    *,
    taking: Job | None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    place, headings = standing.place, read_headings(kept.path)
    checked = Job.objects.filter(kind=operations.CHECK, city=kept.city, key=kept.token).first()
    said = checked.parameters if checked is not None else {}
    columns = dict(said.get("columns") or headings.columns)
    if mapping := request.GET.get("mapping", ""):
        try:
            columns = {**headings.columns, **saved_columns(city=kept.city, name=mapping)}
        except BadInput as error:
            problem = " ".join(sentences(error))
    if request.method == "POST":
        columns = {name: request.POST.get(f"column-{name}", "") for name in FIELDS}
    sent = request.POST if request.method == "POST" else {key: str(value) for key, value in said.items()}
    context = {
        "city": place.info,
        "page": "components",
        "survey": kept,
        "class_name": words.class_name(place, kept.kind),
        "problem": problem,
        "heads": [head for head in headings.heads if head],
        "geographic": headings.geographic,
        "fields": [
            {"name": name, "label": words.field_name(name), "value": columns.get(name, "")}
            for name in FIELDS
            if not (headings.geographic and name in PLACED)
        ],
        "own_crs": headings.crs,
        "crs": sent.get("crs", ""),
        "systems": SYSTEMS,
        "within": sent.get("within", WITHIN),
        "tolerance": sent.get("tolerance", TOLERANCE),
        "mappings": column_names(city=kept.city),
        "mapping": mapping,
        "checked": _shown(checked),
        "taking": _shown(taking),
    }
    return render(request, "inventory/survey.html", context, status=status)


def _shown(job: Job | None) -> dict[str, Any] | None:
    """A job for the page: how far it is, or what it found."""
    if job is None:
        return None
    counts = job.result.get("counts", {})
    return {
        "job": job,
        "running": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "failed": job.state == Job.State.FAILED,
        "counts": [(say(name), counts.get(key, 0)) for key, name in words.COUNTED.items()],
        "problems": [
            {**one, "column": words.field_name(one["column"]) if one["column"] else ""}
            for one in job.result.get("problems", [])
        ],
        "usable": job.result.get("rows", 0) > counts.get("refused", 0),
    }
