"""A drawn case is answered once: by the citizen through a secret link, or by telephone through an interviewer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.core.surveys.estimating import Disposition
from yiwang.core.surveys.questionnaires import Value, check_answers, measured
from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.surveys.access import interviewer, interviews
from yiwang.server.surveys.history import answers_digest, write_event
from yiwang.server.surveys.models import DrawnCase, SurveyRound
from yiwang.server.surveys.planning import questionnaire_of

LINK, TELEPHONE = "link", "telephone"
LONGEST_SECRET = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSaid:
    """What came of a call.

    Attributes:
        disposition: Answered, refused, or not reached.
        answers: By question; none unless it was answered.
        tries: How often the person had not been reached, as the interviewer saw it when calling.
    """

    disposition: Disposition
    answers: Mapping[str, Value] = field(default_factory=dict)
    tries: int = 0


def record_call(case: DrawnCase, said: CallSaid, *, user: Any) -> DrawnCase:
    """Record what came of a call. The same answers said once more by the same person are left as they are.

    Raises:
        BadInput: When an answer is missing or cannot be taken.
        Conflict: When somebody else has recorded something meanwhile.
        NotAllowed: For who may not read how to reach the reporter.
        NotPossible: When the round is not under way, or the case has been tried as often as the questionnaire says.
    """
    survey = case.round
    place = runtime(survey.city)
    _check_open(survey, place)
    _check_interviewer(case, place, user)
    if said.disposition is Disposition.WAITING:
        raise BadInput(Problem(Text("请选择通话结果。", "Choose what came of the call."), column="disposition"))
    if said.disposition is not Disposition.ANSWERED and said.answers:
        raise BadInput(
            Problem(Text("没有完成回访却有答案。", "There is no interview but answers."), column="disposition")
        )
    if said.disposition is Disposition.ANSWERED:
        return _answer(case, said.answers, way=TELEPHONE, by=user.get_username())
    with transaction.atomic():
        held = _held(case)
        if held.disposition == Disposition.REFUSED == said.disposition and held.by == user.get_username():
            return held
        if held.disposition in (Disposition.ANSWERED, Disposition.REFUSED) or held.tries != said.tries:
            raise Conflict(
                Text("有人刚刚记录了这一件，请看最新情况。", "Somebody has recorded this one meanwhile; see what.")
            )
        if held.tries >= survey.tries:
            raise NotPossible(_enough(survey))
        if said.disposition is Disposition.NOT_REACHED:
            held.tries += 1
        held.disposition, held.by, held.recorded_at = (
            said.disposition.value,
            user.get_username()[:150],
            datetime.now(UTC),
        )
        held.save()
        write_event(survey, held.disposition, {"case": held.case, "tries": held.tries}, by=held.by)
    return held


def answer_by_link(case: DrawnCase, answers: Mapping[str, Value]) -> DrawnCase:
    """Take the citizen's own answers. The same answers sent twice are taken once. Who refused or was not reached by telephone may
    still answer.

    Raises:
        BadInput: When an answer is missing or cannot be taken.
        Conflict: When it is answered already.
        NotPossible: When the round is not under way.
    """
    _check_open(case.round, runtime(case.round.city))
    return _answer(case, answers, way=LINK, by="")


def make_link(case: DrawnCase, *, user: Any) -> str:
    """Make the citizen's link anew and give its secret, which is shown now and never again; an earlier link opens nothing more.

    Raises:
        Conflict: When it is answered already.
        NotAllowed: For who may not read how to reach the reporter.
        NotPossible: When the round is not under way.
    """
    survey = case.round
    place = runtime(survey.city)
    _check_open(survey, place)
    _check_interviewer(case, place, user)
    secret = secrets.token_urlsafe(16)
    with transaction.atomic():
        held = _held(case)
        if held.disposition == Disposition.ANSWERED:
            raise Conflict(_answered())
        held.link = link_digest(secret)
        held.save(update_fields=["link"])
        write_event(survey, "linked", {"case": held.case}, by=user.get_username())
    return secret


def link_digest(secret: str) -> str:
    """The keyed hash that is kept of a link's secret."""
    return salted_hmac("yiwang.surveys.link", secret[:LONGEST_SECRET], algorithm="sha256").hexdigest()


def case_of_secret(*, city: str, secret: str) -> DrawnCase | None:
    """The drawn case that a link opens; None for a link that is wrong, was replaced, or whose round has ended."""
    found = DrawnCase.objects.select_related("round").filter(link=link_digest(secret), round__city=city)
    return found.first()


def is_open(survey: SurveyRound, place: CityRuntime) -> bool:
    """Whether answers are taken now."""
    return survey.step == SurveyRound.Step.DRAWN and _today(place) <= survey.ends


def _answer(case: DrawnCase, answers: Mapping[str, Value], *, way: str, by: str) -> DrawnCase:
    survey, said = case.round, dict(answers)
    questionnaire = questionnaire_of(survey)
    check_answers(questionnaire, said)
    with transaction.atomic():
        held = _held(case)
        if held.disposition == Disposition.ANSWERED:
            if (held.way, held.by, held.answers) == (way, by, said):
                return held
            raise Conflict(_answered())
        if way == TELEPHONE and held.disposition == Disposition.REFUSED:
            raise Conflict(Text("对方已拒绝回访。", "The person has refused."))
        held.disposition, held.way, held.by = Disposition.ANSWERED.value, way, by[:150]
        held.answers = said
        held.says = {measure.value: yes for measure, yes in measured(questionnaire, said).items()}
        held.recorded_at = datetime.now(UTC)
        held.save()
        told = {"case": held.case, "way": way, "answers": answers_digest(held)}
        write_event(survey, "answered", told, by=by)
    return held


def _held(case: DrawnCase) -> DrawnCase:
    # the round too: it is not ended while somebody answers
    survey = SurveyRound.objects.select_for_update().get(pk=case.round_id)
    _check_open(survey, runtime(survey.city))
    return DrawnCase.objects.select_for_update().get(pk=case.pk)


def _check_open(survey: SurveyRound, place: CityRuntime) -> None:
    if not is_open(survey, place):
        raise NotPossible(Text("这次回访已经结束，谢谢。", "This survey has ended. Thank you."))


def _check_interviewer(case: DrawnCase, place: CityRuntime, user: Any) -> None:
    row = Case.objects.filter(city=place.info.id, number=case.case).values("region", "holder").first()
    if row is None or not interviews(interviewer(user, place=place), row):
        raise NotAllowed(
            Text("回访由能查看联系方式的岗位进行。", "Interviews are for those who may read how to reach the reporter.")
        )


def _today(place: CityRuntime) -> Any:
    return datetime.now(UTC).astimezone(place.info.zone).date()


def _answered() -> Text:
    return Text("这一件已经回答过了。", "This one has been answered already.")


def _enough(survey: SurveyRound) -> Text:
    return Text(
        "已经打了 {n} 次，不再打扰。", "It has been tried {n} times; the person is left in peace.", n=survey.tries
    )
