"""Who may do what, over HTTP: every role × every verb × a case in every situation, and near and far for what can be done there.

What the API answers must be what `permitted` says: 200 where it says yes, 403 with the roles that may where the person is
the wrong one, 409 where nobody may now. Nothing answers 5xx. Cases are driven there by the core and written as they are,
so that steps which the toy city's triage passes over are reached too. Each call is undone, so every one meets the same case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from tests.case_driver import Drive
from tests.situations import SITUATIONS, write_case

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.state import CaseState
from yiwang.server.cases.models import Case
from yiwang.server.cases.reading.actors import actors_for
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.people.models import User
from yiwang.server.people.queries import people_at, token_digest

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("citizen", "inspector", "intake", "leader", "dispatcher", "handler")
# unit and region of somebody's post; an empty unit stands for the unit that holds the case
POSTS = {
    "at the holder": ("", ""),
    "at the centre above": ("CTR-90", "90"),
    "in the next street": ("SWEEP-9002", "9002"),
    "in the case's street": ("CTR-9001", "9001"),
}


def said(verb: str, state: CaseState, place: CityRuntime) -> dict[str, Any]:
    """A body with which the verb can be done, whoever does it."""
    full: dict[str, Any] = {
        "reason": "r", "note": "n", "opinion": "o", "stars": 4, "into": "MN2", "units": ["DEPT-WATER"],
        "until": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
        "person": next((f"user:{one.pk}" for one in people_at(city="mini", unit=state.holder)), "nobody"),
        "parts": [{"text": "one", "category": "02001"}, {"text": "two", "category": "01001"}],
    }  # fmt: skip
    if verb == "hand_down":
        full["unit"] = "COM-900101" if state.holder == "CTR-9001" else "CTR-9001"
    if verb == "pass":
        full["unit"] = "SWEEP-9002"
    needed = place.rules.workflow.verbs[verb]
    names = {*needed.requires, *needed.optional}
    if verb == "correct":
        full["category"] = "02002"
    if verb == "finish" and state.assisting:
        names.add("reason")  # going on without those who were asked to assist
    return {name: full[name] for name in names if name in full}


Ask = Callable[[str, str, dict[str, Any]], tuple[int, dict[str, Any]]]


def check_situation(name: str, place: CityRuntime, people: Callable[..., tuple[User, Ask]]) -> Counter[int]:
    """Every role, at every post, tries every verb; how often each status was answered."""
    now = datetime.now(UTC)
    other = Drive(at=now - timedelta(hours=2)).report(number="MN2")
    write_case(other, place)
    days = 60 if "late" in name else 0
    state = write_case(SITUATIONS[name](Drive(at=now - timedelta(days=days, hours=2))), place)
    assert state.step == name.split(",")[0].split()[0].replace("reopened", "filed"), (
        "the situation is what it is called"
    )
    answered: Counter[int] = Counter()
    for role in ROLES:
        for post, (unit, region) in POSTS.items():
            user, ask = people(role, unit=unit or state.holder, region=region)
            (actor,) = actors_for(user, city="mini")
            choices = {choice.verb: choice for choice in permitted(state, actor, rules=place.rules, at=now)}
            for verb in place.rules.workflow.verbs.values():
                if not verb.origins:
                    continue  # opens a case, see below
                if state.step not in verb.origins and post != "at the holder":
                    continue  # nobody may, wherever they are: once for each role is enough
                status, body = ask(state.number, verb.id, said(verb.id, state, place))
                where = f"{name}: {role} {post}, {verb.id}: {status} {body}"
                _check_answer(choices.get(verb.id), verb, state, actor.unit, status, body, where)
                answered[status] += 1
    return answered


def _check_answer(
    choice: Any, verb: Any, state: CaseState, unit: str, status: int, body: dict[str, Any], where: str
) -> None:
    assert status < 500, where
    if choice is None and state.step in verb.origins:  # only the system does it
        assert verb.roles == (SYSTEM,), where
        assert (status, body["roles"]) == (403, [SYSTEM]), where
        return
    if choice is None:
        assert status == 409, where
        return
    if choice.allowed:
        if verb.id == "hand_down" and state.holder.startswith("SWEEP"):
            assert status == 409, where  # allowed, but there is nobody below
            return
        if verb.id == "assisted" and unit not in state.assisting:
            assert status == 409, where  # allowed, but nobody asked this unit
            return
        if verb.id == "to_person" and not people_at(city="mini", unit=state.holder):
            assert status == 422, where  # allowed, but nobody has a post there
            return
        assert status == 200, where
        return
    if choice.why_code == "not-allowed":
        assert status == 403, where
        assert body["roles"], where
        assert set(body["roles"]) <= set(verb.roles), where
        assert (body["detail_zh"], body["detail_en"]) == (choice.why.zh, choice.why.en), where
        return
    assert status == 409, where
    assert body["detail_en"] == choice.why.en, where


# --- in this process, on SQLite ---------------------------------------------------------------------------------------


@pytest.fixture
def people(mini: str) -> Callable[..., tuple[User, Ask]]:
    return maker()


def maker() -> Callable[..., tuple[User, Ask]]:
    """Makes people with one role at one post, and what they call with; every call is undone."""
    from django.test import Client

    from yiwang.server.people.models import ApiToken, RoleAssignment

    client = Client(raise_request_exception=False)
    made: dict[tuple[str, str, str], tuple[User, Ask]] = {}

    def make(role: str, *, unit: str, region: str) -> tuple[User, Ask]:
        key = (role, unit, region)
        if key not in made:
            user = User.objects.create(username="-".join(key))
            RoleAssignment.objects.create(user=user, city="mini", role=role, unit=unit, region=region)
            ApiToken.objects.create(user=user, digest=token_digest(f"token-{'-'.join(key)}"))
            made[key] = user, _asking(f"token-{'-'.join(key)}")
        return made[key]

    def _asking(token: str) -> Ask:
        def ask(number: str, verb: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            with transaction.atomic():
                answer = client.post(
                    f"/api/v1/cases/{number}/verbs/{verb}",
                    body,
                    "application/json",
                    headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
                )
                transaction.set_rollback(True)
            return answer.status_code, answer.json()

        return ask

    return make


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_api_answers_what_is_permitted(mini: str, people: Any, name: str) -> None:
    answered = check_situation(name, runtime(mini), people)
    verbs = sum(bool(verb.origins) for verb in runtime(mini).rules.workflow.verbs.values())
    assert answered.total() >= len(ROLES) * verbs
    assert set(answered) <= {200, 403, 409}
    step = name.split(",")[0]
    if step not in {"rejected", "void", "merged"}:
        assert answered[200] > 0, "somebody may do something"
        assert answered[403] > 0, "not everybody may"


def test_every_step_of_the_workflow_has_a_situation(mini: str) -> None:
    reached = {SITUATIONS[name](Drive(at=datetime.now(UTC) - timedelta(days=60))).now.step for name in SITUATIONS}
    assert reached == set(runtime(mini).rules.workflow.steps)


def test_every_verb_is_allowed_to_somebody_somewhere(mini: str) -> None:
    """Else the matrix would only ever see one of its refusals."""
    place, allowed = runtime(mini), set()
    from yiwang.core.cases.events import Actor

    for name, drive in SITUATIONS.items():
        at = datetime.now(UTC) - timedelta(days=60 if "late" in name else 0, hours=2)
        state = drive(Drive(at=at)).now
        for role in ROLES:
            for unit in {state.holder, "CTR-90", "SWEEP-9001", "SWEEP-9002"}:
                actor = Actor(id="user:4711", roles=frozenset({role}), unit=unit)
                choices = permitted(state, actor, rules=place.rules, at=at + timedelta(hours=2))
                allowed |= {choice.verb for choice in choices if choice.allowed}
    people_do = {
        verb.id for verb in place.rules.workflow.verbs.values() if verb.origins and set(verb.roles) != {SYSTEM}
    }
    assert people_do - allowed == set()


@pytest.mark.parametrize(("role", "status"), [("citizen", 201), ("inspector", 201), ("intake", 201)])
def test_who_may_report(mini: str, caller: Any, role: str, status: int) -> None:
    answer = caller(role).post(
        "/cities/mini/reports", {"text": "x", "category": "02001", "lon": 120.003, "lat": 31.003}
    )
    assert answer.status_code == status, answer.content


@pytest.mark.parametrize("role", ["leader", "dispatcher", "handler"])
def test_who_may_not_report_is_told_who_may(mini: str, caller: Any, role: str) -> None:
    """In the role of a desk. As a citizen, without a token, everybody may."""
    answer = caller(role).post(
        "/cities/mini/reports", {"text": "x", "category": "02001", "lon": 120.003, "lat": 31.003}
    )
    assert answer.status_code == 403, answer.content
    assert "citizen" in answer.json()["roles"]


def test_without_a_token_nothing_can_be_done(mini: str, reported: Any, anybody: Any) -> None:
    number = reported()["case"]
    for verb in runtime(mini).rules.workflow.verbs:
        assert anybody.post(f"/cases/{number}/verbs/{verb}", {"reason": "r"}).status_code == 401
    assert Case.objects.get(number=number).seq == 2


def test_what_is_missing_is_named_only_to_who_may(mini: str, reported: Any, caller: Any) -> None:
    number = reported()["case"]
    lacking = caller("leader").post(f"/cases/{number}/verbs/reject")
    assert lacking.status_code == 422, lacking.content
    assert [error["field"] for error in lacking.json()["errors"]] == ["reason"]
    assert caller("dispatcher").post(f"/cases/{number}/verbs/reject").status_code == 403


def test_who_has_several_posts_acts_in_the_one_that_may(mini: str, reported: Any, caller: Any) -> None:
    from yiwang.server.people.models import RoleAssignment

    number = reported()["case"]
    somebody = caller("handler", unit="SWEEP-9002", region="9002", name="several")
    assert somebody.post(f"/cases/{number}/verbs/file").status_code == 403
    RoleAssignment.objects.create(user=User.objects.get(username="several"), city="mini", role="leader", unit="CTR-90")
    assert somebody.post(f"/cases/{number}/verbs/file").status_code == 200


def test_a_role_in_another_city_is_none_here(mini: str, reported: Any, caller: Any) -> None:
    from yiwang.server.people.models import RoleAssignment

    number = reported()["case"]
    leader = caller("leader")
    RoleAssignment.objects.update(city="elsewhere")
    assert leader.post(f"/cases/{number}/verbs/file").status_code == 403
