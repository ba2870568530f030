"""Whether every clock that a workflow starts is stopped on every way.

For each clock the workflow is walked as a graph of (step, what the clock may be doing there). Entering an end stops all
clocks. For an end that is no closing (rejected, void, merged) that is enough; a verb that *closes* must name every clock
that may still be running, so that a forgotten ``stop`` shows here and not as a case that was late for no reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.core.cases.definitions import Plan, Workflow

Fault = tuple[str, str, str]
Place = tuple[str, str]  # step, status
NEVER, RUNNING, PAUSED, STOPPED = "never", "running", "paused", "stopped"


def clock_faults(workflow: Workflow) -> Iterator[Fault]:
    """Faults of all clocks, as (key, message, hint)."""
    for clock in workflow.clocks:
        if not any(clock in verb.start for verb in workflow.verbs.values()):
            yield "clock", f"clock {clock} is never started.", "Start it with a verb or remove it."
            continue
        places = _places(workflow, clock)
        yield from _stopping(workflow, clock, places)
        yield from _idle(workflow, clock, places)
    yield from _escalations(workflow)


def _after(plan: Plan, clock: str, status: str) -> str:
    """What a clock does after a verb, in the order in which the engine goes about it."""
    verb = plan.verb
    if clock in verb.stop or (plan.target is not None and plan.target.end):
        status = STOPPED if status != NEVER else NEVER
    if clock in verb.pause and status == RUNNING:
        status = PAUSED
    if clock in verb.resume and status != NEVER:
        status = RUNNING
    return RUNNING if clock in verb.start else status


def _places(workflow: Workflow, clock: str) -> set[Place]:
    """Every (step, status) that can come about."""
    opening = workflow.plans[workflow.opening().id]
    first = (workflow.start, _after(opening, clock, NEVER))
    found, queue = {first}, [first]
    while queue:
        step, status = queue.pop()
        for verb in workflow.leaving(step):
            plan = workflow.plans[verb.id]
            place = (plan.target.id if plan.target else step, _after(plan, clock, status))
            if place not in found:
                found.add(place)
                queue.append(place)
    return found


def _stopping(workflow: Workflow, clock: str, places: set[Place]) -> Iterator[Fault]:
    if not any(clock in verb.stop for verb in workflow.verbs.values()):
        hint = "Name it in the 'stop' of the verb that ends its matter."
        yield "clock", f"clock {clock} is started but no verb stops it.", hint
        return
    for plan in workflow.plans.values():
        running = [step for step in plan.verb.origins if {(step, RUNNING), (step, PAUSED)} & places]
        after = {_after(plan, clock, status) for step, status in places if step in plan.origins}
        if plan.closes and running and clock not in plan.verb.stop:
            yield (
                "verb",
                f"verb {plan.verb.id} closes a case at {running[0]} while clock {clock} may still be running.",
                f"Add {clock!r} to its 'stop', or stop the clock earlier.",
            )
        elif plan.target is not None and plan.target.end and after & {RUNNING, PAUSED}:
            yield (
                "verb",
                f"verb {plan.verb.id} runs clock {clock} on in an end.",
                "Take it out of 'start' and 'resume'.",
            )
    paused = any(status == PAUSED for _, status in places)
    if paused and not any(clock in verb.resume for verb in workflow.verbs.values()):
        yield "clock", f"clock {clock} is paused and never resumed.", "Name it in a 'resume'."


def _idle(workflow: Workflow, clock: str, places: set[Place]) -> Iterator[Fault]:
    """Verbs that do something to a clock which can never be in a state for it."""
    for verb in workflow.verbs.values():
        statuses = {status for step, status in places if step in verb.origins}
        for word, named, needed in (
            ("stops", verb.stop, {RUNNING, PAUSED}),
            ("pauses", verb.pause, {RUNNING}),
            ("resumes", verb.resume, {PAUSED, STOPPED}),
            ("extends", verb.extend, {RUNNING, PAUSED}),
        ):
            if clock in named and not statuses & needed:
                message = (
                    f"verb {verb.id} {word} clock {clock}, which can never be {' or '.join(sorted(needed))} there."
                )
                yield "verb", message, "Take it out, or correct 'from'."


def _escalations(workflow: Workflow) -> Iterator[Fault]:
    for place, rule in enumerate(workflow.escalations, start=1):
        running = {step for step, status in _places(workflow, rule.clock) if status == RUNNING}
        steps = set(workflow.verbs[rule.verb].origins) & (set(rule.steps) or set(workflow.steps))
        if not running & steps:
            message = f"escalation number {place}: {rule.verb} can never be done while clock {rule.clock} runs."
            yield "escalation", message, "Correct its 'from' or the escalation's 'steps'."
