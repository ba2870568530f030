"""Whose a case is: answers and appeals by an index, assisting units, posts by place, lists as wide as the post; links of cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from yiwang.core.cases.events import Actor
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import Case, Event
from yiwang.server.cases.storage import rows
from yiwang.server.cities.queries import runtime
from yiwang.server.desks import duties, intake_help, queue
from yiwang.server.field.tasks import tasks_for
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

Make = Callable[..., Any]


def desk(role: str, *posts: tuple[str, str]) -> queue.Desk:
    actors = tuple(Actor(id="user:1", roles=frozenset({role}), unit=unit, region=region) for unit, region in posts)
    return queue.Desk(role=role, name=Text(role, role), actors=actors)


def numbers(role: str, kind: str, *posts: tuple[str, str]) -> set[str]:
    return {
        entry.state.number for entry in queue.page(place=runtime("mini"), desk=desk(role, *posts), kind=kind).entries
    }


def person(name: str, role: str, *posts: tuple[str, str]) -> Client:
    for unit, region in posts:
        create_person(username=name, password=None, name=name, name_en=name, city="mini", roles={role: (unit, region)})
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture
def handling(report: Make, act: Make, actor: Make) -> str:
    number = str(report()["case"])
    act(number, "file", actor("leader"))
    act(number, "dispatch", actor("dispatcher"))
    act(number, "take", actor("handler", unit="SWEEP-9001"))
    return number


def test_waiting_is_a_column_that_says_what_the_state_says(handling: str, act: Make, actor: Make) -> None:
    handler, dispatcher = actor("handler", unit="SWEEP-9001"), actor("dispatcher")
    assert Case.objects.get().waits is None
    act(handling, "ask_extension", handler, reason="缺件")
    act(handling, "ask_assistance", dispatcher, units=["DEPT-WATER", "SWEEP-9002"])
    case = Case.objects.get()
    assert case.waits == " extend @DEPT-WATER @SWEEP-9002 "
    assert case.waits == rows.waits_of(orjson.loads(case.rest)["pending"], orjson.loads(case.rest)["assisting"])
    act(handling, "assisted", actor("handler", unit="DEPT-WATER"), note="抽完了")
    act(handling, "refuse", dispatcher, reason="不必")
    assert Case.objects.get().waits == " @SWEEP-9002 "


def test_what_waits_is_found_by_its_index(handling: str, act: Make, actor: Make) -> None:
    act(handling, "ask_extension", actor("handler", unit="SWEEP-9001"), reason="缺件")
    with CaptureQueriesContext(connection) as captured:
        assert numbers("dispatcher", duties.ASKED, ("CTR-9001", "")) == {handling}
    (query,) = captured.captured_queries
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
        assert "case_waits" in plan
    assert "rest" not in query["sql"].split("WHERE")[1]


def test_an_appeal_of_a_closed_case_waits_at_the_leaders_desk(report: Make, act: Make, actor: Make) -> None:
    start = datetime.now(UTC) - timedelta(days=40)
    number = report(at=start)["case"]
    handler = actor("handler", unit="SWEEP-9001")
    for verb, who, after, said in (
        ("file", actor("leader"), 1, {}), ("dispatch", actor("dispatcher"), 2, {}), ("take", handler, 3, {}),
        ("finish", handler, 30 * 24, {"note": "好了"}), ("ask_check", actor("intake"), 30 * 24 + 1, {}),
        ("check", actor("inspector", id="user:9"), 30 * 24 + 2, {}), ("close", actor("leader"), 30 * 24 + 3, {}),
    ):  # fmt: skip
        act(number, verb, who, at=start + timedelta(hours=after), **said)
    assert numbers("leader", duties.ASKED, ("CTR-9001", "")) == set()
    act(number, "appeal", handler, reason="等配件，厂家停产")
    assert numbers("leader", duties.ASKED, ("CTR-9001", "")) == {number}
    assert numbers("leader", duties.ALL, ("CTR-9001", "")) == set(), "it is closed"
    page = person("l", "leader", ("CTR-9001", "")).get("/mini/desk/leader?kind=asked").content.decode()
    assert number in page
    act(number, "grant_appeal", actor("leader"), opinion="属实")
    assert numbers("leader", duties.ASKED, ("CTR-9001", "")) == set()


def test_whoever_was_asked_to_assist_has_it_on_the_phone_until_it_is_done(
    handling: str, act: Make, actor: Make
) -> None:
    helper = actor("handler", unit="DEPT-WATER")
    place, at = runtime("mini"), datetime.now(UTC) + timedelta(seconds=1)
    assert tasks_for(place=place, actors=[helper], at=at) == ([], False)
    act(handling, "ask_assistance", actor("dispatcher"), units=["DEPT-WATER"])
    ((task,), more) = tasks_for(place=place, actors=[helper], at=at)
    assert not more
    assert (task.state.number, task.mine, task.assisting) == (handling, True, True)
    assert "assisted" in task.verbs
    assert "finish" not in task.verbs
    said = person("w", "handler", ("DEPT-WATER", "")).get("/mini/field/tasks.json").json()["items"]
    assert [(item["number"], item["assisting"]) for item in said] == [(handling, True)]
    act(handling, "assisted", helper, note="抽完了")
    assert tasks_for(place=place, actors=[helper], at=at) == ([], False)


def test_all_is_as_wide_as_the_post(report: Make, act: Make, actor: Make) -> None:
    """A dispatcher's duty lies with the units below; that a verb may be done anywhere does not bring the whole city."""
    west = report()["case"]
    east = report(lon=120.015, lat=31.003)["case"]
    for number in (west, east):
        act(number, "file", actor("leader", unit="CTR-90"))
    assert Case.objects.get(number=west).holder == "CTR-9001"
    assert Case.objects.get(number=east).holder == "CTR-9002"
    assert numbers("dispatcher", duties.ALL, ("CTR-9001", "")) == {west}
    assert numbers("leader", duties.ALL, ("CTR-90", "")) == {west, east}, "whose duty is by region keeps it"
    workflow = runtime("mini").rules.workflow
    wide = {
        verb.id for step in workflow.steps for verb in duties.every(workflow, step, "dispatcher") if verb.who == "any"
    }
    assert wide, "there is something that the list leaves out"


def test_a_call_is_taken_in_the_post_of_its_place(mini: str) -> None:
    client = person("two", "intake", ("CTR-9001", "9001"), ("CTR-9002", "9002"))
    for lon, unit in ((120.003, "CTR-9001"), (120.015, "CTR-9002")):
        said = {"text": "路灯不亮", "category": "01002", "lon": str(lon), "lat": "31.003", "idempotency_key": f"k{lon}"}
        assert client.post("/mini/desk/intake/new", said).status_code == 201
        assert Event.objects.filter(verb="report").latest("id").actor_unit == unit


def test_who_refused_a_form_with_photos_says_that_they_are_gone(mini: str) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client = person("one", "intake", ("CTR-9001", ""))
    photo = SimpleUploadedFile("a.jpg", b"no picture", content_type="image/jpeg")
    answer = client.post("/mini/desk/intake/new", {"text": "路灯", "lon": "x", "photos": photo})
    assert answer.status_code == 422
    assert "照片没有留下" in answer.content.decode()


def test_a_region_without_a_point_finds_cases_by_the_words_too(report: Make) -> None:
    number = report(text="健康路三号门口的垃圾堆了三天", category="02001")["case"]
    report(text="完全无关的一句话", category="02001")
    same = partial(intake_help.likely_same, place=runtime("mini"), lon=None, lat=None, region="900101")
    found = same(category="01001", words="健康路三号有一堆东西")
    assert [row["number"] for row in found] == [number]
    assert same(category="", words="别的事情") == []


def test_bulk_leaves_each_case_its_own_category(report: Make) -> None:
    """The form is made of one case; what it knows of that case must not be written to the others."""
    chosen = [report(category="02001")["case"], report(category="02001")["case"]]
    client = person("l", "leader", ("CTR-90", ""))
    cases = [f"{number}:{Case.objects.get(number=number).seq}" for number in chosen]
    shown = client.post("/mini/desk/leader/bulk", {"case": cases, "verb": "correct"}).content.decode()
    assert "各自不变" in shown
    assert "selected>暴露垃圾" not in shown


# --- links between cases --------------------------------------------------------------------------------------------


def test_a_merged_case_and_its_duplicate_lead_to_each_other(report: Make, act: Make, actor: Make) -> None:
    into, other = report()["case"], report()["case"]
    act(other, "merge", actor("leader"), into=into)
    client = person("l", "leader", ("CTR-9001", ""))
    for number, name, linked in ((other, "并入", into), (into, "重复案卷", other)):
        page = client.get(f"/mini/cases/{number}").content.decode()
        assert f'<dt>{name}</dt><dd><a href="/mini/cases/{linked}">{linked}</a>' in page


def test_a_split_case_and_its_parts_lead_to_each_other(report: Make, act: Make, actor: Make) -> None:
    whole = report()["case"]
    act(whole, "split", actor("leader"), parts=[{"text": "垃圾"}, {"text": "井盖", "category": "01001"}])
    parts = list(Case.objects.exclude(number=whole).order_by("number").values_list("number", flat=True))
    assert len(parts) == 2
    client = person("l", "leader", ("CTR-9001", ""))
    page = client.get(f"/mini/cases/{whole}").content.decode()
    assert "<dt>拆出的部分</dt>" in page
    for part in parts:
        assert f'<a href="/mini/cases/{part}">' in page
        assert (
            f'<dt>拆分自</dt><dd><a href="/mini/cases/{whole}">' in client.get(f"/mini/cases/{part}").content.decode()
        )


def test_a_queue_is_not_walked_for_where_nothing_stands_at_its_steps(handling: str) -> None:
    for role, step in {"dispatcher": "filed", "leader": "accepted"}.items():
        Case.objects.update(step="dispatched", holder="SWEEP-9001")
        with CaptureQueriesContext(connection) as captured:
            assert numbers(role, duties.DUE, ("CTR-9002", "")) == set()
        empty = len(captured)
        Case.objects.update(step=step, holder="CTR-9002")
        with CaptureQueriesContext(connection) as captured:
            found = numbers(role, duties.DUE, ("CTR-9002", ""))
        assert (found, empty) == ({handling}, 1), role
        assert len(captured) > empty
