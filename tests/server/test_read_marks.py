"""Marks in the queue: what somebody has not opened since it came, or since somebody else changed it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from yiwang.server.casepage import operations
from yiwang.server.casepage.models import CaseRead
from yiwang.server.casepage.read_marks import KEPT, unread
from yiwang.server.cases.models import Case
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

Make = Callable[..., Any]
HX = {"HX-Request": "true"}
DESK = "/mini/desk/dispatcher"


def signed_in(name: str) -> Client:
    create_person(
        username=name, password=None, name=name, name_en=name, city="mini", roles={"dispatcher": ("CTR-90", "")}
    )
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture
def filed(report: Make, act: Make, actor: Make) -> list[str]:
    numbers = []
    for _ in range(2):
        number = report()["case"]
        if Case.objects.get(number=number).step == "accepted":
            act(number, "file", actor("leader"))
        numbers.append(number)
    return numbers


def marks(client: Client) -> dict[str, str]:
    """What the queue says of each case."""
    page = client.get(f"{DESK}/queue?kind=all").content.decode()
    found = {}
    for row in page.split('<li data-row="')[1:]:
        said = re.search(r'<span class="fresh">(.*?)</span>', row)
        found[row.split('"')[0]] = said.group(1) if said else ""
    return found


def test_opening_a_case_takes_its_mark_away_and_a_change_brings_it_back(
    filed: list[str], act: Make, actor: Make
) -> None:
    ann, bob = signed_in("ann"), signed_in("bob")
    assert marks(ann) == {filed[0]: "新", filed[1]: "新"}
    ann.get(f"{DESK}/cases/{filed[0]}", headers=HX)
    assert marks(ann) == {filed[0]: "", filed[1]: "新"}
    ann.get(f"/mini/cases/{filed[1]}")
    assert marks(ann) == {filed[0]: "", filed[1]: ""}, "the page of the case is opening it too"
    assert marks(bob) == {filed[0]: "新", filed[1]: "新"}, "what one has read is one's own"
    act(filed[0], "dispatch", actor("dispatcher", id="user:99"))
    assert marks(ann)[filed[0]] == "有变动"
    ann.get(f"{DESK}?kind=all&case={filed[0]}")
    assert marks(ann)[filed[0]] == ""


def test_what_one_does_oneself_leaves_no_mark(filed: list[str], act: Make, actor: Make) -> None:
    ann = signed_in("ann")
    ann.get(f"{DESK}/cases/{filed[0]}", headers=HX)
    act(filed[0], "dispatch", actor("dispatcher", id=f"user:{User.objects.get(username='ann').pk}"))
    assert marks(ann)[filed[0]] == ""


def test_all_may_be_marked_as_read(filed: list[str], act: Make, actor: Make) -> None:
    ann, bob = signed_in("ann"), signed_in("bob")
    answer = ann.post(f"{DESK}/read", {"query": "kind=all&case=x"})
    assert answer["Location"] == f"{DESK}?kind=all"
    assert set(marks(ann).values()) == {""}
    assert set(marks(bob).values()) == {"新"}
    act(filed[1], "dispatch", actor("dispatcher", id="user:99"))
    assert marks(ann)[filed[1]] == "新"


def test_old_rows_go_and_bring_no_mark_back(filed: list[str]) -> None:
    ann = signed_in("ann")
    user, now = User.objects.get(username="ann"), datetime.now(UTC)
    for number in filed:
        ann.get(f"{DESK}/cases/{number}", headers=HX)
        ann.get(f"{DESK}/cases/{number}", headers=HX)
    assert CaseRead.objects.count() == 2, "one row for a person and a case"
    assert operations.forget_reads(at=now) == 0
    later = now + KEPT * 1.1
    assert operations.forget_reads(at=later, batch=1) == 2
    assert unread(user=user, case_ids=Case.objects.values_list("id", flat=True), at=later) == {}


def test_who_is_not_concerned_leaves_no_row(filed: list[str]) -> None:
    Client().get(f"/mini/cases/{filed[0]}")
    assert not CaseRead.objects.exists()
