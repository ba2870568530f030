"""What one may ask of rounds: lists, results with what is missing, what an interviewer is to do, the proof of a draw, and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q

from yiwang.core.facts.table import Row, region_codes
from yiwang.core.indicators.sampling import Visit as DrawnPlace
from yiwang.core.indicators.sampling import verify
from yiwang.core.kernel.errors import Problem
from yiwang.core.surveys.estimating import (
    Disposition,
    Result,
    Sampled,
    adjusted_weights,
    estimate,
    hidden_strata,
)
from yiwang.core.surveys.facts import ANSWERS, answers_table
from yiwang.core.surveys.questionnaires import FreeWords, Measure, Questionnaire
from yiwang.server.cases.api import Case, Readers
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.masking import mask
from yiwang.server.facts.sources import FactSource
from yiwang.server.surveys.access import interviews
from yiwang.server.surveys.models import DrawnCase, SurveyEvent, SurveyRound
from yiwang.server.surveys.planning import INTERVIEWERS, NOWHERE, plan_of

LEAST_SHOWN = 5  # with fewer answers a rate would tell what a single person said
BLOCK = 2_000


def rounds_of(city: str) -> list[SurveyRound]:
    """The rounds of a city, the latest first, with ``drawn`` and ``answered`` cases."""
    counted = SurveyRound.objects.filter(city=city).annotate(
        drawn=Count("cases"), answered=Count("cases", filter=Q(cases__disposition=Disposition.ANSWERED.value))
    )
    return list(counted.order_by("-id"))  # a query that groups is not ordered by the model


def round_of(*, city: str, key: str) -> SurveyRound | None:
    """One round."""
    return SurveyRound.objects.filter(city=city, key=key).first()


def drawn_case(*, city: str, pk: int) -> DrawnCase | None:
    """One drawn case, with its round."""
    return DrawnCase.objects.select_related("round").filter(pk=pk, round__city=city).first()


def results_of(survey: SurveyRound) -> list[Result]:
    """Everything first, then each stratum."""
    sizes = Counter(place["stratum"] for place in survey.plan["places"])
    return estimate([_sampled(one) for one in survey.cases.all()], sizes=sizes, least_response=survey.least_response)


def hidden_of(results: Sequence[Result]) -> frozenset[str]:
    """Strata of which rates are not shown, and "" for everything, since too few answered."""
    counts = {result.stratum: result.answered for result in results if result.stratum}
    few = {""} if sum(counts.values()) < LEAST_SHOWN else set()
    return hidden_strata(counts, least=LEAST_SHOWN) | few


def answers_counted(survey: SurveyRound, questionnaire: Questionnaire) -> dict[str, Counter[str | int]]:
    """How often each answer was given to each question but those for free words, as counted and not weighted; nothing where
    too few answered."""
    given = [one.answers for one in survey.cases.filter(disposition=Disposition.ANSWERED.value)]
    if len(given) < LEAST_SHOWN:
        return {}
    return {
        question.id: Counter(answers[question.id] for answers in given if question.id in answers)
        for question in questionnaire.questions
        if not isinstance(question.kind, FreeWords)
    }


def words_of(survey: SurveyRound, questionnaire: Questionnaire) -> list[str]:
    """What people said in words of their own, with personal data masked, in an order that tells nothing of their cases; nothing
    where too few answered."""
    asked = [question.id for question in questionnaire.questions if isinstance(question.kind, FreeWords)]
    given = survey.cases.filter(disposition=Disposition.ANSWERED.value).order_by("alias")
    if len(given) < LEAST_SHOWN:
        return []
    return [mask(one.answers[question]) for question in asked for one in given if question in one.answers]


def to_do(survey: SurveyRound, readers: Readers) -> list[tuple[DrawnCase, dict[str, Any]]]:
    """The cases that somebody may still telephone about, with category, region and day of closing: least tried first."""
    open_ones = survey.cases.filter(
        disposition__in=(Disposition.WAITING.value, Disposition.NOT_REACHED.value), tries__lt=survey.tries
    ).order_by("tries", "recorded_at", "id")
    waiting = list(open_ones)
    rows = Case.objects.filter(city=survey.city, number__in=[one.case for one in waiting])
    known: dict[str, dict[str, Any]] = {
        row["number"]: dict(row) for row in rows.values("number", "category", "region", "holder", "closed_at")
    }
    return [(one, known[one.case]) for one in waiting if one.case in known and interviews(readers, known[one.case])]


# --- the draw and its proof -------------------------------------------------------------------------------------------


def drawn_places(survey: SurveyRound) -> list[DrawnPlace]:
    """The drawn cases as `yiwang inspect draw` writes them."""
    return [
        DrawnPlace(place=one.case, stratum=one.stratum, inspectors=(INTERVIEWERS.id,), weight=one.weight)
        for one in survey.cases.all()
    ]


def check_draw(survey: SurveyRound) -> tuple[Problem, ...]:
    """What speaks against the draw of a round: empty when the commitment fits and drawing again gives the same cases."""
    return verify(
        plan=plan_of(survey),
        seed=bytes.fromhex(survey.seed),
        beacon=survey.beacon_value,
        published=survey.commitment,
        visits=drawn_places(survey),
    )


def public_cases(survey: SurveyRound) -> list[dict[str, Any]]:
    """The drawn cases, as `yiwang inspect verify` reads them. What became of them is not told case by case."""
    return [asdict(one) for one in drawn_places(survey)]


# --- facts ------------------------------------------------------------------------------------------------------------


def rows(place: CityRuntime) -> Iterator[Sequence[Row]]:
    """Every answered case of the rounds of a city that have ended, as a row of facts; none of a round with too few answers."""
    levels, root = place.pack.fact_context().levels, place.regions.roots[0].code
    block: list[Row] = []
    for survey in _ended(place.info.id).order_by("id"):
        cases = list(survey.cases.order_by("alias"))
        sample = [_sampled(one) for one in cases]
        counts = Counter(one.stratum for one in sample if one.answered)
        if counts.total() < LEAST_SHOWN:  # not shown on the round's page either
            continue
        hidden = hidden_strata(counts, least=LEAST_SHOWN)
        for case, weight in zip(cases, adjusted_weights(sample), strict=True):
            if weight:
                # the domain of the design, never finer; one that is not shown is part of the whole city only
                region = "" if case.stratum in hidden or case.stratum == NOWHERE else case.stratum
                block.append(_fact(survey, case, weight) | region_codes(region, levels=levels, root=root))
        if len(block) >= BLOCK:
            yield block
            block = []
    if block:
        yield block


def _fact(survey: SurveyRound, case: DrawnCase, weight: float) -> Row:
    day: date = survey.closed_to
    pairs = {
        f"{measure}_{name}": round(100 * weight) if measure.value in case.says and value else 0
        for measure in Measure
        for name, value in (("yes", case.says.get(measure.value)), ("asked", True))
    }
    return {
        "answer": case.alias,
        "round": survey.key,
        "questionnaire": survey.questionnaire,
        "way": case.way,
        "closed_to": day,
        "weight": weight,
        **pairs,
    }


def size(city: str) -> int:
    """About how many rows there are."""
    return DrawnCase.objects.filter(round__in=_ended(city), disposition=Disposition.ANSWERED.value).count()


def marks(city: str) -> tuple[int, ...]:
    """The last event: another one means that there may be something new to count."""
    return (SurveyEvent.objects.filter(city=city).aggregate(last=Max("id"))["last"] or 0,)


def _ended(city: str) -> Any:
    return SurveyRound.objects.filter(city=city, step=SurveyRound.Step.CLOSED)


def _sampled(case: DrawnCase) -> Sampled:
    return Sampled(
        stratum=case.stratum,
        weight=case.weight,
        disposition=Disposition(case.disposition),
        says={Measure(name): yes for name, yes in case.says.items()},
    )


FACTS = FactSource(name=ANSWERS, table=answers_table, rows=rows, size=size, newest=marks)
