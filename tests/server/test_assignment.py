"""指派到人: who at the unit works on a case, their own queue, and nobody's again when the case goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.narrowing import present

from yiwang.core.kernel.refusals import Invalid, Missing, Refusal, Unknown
from yiwang.server.cases.models import Case
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person, set_active
from yiwang.server.people.queries import names_of
from yiwang.server.verification.verifying import verify

HX = {"HX-Request": "true"}
Act = Callable[..., Any]


def person(name: str, unit: str, role: str = "handler") -> User:
    create_person(
        username=name, password=None, name=f"{name}师傅", name_en=name.title(), city="mini", roles={role: (unit, "")}
    )
    return User.objects.get(username=name)


@pytest.fixture
def crew(mini: str) -> tuple[User, User]:
    return person("wang", "SWEEP-9001"), person("li", "SWEEP-9001")


@pytest.fixture
def sent(crew: tuple[User, User], report: Act, act: Act, actor: Act) -> str:
    number: str = report(category="02001", lon=120.004, lat=31.003, text="垃圾")["case"]
    act(number, "file", actor("leader"))
    act(number, "dispatch", actor("dispatcher"), unit="SWEEP-9001")
    assert present(Case.objects.filter(number=number).first()).holder == "SWEEP-9001"
    return number


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language, "Host": "localhost"})
    client.force_login(user)
    return client


def queue(user: User, kind: str = "mine") -> str:
    return signed_in(user).get(f"/mini/desk/handler/queue?kind={kind}").content.decode()


def test_a_case_is_somebodys_and_stands_in_their_own_queue(
    crew: tuple[User, User], sent: str, act: Act, actor: Act
) -> None:
    wang, li = crew
    assert sent not in queue(wang)
    act(sent, "to_person", actor("handler", unit="SWEEP-9001"), person="wang")
    case = Case.objects.get(number=sent)
    assert (case.assignee, case.holder, case.step) == (f"user:{wang.pk}", "SWEEP-9001", "dispatched")
    assert f'data-row="{sent}"' in queue(wang)
    assert f'data-row="{sent}"' not in queue(li)
    assert "Wang" in queue(li, "due"), "the unit's queue says whose it is"
    panel = signed_in(li).get(f"/mini/desk/handler/cases/{sent}", headers=HX).content.decode()
    assert "Assigned to Wang" in panel
    assert '<option value="' + case.assignee + '" selected>Wang</option>' in panel
    page = signed_in(li).get(f"/mini/cases/{sent}").content.decode()
    assert "Assigned to Wang" in page
    assert (
        "Wang"
        not in Client(headers={"Accept-Language": "en", "Host": "localhost"})
        .get(f"/mini/cases/{sent}")
        .content.decode()
    )


def test_who_gets_the_case_next_begins_with_nobody(crew: tuple[User, User], sent: str, act: Act, actor: Act) -> None:
    act(sent, "to_person", actor("handler", unit="SWEEP-9001"), person=f"user:{crew[0].pk}")
    act(sent, "return", actor("handler", unit="SWEEP-9001"), reason="不是我们的")
    assert Case.objects.get(number=sent).assignee == ""
    assert sent not in queue(crew[0])


@pytest.mark.parametrize("said", ["zhao", "user:0", "outsider", "gone"])
def test_only_somebody_who_works_there(said: str, crew: tuple[User, User], sent: str, act: Act, actor: Act) -> None:
    person("outsider", "SWEEP-9002")
    gone = person("gone", "SWEEP-9001")
    set_active(actor=crew[0], account=gone, city="mini", active=False)
    with pytest.raises(Unknown, match="has the case") as caught:
        act(sent, "to_person", actor("handler", unit="SWEEP-9001"), person=said)
    assert present(caught.value.field) == "person"
    assert Case.objects.get(number=sent).assignee == ""


def test_a_person_must_be_named(sent: str, act: Act, actor: Act) -> None:
    with pytest.raises(Missing):
        act(sent, "to_person", actor("handler", unit="SWEEP-9001"))
    with pytest.raises((Invalid, Refusal)):
        act(sent, "to_person", actor("handler", unit="SWEEP-9001"), person={"a": 1})


def test_history_and_row_agree(crew: tuple[User, User], sent: str, act: Act, actor: Act) -> None:
    act(sent, "to_person", actor("handler", unit="SWEEP-9001"), person="li")
    assert list(verify(city="mini").faults) == []


def test_names_are_those_of_the_page(crew: tuple[User, User]) -> None:
    wang, li = crew
    assert names_of([f"user:{wang.pk}", "system", "", "link:9", f"user:{li.pk}", "user:x"]).keys() == {
        f"user:{wang.pk}",
        f"user:{li.pk}",
    }
