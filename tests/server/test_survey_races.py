"""A drawn case answered by several people at once: one record, one chain, and no answer after the end."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.server.test_scores import MONDAY, lived
from tests.server.test_surveys import NO, YES, call, person, said
from tests.server.threads import at_once, skip_without_shared_database

from yiwang.core.kernel.refusals import Conflict, NotPossible
from yiwang.core.surveys.estimating import Disposition
from yiwang.server.cities.queries import runtime
from yiwang.server.people.models import User
from yiwang.server.surveys import history
from yiwang.server.surveys.answering import answer_by_link
from yiwang.server.surveys.models import DrawnCase, SurveyEvent, SurveyRound
from yiwang.server.surveys.planning import commit_to, draw_round, end_round

__all__ = ["lived"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def drawn(mini: str, lived: Any, settings: Any, tmp_path: Path) -> SurveyRound:
    skip_without_shared_database()
    settings.YIWANG_HOME = tmp_path
    for _ in range(4):
        lived(at=MONDAY)
    return draw_round(commit_to(runtime(mini), said(total=4), by="boss"), by="boss")


@pytest.fixture
def callers(drawn: SurveyRound) -> list[User]:
    return [person(name, intake=("CTR-90", "")) for name in ("ann", "bob")]


def test_a_case_is_answered_once(drawn: SurveyRound, callers: list[User]) -> None:
    cases = list(drawn.cases.select_related("round"))
    acts = [
        partial(call, case, user, answers) for case in cases for user, answers in zip(callers, (YES, NO), strict=True)
    ]
    acts += [partial(answer_by_link, case, YES) for case in cases]
    given = at_once(*acts, expected=(Conflict,))
    assert sum(isinstance(one, DrawnCase) for one in given) == len(cases)
    assert SurveyEvent.objects.filter(kind="answered").count() == len(cases)
    assert history.broken("mini") is None
    assert history.altered_answers(drawn) == []


def test_one_call_is_counted_once(drawn: SurveyRound, callers: list[User]) -> None:
    case = drawn.cases.select_related("round")[0]
    acts = [partial(call, case, user, None, disposition=Disposition.NOT_REACHED) for user in callers * 2]
    given = at_once(*acts, expected=(Conflict,))
    assert sum(isinstance(one, DrawnCase) for one in given) == 1
    assert DrawnCase.objects.get(pk=case.pk).tries == 1
    assert history.broken("mini") is None


def test_what_is_answered_before_the_end_is_in_the_end(drawn: SurveyRound, callers: list[User]) -> None:
    cases = list(drawn.cases.select_related("round"))
    acts = [partial(answer_by_link, case, YES) for case in cases]
    given = at_once(*acts, partial(end_round, drawn, by="boss"), expected=(NotPossible,))
    answered = sum(isinstance(one, DrawnCase) for one in given)
    assert SurveyEvent.objects.get(kind="closed").said["answered"] == answered
    assert DrawnCase.objects.filter(disposition="answered").count() == answered


def test_a_round_is_drawn_once(drawn: SurveyRound) -> None:
    again = commit_to(runtime("mini"), said(key="again", total=4), by="boss")
    given = at_once(*(partial(draw_round, again, by="boss") for _ in range(3)), expected=(NotPossible,))
    assert sum(isinstance(one, SurveyRound) for one in given) == 1
    assert again.cases.count() == 4
    assert history.broken("mini") is None
