"""Whether the operations of a workflow have what they need: fields, clocks, and their counterparts."""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.core.cases.definitions import NOWHERE, REQUESTS, SYSTEM, Verb, Workflow

Fault = tuple[str, str, str]
# the field without which an operation means nothing
NEEDED = {
    "return": "reason",
    "rework": "reason",
    "supervise": "opinion",
    "assist_ask": "units",
    "merge": "into",
    "split": "parts",
    "rate": "stars",
    "reopen": "reason",
}
WITHIN = frozenset(
    {
        "extend_ask", "extend_approve", "suspend_ask", "refuse_request", "assist_ask", "assist_done", "absorb", "appeal",
        "appeal_endorse", "appeal_approve", "appeal_refuse", "rate", "note", "supervise",
    }
)  # fmt: skip
CLOCKS = {"extend_approve": "extend", "suspend_approve": "pause", "resume": "resume"}
COUNTERPARTS = {
    "extend_approve": ("extend_ask", "Nobody can ask for what it grants."),
    "extend_ask": ("extend_approve", "Nobody can grant what it asks for."),
    "suspend_ask": ("suspend_approve", "Nobody can grant what it asks for."),
    "suspend_approve": ("resume", "Nothing ends the suspension."),
    "assist_ask": ("assist_done", "Nobody can say that the assistance is done."),
    "merge": ("absorb", "Nothing links the duplicate to the case that takes it in."),
    "appeal": ("appeal_approve", "Nobody can grant the appeal."),
    "appeal_endorse": ("appeal", "Nobody can appeal."),
    "appeal_approve": ("appeal", "Nobody can appeal."),
}


def effect_faults(workflow: Workflow) -> Iterator[Fault]:
    """Faults of all verbs with an effect, as (key, message, hint)."""
    present = {verb.effect for verb in workflow.verbs.values()}
    for verb in workflow.verbs.values():
        if not verb.effect:
            continue
        label = f"verb {verb.id} (effect {verb.effect})"
        for message, hint in (*_fields(verb), *_steps(workflow, verb)):
            yield "verb", f"{label} {message}", hint
        counterpart, why = COUNTERPARTS.get(verb.effect, ("", ""))
        if counterpart and counterpart not in present:
            yield "verb", f"{label} has no counterpart: {why}", f'Add a verb with effect = "{counterpart}".'
    for kind, ask in (("extend", "extend_ask"), ("suspend", "suspend_ask"), ("appeal", "appeal")):
        for verb in workflow.by_effect(ask):
            for step in sorted(set(verb.origins) - workflow.answers[kind]):
                message = f"verb {verb.id} asks at {step}, where nobody can answer."
                yield "verb", message, f"Let a verb with effect {' or '.join(REQUESTS[kind])} start there."


def _fields(verb: Verb) -> Iterator[tuple[str, str]]:
    needed = NEEDED.get(verb.effect)
    if needed and needed not in verb.requires:
        yield f"does not ask for {needed}.", f"Add {needed!r} to requires."
    touched = CLOCKS.get(verb.effect)
    if touched and not getattr(verb, touched):
        yield f"touches no clock with {touched!r}.", f'Add e.g. {touched} = ["disposal"].'
    if verb.effect == "absorb" and SYSTEM not in verb.roles:
        yield "may not be done by the system, which does it when a duplicate is merged.", "Add the role 'system'."
    if verb.effect in WITHIN and verb.to != NOWHERE:
        yield f"leads to {verb.to}.", 'It leaves the case in its step: to = "=".'
    if verb.moves == "again" and verb.effect != "rework":
        yield "moves again.", 'Only effect = "rework" does.'


def _steps(workflow: Workflow, verb: Verb) -> Iterator[tuple[str, str]]:
    target = workflow.steps.get(verb.to)
    if verb.effect == "return":
        later = [step for step in verb.origins if target is None or workflow.order[step] <= workflow.order[target.id]]
        if later:
            yield f"does not lead back from {later[0]}.", "It leads to an earlier step (in the order of the file)."
    if verb.effect == "reopen" and not all(workflow.steps[step].end for step in verb.origins):
        yield "starts at a step that is no end.", "Only what has ended can be reopened."
    if verb.effect == "reopen" and (target is None or target.end):
        yield "does not lead back into the loop.", "Lead it to a step that is no end."
    if verb.effect in {"merge", "reject", "void"} and (target is None or not target.end):
        yield "does not end the case.", "Lead it to a step with end = true."
    if verb.effect == "suspend_approve":
        here = verb.to if target is not None else ", ".join(verb.origins)
        leaving = [other for step in here.split(", ") for other in workflow.leaving(step)]
        if not any(other.effect == "resume" and SYSTEM in other.roles for other in leaving):
            yield (
                f"leads to {here}, which the system cannot leave.",
                "Let a verb with effect resume and role 'system' start there.",
            )
