"""Each effect says everything about itself, and what it names exists."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from tests.case_driver import MINI

from yiwang.core.cases.definitions import Verb
from yiwang.core.cases.effects import EFFECTS, NONE, REQUESTS, TONES
from yiwang.core.cases.effects.effect import Effect, by_id
from yiwang.core.cases.payloads import FIELDS, REQUIREMENTS
from yiwang.core.cases.workflow import read_workflow
from yiwang.core.facts.cases import RESULTS

MANUAL = (Path(__file__).parents[2] / "docs/reference/workflow.md").read_text(encoding="utf-8")
NAMED = [effect for effect in EFFECTS.values() if effect is not NONE]


@pytest.mark.parametrize("effect", NAMED, ids=lambda effect: effect.id)
def test_what_an_effect_names_exists(effect: Effect) -> None:
    assert f"`{effect.id}`" in MANUAL
    assert set(effect.fields) <= FIELDS.keys()
    assert effect.needs in {"", *REQUIREMENTS}
    assert effect.tone in {"", *TONES}
    assert effect.granted_by in {"", *EFFECTS}
    assert effect.partner[0] in EFFECTS
    assert effect.clock in {"", *(field.name for field in fields(Verb))}
    assert effect.counts_as in {"", *dict(RESULTS)}
    assert set(effect.answers) <= REQUESTS.keys()
    assert bool(effect.asked) == bool(effect.asks)


def test_every_request_has_an_answer_that_grants_and_one_that_refuses() -> None:
    assert REQUESTS == {
        "extend": ("extend_approve", "refuse_request"),
        "suspend": ("suspend_approve", "refuse_request"),
        "appeal": ("appeal_endorse", "appeal_approve", "appeal_refuse"),
    }


def test_no_two_effects_share_an_id_or_a_column() -> None:
    columns = [effect.counts_as for effect in NAMED if effect.counts_as]
    assert len(columns) == len(set(columns))
    with pytest.raises(ValueError, match="one id"):
        by_id(NONE, NONE)


def test_a_verb_is_marked_as_its_effect_says_or_as_it_says_itself() -> None:
    text = (MINI / "workflow.toml").read_text(encoding="utf-8")
    marked = text.replace('[[verb]]\nid = "accept"', '[[verb]]\nid = "accept"\ntone = "bad"', 1)
    assert marked != text
    plain, changed = (read_workflow(tomllib.loads(words)) for words in (text, marked))
    assert [flow.plans["accept"].tone for flow in (plain, changed)] == ["", "bad"]
    assert plain.plans["return"].tone == "bad"
