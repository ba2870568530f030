"""A workflow that does not hold together is refused, with the piece named and what would be right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.case_driver import MINI

from yiwang.core.cases.workflow import read_workflow
from yiwang.core.kernel.errors import BadInput

TEXT = (MINI / "workflow.toml").read_text(encoding="utf-8")
PACKS = Path(__file__).parents[2] / "packs"
NEW_STEP = '[[step]]\nid = "limbo"\nname = "x"\nname_en = "x"\nstage = "file"\n\n'
NEW_VERB = '[[verb]]\nid = "{id}"\nname = "x"\nname_en = "x"\nroles = ["leader"]\n{more}\n\n'
FIRST_STEP, FIRST_VERB = '[[step]]\nid = "reported"', '[[verb]]\nid = "report"'


def verb(name: str, more: str) -> tuple[str, str]:
    return FIRST_VERB, NEW_VERB.format(id=name, more=more) + FIRST_VERB


FAULTS = [
    # words
    (('id = "mini-loop"\n', ""), "id is not given"),
    (('version = "1"', "version = 1"), "version is 1"),
    (('version = "1"', 'version = "1"\ncolour = "red"'), "unknown key 'colour'"),
    (('start = "reported"', 'start = "nowhere"'), "The start 'nowhere' is no step"),
    (('main_clock = "disposal"', 'main_clock = "egg"'), "main clock 'egg' is not declared"),
    (('stage = "feedback"', 'stage = "elsewhere"'), "unknown stage 'elsewhere'"),
    (('axis = "command"', 'axis = "commando"'), "unknown axis 'commando'"),
    (('to = "verifying"', 'to = "verifing"'), "verb ask_verify names the unknown step 'verifing'"),
    (('who = "any"\nrequires = ["note"]\n\n[[verb]]\nid = "accept"', 'who = "all"\n\n[[verb]]\nid = "accept"'), "unknown relation"),
    (('effect = "supervise"', 'effect = "suprvise"'), "unknown effect 'suprvise'"),
    (('effect = "supervise"', 'effect = "supervise"\ntone = "sad"'), "unknown tone 'sad'"),
    (('requires = ["stars"]', 'requires = ["star"]'), "unknown requirement 'star'"),
    (('moves = "across"', 'moves = "sideways"'), "unknown move 'sideways'"),
    (('roles = ["leader", "system"]\nstop = ["intake"]', 'roles = ["boss", "system"]\nstop = ["intake"]'), "unknown role 'boss'"),
    (('limit = "4 work_hours"', 'limit = "4 hours"'), "'4 hours' is no limit"),
    (('limit = "4 work_hours"', 'limit = "rules"'), "clock closing takes its limit from the limits table"),
    (('files = true', 'files = "yes"'), "verb file: files is 'yes'"),
    (('max = 2\nbefore_deadline', 'max = -2\nbefore_deadline'), "max is -2"),
    (('id = "merge"', 'id = "absorb"'), "verb absorb stands twice"),
    (('at = "80%"', 'at = "often"'), "'often' is no moment of a clock"),
    (('at = "80%"', 'at = "+2 fortnights"'), "'2 fortnights' is no limit"),
    (('requires = ["unit", "reason"]', 'requires = ["reason"]'), "moves across without asking to whom"),
    (('effect = "return"', 'effect = "note"'), "verb return is named like an effect"),
    # the graph
    ((FIRST_STEP, NEW_STEP + FIRST_STEP), "step limbo cannot be reached"),
    (verb("stray", 'from = ["filed"]\nto = "limbo"'), "unknown step 'limbo'"),
    (('from = []', 'from = ["filed"]'), "0 verbs open a case"),
    (verb("open", 'to = "reported"'), "2 verbs open a case: open, report"),
    (verb("undo", 'from = ["closed"]\nto = "filed"'), "verb undo leads away from the end closed"),
    # clocks
    (('stop = ["closing"]\n\n[[verb]]\nid = "reject"', '\n[[verb]]\nid = "reject"'), "closes a case at checked while clock closing"),
    (('stop = ["intake", "dispatching", "disposal"]', 'stop = ["intake", "dispatching"]'), "closes a case at checked while clock disposal"),
    (('start = ["intake"]', ""), "clock intake is never started"),
    (('pause = ["disposal"]', 'pause = ["intake"]'), "verb suspend pauses clock intake, which can never be running there"),
    (('from = ["reported"]\nto = "verifying"', 'from = ["reported"]\nto = "verifying"\nresume = ["closing"]'), "resumes clock closing"),
    (('clock = "disposal"\nat = "80%"', 'clock = "closing"\nat = "80%"'), "can never be done while clock closing runs"),
    # operations
    (('extend = ["disposal"]', ""), "touches no clock with 'extend'"),
    (('effect = "assist_done"', ""), "has no counterpart: Nobody can say that the assistance is done"),
    (('effect = "extend_ask"\nrequires', 'effect = "suspend_ask"\nrequires'), "(effect extend_approve) has no counterpart"),
    (('name_en = "Ask to suspend"\nfrom = ["handling"]', 'name_en = "Ask"\nfrom = ["filed"]'), "asks at filed, where nobody can answer"),
    (('requires = ["into"]', ""), "does not ask for into"),
    (('roles = ["handler", "dispatcher", "system"]', 'roles = ["handler", "dispatcher"]'), "which the system cannot leave"),
    (('to = "merged"', 'to = "filed"'), "does not end the case"),
    # who
    (('not_handler = true\nstop = ["closing"]', 'stop = ["closing"]'), "verb close closes a case, also by whoever handled it"),
    (('roles = ["system"]\neffect = "escalate"', 'roles = ["leader"]\neffect = "escalate"'), "the system may not do escalate"),
    ((FIRST_STEP, '[[role]]\nid = "idler"\nname = "x"\nname_en = "x"\n\n' + FIRST_STEP), "role idler may do nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_a_fault_is_named(change: tuple[str, str], said: str) -> None:
    old, new = change
    assert old in TEXT
    with pytest.raises(BadInput) as refused:
        read_workflow(tomllib.loads(TEXT.replace(old, new, 1)), file="w.toml")
    assert said in str(refused.value)
    assert all(problem.file == "w.toml" for problem in refused.value.problems)


def test_all_faults_are_named_at_once() -> None:
    broken = TEXT.replace('to = "verifying"', 'to = "verifing"').replace(
        'roles = ["inspector"]', 'roles = ["inspecter"]'
    )
    with pytest.raises(BadInput) as refused:
        read_workflow(tomllib.loads(broken))
    assert len(refused.value.problems) >= 3


def test_what_is_no_workflow_at_all_is_refused_too() -> None:
    for data in ({}, {"verb": "report"}, {"step": [1]}, {"id": 3, "verb": [{"id": 4, "from": "x"}]}):
        with pytest.raises(BadInput):
            read_workflow(data)


@pytest.mark.parametrize(
    "pack", sorted(folder.name for folder in PACKS.iterdir() if (folder / "workflow.toml").exists())
)
def test_the_packs_that_ship_are_sound(pack: str) -> None:
    read_workflow(tomllib.loads((PACKS / pack / "workflow.toml").read_text(encoding="utf-8")))


def test_the_system_carries_a_case_by_the_shortest_way() -> None:
    workflow = read_workflow(tomllib.loads(TEXT))
    assert [step.id for step in workflow.paths["dispatched"]] == ["accept", "file", "dispatch"]
    assert workflow.paths["reported"] == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"inspector": {"outside": True}}, "roles are outside"),
        ({"citizen": {"axis": "supervision"}}, "has the axis 'supervision'"),
        ({"inspector": {"name": "市民"}}, "roles have the name '市民'"),
    ],
)
def test_roles_that_would_let_everybody_in(changes: dict[str, dict[str, object]], told: str) -> None:
    data = tomllib.loads(TEXT)
    for role in data["role"]:
        role |= changes.get(role["id"], {})
    with pytest.raises(BadInput) as caught:
        read_workflow(data)
    assert told in str(caught.value)


def test_words_that_no_field_holds_are_refused() -> None:
    data = tomllib.loads(TEXT)
    next(verb for verb in data["verb"] if verb["id"] == "close")["public"] = ["photo"]
    with pytest.raises(BadInput, match="unknown field with words"):
        read_workflow(data)
