"""Pages of surveys: planned from lists, called about, answered on a phone by a secret link, read by everybody at the end."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from tests.reading_pages import Page
from tests.server.test_inventory import client_of
from tests.server.test_languages_of_pages import faults_of, one_language_only
from tests.server.test_surveys import NO, TODAY, YES, ann, call, closed, drawn, fill, lived, person, said

from yiwang.server.cases.models import Case, Report
from yiwang.server.cities.queries import runtime
from yiwang.server.common.models import Attempts
from yiwang.server.people.models import PersonalDataRead, User
from yiwang.server.surveys import citizen_views
from yiwang.server.surveys.access import shown
from yiwang.server.surveys.answering import make_link
from yiwang.server.surveys.models import DrawnCase, SurveyEvent, SurveyRound
from yiwang.server.surveys.planning import commit_to, draw_round, end_round

__all__ = ["ann", "closed", "drawn", "lived"]
FORM = {
    "key": "march", "name": "三月回访", "name_en": "March", "questionnaire": "after_closing", "period": "2026-03",
    "strata": "street", "total": "12", "beacon": "", "ends": f"{TODAY}",
}  # fmt: skip
FILLED = {f"answer-{question}": str(value) for question, value in YES.items()}


def as_(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_a_round_is_planned_drawn_and_ended_on_pages(closed: str) -> None:
    planner = client_of("planner", administrator=("", ""))
    assert "No rounds yet" in page(planner, "/mini/surveys")
    form = page(planner, "/mini/surveys/new")
    assert form.count('<option value="after_closing"') == 1
    assert form.count("<option selected>") == 1  # the last month
    assert planner.post("/mini/surveys/new", FORM)["Location"] == "/mini/surveys/march"
    survey = SurveyRound.objects.get()
    before = page(planner, "/mini/surveys/march")
    assert survey.commitment in before
    assert survey.seed not in before
    assert planner.post("/mini/surveys/march/draw").status_code == 302
    after = page(planner, "/mini/surveys/march")
    assert survey.seed in after
    assert "Drawn again, it gives what is published." in after
    assert planner.post("/mini/surveys/march/end").status_code == 302
    assert "Ended" in page(planner, "/mini/surveys/march")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"key": "A B"}, "small letters"),
        ({"period": "soon"}, "ends before it begins"),
        ({"period": f"{TODAY:%Y-%m}"}, "not over"),
        ({"total": "many"}, "Draw 1 to"),
        ({"ends": "soon"}, "has passed"),
        ({"questionnaire": "x"}, "is in force"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(closed: str, other: dict[str, str], words: str) -> None:
    answer = client_of("planner", administrator=("", "")).post("/mini/surveys/new", {**FORM, **other})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not SurveyRound.objects.exists()


def test_who_may_plan(closed: str, ann: User) -> None:
    assert Client().get("/mini/surveys/new").status_code == 302
    for client in (as_(ann), client_of("near", leader=("CTR-9001", "9001"))):
        assert client.get("/mini/surveys/new").status_code == 403
        assert client.post("/mini/surveys/new", FORM).status_code == 403
    assert client_of("lead", leader=("CTR-90", "")).get("/mini/surveys/new").status_code == 200


def test_staff_read_results_as_they_come_and_everybody_at_the_end(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=5, east=5)
    public, staff = Client(headers={"accept-language": "en"}), as_(ann)
    before = page(public, "/mini/surveys/march")
    assert "Results are published when the round has ended." in before
    assert "57.1" not in before
    page(public, "/mini/surveys/march/cases.json", 404)
    shown = page(staff, "/mini/surveys/march")
    assert "57.1" in shown  # 8 of 14 cases, weighted
    assert drawn.seed not in shown
    page(staff, "/mini/surveys/march/cases.json", 404)
    end_round(drawn, by="boss")
    after = page(public, "/mini/surveys/march")
    assert "57.1" in after
    assert "10 / 12" in after
    assert "5 / 10" in after
    assert drawn.seed in after
    assert len(public.get("/mini/surveys/march/cases.json").json()) == 12
    assert "83.3" in page(public, "/mini/surveys")


def test_a_small_stratum_is_marked_and_its_rates_are_not_shown(drawn: SurveyRound, ann: User) -> None:
    fill(drawn, ann, west=5, east=1)
    shown = page(as_(ann), "/mini/surveys/march")
    assert "low response" in shown
    assert shown.count("not shown") == 6 + 1  # three rates of two streets, and the note


def test_calls_are_listed_for_who_may_read_contacts(drawn: SurveyRound, ann: User) -> None:
    assert page(as_(ann), "/mini/surveys/calls").count("/surveys/calls/") == 12
    far = as_(person("far", intake=("CTR-9002", "9002")))
    assert page(far, "/mini/surveys/calls").count("/surveys/calls/") == drawn.cases.filter(stratum="9002").count()
    hand = as_(person("hand", handler=("SWEEP-9001", "")))
    assert "Nobody is to be called" in page(hand, "/mini/surveys/calls")
    west = drawn.cases.filter(stratum="9001")[0]
    for client in (far, hand):
        page(client, f"/mini/surveys/calls/{west.pk}", 404)
        assert client.post(f"/mini/surveys/calls/{west.pk}/contact").status_code == 404
        assert client.post(f"/mini/surveys/calls/{west.pk}/link").status_code == 404
    assert Client().get("/mini/surveys/calls").status_code == 302


def test_contacts_are_hidden_until_asked_for_and_each_read_is_on_record(drawn: SurveyRound, ann: User) -> None:
    case = drawn.cases.all()[0]
    Report.objects.filter(case__number=case.case).update(contact="13800001111")
    client, path = as_(ann), f"/mini/surveys/calls/{case.pk}"
    assert "13800001111" not in page(client, path)
    assert client.get(f"{path}/contact").status_code == 405
    assert not PersonalDataRead.objects.exists()
    assert "13800001111" in client.post(f"{path}/contact").content.decode()
    read = PersonalDataRead.objects.get()
    assert (read.user, read.subject, read.what, read.purpose) == (ann, case.case, "contact", "survey")
    call(drawn.cases.select_related("round")[0], ann, YES)
    answer = client.post(f"{path}/contact")  # there is no reason to call any more
    assert "13800001111" not in client.get(answer["Location"]).content.decode()
    assert PersonalDataRead.objects.count() == 1


def test_a_call_is_recorded_on_its_page(drawn: SurveyRound, ann: User) -> None:
    first, second = drawn.cases.all()[:2]
    client, path = as_(ann), f"/mini/surveys/calls/{first.pk}"
    assert client.post(path, {"disposition": "answered", "tries": "0"}).status_code == 422
    missing = client.post(path, {"disposition": "answered", "tries": "0", "answer-content": "4"}).content.decode()
    assert "2 questions have to be completed" in missing
    assert re.search(r'name="answer-content" value="4" checked', missing)
    assert client.post(path, {**FILLED, "tries": "0"}).status_code == 422  # nothing chosen
    assert client.post(path, {**FILLED, "disposition": "answered", "tries": "0"}).status_code == 302
    first.refresh_from_db()
    assert (first.disposition, first.answers) == ("answered", YES)
    shown = page(client, path)
    assert "No more calls" in shown
    assert "answer-content" not in shown
    other = f"/mini/surveys/calls/{second.pk}"
    assert client.post(other, {"disposition": "not_reached", "tries": "0"}).status_code == 302
    assert (
        client.post(other, {"disposition": "not_reached", "tries": "0"}).status_code == 409
    )  # the button pressed twice
    assert client.post(other, {"disposition": "not_reached", "tries": "x"}).status_code == 409
    assert client.post(other, {"disposition": "refused", "tries": "1"}).status_code == 302
    assert page(client, "/mini/surveys/calls").count("/surveys/calls/") == 10


# --- the citizen's side -----------------------------------------------------------------------------------------------


@pytest.fixture
def link(drawn: SurveyRound, ann: User) -> str:
    case = drawn.cases.all()[0]
    answer = as_(ann).post(f"/mini/surveys/calls/{case.pk}/link").content.decode()
    found = re.search(r'value="http://testserver(/mini/portal/survey/[\w-]+)"', answer)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("language", "thanks"), [("zh", "谢谢，您的回答已收到"), ("en", "Thank you, we have your answers")]
)
def test_a_citizen_answers_once_without_an_account(link: str, language: str, thanks: str) -> None:
    phone = Client(headers={"accept-language": language})
    opened = phone.get(link)
    assert opened.status_code == 302
    assert opened["Location"] == "/mini/portal/survey"
    assert opened["Referrer-Policy"] == "no-referrer"
    shown = phone.get("/mini/portal/survey")
    assert shown["Referrer-Policy"] == "same-origin"
    assert "no-store" in shown["Cache-Control"]
    assert phone.cookies[citizen_views.COOKIE]["httponly"]
    assert 'name="answer-content"' in shown.content.decode()
    assert phone.post("/mini/portal/survey", {"answer-content": "4"}).status_code == 422
    assert phone.post("/mini/portal/survey", {**FILLED, "answer-content": "7"}).status_code == 422
    assert phone.post("/mini/portal/survey", {**FILLED, "answer-words": "x" * 1001}).status_code == 422
    assert phone.post("/mini/portal/survey", FILLED).status_code == 302
    assert thanks in phone.get("/mini/portal/survey").content.decode()
    assert phone.post("/mini/portal/survey", FILLED).status_code == 302  # sent twice, taken once
    changed = phone.post("/mini/portal/survey", {**FILLED, "answer-content": "1"})
    assert changed.status_code == 409
    case = DrawnCase.objects.get(disposition="answered")
    assert (case.way, case.by, case.answers["content"]) == ("link", "", 5)
    assert SurveyEvent.objects.filter(kind="answered").count() == 1


def test_without_the_link_nothing_opens(link: str) -> None:
    stranger = Client(headers={"accept-language": "en"})
    assert "Open it with the link" in page(stranger, "/mini/portal/survey", 404)
    assert stranger.post("/mini/portal/survey", FILLED).status_code == 404
    assert stranger.get(f"{link}x")["Location"] == "/mini/portal/survey"
    assert "The link is wrong" in page(stranger, "/mini/portal/survey", 404)
    case = DrawnCase.objects.exclude(link=None).get()
    stranger.cookies[citizen_views.COOKIE] = f"{case.pk}.{str(case.link)[:16]}"  # not signed by us
    page(stranger, "/mini/portal/survey", 404)
    page(stranger, "/other/portal/survey", 404)


def test_guessing_is_slow(link: str) -> None:
    stranger = Client()
    for number in range(10):
        stranger.get(f"/mini/portal/survey/guess-{number}")
    assert citizen_views.COOKIE not in stranger.get(link).cookies
    Attempts.objects.all().delete()
    assert citizen_views.COOKIE in stranger.get(link).cookies


def test_sending_is_slow(link: str) -> None:
    phone = Client()
    phone.get(link)
    for _ in range(20):
        assert phone.post("/mini/portal/survey", {}).status_code == 422
    assert phone.post("/mini/portal/survey", FILLED).status_code == 429
    assert not DrawnCase.objects.filter(disposition="answered").exists()


def test_a_new_link_ends_what_an_old_one_opened(link: str, drawn: SurveyRound, ann: User) -> None:
    phone = Client()
    phone.get(link)
    make_link(drawn.cases.select_related("round")[0], user=ann)
    assert phone.post("/mini/portal/survey", FILLED).status_code == 404
    assert not DrawnCase.objects.filter(disposition="answered").exists()


def test_no_answer_after_the_end(link: str, drawn: SurveyRound) -> None:
    phone = Client(headers={"accept-language": "en"})
    phone.get(link)
    SurveyRound.objects.update(ends="2026-01-01")
    assert "This survey has ended" in page(phone, "/mini/portal/survey")
    assert phone.post("/mini/portal/survey", FILLED).status_code == 409
    end_round(drawn, by="boss")
    page(phone, "/mini/portal/survey", 404)


def test_secrets_stay_out_of_the_log() -> None:
    from yiwang.server.common.logs import HideSecrets

    record = logging.LogRecord("django.request", 40, "", 0, "%s: %s", ("Error", "/mini/portal/survey/s3cr3t-x"), None)
    HideSecrets().filter(record)
    assert record.getMessage() == "Error: /mini/portal/survey/***"


def test_answers_stand_beside_no_name_and_no_number(drawn: SurveyRound, ann: User) -> None:
    for case in drawn.cases.select_related("round"):
        call(case, ann, {**NO, "words": f"别处也有 {case.case[-2:]}X"})
    end_round(drawn, by="boss")
    shown = page(as_(ann), "/mini/surveys/march")
    assert not any(number in shown for number in Case.objects.values_list("number", flat=True))
    assert "别处也有" in shown
    assert "别处也有" not in page(Client(), "/mini/surveys/march")


def test_the_link_in_the_frame_is_for_staff_and_asks_nothing_of_surveys(
    drawn: SurveyRound, ann: User, django_assert_num_queries: Any
) -> None:
    request = RequestFactory().get("/mini/surveys")
    request.user = AnonymousUser()
    with django_assert_num_queries(0):
        assert not shown(request, "mini")
    assert "/mini/surveys" in page(as_(ann), "/mini/cases")


def test_the_command_shows_rounds(drawn: SurveyRound, ann: User, run: Callable[..., Result]) -> None:
    fill(drawn, ann, west=5, east=5)
    listed = run("surveys", "show", "mini")
    assert listed.exit_code == 0
    assert "march" in listed.output
    told = run("surveys", "show", "mini", "--json")
    assert '"response": 0.8333' in told.output
    assert run("surveys", "show", "nowhere").exit_code != 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_says_everything_in_one_language(drawn: SurveyRound, ann: User, link: str, language: str) -> None:
    """What is data says so; the crawl of all pages has no round to open."""
    fill(drawn, ann, west=5, east=5)
    again = draw_round(commit_to(runtime("mini"), said(key="again"), by="boss"), by="boss")
    case = again.cases.all()[0]
    planner = as_(person("planner", administrator=("", "")), language)
    staff, phone = as_(ann, language), Client(headers={"accept-language": language})
    opened = f"/mini/portal/survey/{make_link(again.cases.select_related('round')[0], user=ann)}"
    pages = [
        page(phone, "/mini/portal/survey", 404),
        page(planner, "/mini/surveys"),
        page(planner, "/mini/surveys/new"),
        planner.post("/mini/surveys/new", {}).content.decode(),
        page(planner, "/mini/surveys/march"),
        page(staff, "/mini/surveys/calls"),
        page(staff, f"/mini/surveys/calls/{case.pk}"),
        staff.post(f"/mini/surveys/calls/{case.pk}", {"disposition": "answered", "tries": "0"}).content.decode(),
        staff.post(f"/mini/surveys/calls/{case.pk}/contact").content.decode(),
        page(Client(headers={"accept-language": language}), "/mini/surveys/march"),
    ]
    phone.get(opened)
    pages += [page(phone, "/mini/portal/survey"), phone.post("/mini/portal/survey", {}).content.decode()]
    phone.post("/mini/portal/survey", FILLED)
    pages.append(page(phone, "/mini/portal/survey"))
    made = staff.post(f"/mini/surveys/calls/{again.cases.all()[1].pk}/link").content.decode()
    known = one_language_only("mini", language)
    for html in [*pages, made]:
        for text in Page.read(html).texts:
            for name in known:
                text = text.replace(name, " ")
            assert not faults_of(text, language, lambda one: one), text
