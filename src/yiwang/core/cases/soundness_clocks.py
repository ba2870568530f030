"""Whether every clock that a workflow starts is stopped on every way.

For each clock the workflow is walked as a graph of (step, what the clock may be doing there). Entering an end stops all
clocks. For an end that is no closing (rejected, void, merged) that is enough; a verb that *closes* must name every clock
that may still be running, so that a forgotten ``stop`` shows here and not as a case that was late for no reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.core.cases.definitions import Plan, Workflow
from yiwang.core.kernel.text import Text

Fault = tuple[str, Text, Text]
Place = tuple[str, str]  # step, status
NEVER, RUNNING, PAUSED, STOPPED = "never", "running", "paused", "stopped"
STATUSES = {RUNNING: Text("运行", "running"), PAUSED: Text("暂停", "paused"), STOPPED: Text("停止", "stopped")}


def clock_faults(workflow: Workflow) -> Iterator[Fault]:
    """Faults of all clocks, as (key, message, hint)."""
    for clock in workflow.clocks:
        if not any(clock in verb.start for verb in workflow.verbs.values()):
            yield (
                "clock",
                Text("时钟 {clock} 从未启动。", "clock {clock} is never started.", clock=clock),
                Text("请用一个动作启动它，或将它删除。", "Start it with a verb or remove it."),
            )
            continue
        places = _places(workflow, clock)
        yield from _stop_faults(workflow, clock, places)
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
        for verb in workflow.verbs_from(step):
            plan = workflow.plans[verb.id]
            place = (plan.target.id if plan.target else step, _after(plan, clock, status))
            if place not in found:
                found.add(place)
                queue.append(place)
    return found


def _stop_faults(workflow: Workflow, clock: str, places: set[Place]) -> Iterator[Fault]:
    if not any(clock in verb.stop for verb in workflow.verbs.values()):
        yield (
            "clock",
            Text("时钟 {clock} 启动后没有动作停止它。", "clock {clock} is started but no verb stops it.", clock=clock),
            Text("请在办完此事的动作的 stop 中写上它。", "Name it in the 'stop' of the verb that ends its matter."),
        )
        return
    for plan in workflow.plans.values():
        running = [step for step in plan.verb.origins if {(step, RUNNING), (step, PAUSED)} & places]
        after = {_after(plan, clock, status) for step, status in places if step in plan.origins}
        if plan.closes and running and clock not in plan.verb.stop:
            yield (
                "verb",
                Text(
                    "动作 {verb} 在环节 {step} 结案时，时钟 {clock} 可能仍在运行。",
                    "verb {verb} closes a case at {step} while clock {clock} may still be running.",
                    verb=plan.verb.id,
                    step=running[0],
                    clock=clock,
                ),
                Text(
                    "请在它的 stop 中加上「{clock}」，或更早停止该时钟。",
                    "Add {clock!r} to its 'stop', or stop the clock earlier.",
                    clock=clock,
                ),
            )
        elif plan.target is not None and plan.target.end and after & {RUNNING, PAUSED}:
            yield (
                "verb",
                Text(
                    "动作 {verb} 进入结束环节后，时钟 {clock} 仍在运行。",
                    "verb {verb} runs clock {clock} on in an end.",
                    verb=plan.verb.id,
                    clock=clock,
                ),
                Text("请从 start 和 resume 中去掉它。", "Take it out of 'start' and 'resume'."),
            )
    paused = any(status == PAUSED for _, status in places)
    if paused and not any(clock in verb.resume for verb in workflow.verbs.values()):
        yield (
            "clock",
            Text("时钟 {clock} 暂停后从不恢复。", "clock {clock} is paused and never resumed.", clock=clock),
            Text("请在某个动作的 resume 中写上它。", "Name it in a 'resume'."),
        )


def _idle(workflow: Workflow, clock: str, places: set[Place]) -> Iterator[Fault]:
    """Verbs that do something to a clock which can never be in a state for it."""
    for verb in workflow.verbs.values():
        statuses = {status for step, status in places if step in verb.origins}
        for does, named, needed in (
            (Text("停止", "stops"), verb.stop, {RUNNING, PAUSED}),
            (Text("暂停", "pauses"), verb.pause, {RUNNING}),
            (Text("恢复", "resumes"), verb.resume, {PAUSED, STOPPED}),
            (Text("延长", "extends"), verb.extend, {RUNNING, PAUSED}),
        ):
            if clock in named and not statuses & needed:
                message = Text(
                    "动作 {verb} {does}时钟 {clock}，但时钟在那里不可能处于{needed}状态。",
                    "verb {verb} {does} clock {clock}, which can never be {needed} there.",
                    verb=verb.id,
                    does=does,
                    clock=clock,
                    needed=Text.join({"zh": "或", "en": " or "}, [STATUSES[status] for status in sorted(needed)]),
                )
                yield "verb", message, Text("请去掉它，或改正 from。", "Take it out, or correct 'from'.")


def _escalations(workflow: Workflow) -> Iterator[Fault]:
    for number, rule in enumerate(workflow.escalations, start=1):
        running = {step for step, status in _places(workflow, rule.clock) if status == RUNNING}
        steps = set(workflow.verbs[rule.verb].origins) & (set(rule.steps) or set(workflow.steps))
        if not running & steps:
            message = Text(
                "第 {place} 条升级规则：时钟 {clock} 运行时不可能做动作 {verb}。",
                "escalation number {place}: {verb} can never be done while clock {clock} runs.",
                place=number,
                verb=rule.verb,
                clock=rule.clock,
            )
            hint = Text("请改正该动作的 from 或升级规则的 steps。", "Correct its 'from' or the escalation's 'steps'.")
            yield "escalation", message, hint
