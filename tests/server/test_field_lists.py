"""The field app's lists: what is to do, what waits for others, what was done today; which verb comes first; the photos."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from tests.server.test_field import case_at_sweepers, field_client, fresh, picture, send, state

from yiwang.core.cases.workflow import Workflow
from yiwang.server.casepage.offering import Rank, rank, ranked
from yiwang.server.cases.api import photos_of_cases
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import runtime
from yiwang.server.field import views

__all__ = ["case_at_sweepers", "field_client", "fresh"]  # fixtures


def tasks_of(client: Client) -> dict[str, dict[str, Any]]:
    return {item["number"]: item for item in client.get("/mini/field/tasks.json").json()["items"]}


def done_of(client: Client) -> list[tuple[str, str]]:
    return [(item["number"], item["verb"]) for item in client.get("/mini/field/done.json").json()["items"]]


def shot(colour: str) -> io.BytesIO:
    made = io.BytesIO()
    Image.new("RGB", (600, 400), colour).save(made, "JPEG")
    made.seek(0)
    made.name = "p.jpg"
    return made


# --- which verb comes first -------------------------------------------------------------------------------------------


@pytest.fixture
def workflow(mini: str) -> Workflow:
    return runtime(mini).rules.workflow


@pytest.mark.parametrize(
    ("step", "verb", "expected"),
    [
        ("dispatched", "take", Rank.NEXT),
        ("handling", "finish", Rank.NEXT),
        ("checking", "check", Rank.NEXT),
        ("handling", "assisted", Rank.NEXT),  # who was asked to assist has nothing else to do there
        ("suspended", "resume", Rank.ON),  # to an earlier step, but that is how the work goes on
        ("handling", "ask_extension", Rank.OTHER),
        ("handling", "note", Rank.OTHER),
        ("handling", "return", Rank.BACK),
        ("handling", "hand_up", Rank.BACK),
        ("checking", "rework", Rank.BACK),
        ("dispatched", "cancel", Rank.BACK),  # ends it, but not by closing
        ("checked", "close", Rank.NEXT),
        ("reported", "reject", Rank.BACK),
    ],
)
def test_how_a_verb_is_offered(workflow: Workflow, step: str, verb: str, expected: Rank) -> None:
    assert rank(workflow, workflow.verbs[verb], step=step) == expected


def test_every_step_offers_all_its_verbs_the_likely_first(workflow: Workflow) -> None:
    for step in workflow.steps:
        offered = ranked(workflow, step)
        assert set(offered) == {verb.id for verb in workflow.verbs_from(step)}
        assert list(offered.values()) == sorted(offered.values())


# --- to do, waiting, done today -----------------------------------------------------------------------------------


def test_who_asked_for_more_time_still_has_the_case_to_act_on_with_the_mark_of_it(
    field_client: Callable[..., Client], case_at_sweepers: Callable[..., str], act: Any, actor: Any
) -> None:
    asked, other = case_at_sweepers(), case_at_sweepers()
    crew = field_client("handler", "SWEEP-9001")
    assert {item["asked"] for item in tasks_of(crew).values()} == {""}
    assert (
        send(crew, f"/mini/field/cases/{asked}/ask_extension", seq=state(asked).seq, reason="要吊车").status_code == 200
    )
    found = tasks_of(crew)
    assert (found[asked]["asked"], found[other]["asked"]) == ("已申请延期", "")
    assert found[asked]["mine"], "the crew may take it, finish it, give it back"
    assert "take" in found[asked]["verbs"]
    english = crew.get("/mini/field/tasks.json", headers={"Accept-Language": "en"}).json()["items"]
    assert {item["asked"] for item in english} == {"", "Extension asked"}
    # to those who answer, it is work and waits for nobody
    answering = field_client("dispatcher", "CTR-9001").get("/mini/field/tasks.json").json()["items"]
    assert {item["asked"] for item in answering} <= {""}
    act(asked, "grant_extension", actor("dispatcher"))
    assert tasks_of(crew)[asked]["asked"] == ""


def test_done_today_is_what_i_did_by_the_citys_day(
    field_client: Callable[..., Client],
    case_at_sweepers: Callable[..., str],
    act: Any,
    actor: Any,
    django_assert_max_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number, crew = case_at_sweepers(), field_client("handler", "SWEEP-9001")
    assert done_of(crew) == []
    assert send(crew, f"/mini/field/cases/{number}/take", seq=state(number).seq).status_code == 200
    act(number, "note", actor("leader"), note="小心电线")  # by somebody else
    # with a desk's page of the same account
    page = {"seq": state(number).seq, "idempotency_key": "a-key-of-the-case-page", "note": "清走了"}
    assert crew.post(f"/mini/cases/{number}/verbs/finish", page).status_code in {200, 302, 303}
    with django_assert_max_num_queries(5):  # session, account, posts, keys, events
        assert done_of(crew) == [(number, "处置完成"), (number, "签收")]
    assert done_of(field_client("handler", "SWEEP-9002")) == []
    said = crew.get("/mini/field/done.json").json()
    place = runtime("mini")
    assert said["day"] == datetime.now(UTC).astimezone(place.info.zone).date().isoformat()
    assert said["items"][0]["step_name"] == "待核查"
    # the day ends at the city's midnight, not at the world's
    today = datetime.now(UTC).astimezone(place.info.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = today + timedelta(days=1)
    monkeypatch.setattr(views, "timezone", SimpleNamespace(now=lambda: midnight - timedelta(seconds=1)))
    assert len(done_of(crew)) == 2
    monkeypatch.setattr(views, "timezone", SimpleNamespace(now=lambda: midnight))
    assert done_of(crew) == []


def test_what_i_did_by_the_api_without_a_key_is_done_too(
    field_client: Callable[..., Client], case_at_sweepers: Callable[..., str]
) -> None:
    number, crew = case_at_sweepers(), field_client("handler", "SWEEP-9001")
    assert crew.post(f"/api/v1/cases/{number}/verbs/take", {}, "application/json").status_code == 200
    assert done_of(crew) == [(number, "签收")]
    inspector = field_client("inspector")
    reported = inspector.post("/api/v1/cities/mini/reports", {"text": "垃圾", "region": "9001"}, "application/json")
    assert done_of(inspector) == [(reported.json()["case"], "上报")]
    # two calls without a key are two, as before
    notes = [crew.post(f"/api/v1/cases/{number}/verbs/note", {"note": "看过"}, "application/json") for _ in range(2)]
    assert [answer.json()["seq"] for answer in notes] == [state(number).seq - 1, state(number).seq]


def test_a_report_is_done_too_and_strangers_get_nothing(field_client: Callable[..., Client], client: Client) -> None:
    inspector = field_client("inspector")
    said = {"text": "井盖翘起", "category": "01001", "lon": "120.003", "lat": "31.003"}
    number = send(inspector, "/mini/field/reports", **said).json()["number"]
    assert done_of(inspector) == [(number, "上报")]
    assert client.get("/mini/field/done.json").status_code == 401


# --- photos -------------------------------------------------------------------------------------------------------


def test_photos_stand_before_and_after_the_handling(
    field_client: Callable[..., Client],
    act: Any,
    actor: Any,
    django_assert_max_num_queries: Any,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.YIWANG_HOME = tmp_path
    inspector, crew = field_client("inspector"), field_client("handler", "SWEEP-9001")
    said = {"text": "桥洞下有垃圾", "category": "02001", "lon": "120.003", "lat": "31.003"}
    numbers = [
        send(inspector, "/mini/field/reports", photo=shot(colour), **said).json()["number"]
        for colour in ("red", "green")
    ]
    for number in numbers:
        act(number, "dispatch", actor("dispatcher"))
    (only,) = tasks_of(crew)[numbers[0]]["photos"]
    assert only[1] is False
    assert crew.get(f"/mini/cases/{numbers[0]}/photos/{only[0]}/small").status_code == 200
    send(crew, f"/mini/field/cases/{numbers[0]}/take", seq=state(numbers[0]).seq)
    finish = {"seq": state(numbers[0]).seq, "note": "清走了", "photo": shot("blue")}
    assert send(crew, f"/mini/field/cases/{numbers[0]}/finish", **finish).status_code == 200
    with django_assert_max_num_queries(6):  # session, account, posts, cases, photos, first handling
        found = tasks_of(crew)
    assert [after for _, after in found[numbers[0]]["photos"]] == [False, True]
    assert [after for _, after in found[numbers[1]]["photos"]] == [False]
    page = crew.get(f"/mini/cases/{numbers[0]}").content.decode()
    for photo, _ in found[numbers[0]]["photos"]:
        assert f"/photos/{photo}" in page, "the case page has the same"


def test_a_note_that_looks_like_handling_is_none(field_client: Callable[..., Client], act: Any, actor: Any) -> None:
    inspector = field_client("inspector")
    said = {"text": "垃圾", "category": "02001", "lon": "120.003", "lat": "31.003"}
    number = send(inspector, "/mini/field/reports", photo=picture(), **said).json()["number"]
    act(number, "note", actor("leader"), note='"handler": "user:1"')
    send(inspector, f"/mini/field/cases/{number}/note", seq=state(number).seq, note="再看", photo=shot("red"))
    case = Case.objects.get(number=number).pk
    assert [photo.after for photo in photos_of_cases([case])[case]] == [False, False]
    assert photos_of_cases([]) == {}
