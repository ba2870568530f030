"""A case at a desk: its address, what comes after an act, how verbs are offered, how many stand in each queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from tests.case_driver import mini as toy_rules
from tests.narrowing import present

from yiwang.server.casepage import forms
from yiwang.server.casepage.offering import Manner, Rank, manner_of
from yiwang.server.cases.api import load_case
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import runtime
from yiwang.server.desks import queue
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

HX = {"HX-Request": "true"}
DESK = "/mini/desk/dispatcher"


def signed_in(role: str) -> Client:
    create_person(username=role, password=None, name="丁", name_en="Ding", city="mini", roles={role: ("CTR-9001", "")})
    client = Client(headers={"Accept-Language": "en", "Host": "localhost"})
    client.force_login(User.objects.get(username=role))
    return client


@pytest.fixture
def dispatcher(mini: str) -> Client:
    return signed_in("dispatcher")


@pytest.fixture
def leader(mini: str) -> Client:
    return signed_in("leader")


@pytest.fixture
def filed(report: Callable[..., Any], act: Callable[..., Any], actor: Callable[..., Any]) -> list[str]:
    numbers = []
    for turn in range(3):
        number = report(category="02001", lon=120.004, lat=31.003, text=f"Case {turn}")["case"]
        if Case.objects.get(number=number).step == "accepted":
            act(number, "file", actor("leader"))
        assert Case.objects.get(number=number).step == "filed"
        numbers.append(number)
    return numbers


def test_the_address_names_the_case_beside_the_queue(dispatcher: Client, filed: list[str]) -> None:
    page = dispatcher.get(f"{DESK}?case={filed[1]}")
    text = page.content.decode()
    assert page.status_code == 200
    assert f'data-case="{filed[1]}"' in text, "reload and a link sent to a colleague show the same"
    assert 'class="desk showing"' in text
    assert 'class="desk showing"' not in dispatcher.get(DESK).content.decode()


def test_a_case_that_is_not_the_desks_is_said_so_beside_the_queue(dispatcher: Client, filed: list[str]) -> None:
    text = dispatcher.get(f"{DESK}?case=MN2000010100001").content.decode()
    assert "There is no case MN2000010100001" in text
    assert f'data-row="{filed[0]}"' in text, "the queue is there all the same"


def dispatch(client: Client, number: str, **more: str) -> str:
    seq = present(Case.objects.filter(number=number).first()).seq
    answer = client.post(
        f"{DESK}/cases/{number}/verbs/dispatch", {"seq": seq, "idempotency_key": number, **more}, headers=HX
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_next_case_opens_when_the_desk_is_done_with_one(dispatcher: Client, filed: list[str]) -> None:
    first, second, _ = filed
    panel = dispatch(dispatcher, first, next=second)
    assert f'data-case="{second}"' in panel
    assert "Done: Dispatch → Dispatched" in panel
    assert f'/mini/cases/{first}"' in panel, "and the one that was done is one click away"


@pytest.mark.parametrize("following", ["", "MN2000010100001"])
def test_without_a_next_case_the_one_that_was_done_stays(dispatcher: Client, filed: list[str], following: str) -> None:
    assert f'data-case="{filed[0]}"' in dispatch(dispatcher, filed[0], next=following)


def test_a_case_with_more_to_do_stays(dispatcher: Client, filed: list[str]) -> None:
    seq = present(Case.objects.filter(number=filed[0]).first()).seq
    said = {"seq": seq, "idempotency_key": "n", "note": "seen", "next": filed[1]}
    panel = dispatcher.post(f"{DESK}/cases/{filed[0]}/verbs/note", said, headers=HX).content.decode()
    assert f'data-case="{filed[0]}"' in panel


def test_what_was_just_sent_is_recalled(dispatcher: Client, filed: list[str]) -> None:
    before = present(Case.objects.filter(number=filed[0]).first()).holder
    panel = dispatch(dispatcher, filed[0])
    assert "Just sent and not touched yet" in panel
    case = present(Case.objects.filter(number=filed[0]).first())
    said = {"seq": case.seq, "idempotency_key": "r"}
    answer = dispatcher.post(f"{DESK}/cases/{filed[0]}/verbs/recall", said, headers=HX)
    assert answer.status_code == 200
    case.refresh_from_db()
    assert (case.step, case.holder) == ("filed", before)
    assert f'data-row="{filed[0]}"' in dispatcher.get(DESK).content.decode(), "it is the dispatcher's again"


def test_tabs_say_how_many(dispatcher: Client, filed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    place, now = runtime("mini"), datetime.now(UTC)
    (desk,) = queue.desks_of(User.objects.get(username="dispatcher"), place=place)
    assert queue.count(place=place, desk=desk, kind="due", at=now) == "3"
    assert '<span class="count">3</span>' in dispatcher.get(f"{DESK}/tabs?kind=due").content.decode()
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    assert queue.count(place=place, desk=desk, kind="due", at=now) == "2+"
    assert 'class="count"' not in dispatcher.get(DESK).content.decode(), "the page does not wait for them"


def test_what_ends_a_case_is_offered_last_and_asked_for_once_more() -> None:
    workflow = toy_rules()[1].workflow

    def manner(verb: str, step: str) -> Manner:
        return manner_of(workflow, workflow.verbs[verb], step=step)

    assert manner("dispatch", "filed").rank == Rank.NEXT
    assert manner("recall", "dispatched").rank == Rank.OTHER
    assert manner("recall", "dispatched").confirm == ""
    for verb, step in (("cancel", "filed"), ("reject", "accepted"), ("return", "handling"), ("rework", "checked")):
        assert manner(verb, step).apart, verb
    assert manner("cancel", "filed").confirm.startswith(("「作废」", "“Make void”"))
    assert manner("return", "handling").confirm == "", "it can be sent again"
    assert manner("close", "checked").confirm == "", "the ordinary end"


def test_the_case_page_offers_them_in_the_same_order(leader: Client, report: Callable[..., Any]) -> None:
    number = report(category="02001", lon=120.004, lat=31.003)["case"]
    text = leader.get(f"/mini/cases/{number}").content.decode()
    assert text.index("verbs/file") < text.index("verbs/note") < text.index("Send back, undo or end")
    assert text.index("Send back, undo or end") < text.index("verbs/reject")
    assert 'data-confirm="“Reject” ends the case (Rejected)' in text
    assert text.count("data-confirm=") == text.count('data-confirm-yes="Reject"') + text.count(
        'data-confirm-yes="Merge'
    )


def test_a_category_is_suggested_wherever_it_is_missing(leader: Client, report: Callable[..., Any]) -> None:
    number = report(text="人行道上的井盖破了，有人掉下去", category="", lon=120.004, lat=31.003)["case"]
    state = present(load_case(city="mini", number=number)).state
    assert state.category == ""
    place = runtime("mini")
    correct = next(verb for verb in place.rules.workflow.verbs.values() if "category" in verb.optional)
    (field,) = [one for one in forms.fields(correct, state=state, place=place) if one["name"] == "category"]
    assert field["value"] == "01001"
    assert "井盖" in field["help"]
    known = replace(state, category="02001")
    (field,) = [one for one in forms.fields(correct, state=known, place=place) if one["name"] == "category"]
    assert field["value"] == "02001", "what is known stays"


def test_phrases_stand_beside_the_field_that_they_are_for(report: Callable[..., Any]) -> None:
    state = present(load_case(city="mini", number=report(category="02001", lon=120.004, lat=31.003)["case"])).state
    place = runtime("mini")
    verbs = place.rules.workflow.verbs

    def offered(verb: str) -> dict[str, list[str]]:
        shown = forms.fields(verbs[verb], state=state, place=place)
        return {field["name"]: field["phrases"] for field in shown if field.get("phrases")}

    with translation.override("en"):
        assert offered("finish") == {"note": ["Cleaned up."]}
        assert offered("return") == {"reason": ["Not ours."]}
        assert offered("dispatch") == {}
