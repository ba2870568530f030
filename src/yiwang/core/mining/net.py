"""The workflow as a Petri net, and as PNML, so that any tool can replay the log on the rules.

Steps are places, and since a case is in one step at a time the net is a state machine (van der Aalst, Process Mining,
2nd ed., 2016, section 3.2.2): one transition for each verb and each step from which it can be done, labelled with the verb's
id. The token starts on a place before the case; silent transitions lead from the ends to the one final place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from yiwang.core.cases.definitions import Workflow

SOURCE, SINK = "source", "sink"
PNML = "http://www.pnml.org/version-2009/grammar/pnml"
PLACE_TRANSITION_NET = "http://www.pnml.org/version-2009/grammar/ptnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A transition that takes a token from one place to one place; an empty label is silent."""

    id: str
    label: str
    origin: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """A place/transition net whose transitions have one place before and one after.

    Attributes:
        id: Of the workflow.
        places: Their ids; one token lies on ``SOURCE`` at first, and on ``SINK`` in the end.
        transitions: In the order of the workflow's verbs.
    """

    id: str
    places: tuple[str, ...]
    transitions: tuple[Transition, ...]


def workflow_net(workflow: Workflow, *, open_cases: bool = False) -> Net:
    """The net of a workflow.

    Args:
        workflow: What to translate.
        open_cases: Whether a trace may stop at any step, for logs with cases that have not ended; otherwise only at an end.
    """
    transitions = []
    for verb in workflow.verbs.values():
        for origin in verb.origins or (SOURCE,):
            target = workflow.plans[verb.id].target
            transitions.append(
                Transition(
                    id=f"{verb.id}.{origin}",
                    label=verb.id,
                    origin=_place(origin),
                    target=_place(origin if target is None else target.id),
                )
            )
    transitions += [
        Transition(id=f"end.{step.id}", label="", origin=_place(step.id), target=SINK)
        for step in workflow.steps.values()
        if step.end or open_cases
    ]
    places = (SOURCE, *(_place(step) for step in workflow.steps), SINK)
    return Net(id=workflow.id, places=places, transitions=tuple(transitions))


def _place(step: str) -> str:
    return step if step == SOURCE else f"step.{step}"


def fits(net: Net, labels: Sequence[str]) -> bool:
    """Whether the net can fire the labels one after the other and then come to its final place.

    Labels are unambiguous at a place, since a verb leads from a step to one step, so the token has only one way to go.
    """
    ways = {(each.origin, each.label): each.target for each in net.transitions}
    place: str | None = SOURCE
    for label in labels:
        place = ways.get((place, label)) if place is not None else None
    return place is not None and (place, "") in ways


def pnml(net: Net) -> bytes:
    """The net as PNML (ISO/IEC 15909-2), with a final marking and silent transitions as ProM and pm4py mark them."""
    root = ElementTree.Element("pnml", xmlns=PNML)
    body = ElementTree.SubElement(root, "net", id=net.id, type=PLACE_TRANSITION_NET)
    _name(body, net.id)
    page = ElementTree.SubElement(body, "page", id="page")
    for place in net.places:
        node = ElementTree.SubElement(page, "place", id=f"p.{place}")
        _name(node, place.removeprefix("step."))
        if place == SOURCE:
            marking = ElementTree.SubElement(node, "initialMarking")
            ElementTree.SubElement(marking, "text").text = "1"
    for each in net.transitions:
        node = ElementTree.SubElement(page, "transition", id=f"t.{each.id}")
        _name(node, each.label or each.id)
        if not each.label:
            ElementTree.SubElement(node, "toolspecific", tool="ProM", version="6.4", activity="$invisible$")
    for each in net.transitions:
        for name, source, target in (
            ("in", f"p.{each.origin}", f"t.{each.id}"),
            ("out", f"t.{each.id}", f"p.{each.target}"),
        ):
            arc = ElementTree.SubElement(page, "arc", id=f"a.{name}.{each.id}", source=source, target=target)
            inscription = ElementTree.SubElement(arc, "inscription")
            ElementTree.SubElement(inscription, "text").text = "1"
    final = ElementTree.SubElement(ElementTree.SubElement(body, "finalmarkings"), "marking")
    node = ElementTree.SubElement(final, "place", idref=f"p.{SINK}")
    ElementTree.SubElement(node, "text").text = "1"
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _name(node: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(ElementTree.SubElement(node, "name"), "text").text = text
