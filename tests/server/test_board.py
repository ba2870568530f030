"""The board of a desk: columns by step, where a card may be moved to, and that moving alone does nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import runtime
from yiwang.server.desks import board, duties, queue
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

Make = Callable[..., Any]
HX = {"HX-Request": "true"}
ROLES = ["inspector", "intake", "leader", "dispatcher", "handler"]


def signed_in(role: str, unit: str = "CTR-90", name: str = "") -> Client:
    name = name or role
    create_person(username=name, password=None, name=name, name_en=name, city="mini", roles={role: (unit, "")})
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture
def caseload(report: Make, act: Make, actor: Make) -> list[str]:
    numbers = []
    for turn in range(9):
        number = report(text=f"第 {turn} 件")["case"]
        numbers.append(number)
        if turn and Case.objects.get(number=number).step == "accepted":
            act(number, "file", actor("leader"))
        if turn > 4 and Case.objects.get(number=number).step == "filed":
            act(number, "dispatch", actor("dispatcher"))
    return numbers


def columns(page: str) -> dict[str, list[str]]:
    """The numbers of the cards by the step of their column."""
    parts = page.split('<section class="column')[1:]
    return {part.split('data-step="')[1].split('"')[0]: re.findall(r'<li data-row="([^"]+)"', part) for part in parts}


def by_step(desk: str, client: Client, query: str = "kind=all") -> dict[str, list[str]]:
    return columns(client.get(f"/mini/desk/{desk}/queue?layout=board&{query}", headers=HX).content.decode())


def test_a_card_stands_in_the_column_of_its_step(caseload: list[str]) -> None:
    client = signed_in("dispatcher")
    shown = by_step("dispatcher", client)
    filed = list(Case.objects.filter(step="filed").order_by("deadline", "id").values_list("number", flat=True))
    assert len(filed) > 1
    assert shown["filed"] == filed, "the most urgent first"
    assert set(shown["dispatched"]) == set(Case.objects.filter(step="dispatched").values_list("number", flat=True))
    due = by_step("dispatcher", client, "")
    assert due["filed"] == filed
    assert due["dispatched"] == [], "where the work leads is a column without cards"
    assert by_step("dispatcher", client, "q=没有这样的")["filed"] == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", duties.KINDS)
def test_the_board_has_the_cases_of_the_list(caseload: list[str], role: str, kind: str) -> None:
    place, at = runtime("mini"), datetime.now(UTC)
    signed_in(role, "SWEEP-9001" if role == "handler" else "CTR-90")
    desk = queue.desks_of(User.objects.get(username=role), place=place)[0]
    listed = [entry.state.number for entry in queue.page(place=place, desk=desk, kind=kind, at=at).entries]
    found = queue.first_of_steps(place=place, desk=desk, kind=kind, filters=None, limit=30, at=at)
    assert sorted(listed) == sorted(entry.state.number for entries in found.values() for entry in entries)
    for step, entries in found.items():
        assert {entry.state.step for entry in entries} == {step}
    open_, folded = board.columns(found, lines_of=lambda _: [], place=place, desk=desk, kind=kind)
    assert len(open_) <= board.MOST_OPEN
    steps = [column.step.id for column in (*open_, *folded)]
    assert len(steps) == len(set(steps))
    assert set(duties.steps_of(place.rules.workflow, role, kind)) <= set(steps)


def test_counts_say_that_there_are_more(caseload: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "MOST_CARDS", 2)
    client = signed_in("dispatcher")
    page = client.get("/mini/desk/dispatcher/queue?layout=board&kind=all", headers=HX).content.decode()
    assert len(columns(page)["filed"]) == 2
    assert re.search(r'id="step-filed">.*?<span class="count">2\+</span>', page)
    client.post("/mini/desk/dispatcher/layout", {"layout": "board"})
    (all_of,) = re.findall(r'<a class="all" href="(\?kind=all&amp;step=filed&amp;as=list)"', page)
    listed = client.get(f"/mini/desk/dispatcher{all_of.replace('&amp;', '&')}").content.decode()
    filed = set(Case.objects.filter(step="filed").values_list("number", flat=True))
    assert set(re.findall(r'<li data-row="([^"]+)"', listed)) == filed, "as a list, though the board is what is kept"
    assert "as-board" in client.get("/mini/desk/dispatcher").content.decode()


def test_folded_steps_bring_their_cards_when_they_are_unfolded(
    caseload: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "MOST_OPEN", 1)
    client = signed_in("dispatcher")
    shown = by_step("dispatcher", client)
    ((first, cards),) = [(step, numbers) for step, numbers in shown.items() if numbers]
    assert set(cards) == set(Case.objects.filter(step=first).values_list("number", flat=True))
    rest = by_step("dispatcher", client, "kind=all&rest=1")
    assert set(rest) == set(shown) - {first}
    for other in {"filed", "dispatched"} - {first}:
        assert set(rest[other]) == set(Case.objects.filter(step=other).values_list("number", flat=True)) != set()


def test_moving_opens_the_verb_that_leads_there_and_does_nothing(caseload: list[str]) -> None:
    client, case = signed_in("dispatcher"), Case.objects.filter(step="filed")[0]
    page = client.get(f"/mini/desk/dispatcher/cases/{case.number}?to=dispatched", headers=HX).content.decode()
    assert "移到「待签收」要办「派遣」" in page
    opened = re.findall(r'<details class="verb[^>]*?open><summary>(.*?)</summary>', page)
    assert len(opened) == 1
    assert "派遣" in opened[0]
    before = case.seq
    case.refresh_from_db()
    assert (case.step, case.seq) == ("filed", before)
    plain = client.get(f"/mini/desk/dispatcher?case={case.number}&to=dispatched").content.decode()
    assert "移到「待签收」要办「派遣」" in plain, "without a script the link does the same"


def test_it_says_why_a_card_cannot_be_moved(caseload: list[str]) -> None:
    client, case = signed_in("dispatcher"), Case.objects.filter(step="filed")[0]
    far = signed_in("dispatcher", "CTR-9001", name="far")

    def said(to: str, who: Client = client) -> str:
        return who.get(f"/mini/desk/dispatcher/cases/{case.number}?to={to}", headers=HX).content.decode()

    assert "没有从「待派遣」直接到「已结案」的动作" in said("closed")
    assert "案卷已经在「待派遣」" in said("filed")
    assert "data-moved" not in said("no-such-step")
    for page in (said("closed"), said("filed")):
        opened = re.findall(r'<details class="verb[^>]*? open>.*?verbs/(\w+)"', page, re.DOTALL)
        assert opened == ["dispatch"], "what the desk is for, as always"
    Case.objects.filter(pk=case.pk).update(holder="CTR-9002")
    assert "案卷不在您的单位或其下级" in said("dispatched", far)


def test_the_layout_is_kept_for_a_person_and_a_desk(caseload: list[str]) -> None:
    ann, bob = signed_in("dispatcher", name="ann"), signed_in("dispatcher", name="bob")
    answer = ann.post("/mini/desk/dispatcher/layout", {"layout": "board", "query": "kind=all"})
    assert answer["Location"] == "/mini/desk/dispatcher?kind=all"
    again = Client()
    again.force_login(User.objects.get(username="ann"))
    assert 'class="board"' in again.get("/mini/desk/dispatcher").content.decode(), "in another session too"
    assert 'class="board"' not in bob.get("/mini/desk/dispatcher").content.decode()
    ann.post("/mini/desk/dispatcher/layout", {"layout": "list"})
    assert 'class="board"' not in ann.get("/mini/desk/dispatcher").content.decode()


def test_an_unchanged_board_is_304(caseload: list[str], act: Make, actor: Make) -> None:
    client = signed_in("dispatcher")
    path = "/mini/desk/dispatcher/queue?layout=board"
    tag = client.get(path)["ETag"]
    assert client.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 304
    act(Case.objects.filter(step="filed")[0].number, "dispatch", actor("dispatcher"))
    assert client.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_a_board_costs_at_most_twelve_queries(
    caseload: list[str], role: str, django_assert_max_num_queries: Make
) -> None:
    client = signed_in(role)
    client.post(f"/mini/desk/{role}/layout", {"layout": "board"})
    client.get(f"/mini/desk/{role}")
    for path in (f"/mini/desk/{role}?kind=all", f"/mini/desk/{role}/queue?layout=board&kind=all&q=件"):
        with django_assert_max_num_queries(12):
            assert client.get(path).status_code == 200
