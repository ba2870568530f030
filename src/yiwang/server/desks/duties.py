"""Which work belongs to which role: worked out of the city's workflow, so that no role or step is named here.

What moves a case on from its step in the ordinary way is the *duty* of the roles that may do it: the verb leads to
another step, has no special effect and wants no reason. What must be justified (return, force to a close) or undoes
(void, merge) is offered, but nobody's queue is made of it. Where a step has no ordinary way on, its exceptions that
lead on count instead; a role that never moves a case on (a supervisor) has what it may do on running cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from yiwang.core.cases.definitions import NOWHERE
from yiwang.core.cases.effects.assignment import TO_PERSON
from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.workflow import Verb, Workflow

DUE, MINE, ASKED, ALL = "due", "mine", "asked", "all"
KINDS = (DUE, MINE, ASKED, ALL)
BY_UNIT = frozenset({"any", "holder", "over"})
Steps = Mapping[str, tuple[Verb, ...]]


def steps_of(workflow: Workflow, role: str, kind: str = DUE) -> Steps:
    """Steps of a queue with the verbs of the role that make it up: open ones, and for answers the closed ones too.

    Args:
        workflow: The city's.
        role: Whose desk.
        kind: ``due`` (what moves a case on), ``mine`` (what may be done on cases assigned to oneself),
            ``answering_verbs`` (requests and appeals to answer, assistance asked for), ``all``.
    """
    chosen = {DUE: due, MINE: every, ASKED: answering_verbs, ALL: every}[kind]
    steps = [step for step in workflow.steps.values() if kind == ASKED or not step.end]
    found = {step.id: tuple(chosen(workflow, step.id, role)) for step in steps}
    if kind == DUE and not any(found.values()):
        found = {step: tuple(verb for verb in every(workflow, step, role) if _acts(workflow, verb)) for step in found}
    if kind == ALL and _works_near(workflow, role):
        found = {step: tuple(verb for verb in verbs if verb.who != "any") for step, verbs in found.items()}
    return {step: verbs for step, verbs in found.items() if verbs}


def due(workflow: Workflow, step: str, role: str) -> Iterator[Verb]:
    """The verbs by which a role moves a case on from a step."""
    verbs = [verb for verb in workflow.verbs_from(step) if _leads_on(verb, step)]
    ordinary = [verb for verb in verbs if "reason" not in verb.requires and not verb.effect]
    exceptional = [
        verb for verb in verbs if not workflow.plans[verb.id].effect.exceptional and not workflow.steps[verb.to].end
    ]
    return (verb for verb in ordinary or exceptional if role in verb.roles)


def answering_verbs(workflow: Workflow, step: str, role: str) -> Iterator[Verb]:
    """The verbs by which a role answers what somebody has asked for."""
    for verb in workflow.verbs_from(step):
        if role in verb.roles and (request_kinds(workflow, verb) or verb.who == "assisting"):
            yield verb


def every(workflow: Workflow, step: str, role: str) -> Iterator[Verb]:
    """All that a role may do at a step, apart from notes."""
    return (
        verb
        for verb in workflow.verbs_from(step)
        if role in verb.roles and verb.effect != "note" and verb.who not in {"reporter", "handler"}
    )


def _works_near(workflow: Workflow, role: str) -> bool:
    """Whether a role's duty lies with its own units: it does not get the whole city's cases into its list because it may
    also merge anywhere. On the page of a case all its verbs are offered."""
    return any(verb.who in {"holder", "over"} for step in workflow.steps for verb in due(workflow, step, role))


def request_kinds(workflow: Workflow, verb: Verb) -> tuple[str, ...]:
    """The kinds of requests that a verb answers."""
    return workflow.plans[verb.id].effect.answers


def works(workflow: Workflow, role: str) -> bool:
    """Whether a role has a desk: it stands on an axis of the loop and does something to cases."""
    known = workflow.roles.get(role)
    if known is None or role == SYSTEM or not known.axis:
        return False
    return any(role in verb.roles and verb.origins for verb in workflow.verbs.values())


def assigns(workflow: Workflow) -> bool:
    """Whether cases are assigned to persons."""
    return any(verb.effect == TO_PERSON.id for verb in workflow.verbs.values())


def opens(workflow: Workflow, role: str) -> bool:
    """Whether a role takes reports in."""
    return role in workflow.opening().roles


def sends_down(workflow: Workflow, role: str) -> bool:
    """Whether a role's duty is to hand cases to units."""
    return any(verb.moves == "down" for verbs in steps_of(workflow, role).values() for verb in verbs)


def _leads_on(verb: Verb, step: str) -> bool:
    return verb.to not in {NOWHERE, step} and verb.who in BY_UNIT and set(verb.roles) != {SYSTEM}


def _acts(workflow: Workflow, verb: Verb) -> bool:
    effect = workflow.plans[verb.id].effect
    return not (effect.by_the_way or effect.exceptional or effect.answers) and verb.who in BY_UNIT
