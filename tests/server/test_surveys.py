"""Rounds of a survey: committed to, drawn, answered once by link or telephone, counted with what is missing, and sealed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from click.testing import Result
from django.test import Client
from tests.server.test_scores import MONDAY, lived

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.surveys.estimating import Disposition
from yiwang.core.surveys.questionnaires import Measure
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import forget, runtime
from yiwang.server.facts import operations
from yiwang.server.people import operations as people
from yiwang.server.people.models import User
from yiwang.server.provision.operations import install_pack
from yiwang.server.scores.queries import scorecard
from yiwang.server.surveys import history, queries
from yiwang.server.surveys.answering import CallSaid, answer_by_link, case_of_secret, make_link, record_call
from yiwang.server.surveys.models import DrawnCase, SurveyEvent, SurveyRound
from yiwang.server.surveys.planning import RoundSaid, commit_to, draw_round, end_round

__all__ = ["lived"]
MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
TODAY = datetime.now(UTC).date()
EAST: dict[str, Any] = {"lon": 120.013, "lat": 31.003}
YES: dict[str, str | int] = {"contacted": "yes", "settled": "resolved", "content": 5}
NO: dict[str, str | int] = {"contacted": "no", "settled": "unresolved", "content": 2}


def person(name: str, **roles: tuple[str, str]) -> User:
    user, _ = people.create_person(username=name, password=None, name=name, name_en=name, city="mini", roles=roles)
    return user


@pytest.fixture
def closed(mini: str, lived: Callable[..., str], settings: Any, tmp_path: Path) -> str:
    """Eight cases closed in March in the west, six in the east, and one in April."""
    settings.YIWANG_HOME = tmp_path
    for number in range(8):
        lived(at=MONDAY + timedelta(hours=number))
    for number in range(6):
        lived(at=MONDAY + timedelta(hours=number), **EAST)
    lived(at=MONDAY + timedelta(days=31))
    return mini


@pytest.fixture
def ann(closed: str) -> User:
    return person("ann", intake=("CTR-90", ""))


def said(**other: Any) -> RoundSaid:
    given: dict[str, Any] = {
        "key": "march", "name": "三月回访", "name_en": "March", "questionnaire": "after_closing",
        "closed_from": date(2026, 3, 1), "closed_to": date(2026, 3, 31), "strata": "street", "total": 12,
        "ends": TODAY + timedelta(days=7),
    }  # fmt: skip
    return RoundSaid(**{**given, **other})


@pytest.fixture
def drawn(closed: str) -> SurveyRound:
    return draw_round(commit_to(runtime(closed), said(), by="boss"), by="boss")


def call(case: DrawnCase, user: User, answers: dict[str, Any] | None, *, tries: int = 0, **other: Any) -> DrawnCase:
    disposition = other.get("disposition", Disposition.ANSWERED)
    return record_call(case, CallSaid(disposition=disposition, answers=answers or {}, tries=tries), user=user)


def test_what_is_committed_to_is_what_is_drawn(closed: str) -> None:
    survey = commit_to(runtime(closed), said(), by="boss")
    assert (survey.step, survey.version, survey.cases.count(), survey.tries) == ("committed", "2026", 0, 2)
    assert len(survey.plan["places"]) == 14  # not the one of April
    survey = draw_round(survey, by="boss")
    assert survey.cases.count() == 12
    assert sum(one.weight for one in survey.cases.all()) == pytest.approx(14)
    assert queries.check_draw(survey) == ()
    with pytest.raises(NotPossible):
        draw_round(survey, by="boss")
    DrawnCase.objects.filter(pk=survey.cases.all()[0].pk).delete()
    assert len(queries.check_draw(survey)) == 1


def test_anybody_can_check_a_draw_on_the_command_line(
    drawn: SurveyRound, run: Callable[..., Result], tmp_path: Path
) -> None:
    plan, cases = tmp_path / "plan.json", tmp_path / "cases.json"
    plan.write_text(json.dumps(drawn.plan))
    cases.write_text(json.dumps(queries.public_cases(drawn)))
    check = ("inspect", "verify", plan, cases, "--seed", drawn.seed, "--published")
    assert run(*check, drawn.commitment).exit_code == 0
    assert run(*check, "0" * 64).exit_code == 1


@pytest.mark.parametrize(
    ("other", "column"),
    [
        ({"key": "März"}, "key"),
        ({"name": " "}, "name"),
        ({"questionnaire": "before"}, "questionnaire"),
        ({"strata": "village"}, "strata"),
        ({"closed_from": date(2026, 4, 1)}, "period"),
        ({"closed_to": TODAY}, "period"),
        ({"closed_from": date(2025, 3, 1), "closed_to": date(2025, 3, 31)}, "period"),
        ({"ends": TODAY - timedelta(days=3)}, "ends"),
        ({"total": 0}, "total"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(closed: str, other: dict[str, Any], column: str) -> None:
    with pytest.raises(BadInput) as caught:
        commit_to(runtime(closed), said(**other), by="boss")
    assert [problem.column for problem in caught.value.problems] == [column]
    assert not SurveyRound.objects.exists()


def test_a_key_is_taken_once(drawn: SurveyRound) -> None:
    with pytest.raises(Conflict):
        commit_to(runtime("mini"), said(), by="boss")


def test_merged_cases_and_other_sources_are_not_asked_about(closed: str) -> None:
    one, other = Case.objects.order_by("id")[:2]
    Case.objects.filter(pk=one.pk).update(merged_into=other.number)
    Case.objects.filter(pk=other.pk).update(source="sensor")
    survey = commit_to(runtime(closed), said(), by="boss")
    assert len(survey.plan["places"]) == 12


def test_a_case_without_a_region_is_drawn_in_a_stratum_of_its_own(closed: str) -> None:
    Case.objects.filter(pk=Case.objects.order_by("id")[0].pk).update(region="")
    survey = commit_to(runtime(closed), said(), by="boss")
    assert {place["stratum"] for place in survey.plan["places"]} == {"-", "9001", "9002"}


def test_an_interviewer_records_what_came_of_a_call(drawn: SurveyRound, ann: User) -> None:
    first, second, third, *_ = drawn.cases.select_related("round")
    held = call(first, ann, YES)
    assert (held.disposition, held.way, held.by) == ("answered", "telephone", "ann")
    assert held.says == {"responded": True, "resolved": True, "satisfied": True}
    assert call(first, ann, YES).recorded_at == held.recorded_at  # the same once more
    with pytest.raises(Conflict):
        call(first, ann, NO)
    call(second, ann, None, disposition=Disposition.REFUSED)
    with pytest.raises(Conflict):
        call(second, ann, YES)
    for tries in (0, 1):
        assert call(third, ann, None, tries=tries, disposition=Disposition.NOT_REACHED).tries == tries + 1
    with pytest.raises(NotPossible):
        call(third, ann, None, tries=2, disposition=Disposition.NOT_REACHED)
    assert SurveyEvent.objects.count() == 2 + 1 + 1 + 2
    assert history.broken("mini") is None


def test_two_interviewers_do_not_count_one_call_twice(drawn: SurveyRound, ann: User) -> None:
    bob = person("bob", intake=("CTR-90", ""))
    case = drawn.cases.select_related("round")[0]
    call(case, ann, None, disposition=Disposition.NOT_REACHED)
    with pytest.raises(Conflict):  # saw no try when calling
        call(case, bob, None, disposition=Disposition.NOT_REACHED)
    call(case, bob, YES, tries=1)
    with pytest.raises(Conflict):
        call(case, ann, YES, tries=1)  # the same words, from somebody else
    case.refresh_from_db()
    assert (case.tries, case.by) == (1, "bob")


def test_who_may_not_read_contacts_does_not_interview(drawn: SurveyRound, ann: User) -> None:
    case = drawn.cases.select_related("round").filter(stratum="9001")[0]
    for user in (
        person("hand", handler=("SWEEP-9001", "")),
        person("far", intake=("CTR-90", "9002")),
        person("boss", administrator=("", "")),
    ):
        with pytest.raises(NotAllowed):
            call(case, user, YES)
        with pytest.raises(NotAllowed):
            make_link(case, user=user)
        assert queries.to_do(drawn, queries_readers(user)) == [] or user.username == "far"
    assert len(queries.to_do(drawn, queries_readers(ann))) == 12


def queries_readers(user: User) -> Any:
    from yiwang.server.surveys.access import interviewer

    return interviewer(user, place=runtime("mini"))


@pytest.mark.parametrize(
    ("answers", "column"),
    [
        ({"contacted": "yes"}, "settled"),
        ({**YES, "content": 9}, "content"),
        ({**YES, "other": "x"}, "other"),
    ],
)
def test_an_incomplete_interview_is_not_taken(
    drawn: SurveyRound, ann: User, answers: dict[str, Any], column: str
) -> None:
    case = drawn.cases.select_related("round")[0]
    with pytest.raises(BadInput) as caught:
        call(case, ann, answers)
    assert column in [problem.column for problem in caught.value.problems]
    with pytest.raises(BadInput):
        call(case, ann, YES, disposition=Disposition.REFUSED)
    with pytest.raises(BadInput):
        call(case, ann, None, disposition=Disposition.WAITING)
    case.refresh_from_db()
    assert (case.disposition, case.answers) == ("", {})


def test_only_a_keyed_hash_of_a_link_is_kept_and_a_new_one_replaces_it(drawn: SurveyRound, ann: User) -> None:
    case = drawn.cases.select_related("round")[0]
    first = make_link(case, user=ann)
    assert first not in json.dumps([*DrawnCase.objects.values(), *SurveyEvent.objects.values()], default=str)
    assert case_of_secret(city="mini", secret=first) == case
    second = make_link(case, user=ann)
    assert case_of_secret(city="mini", secret=first) is None
    assert case_of_secret(city="other", secret=second) is None
    assert case_of_secret(city="mini", secret="") is None
    found = case_of_secret(city="mini", secret=second)
    assert found is not None
    answer_by_link(found, NO)
    assert answer_by_link(found, NO).way == "link"
    with pytest.raises(Conflict):
        answer_by_link(found, YES)
    with pytest.raises(Conflict):
        make_link(case, user=ann)
    with pytest.raises(Conflict):
        call(case, ann, YES)
    end_round(drawn, by="boss")
    assert case_of_secret(city="mini", secret=second) is None


def test_who_refused_on_the_telephone_may_still_answer_by_link(drawn: SurveyRound, ann: User) -> None:
    case = drawn.cases.select_related("round")[0]
    secret = make_link(case, user=ann)
    call(case, ann, None, disposition=Disposition.REFUSED)
    found = case_of_secret(city="mini", secret=secret)
    assert found is not None
    assert answer_by_link(found, YES).disposition == "answered"


def test_no_answers_outside_the_round(closed: str, ann: User) -> None:
    survey = commit_to(runtime(closed), said(), by="boss")
    assert survey.cases.count() == 0
    survey = draw_round(survey, by="boss")
    case = survey.cases.select_related("round")[0]
    SurveyRound.objects.update(ends=TODAY - timedelta(days=3))
    with pytest.raises(NotPossible):
        call(case, ann, YES)  # although this object still says otherwise
    SurveyRound.objects.update(ends=TODAY + timedelta(days=3))
    end_round(survey, by="boss")
    with pytest.raises(NotPossible):
        call(case, ann, YES)
    with pytest.raises(NotPossible):
        answer_by_link(case, YES)
    with pytest.raises(NotPossible):
        end_round(survey, by="boss")
    dropped = end_round(commit_to(runtime(closed), said(key="again"), by="boss"), by="boss")
    assert dropped.step == "dropped"


def fill(survey: SurveyRound, ann: User, *, west: int, east: int) -> None:
    """So many of each street answer, the west all content; the others are not reached."""
    for stratum, wanted, answers in (("9001", west, YES), ("9002", east, NO)):
        for number, case in enumerate(survey.cases.select_related("round").filter(stratum=stratum)):
            if number < wanted:
                call(case, ann, answers)
            else:
                call(case, ann, None, disposition=Disposition.NOT_REACHED)


def test_rates_stand_for_all_closed_cases(drawn: SurveyRound, ann: User) -> None:
    """7 of 8 cases are drawn in the west and 5 of 6 in the east, or the like: the frame is what weights sum to."""
    fill(drawn, ann, west=5, east=5)
    everything, west, east = queries.results_of(drawn)
    assert (everything.drawn, everything.answered, everything.response) == (12, 10, 10 / 12)
    assert everything.dispositions[Disposition.NOT_REACHED] == 2
    rate = everything.rates[Measure.SATISFIED]
    assert (rate.yes, rate.asked) == (5, 10)
    assert rate.weighted_asked == pytest.approx(14)
    assert rate.estimate is not None
    assert rate.estimate.value == pytest.approx(8 / 14)
    assert (west.response, east.response) == (5 / west.drawn, 5 / east.drawn)
    assert queries.hidden_of([everything, west, east]) == frozenset()
    assert history.altered_answers(drawn) == []


def test_strata_that_refuse_much_are_marked_and_small_ones_hidden(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=5, east=1)
    results = queries.results_of(drawn)
    assert [one.weak for one in results] == [False, False, True]
    # with one street hidden alone, the other would tell what that one said
    assert queries.hidden_of(results) == {"9001", "9002"}


def test_few_answers_are_not_shown(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=4, east=0)
    assert queries.hidden_of(queries.results_of(drawn)) == {"", "9001"}
    questionnaire = runtime("mini").pack.questionnaires[0]
    assert queries.answers_counted(drawn, questionnaire) == {}
    assert queries.words_of(drawn, questionnaire) == []


def test_words_are_masked_and_tell_nothing_of_the_case(drawn: SurveyRound, ann: User) -> None:
    for number, case in enumerate(drawn.cases.select_related("round")[:6]):
        call(case, ann, {**YES, "words": f"电话 1380000111{number}"} if number else YES)
    questionnaire = runtime("mini").pack.questionnaires[0]
    words = queries.words_of(drawn, questionnaire)
    assert len(words) == 5
    assert not any("1380000" in one for one in words)
    counted = queries.answers_counted(drawn, questionnaire)
    assert counted["content"] == {5: 6}
    assert "words" not in counted


def test_answers_that_were_altered_are_found(drawn: SurveyRound, ann: User) -> None:
    case = drawn.cases.select_related("round")[0]
    call(case, ann, NO)
    assert history.altered_answers(drawn) == []
    DrawnCase.objects.filter(pk=case.pk).update(says={"satisfied": True})
    assert history.altered_answers(drawn) == [case.case]
    event = SurveyEvent.objects.get(kind="answered")
    assert "unresolved" not in json.dumps(event.said)  # nor could it be guessed without the alias
    SurveyEvent.objects.filter(pk=event.pk).update(by="somebody")
    assert history.broken("mini") == event.pk


def test_a_changed_questionnaire_is_said(drawn: SurveyRound, ann: User, tmp_path: Path) -> None:
    from yiwang.core.kernel.refusals import Unknown

    changed = Path(copytree(MINI, tmp_path / "mini"))
    text = (changed / "surveys.toml").read_text(encoding="utf-8")
    (changed / "surveys.toml").write_text(
        text.replace('kind = "scale"', 'kind = "scale"\nyes_from = 5'), encoding="utf-8"
    )
    install_pack(changed)
    forget()
    with pytest.raises(Unknown):
        call(drawn.cases.select_related("round")[0], ann, YES)
    assert queries.results_of(drawn)[0].drawn == 12


def fact_rows() -> list[dict[str, Any]]:
    place = runtime("mini")
    return [dict(row) for block in queries.rows(place) for row in block]


def test_facts_are_of_ended_rounds_and_give_the_same_rates(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=5, east=5)
    assert fact_rows() == []
    assert queries.size("mini") == 0
    end_round(drawn, by="boss")
    found = fact_rows()
    assert len(found) == queries.size("mini") == 10
    for measure in Measure:
        yes = sum(row[f"{measure}_yes"] for row in found)
        asked = sum(row[f"{measure}_asked"] for row in found)
        assert (asked, yes) == (1400, 800)
    assert {row["region_street"] for row in found} == {"9001", "9002"}
    assert {row["region_community"] for row in found} == {""}  # never finer than what was drawn
    assert not {row["answer"] for row in found} & {one.case for one in drawn.cases.all()}


def test_small_strata_are_part_of_the_whole_city_only(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=5, east=1)
    end_round(drawn, by="boss")
    assert {row["region_street"] for row in fact_rows()} == {""}
    assert {row["region_city"] for row in fact_rows()} == {"90"}
    assert sum(row["satisfied_asked"] for row in fact_rows()) == 1400


def test_a_round_with_few_answers_gives_no_facts(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=4, east=0)
    end_round(drawn, by="boss")
    assert fact_rows() == []


def test_an_interview_that_says_nothing_of_a_rate_is_left_out_of_it(drawn: SurveyRound, ann: User) -> None:
    for case in drawn.cases.select_related("round"):
        call(case, ann, {**YES, "settled": "unknown"})
    everything = queries.results_of(drawn)[0]
    assert everything.rates[Measure.RESOLVED].asked == 0
    assert everything.rates[Measure.SATISFIED].asked == 12
    end_round(drawn, by="boss")
    assert {row["resolved_asked"] for row in fact_rows()} == {0}


INDICATOR = """
[[indicator]]
id = "surveyed_satisfied"
table = "answers"
name = "回访满意率"
name_en = "Surveyed: satisfied"
meaning = "测试"
meaning_en = "Test"
numerator = 'sum(satisfied_yes)'
denominator = 'sum(satisfied_asked)'
unit = "score"
direction = "up"
basis = "surveyed"
source = "invented"
confidence = "test"
"""


def test_indicators_count_the_answers(drawn: SurveyRound, ann: User, tmp_path: Path) -> None:
    fill(drawn, ann, west=5, east=5)
    end_round(drawn, by="boss")
    changed = Path(copytree(MINI, tmp_path / "mini"))
    with (changed / "indicators.toml").open("a", encoding="utf-8") as file:
        file.write(INDICATOR)
    install_pack(changed)
    forget()
    for table in ("cases", "answers"):
        operations.rebuild(city="mini", table=table)
    card = scorecard(place=runtime("mini"), by=("city",), indicators=("surveyed_satisfied",))
    ((cell,),) = [[row.cells["surveyed_satisfied"] for row in card.rows]]
    assert cell.value == pytest.approx(100 * 8 / 14)
    shown = Client().get("/mini/score/surveyed_satisfied?level=city&key=90&start=2026-03-01&end=2026-04-01")
    assert shown.status_code == 200
    html = shown.content.decode()
    assert drawn.cases.filter(disposition="answered")[0].alias in html
    assert not any(number in html for number in drawn.cases.values_list("case", flat=True))
    forget()


def test_a_plan_that_was_tampered_with_is_found(drawn: SurveyRound) -> None:
    drawn.plan["places"] = [place for place in drawn.plan["places"] if place["id"] != drawn.cases.all()[0].case]
    assert any("commitment does not fit" in problem.message.en for problem in queries.check_draw(drawn))
