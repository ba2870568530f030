"""Letters are drafted, changed, handed down, issued and dropped, by who assesses the city."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.core.indicators.definitions import Indicator
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.core.targets.letters import QUARTER_ENDS
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scores.presentation import DIRECTIONS, SUFFIXES
from yiwang.server.scrutiny.access import assesses
from yiwang.server.targets import drafting
from yiwang.server.targets.models import Letter
from yiwang.server.targets.presentation import month_name, unit_name
from yiwang.server.targets.progress import Months
from yiwang.server.targets.views import letter_or_404, tell_error, year_asked

Typed = dict[str, str]


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """First the unit and the year, then what the letter says; what stands in the letter in force is there to start from."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    asked = request.POST if request.method == "POST" else request.GET
    problems: list[str] = []
    unit, year = "", year_asked(request, place, [])
    if "year" in asked:
        try:
            unit = chosen(place, asked, "region")
            year = _whole(asked.get("year", ""))
            if unit not in place.regions:
                raise BadInput(Problem(Text("请选择单位。", "Choose a unit."), column="region"))
        except BadInput as error:
            problems, unit = sentences(error), ""
    if not unit:
        context = {"city": place.info, "page": "targets", "year": year, "problems": problems}
        return render(request, "targets/choose.html", context, status=422 if problems else 200)
    before = Letter.objects.filter(city=city, unit=unit, year=year, step=Letter.Step.IN_FORCE).defer("file").first()
    if request.method == "POST":
        return _take(
            request, place, unit=unit, year=year, before=before,
            act=lambda owner, items: drafting.draft(
                place, unit=unit, year=year, owner=owner, items=items, reasons=request.POST.get("reasons", ""),
                by=request.user.get_username(),
            ),
        )  # fmt: skip
    typed = _typed_of(before) if before else _baselines(place, unit, year)
    return _form(request, place, unit=unit, year=year, before=before, typed=typed)


@require_http_methods(["GET", "POST"])
def change_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Change a draft."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    found = letter_or_404(place, pk)
    if request.method == "POST":
        return _take(
            request, place, unit=found.unit, year=found.year, before=None,
            act=lambda owner, items: drafting.change(place, found, owner=owner, items=items, by=request.user.get_username()),
        )  # fmt: skip
    return _form(request, place, unit=found.unit, year=found.year, before=None, typed=_typed_of(found))


@require_POST
def issue_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Issue."""
    return _do(
        request,
        city,
        pk,
        lambda place, found, by: drafting.issue(place, found, by=by),
        say("已下达，等待签订。", "Issued, to be signed."),
    )


@require_POST
def drop_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Drop."""
    return _do(request, city, pk, lambda place, found, by: drafting.drop(found, by=by), say("已作废。", "Dropped."))


@require_POST
def hand_it_down(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Draft letters for the regions below."""

    def act(place: CityRuntime, found: Letter, by: str) -> None:
        drafting.hand_down(place, found, owners={}, by=by)

    done = say(
        "已为下级单位起草，请逐一核对后下达。", "Letters of the units below are drafted: look at each, then issue it."
    )
    return _do(request, city, pk, act, done)


def _do(
    request: HttpRequest, city: str, pk: int, act: Callable[[CityRuntime, Letter, str], object], said: str
) -> HttpResponse:
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    found = letter_or_404(place, pk)
    try:
        act(place, found, request.user.get_username())
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        tell_error(request, error)
    return redirect("target-letter", city, found.year, found.unit)


def _take(
    request: HttpRequest,
    place: CityRuntime,
    *,
    unit: str,
    year: int,
    before: Letter | None,
    act: Callable[[str, list[drafting.Typed]], Letter],
) -> HttpResponse:
    typed = {name: value.strip() for name, value in request.POST.items() if isinstance(value, str)}
    try:
        made = act(typed.get("owner", ""), _items(typed, drafting.wanted_indicators(place)))
    except (Refusal, BadInput) as error:
        wrong = {one.column for one in error.problems} if isinstance(error, BadInput) else set()
        return _form(
            request,
            place,
            unit=unit,
            year=year,
            before=before,
            typed=typed,
            problems=sentences(error),
            wrong=wrong,
            status=status_of(error),
        )
    messages.success(request, say("草稿已保存。", "The draft is saved."))
    return redirect("target-letter", place.info.id, made.year, made.unit)


def _form(
    request: HttpRequest,
    place: CityRuntime,
    *,
    unit: str,
    year: int,
    before: Letter | None,
    typed: Typed,
    problems: list[str] | None = None,
    wrong: set[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "city": place.info,
        "page": "targets",
        "unit": unit,
        "unit_name": unit_name(place, unit),
        "year": year,
        "replaces": before,
        "owner": typed.get("owner", ""),
        "reasons": typed.get("reasons", ""),
        "problems": problems or [],
        "wrong": wrong or set(),
        "quarters": [month_name(month) for month in QUARTER_ENDS],
        "lines": [_line(id, one, typed) for id, one in drafting.wanted_indicators(place).items()],
    }
    return render(request, "targets/new.html", context, status=status)


def _line(id: str, one: Indicator, typed: Typed) -> dict[str, object]:
    suffix = say(SUFFIXES[one.unit]).strip() if one.unit in SUFFIXES else ""
    return {
        "id": id,
        "name": named(one),
        "direction": say(DIRECTIONS[one.direction]),
        "suffix": suffix,
        "baseline": typed.get(f"baseline-{id}", ""),
        "target": typed.get(f"target-{id}", ""),
        "steps": [
            {"name": f"m{month}-{id}", "label": month_name(month), "value": typed.get(f"m{month}-{id}", "")}
            for month in QUARTER_ENDS
        ],
    }


def _items(typed: Typed, known: dict[str, Indicator]) -> list[drafting.Typed]:
    """The lines with a target.

    Raises:
        BadInput: For what is no number.
    """
    problems: list[Problem] = []

    def number(field: str, one: Indicator, id: str) -> float | None:
        text = typed.get(field, "").replace(",", "").removesuffix("%").strip()
        try:
            value = float(text) if text else None
        except ValueError:
            value = float("nan")
        if value is not None and not isfinite(value):
            wrong = Text(
                "「{name}」：「{text}」不是数。", "“{name}”: {text!r} is no number.", name=one.name, text=text[:20]
            )
            problems.append(Problem(wrong, column=id))
            return None
        return value

    found = []
    for id, one in known.items():
        target = number(f"target-{id}", one, id)
        baseline = number(f"baseline-{id}", one, id)
        steps = {month: number(f"m{month}-{id}", one, id) for month in QUARTER_ENDS}
        if target is not None:
            wanted = {month: value for month, value in steps.items() if value is not None}
            found.append(drafting.Typed(indicator=id, target=target, baseline=baseline, milestones=wanted))
    if problems:
        raise BadInput(problems)
    return found


def _typed_of(letter: Letter) -> Typed:
    """A letter as its form has it."""
    typed = {"owner": "" if letter.owner == drafting.NOBODY else letter.owner}
    for item in letter.items.all():
        typed[f"target-{item.indicator}"] = f"{item.target:g}"
        typed[f"baseline-{item.indicator}"] = "" if item.baseline is None else f"{item.baseline:g}"
        for month, value in item.milestones.items():
            typed[f"m{month}-{item.indicator}"] = f"{value:g}"
    return typed


def _baselines(place: CityRuntime, unit: str, year: int) -> Typed:
    """Last year's figures, where the whole of that year was counted."""
    known = drafting.wanted_indicators(place)
    months = Months(place, year=year, indicators=known, levels={place.regions[unit].level})
    found = {id: months.before(unit, id) for id in known}
    return {
        f"baseline-{id}": number_text(value, 1).replace(",", "") for id, value in found.items() if value is not None
    }


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else 0


def _stopped(request: HttpRequest, place: CityRuntime) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if assesses(request.user, place=place):
        return None
    detail = say(
        "目标责任书由系统管理员和负责考评的岗位办理。",
        "Target letters are drafted and issued by administrators and by who assesses the city.",
    )
    context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
    return render(request, "problem.html", context, status=403)
