"""The workflow as a Petri net: what the engine may do is what the net can fire."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.case_driver import Drive, mini

from yiwang.core.mining.net import SINK, SOURCE, fits, pnml, workflow_net

SPACE = "{http://www.pnml.org/version-2009/grammar/pnml}"


def verbs(drive: Drive) -> list[str]:
    return [event.verb for event in drive.events]


def test_a_closed_case_runs_through_the_net_and_an_open_one_only_where_it_may_stop() -> None:
    workflow = mini()[1].workflow
    closed = Drive().to_handling().do("finish", "handler").do("ask_check", "intake").do("check", "inspector")
    closed.do("close", "leader")
    strict, relaxed = workflow_net(workflow), workflow_net(workflow, open_cases=True)
    assert fits(strict, verbs(closed))
    assert fits(relaxed, verbs(closed))
    opened = verbs(Drive().to_handling())
    assert not fits(strict, opened)
    assert fits(relaxed, opened)


def test_what_the_workflow_forbids_does_not_fit() -> None:
    workflow = mini()[1].workflow
    net = workflow_net(workflow, open_cases=True)
    done = verbs(Drive().to_handling())
    assert not fits(net, done[1:])  # nobody reported
    assert not fits(net, [*done, "close"])  # nobody checked
    assert not fits(net, [*done, "no-such-verb"])
    assert not fits(net, [])


def test_the_net_has_a_transition_for_each_verb_and_step_and_an_end_for_each_end() -> None:
    workflow = mini()[1].workflow
    net = workflow_net(workflow)
    wanted = {(verb.id, origin) for verb in workflow.verbs.values() for origin in verb.origins or (SOURCE,)}
    found = {(each.label, each.origin.removeprefix("step.")) for each in net.transitions if each.label}
    assert found == wanted
    ends = {each.origin.removeprefix("step.") for each in net.transitions if each.target == SINK}
    assert ends == {step.id for step in workflow.steps.values() if step.end}
    assert len({each.id for each in net.transitions}) == len(net.transitions)


def test_pnml_names_every_place_and_transition_once_and_each_arc_joins_two_of_them() -> None:
    net = workflow_net(mini()[1].workflow)
    root = ElementTree.fromstring(pnml(net))
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    places = {node.get("id") for node in root.iter(f"{SPACE}place") if node.get("id")}
    transitions = {node.get("id") for node in root.iter(f"{SPACE}transition")}
    assert len(places) == len(net.places)
    assert len(transitions) == len(net.transitions)
    for arc in root.iter(f"{SPACE}arc"):
        assert {arc.get("source"), arc.get("target")} & places
        assert {arc.get("source"), arc.get("target")} & transitions
    marked = [node for node in root.iter(f"{SPACE}place") if node.find(f"{SPACE}initialMarking") is not None]
    assert [node.get("id") for node in marked] == [f"p.{SOURCE}"]
