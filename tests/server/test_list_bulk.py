"""One verb on many cases of the list: a look that says for each yes or why not, and then the doing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from yiwang.server.casepage import list_bulk, operations
from yiwang.server.cases.models import Case
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

Make = Callable[..., Any]
URL = "/mini/cases/bulk"


def signed_in(role: str, unit: str = "CTR-90") -> Client:
    name = f"{role}-{unit}".lower()
    create_person(username=name, password=None, name=name, name_en=name, city="mini", roles={role: (unit, "")})
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture
def filed(report: Make, act: Make, actor: Make) -> list[str]:
    numbers = []
    for turn in range(3):
        number = report(text=f"第 {turn} 件")["case"]
        if Case.objects.get(number=number).step == "accepted":
            act(number, "file", actor("leader"))
        numbers.append(number)
    return numbers


def marks(numbers: list[str]) -> list[str]:
    return [f"{case.number}:{case.seq}" for case in Case.objects.filter(number__in=numbers)]


def steps() -> set[str]:
    return {case.step for case in Case.objects.all()}


def test_a_look_says_for_each_yes_or_why_not_and_changes_nothing(filed: list[str], act: Make, actor: Make) -> None:
    client, chosen = signed_in("dispatcher"), marks(filed)
    act(filed[0], "dispatch", actor("dispatcher"))
    before = {case.number: (case.step, case.seq) for case in Case.objects.all()}
    page = client.post(URL, {"case": [*chosen, "none-such:1"], "verb": "dispatch"}).content.decode()
    lines = re.findall(r'<li><span class="number">(.*?)</li>', page)
    assert len(lines) == 4
    told = {line.split("<")[0]: line for line in lines}
    assert "可以办" in told[filed[1]]
    assert "可以办" in told[filed[2]]
    assert 'class="no"' in told[filed[0]]
    assert "没有这个案卷" in told["none-such"]
    assert {case.number: (case.step, case.seq) for case in Case.objects.all()} == before


def test_it_is_done_once_however_often_the_form_is_sent(filed: list[str]) -> None:
    client = signed_in("dispatcher")
    said = {"case": marks(filed), "verb": "dispatch", "confirm": "yes", "idempotency_key": "once", "query": "?q=x"}
    page = client.post(URL, said).content.decode()
    assert "3 件已办" in page
    assert 'href="/mini/cases?q=x' in page, "the way back leads to the list as it was"
    assert steps() == {"dispatched"}
    before = {case.number: case.seq for case in Case.objects.all()}
    assert "3 件已办" in client.post(URL, said).content.decode()
    assert {case.number: case.seq for case in Case.objects.all()} == before


def test_all_that_the_filter_finds_no_more_than_the_bound(filed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in("dispatcher")
    page = client.post(URL, {"all": "yes", "query": "?state=open&order=opened_at"}).content.decode()
    assert re.findall(r'name="case" value="([^":]+):', page) == filed
    assert "超过" not in page
    monkeypatch.setattr(list_bulk, "MOST_AT_ONCE", 2)
    page = client.post(URL, {"all": "yes", "query": "?state=open&order=opened_at"}).content.decode()
    assert re.findall(r'name="case" value="([^":]+):', page) == filed[:2]
    assert "超过 2 件" in page
    wrong = client.post(URL, {"all": "yes", "query": "?bbox=nonsense"})
    assert wrong.status_code == 200
    assert "不是有效的范围" in wrong.content.decode()


def test_more_than_the_bound_are_refused(filed: list[str]) -> None:
    chosen = [f"x-{turn}:1" for turn in range(operations.MOST_AT_ONCE + 1)]
    answer = signed_in("dispatcher").post(URL, {"case": chosen, "verb": "dispatch", "confirm": "yes"})
    assert answer.status_code == 422
    assert "最多 100 件" in answer.content.decode()


def test_only_who_holds_a_post_selects(filed: list[str]) -> None:
    assert "data-many" not in Client().get("/mini/cases").content.decode()
    assert Client().post(URL)["Location"].startswith("/sign-in")
    assert signed_in("citizen").post(URL, {"case": marks(filed)}).status_code == 404
    page = signed_in("dispatcher").get("/mini/cases").content.decode()
    assert page.count('form="many" name="case"') == len(filed)
    nothing = signed_in("inspector").post(
        URL, {"case": marks(filed), "verb": "dispatch", "confirm": "yes", "idempotency_key": "k"}
    )
    assert "0 件已办" in nothing.content.decode()
    assert steps() == {"filed"}
