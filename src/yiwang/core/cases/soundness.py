"""Whether a workflow holds together. Each check answers with problems that name the file and the piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from yiwang.core.cases.definitions import (
    EFFECTS,
    FROM_RULES,
    MOVES,
    NOWHERE,
    SYSTEM,
    WHO,
    WORDS,
    Verb,
    Workflow,
)
from yiwang.core.cases.payloads import REQUIREMENTS
from yiwang.core.cases.soundness_clocks import clock_faults
from yiwang.core.cases.soundness_effects import effect_faults
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.worktime import Limit

Fault = tuple[str, str, str]  # key, message, hint
AXES = ("supervision", "command", "handling", "")


def faults(workflow: Workflow, *, file: str) -> list[Problem]:
    """Every fault of a workflow; empty when it is sound.

    Sound means: every word is known; one verb opens a case; every step can be reached from the start and can reach an
    end; every verb can be done somewhere; what leaves an end is an operation or a reopening; every clock is started,
    and stopped on every way on which it may run (`soundness_clocks`); operations have their counterparts
    (`soundness_effects`); who handled cannot close; every role is declared and used.
    """
    found = [*_words(workflow)]
    if not found:  # the graph checks need sound words
        found = [*_graph(workflow), *clock_faults(workflow), *effect_faults(workflow), *_roles(workflow)]
    return [Problem(text, hint, file, None, key) for key, text, hint in found]


def _words(workflow: Workflow) -> Iterator[Fault]:
    if workflow.start not in workflow.steps:
        yield "start", f"The start {workflow.start!r} is no step.", "Name a declared step."
    if workflow.main_clock not in workflow.clocks:
        yield "main_clock", f"The main clock {workflow.main_clock!r} is not declared.", "Declare it as a [[clock]]."
    openers = [verb.id for verb in workflow.verbs.values() if not verb.origins]
    if len(openers) != 1:
        yield "verb", f"{len(openers)} verbs open a case: {', '.join(openers)}.", "Exactly one verb has no 'from'."
    for step in workflow.steps.values():
        if step.stage not in workflow.stages:
            yield "step", f"step {step.id} has the unknown stage {step.stage!r}.", "Declare it as a [[stage]]."
    for role in workflow.roles.values():
        if role.axis not in AXES:
            yield (
                "role",
                f"role {role.id} has the unknown axis {role.axis!r}.",
                f"One of {', '.join(AXES[:-1])}, or ''.",
            )
    for verb in workflow.verbs.values():
        yield from _verb_words(workflow, verb)
    yield from _clock_words(workflow)
    yield from _escalation_words(workflow)


def _verb_words(workflow: Workflow, verb: Verb) -> Iterator[Fault]:
    touched = [*verb.start, *verb.stop, *verb.pause, *verb.resume, *verb.extend]
    lists: tuple[tuple[str, Iterable[str], Iterable[str]], ...] = (
        ("step", [*verb.origins, *([] if verb.to == NOWHERE else [verb.to])], workflow.steps),
        ("role", verb.roles, workflow.roles),
        ("clock", touched, workflow.clocks),
        ("requirement", [*verb.requires, *verb.optional], REQUIREMENTS),
        ("field with words (public)", verb.public, WORDS),
        ("effect", [verb.effect], EFFECTS - {""}),
        ("move", [verb.moves], MOVES),
        ("relation (who)", [verb.who], WHO),
    )
    for what, values, known in lists:
        for word in sorted(set(values) - set(known) - {""}):
            yield "verb", f"verb {verb.id} names the unknown {what} {word!r}.", f"Known: {', '.join(sorted(known))}."
    if not verb.roles:
        yield "verb", f"verb {verb.id} can be done by nobody.", "Give it roles."
    if not verb.origins and verb.to != workflow.start:
        yield (
            "verb",
            f"verb {verb.id} opens a case but leads to {verb.to}.",
            f"It leads to the start, {workflow.start}.",
        )
    if not verb.origins and verb.who != "any":
        yield "verb", f"verb {verb.id} opens a case, which nobody holds yet.", "Leave out 'who'."
    if verb.moves == "across" and "unit" not in verb.requires:
        yield "verb", f"verb {verb.id} moves across without asking to whom.", "Add 'unit' to requires."
    if verb.id in EFFECTS and verb.effect != verb.id:
        yield "verb", f"verb {verb.id} is named like an effect but has another one.", f'Add effect = "{verb.id}".'
    try:
        Limit.parse(verb.longest)
    except BadInput as error:
        yield "verb", f"verb {verb.id}: longest: {error}", ""


def _clock_words(workflow: Workflow) -> Iterator[Fault]:
    for clock in workflow.clocks.values():
        if clock.limit == FROM_RULES:
            if clock.id != workflow.main_clock:
                hint = "Write its limit, e.g. '2 work_hours'; the limits table is the main clock's."
                yield "clock", f"clock {clock.id} takes its limit from the limits table.", hint
            continue
        try:
            Limit.parse(clock.limit)
        except BadInput as error:
            yield "clock", f"clock {clock.id}: {error}", ""


def _escalation_words(workflow: Workflow) -> Iterator[Fault]:
    for place, rule in enumerate(workflow.escalations, start=1):
        label = f"escalation number {place}"
        if rule.clock not in workflow.clocks:
            yield (
                "escalation",
                f"{label} names the unknown clock {rule.clock!r}.",
                f"Known: {', '.join(workflow.clocks)}.",
            )
        for step in sorted(set(rule.steps) - set(workflow.steps)):
            yield "escalation", f"{label} names the unknown step {step!r}.", f"Known: {', '.join(workflow.steps)}."
        verb = workflow.verbs.get(rule.verb)
        if verb is None:
            yield "escalation", f"{label} names the unknown verb {rule.verb!r}.", f"Known: {', '.join(workflow.verbs)}."
        elif SYSTEM not in verb.roles:
            yield "escalation", f"{label}: the system may not do {verb.id}.", "Add the role 'system' to that verb."
        elif verb.moves == "across":
            yield "escalation", f"{label}: {verb.id} needs a unit that nobody chooses.", "Let it move up or stay."


def reach(starts: Iterable[str], edges: Iterable[tuple[str, str]]) -> set[str]:
    """Everything that can be reached, the starts included."""
    reached, queue, pairs = set(starts), list(starts), list(edges)
    while queue:
        here = queue.pop()
        for origin, to in pairs:
            if origin == here and to not in reached:
                reached.add(to)
                queue.append(to)
    return reached


def _graph(workflow: Workflow) -> Iterator[Fault]:
    edges = [(origin, verb.to) for verb in workflow.verbs.values() for origin in verb.origins if verb.to != NOWHERE]
    reached = reach([workflow.start], edges)
    for step in workflow.steps.values():
        if step.id not in reached:
            yield "step", f"step {step.id} cannot be reached from {workflow.start}.", "Lead a verb there or remove it."
        if not step.end and not any(workflow.steps[end].end for end in reach([step.id], edges)):
            yield "step", f"step {step.id} cannot reach an end.", "Lead a verb on to a step with end = true."
    if not any(step.end for step in workflow.steps.values()):
        yield "step", "No step is an end.", "Mark at least one with end = true."
    for verb in workflow.verbs.values():
        if verb.origins and not set(verb.origins) & reached:
            yield "verb", f"verb {verb.id} is dead: none of its steps can be reached.", "Correct its 'from'."
        ends = [origin for origin in verb.origins if workflow.steps[origin].end]
        if ends and verb.to != NOWHERE and verb.effect != "reopen":
            yield (
                "verb",
                f"verb {verb.id} leads away from the end {ends[0]}.",
                'Only effect = "reopen" may, or to = "=".',
            )


def _roles(workflow: Workflow) -> Iterator[Fault]:
    used = {role for verb in workflow.verbs.values() for role in verb.roles}
    for role in workflow.roles:
        if role not in used:
            yield "role", f"role {role} may do nothing.", "Give it a verb or remove it."
    for language in sorted({tag for role in workflow.roles.values() for tag in role.name}):
        called = Counter(role.name.into(language) for role in workflow.roles.values())
        for name, count in called.items():
            if count > 1:
                yield "role", f"{count} roles have the name {name!r} ({language}).", "Nobody could tell them apart."
    outside = [role for role in workflow.roles.values() if role.outside]
    if len(outside) > 1:
        names = ", ".join(role.id for role in outside)
        yield "role", f"{len(outside)} roles are outside: {names}.", "One role at most is that of everybody outside."
    for role_outside in outside:
        if role_outside.axis:
            yield (
                "role",
                f"role {role_outside.id} is outside and has the axis {role_outside.axis!r}.",
                "Whoever comes from outside works in no axis: leave it empty, or staff's words are everybody's.",
            )
    for plan in workflow.plans.values():
        verb = plan.verb
        people = [role for role in verb.roles if role != SYSTEM]
        if plan.closes and people and not verb.not_handler:
            yield (
                "verb",
                f"verb {verb.id} closes a case, also by whoever handled it.",
                'Add not_handler = true, or effect = "reject" or "void" where it is no closing.',
            )
    barred = any(verb.not_handler for verb in workflow.verbs.values())
    if barred and not any(verb.handles for verb in workflow.verbs.values()):
        yield "verb", "Nobody ever counts as a handler.", "Add handles = true to the verbs of those who do the work."
