"""Pages of censuses: all of them, and what one found, to be confirmed by a person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.server.assets.api import (
    Census,
    CensusFinding,
    census_of,
    censuses,
    decide,
    differences,
    drop,
    finding_counts,
    list_findings,
)
from yiwang.server.cases.api import map_labels
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.models import Job
from yiwang.server.common.refusing import sentences
from yiwang.server.inventory import operations, words
from yiwang.server.inventory.access import Standing, keepers_only
from yiwang.server.inventory.component_page import regions_url

PAGE_SIZE = 50
MOST_PROBLEMS = 50


@require_GET
@keepers_only
def census_list(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Every census with its figures, and a form that brings a file."""
    return list_page(request, standing)


def list_page(request: HttpRequest, standing: Standing, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The list, with what is wrong with a file that was brought."""
    place = standing.place
    context = {
        "city": place.info,
        "page": "components",
        "problem": problem,
        "kind": request.POST.get("kind", "") or request.GET.get("kind", ""),
        "rows": [_line(standing, census) for census in censuses(city=place.info.id)],
        "heads": [(key, say(name)) for key, name in words.COUNTED.items()],
    }
    return render(request, "inventory/censuses.html", context, status=status)


def _line(standing: Standing, census: Census) -> dict[str, Any]:
    step, light = words.STEPS[census.step]
    return {
        "census": census,
        "class_name": words.class_name(standing.place, census.kind),
        "step_name": say(step),
        "light": light,
        "counts": [(say(name), number_text(census.counts.get(key, 0))) for key, name in words.COUNTED.items()],
    }


def _census_or_404(standing: Standing, key: int) -> Census:
    found = census_of(city=standing.place.info.id, key=key)
    if found is None:
        raise Http404(say("没有这次普查", "There is no such census"))
    return found


@require_GET
@keepers_only
def census(request: HttpRequest, standing: Standing, key: int) -> HttpResponse:
    """What a census found, outcome by outcome."""
    place, found = standing.place, _census_or_404(standing, key)
    counts = finding_counts(found)
    decision = request.GET.get("decision", "open")
    decision = decision if decision in words.DECISIONS else "open"
    outcome = request.GET.get("outcome", "")
    if outcome not in words.OUTCOMES:
        outcome = next((one for one in words.OUTCOMES if counts.get((one, decision))), "new")
    after = request.GET.get("after", "")
    after_key = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0
    findings, beyond = list_findings(found, outcome=outcome, decision=decision, after=after_key, limit=PAGE_SIZE)
    shown = request.GET.get("finding", "")
    job = Job.objects.filter(
        kind=operations.DECIDE, city=place.info.id, key__startswith=f"{found.pk}-", state__in=("queued", "running")
    ).first()
    context = {
        "city": place.info,
        "page": "components",
        **_line(standing, found),
        "outcome": outcome,
        "decision": decision,
        "tabs": [
            {"key": one, "name": say(name), "count": counts.get((one, decision), 0)}
            for one, name in words.OUTCOMES.items()
        ],
        "decisions": [
            {"key": one, "name": say(name), "count": sum(counts.get((of, one), 0) for of in words.OUTCOMES)}
            for one, name in words.DECISIONS.items()
        ],
        "total": counts.get((outcome, decision), 0),
        "findings": [_finding(standing, one) for one in findings],
        "shown": next((_finding(standing, one) for one in findings if str(one.pk) == shown), None),
        "after": after_key or "",
        "beyond": beyond,
        "may_decide": decision == "open" and found.step == Census.Step.WAITING and job is None,
        "job": job,
        "problems": found.problems[:MOST_PROBLEMS],
        "more_problems": max(0, found.counts.get("refused", 0) - MOST_PROBLEMS),
        "map_labels": map_labels(),
    }
    return render(request, "inventory/census.html", context)


def _finding(standing: Standing, finding: CensusFinding) -> dict[str, Any]:
    place, component, values = standing.place, finding.component, finding.values
    here = (values["lon"], values["lat"]) if values else (component.lon, component.lat) if component else None
    region = values["region"] if values else component.region if component else ""
    return {
        "finding": finding,
        "code": component.code if component else values["code"],
        "source_id": values.get("source_id") or (component.source_id if component else ""),
        "lines": words.differences_shown(place, differences(finding)),
        "region": words.shown_value(place, "region", region),
        "metres": None if finding.metres is None else f"{finding.metres:,.1f}",
        "lon": here[0] if here else None,
        "lat": here[1] if here else None,
        "from_lon": component.lon if component and values else None,
        "from_lat": component.lat if component and values else None,
        "regions_url": regions_url(place, region),
    }


@require_POST
@keepers_only
def decide_findings(request: HttpRequest, standing: Standing, key: int) -> HttpResponse:
    """Accept or refuse one finding, those that are chosen, or all of an outcome."""
    found, sent = _census_or_404(standing, key), request.POST
    outcome = sent.get("outcome", "")
    back = redirect(f"{reverse('census', args=[standing.place.info.id, key])}?outcome={outcome}")
    if outcome not in words.OUTCOMES:
        raise Http404
    one, verb = next(((sent[verb], verb) for verb in ("yes", "no") if verb in sent), ("", ""))
    if not verb:
        raise Http404
    accept = verb == "yes"
    try:
        if one == "all":
            number = finding_counts(found).get((outcome, "open"), 0)
            decided = operations.ask_decide(
                city=found.city, census=found.pk, accept=accept, outcome=outcome, by=standing.by, number=number
            )
        else:
            keys = [int(text) for text in (sent.getlist("finding") if one == "chosen" else [one]) if text.isdecimal()]
            decided = decide(census=found, accept=accept, by=standing.by, findings=keys, outcomes=[outcome])
    except BadInput as error:
        messages.error(request, " ".join(sentences(error)))
        return back
    if decided is None:
        messages.info(request, say("数量较多，已在后台处理。", "There are many; it goes on in the background."))
    elif not decided:
        messages.error(
            request,
            say(
                "没有处理任何一项：未选中，或已由他人处理。",
                "Nothing was decided: none was chosen, or somebody else has decided.",
            ),
        )
    elif accept:
        messages.success(request, say("已采纳 {n} 项。", "{n} accepted.", n=number_text(decided)))
    else:
        messages.success(request, say("{n} 项不采纳。", "{n} refused.", n=number_text(decided)))
    return back


@require_POST
@keepers_only
def drop_census(request: HttpRequest, standing: Standing, key: int) -> HttpResponse:
    """End a census without taking up what still waits."""
    found = _census_or_404(standing, key)
    try:
        drop(found, by=standing.by)
        messages.success(request, say("普查已取消。", "The census is dropped."))
    except BadInput as error:
        messages.error(request, " ".join(sentences(error)))
    return redirect("census", standing.place.info.id, key)
