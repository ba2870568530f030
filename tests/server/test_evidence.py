"""What thing a case is about and what shows it: given with a report or a verb, kept in the event, read by staff."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.test import Client
from tests.outsiders import CITIZEN

from yiwang.server.cases.models import Case, Event
from yiwang.server.cases.reading import queries
from yiwang.server.cases.writing import operations
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

OBSERVED = {"observation": {"datastream": "bin-9", "value": 0.97, "unit": "1", "at": "2026-03-02T01:00:00Z"}}
ON_SITE = {"on_site": {"lon": 120.003, "lat": 31.003, "accuracy_m": 8.0, "at": "2026-03-02T09:00:00+08:00"}}


def test_a_report_says_what_thing_it_is_about_and_what_shows_it(mini: str, actor: Any) -> None:
    draft = ReportDraft(
        text="满溢",
        category="02001",
        lon=120.003,
        lat=31.003,
        component="BIN-0009",
        evidence=OBSERVED,
        channel="sensor",
    )
    number = operations.report(city=mini, draft=draft, actor=actor("inspector"))["case"]
    assert Case.objects.get().component == "BIN-0009"
    found = queries.get_case(city=mini, number=number)
    assert found is not None
    assert (found.state.component, found.state.evidence) == ("BIN-0009", OBSERVED)
    assert orjson.loads(Event.objects.order_by("seq")[0].payload)["set"]["evidence"] == OBSERVED


def test_any_verb_may_come_with_evidence_and_component_is_corrected_as_the_rest(
    report: Any, act: Any, actor: Any
) -> None:
    number = report()["case"]
    act(number, "file", actor("leader"), evidence=ON_SITE)
    assert orjson.loads(Event.objects.order_by("-seq")[0].payload)["evidence"] == ON_SITE
    act(number, "correct", actor("intake"), component="BIN-0010", reason="看错了")
    assert Case.objects.get().component == "BIN-0010"
    found = queries.get_case(city="mini", number=number)
    assert found is not None
    assert found.state.evidence is None  # it lies in the event, where it was given


def test_the_api_takes_and_gives_them_without_being_told(mini: str) -> None:
    create_person(username="i", password=None, name="i", name_en="i", city="mini", roles={"inspector": ("CTR-90", "")})
    staff = Client()
    staff.force_login(User.objects.get(username="i"))
    body = {"text": "满溢", "category": "02001", "lon": 120.003, "lat": 31.003, "component": "BIN-0009"}
    answer = staff.post("/api/v1/cities/mini/reports", {**body, "evidence": OBSERVED}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert staff.get("/api/v1/cities/mini/cases").json()["items"][0]["component"] == "BIN-0009"
    number = answer.json()["case"]
    everybody = Client().get(f"/api/v1/cases/{number}")
    assert b"BIN-0009" in everybody.content
    assert b"bin-9" not in everybody.content
    assert b"bin-9" in staff.get(f"/api/v1/cases/{number}").content
    wrong = staff.post(
        "/api/v1/cities/mini/reports", {**body, "evidence": {"rumour": {}}}, content_type="application/json"
    )
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "evidence"


@pytest.mark.parametrize("evidence", [OBSERVED, ON_SITE], ids=list)
def test_the_chain_with_evidence_in_it_verifies(mini: str, actor: Any, evidence: Any) -> None:
    from yiwang.server.verification import rebuilding, verifying

    draft = ReportDraft(text="满溢", category="02001", lon=120.003, lat=31.003, evidence=evidence)
    operations.report(city=mini, draft=draft, actor=CITIZEN)
    before = Case.objects.values().get()
    rebuilding.rebuild(city=mini)
    assert Case.objects.values().get() == before
    assert not list(verifying.verify(city=mini).faults)


def test_a_stranger_cannot_claim_to_be_an_instrument(mini: str) -> None:
    body = {
        "text": "满溢",
        "category": "02001",
        "lon": 120.003,
        "lat": 31.003,
        "source": "sensor",
        "evidence": OBSERVED,
    }
    answer = Client().post("/api/v1/cities/mini/reports", body, content_type="application/json")
    assert answer.status_code == 201
    found = queries.get_case(city=mini, number=answer.json()["case"])
    assert found is not None
    assert (found.state.evidence, found.state.source) == (None, "public")
