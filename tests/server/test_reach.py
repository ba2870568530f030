"""What the database finds for somebody is what `permitted` allows, or a little more; never less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.case_driver import Drive
from tests.situations import SITUATIONS, write_case

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.server.cases.models import Case
from yiwang.server.cases.reading.reach import reach
from yiwang.server.cities.queries import runtime

ROLES = ("citizen", "inspector", "intake", "leader", "dispatcher", "handler")
UNITS = ("", "CTR-90", "CTR-9001", "SWEEP-9001", "SWEEP-9002", "DEPT-WATER", "COM-900101", "CITY")
REGIONS = ("", "90", "9001", "900101", "9002")
PEOPLE = st.builds(
    Actor,
    id=st.sampled_from(["user:1", "user:4711"]),
    roles=st.frozensets(st.sampled_from(ROLES), min_size=1, max_size=2),
    unit=st.sampled_from(UNITS),
    region=st.sampled_from(REGIONS),
)


@pytest.fixture
def states(mini: str) -> list[CaseState]:
    place, now = runtime(mini), datetime.now(UTC)
    found = []
    for number, name in enumerate(SITUATIONS):
        drive = Drive(at=now - timedelta(days=60, hours=number), number=f"MN{number + 10}")
        found.append(write_case(SITUATIONS[name](drive), place))
    return found


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actors=st.lists(PEOPLE, min_size=1, max_size=3))
def test_no_case_that_somebody_may_act_on_is_out_of_reach(
    mini: str, states: list[CaseState], actors: list[Actor]
) -> None:
    place, at = runtime(mini), datetime.now(UTC)
    verbs = {step: place.rules.workflow.verbs_from(step) for step in place.rules.workflow.steps}
    condition = reach(actors, verbs, place=place)
    near = set(Case.objects.filter(condition, city=mini).values_list("number", flat=True)) if condition else set()
    allowed = {
        state.number
        for state in states
        for actor in actors
        if any(
            choice.allowed and not _has_done_its_part(state, actor)
            for choice in permitted(state, actor, rules=place.rules, at=at)
        )
    }
    assert allowed <= near


def _has_done_its_part(state: CaseState, actor: Actor) -> bool:
    return state.assisting.get(actor.unit) == "done"


@pytest.mark.django_db
def test_who_stands_in_no_relation_reaches_nothing(mini: str, states: list[CaseState]) -> None:
    place = runtime(mini)
    flow = place.rules.workflow
    take = {step: [verb for verb in flow.verbs_from(step) if verb.who == "holder"] for step in flow.steps}
    nobody = Actor(id="user:1", roles=frozenset({"handler"}), region="9001")
    holder = Actor(id="user:1", roles=frozenset({"handler"}), unit="SWEEP-9001")
    other = Actor(id="user:1", roles=frozenset({"handler"}), unit="SWEEP-9002")
    assert reach([nobody], take, place=place) is None
    held = {state.number for state in states if state.holder == "SWEEP-9001" and take.get(state.step)}
    for actor, expected in ((holder, held), (other, set())):
        condition = reach([actor], take, place=place)
        assert condition is not None
        found = set(Case.objects.filter(condition, city=mini).values_list("number", flat=True))
        assert found <= {state.number for state in states if state.holder == actor.unit}
        assert found == expected if actor is other else found
    assert held


@pytest.mark.django_db
def test_an_answer_reaches_only_what_waits_for_one(mini: str, states: list[CaseState]) -> None:
    place = runtime(mini)
    flow = place.rules.workflow
    grants = {step: [verb for verb in flow.verbs_from(step) if verb.effect == "extend_approve"] for step in flow.steps}
    actor = Actor(id="user:1", roles=frozenset({"dispatcher"}), unit="CTR-90", region="90")
    condition = reach([actor], grants, place=place)
    assert condition is not None
    found = set(Case.objects.filter(condition, city=mini).values_list("number", flat=True))
    assert found == {state.number for state in states if state.pending and state.pending["kind"] == "extend"}
    assert len(found) == 1
