"""Pages of surveys that everybody may read: what is planned and committed to; response, rates and the proof of the draw once a round
has ended, and for staff as answers come."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.surveys.estimating import Disposition, Rate, Result
from yiwang.core.surveys.questionnaires import Measure, Questionnaire
from yiwang.server.cases.api import region_name
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import NONE, number_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scrutiny.access import assesses, is_staff
from yiwang.server.surveys import forms, queries
from yiwang.server.surveys.access import sees_draw, sees_results
from yiwang.server.surveys.history import altered_answers
from yiwang.server.surveys.models import SurveyRound
from yiwang.server.surveys.planning import questionnaire_of

STEPS = {
    "committed": (Text("待抽取", "To be drawn"), "yellow"),
    "drawn": (Text("进行中", "Under way"), "green"),
    "closed": (Text("已结束", "Ended"), ""),
    "dropped": (Text("已取消", "Dropped"), ""),
}
DISPOSITIONS = {
    Disposition.ANSWERED: Text("已完成", "Answered"),
    Disposition.REFUSED: Text("拒绝", "Refused"),
    Disposition.NOT_REACHED: Text("未联系上", "Not reached"),
    Disposition.WAITING: Text("待回访", "To do"),
}
MEASURES = {
    Measure.RESPONDED: Text("响应率", "Responded"),
    Measure.RESOLVED: Text("解决率", "Resolved"),
    Measure.SATISFIED: Text("满意率", "Satisfied"),
}


@require_GET
def round_list(request: HttpRequest, city: str) -> HttpResponse:
    """The rounds of a city, the latest first."""
    place = city_or_404(city)
    staff = is_staff(request.user, place=place)
    context = {
        "city": place.info,
        "page": "surveys",
        "rows": [_row(one, seen=sees_results(request.user, one, place=place)) for one in queries.rounds_of(city)],
        "plans": assesses(request.user, place=place),
        "staff": staff,
    }
    return render(request, "surveys/list.html", context)


def round_or_404(place: CityRuntime, key: str) -> SurveyRound:
    """A round of the city."""
    found = queries.round_of(city=place.info.id, key=key)
    if found is None:
        raise Http404(say("没有这次回访", "There is no such round"))
    return found


@require_GET
def survey_round(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """One round: what is asked, how cases were drawn, and what was answered."""
    place = city_or_404(city)
    found = round_or_404(place, key)
    try:
        questionnaire = questionnaire_of(found)
    except Unknown:
        questionnaire = None
    seen = sees_results(request.user, found, place=place)
    drawn = sees_draw(request.user, found, place=place)
    staff = is_staff(request.user, place=place)
    context = {
        "city": place.info,
        "page": "surveys",
        "survey": found,
        "title": name_of(found),
        "step": step_of(found),
        "questionnaire": questionnaire,
        "least_response": percent_text(found.least_response, 0),
        "least_shown": queries.LEAST_SHOWN,
        "results": _results(place, found) if seen else [],
        "measures": [say(name) for name in MEASURES.values()],
        "counted": _counted(found, questionnaire) if seen and questionnaire else [],
        "words": queries.words_of(found, questionnaire) if seen and staff and questionnaire else [],
        "altered": altered_answers(found) if drawn else [],
        "frame": len(found.plan["places"]),
        "sample": sum(found.plan["sample"].values()),
        "plans": assesses(request.user, place=place),
        "drawn": drawn,
        "problems": queries.check_draw(found) if drawn else (),
    }
    return render(request, "surveys/round.html", context)


@require_GET
def plan_file(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """The plan, as `yiwang inspect` reads it."""
    found = round_or_404(city_or_404(city), key)
    return _file(found, "plan", found.plan)


@require_GET
def cases_file(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """The cases that were drawn, as `yiwang inspect verify` reads them."""
    place = city_or_404(city)
    found = round_or_404(place, key)
    if not sees_draw(request.user, found, place=place):
        raise Http404(say("回访结束后公布抽取结果", "The draw is published when the round has ended"))
    return _file(found, "cases", queries.public_cases(found))


def name_of(survey: SurveyRound) -> str:
    """Its name in the reader's language."""
    return named({"name": survey.name, "name_en": survey.name_en})


def step_of(survey: SurveyRound) -> dict[str, str]:
    """Its state in words, with the light beside it."""
    name, light = STEPS[survey.step]
    return {"name": say(name), "light": light}


def _file(survey: SurveyRound, name: str, content: Any) -> HttpResponse:
    answer = JsonResponse(content, safe=False, json_dumps_params={"ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{survey.city}-{survey.key}-{name}.json"'
    return answer


def _row(survey: Any, *, seen: bool) -> dict[str, Any]:
    share = survey.answered / survey.drawn if survey.drawn else None
    return {
        "survey": survey,
        "name": name_of(survey),
        "step": step_of(survey),
        "response": percent_text(share) if seen and share is not None else NONE,
        "seen": seen,
    }


def _results(place: CityRuntime, survey: SurveyRound) -> list[dict[str, Any]]:
    results = queries.results_of(survey)
    hidden = queries.hidden_of(results)
    return [
        {
            "name": _stratum_name(place, one.stratum),
            "frame": number_text(one.frame),
            "response": percent_text(one.response),
            "answered": one.answered,
            "drawn": one.drawn,
            "dispositions": _dispositions(one),
            "weak": one.weak,
            "silent": one.silent if not one.stratum else 0,
            "hidden": one.stratum in hidden,
            "rates": [
                {"name": say(name), **({} if one.stratum in hidden else rate_shown(one.rates[measure]))}
                for measure, name in MEASURES.items()
            ],
        }
        for one in results
    ]


def _stratum_name(place: CityRuntime, stratum: str) -> str:
    if not stratum:
        return say("全部", "All")
    return str(region_name(place, stratum)) if stratum in place.regions else say("没有区域", "No region")


def _dispositions(result: Result) -> list[tuple[str, int]]:
    return [
        (say(name), result.dispositions[key])
        for key, name in DISPOSITIONS.items()
        if key is not Disposition.ANSWERED and result.dispositions.get(key)
    ]


def rate_shown(rate: Rate) -> dict[str, str]:
    """A rate with its interval, numerator and denominator, as it is written; nothing where nobody answered."""
    if rate.estimate is None:
        return {}
    interval = rate.estimate.interval
    return {
        "value": percent_text(rate.estimate.value),
        "interval": f"{percent_text(interval.low)} – {percent_text(interval.high)}" if interval else NONE,
        "of": f"{number_text(rate.yes)} / {number_text(rate.asked)}",
    }


def _counted(survey: SurveyRound, questionnaire: Questionnaire) -> list[dict[str, Any]]:
    counts = queries.answers_counted(survey, questionnaire)
    found = []
    for question in questionnaire.questions:
        given = counts.get(question.id)
        if given:
            answers = [
                (name, given[int(value) if value.isdecimal() else value])
                for value, name in forms.options(question.kind)
            ]
            found.append({"name": say(question.name), "answers": answers, "of": given.total()})
    return found
