"""Pages of inspections that everybody may read: what is planned and committed to; the draw, its proof and the results once an
inspection has ended, and before that for who assesses the city."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.core.indicators.survey import Estimate
from yiwang.core.inspections.checklists import Checklist
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import region_name
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import NONE, number_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.inspections import queries
from yiwang.server.inspections.access import sees_draw
from yiwang.server.inspections.models import Campaign
from yiwang.server.inspections.planning import checklist_of
from yiwang.server.people.models import User
from yiwang.server.people.queries import name_of as person_name
from yiwang.server.scrutiny.access import assesses, is_staff

STEPS = {
    "committed": (Text("待抽取", "To be drawn"), "yellow"),
    "drawn": (Text("进行中", "Under way"), "green"),
    "closed": (Text("已结束", "Ended"), ""),
    "dropped": (Text("已取消", "Dropped"), ""),
}
OUTCOMES = {
    "done": Text("已检查", "Inspected"),
    "refused": Text("拒绝检查", "Refused"),
    "missing": Text("未找到", "Not found"),
    "": Text("待检查", "To do"),
}


@require_GET
def campaign_list(request: HttpRequest, city: str) -> HttpResponse:
    """The inspections of a city, the latest first."""
    place = city_or_404(city)
    context = {
        "city": place.info,
        "page": "inspections",
        "rows": [_row(one) for one in queries.campaigns_of(city)],
        "plans": assesses(request.user, place=place),
        "staff": is_staff(request.user, place=place),
    }
    return render(request, "inspections/list.html", context)


def campaign_or_404(place: CityRuntime, key: str) -> Campaign:
    """A campaign of the city."""
    found = queries.campaign_of(city=place.info.id, key=key)
    if found is None:
        raise Http404(say("没有这项检查", "There is no such inspection"))
    return found


@require_GET
def campaign(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """One inspection: what is asked, how places were drawn, and what came of it."""
    place = city_or_404(city)
    found = campaign_or_404(place, key)
    staff = is_staff(request.user, place=place)
    drawn = sees_draw(request.user, found, place=place)
    try:
        checklist = checklist_of(found)
    except Unknown:
        checklist = None
    context = {
        "city": place.info,
        "page": "inspections",
        "campaign": found,
        "title": name_of(found),
        "step": _step(found),
        "checklist": checklist,
        "items": _items(place, checklist) if checklist else [],
        "frame": len(found.plan["places"]),
        "sample": sum(found.plan["sample"].values()),
        "second": percent_text(found.second_share, 0),
        "plans": assesses(request.user, place=place),
        "drawn": drawn,
        "problems": queries.check_draw(found) if drawn else (),
        "results": _results(place, found) if drawn else [],
        "failures": _failures(found, checklist) if drawn and checklist else [],
        **(_agreement(found) if drawn else {}),
        "visits": _visits(place, found, staff=staff) if drawn else [],
        "staff": staff,
    }
    return render(request, "inspections/campaign.html", context)


@require_GET
def plan_file(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """The plan, as `yiwang inspect` reads it."""
    found = campaign_or_404(city_or_404(city), key)
    return _file(found, "plan", queries.public_plan(found))


@require_GET
def visits_file(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """The visits that were drawn, as `yiwang inspect verify` reads them."""
    place = city_or_404(city)
    found = campaign_or_404(place, key)
    if not sees_draw(request.user, found, place=place):
        raise Http404(say("检查结束后公布抽取结果", "The draw is published when the inspection has ended"))
    return _file(found, "visits", queries.public_visits(found))


def _file(campaign: Campaign, name: str, content: Any) -> HttpResponse:
    answer = JsonResponse(content, safe=False, json_dumps_params={"ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{campaign.city}-{campaign.key}-{name}.json"'
    return answer


def name_of(campaign: Campaign) -> str:
    """Its name in the reader's language."""
    return named({"name": campaign.name, "name_en": campaign.name_en})


def place_name(place: CityRuntime, code: str) -> str:
    """What a place is called: the region's name, or the component's code."""
    return str(region_name(place, code)) if code in place.regions else code


def _row(campaign: Any) -> dict[str, Any]:
    return {"campaign": campaign, "name": name_of(campaign), "step": _step(campaign)}


def _step(campaign: Campaign) -> dict[str, str]:
    name, light = STEPS[campaign.step]
    return {"name": say(name), "light": light}


def _items(place: CityRuntime, checklist: Checklist) -> list[dict[str, Any]]:
    return [
        {
            "name": say(item.name),
            "points": f"{item.points:g}",
            "group": say(checklist.groups[item.group]) if item.group else "",
            "category": named(place.categories[item.category]) if item.category in place.categories else "",
        }
        for item in checklist.items
    ]


def _results(place: CityRuntime, campaign: Campaign) -> list[dict[str, Any]]:
    return [
        {
            "name": place_name(place, one.stratum) if one.stratum else say("全部", "All"),
            "places": number_text(one.places),
            "drawn": one.drawn,
            "outcomes": [(say(name), one.outcomes[key]) for key, name in OUTCOMES.items() if one.outcomes.get(key)],
            "response": percent_text(one.response, 0),
            "silent": one.silent if not one.stratum else 0,
            **estimate_shown(one.estimate),
        }
        for one in queries.results_of(campaign)
    ]


def estimate_shown(estimate: Estimate | None) -> dict[str, str]:
    """A score of a hundred with its interval, as it is written."""
    if estimate is None:
        return {"score": NONE, "interval": NONE}
    interval = estimate.interval
    between = f"{number_text(interval.low, 1)} – {number_text(interval.high, 1)}" if interval else NONE
    return {"score": number_text(estimate.value, 1), "interval": between}


def _agreement(campaign: Campaign) -> dict[str, Any]:
    found = queries.agreement_of(campaign)
    return {"agreement": found, "agreement_share": percent_text(found.share, 0) if found else NONE}


def _failures(campaign: Campaign, checklist: Checklist) -> list[dict[str, Any]]:
    names = {item.id: say(item.name) for item in checklist.items}
    return [
        {
            "name": names.get(item, item),
            "failed": failed,
            "applied": applied,
            "share": percent_text(failed / applied, 0),
        }
        for item, failed, applied in queries.failures_of(campaign)
        if failed
    ]


def _visits(place: CityRuntime, campaign: Campaign, *, staff: bool) -> list[dict[str, Any]]:
    visits = queries.visits_of(campaign)
    people = User.objects.filter(username__in=campaign.people.values()) if staff else ()
    names = {one.username: person_name(one) for one in people}

    def person(code: str) -> str:
        username = str(campaign.people.get(code, code))
        return names.get(username, username)

    return [
        {
            "pk": visit.pk,
            "place": place_name(place, visit.place),
            "code": visit.place,
            "stratum": place_name(place, visit.stratum),
            "second": visit.turn == 2,
            "people": [person(code) if staff else code for code in visit.inspectors],
            "outcome": say(OUTCOMES[visit.outcome]),
            "recorded": bool(visit.outcome),
            "score": NONE if visit.score is None else number_text(visit.score, 1),
        }
        for visit in visits
    ]
