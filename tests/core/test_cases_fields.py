"""A case's fields: declared once, and what shows that something is so is read part by part."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from yiwang.core.cases.fields import (
    CASE_FIELDS,
    CORRECTABLE,
    DECIDING,
    EVIDENCE,
    LOCATION,
    REPORTED,
    CaseFields,
    facts_in,
    read_evidence,
)
from yiwang.core.cases.payloads import FIELDS, REQUIREMENTS, payload_fields
from yiwang.core.cases.readers import Unreadable
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import Invalid

SEEN = {"lon": 120.3, "lat": 31.5, "accuracy_m": 8, "at": "2026-03-02T09:00:00+08:00"}
MEASURED = {"datastream": "noise-17", "value": 61.5, "unit": "dB(A)", "at": "2026-03-02T01:00:00Z"}


def test_every_field_of_a_case_is_declared_and_held_by_the_state() -> None:
    assert set(CASE_FIELDS) == {item.name for item in fields(CaseFields)}
    assert set(CASE_FIELDS) <= {item.name for item in fields(CaseState)}
    assert set(REPORTED) < set(CASE_FIELDS) <= set(FIELDS)
    assert all(field.label.zh and field.label.en for field in FIELDS.values())


def test_the_lists_of_the_loop_follow_from_the_traits() -> None:
    assert set(LOCATION) <= set(CORRECTABLE)
    assert {"category", "condition", "address", "component", "photo", "reason"} <= REQUIREMENTS
    assert not {"lon", "grid", "reporter", "flags", "number", "evidence"} & REQUIREMENTS
    assert list(DECIDING) == ["category", "condition", "region", "channel", "priority"]
    assert facts_in({"source": "hotline", "category": None}) == {
        "category": "", "condition": "", "region": "", "channel": "hotline", "priority": "",
    }  # fmt: skip


def test_evidence_is_taken_part_by_part() -> None:
    both = {"on_site": SEEN, "observation": MEASURED}
    assert read_evidence(both) == both
    assert read_evidence({"on_site": {**SEEN, "lon": "120.3"}}) == {"on_site": SEEN}
    assert read_evidence(None) is None
    assert read_evidence({}) is None


@pytest.mark.parametrize("kind", EVIDENCE)
@pytest.mark.parametrize("value", [None, "", True, float("nan"), float("inf"), [1], {"a": 1}], ids=str)
def test_a_part_that_is_none_is_refused_by_name(kind: str, value: Any) -> None:
    whole = {"on_site": SEEN, "by_phone": {"at": SEEN["at"]}, "observation": MEASURED}[kind]
    for name in whole:
        with pytest.raises(Unreadable) as caught:
            read_evidence({kind: {**whole, name: value}})
        assert any(word in caught.value.why.en for word in (name, "degrees", "text", "moment"))


@pytest.mark.parametrize(
    "value",
    ["yes", ["on_site"], {"rumour": {}}, {"on_site": {}}, {"on_site": {**SEEN, "who": "me"}}, {"observation": SEEN}],
    ids=str,
)
def test_what_is_no_evidence_is_refused(value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        payload_fields({"evidence": value}, ("evidence",))
    assert caught.value.field == "evidence"
    assert "证据" in caught.value.text.zh


def test_a_moment_without_an_offset_is_no_evidence() -> None:
    with pytest.raises(Unreadable):
        read_evidence({"on_site": {**SEEN, "at": "2026-03-02T09:00:00"}})
