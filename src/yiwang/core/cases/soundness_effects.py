"""Whether the operations of a workflow have what they need: fields, clocks, and their counterparts."""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.core.cases.definitions import NOWHERE, Plan, Workflow
from yiwang.core.cases.effects import REQUESTS
from yiwang.core.cases.events import SYSTEM
from yiwang.core.kernel.text import Text

Fault = tuple[str, Text, Text]


def effect_faults(workflow: Workflow) -> Iterator[Fault]:
    """Faults of all verbs with an effect, as (key, message, hint)."""
    for plan in workflow.plans.values():
        verb, effect = plan.verb, plan.effect
        if not effect.id:
            if verb.moves == "again":
                yield "verb", *_moves_again(Text("动作 {verb}", "verb {verb}", verb=verb.id))
            continue
        label = Text("动作 {verb}（效果 {effect}）", "verb {verb} (effect {effect})", verb=verb.id, effect=effect.id)
        for message, hint in (*_shape(plan, label), *effect.check(workflow, verb, label)):
            yield "verb", message, hint
        partner, why = effect.partner
        if partner and partner not in workflow.effects:
            yield (
                "verb",
                Text("{verb}没有对应的动作：{why}", "{verb} has no counterpart: {why}", verb=label, why=why),
                Text('请增加一个 effect = "{effect}" 的动作。', 'Add a verb with effect = "{effect}".', effect=partner),
            )
        if effect.asks:
            yield from _answer_faults(workflow, plan)


def _answer_faults(workflow: Workflow, plan: Plan) -> Iterator[Fault]:
    """Whether somebody can answer a request wherever it can be made."""
    verb, kind = plan.verb, plan.effect.asks
    for step in sorted(set(verb.origins) - workflow.answers[kind]):
        message = Text(
            "动作 {verb} 在环节 {step} 提出申请，但那里无人可以答复。",
            "verb {verb} asks at {step}, where nobody can answer.",
            verb=verb.id,
            step=step,
        )
        effects = [Text("{effect}", "{effect}", effect=effect) for effect in REQUESTS[kind]]
        hint = Text(
            "请让效果为 {effects} 的动作可以从那里开始。",
            "Let a verb with effect {effects} start there.",
            effects=Text.join({"zh": " 或 ", "en": " or "}, effects),
        )
        yield "verb", message, hint


def _moves_again(label: Text) -> tuple[Text, Text]:
    return (
        Text("{verb}写了 moves = again。", "{verb} moves again.", verb=label),
        Text('只有 effect = "rework" 可以这样写。', 'Only effect = "rework" does.'),
    )


def _shape(plan: Plan, label: Text) -> Iterator[tuple[Text, Text]]:
    """What the effect says that a verb with it must have."""
    verb, effect = plan.verb, plan.effect
    if effect.needs and effect.needs not in verb.requires:
        yield (
            Text("{verb}没有要求填写 {field}。", "{verb} does not ask for {field}.", verb=label, field=effect.needs),
            Text("请在 requires 中加上「{field}」。", "Add {field!r} to requires.", field=effect.needs),
        )
    if effect.clock and not getattr(verb, effect.clock):
        yield (
            Text(
                "{verb}没有用「{key}」指明时钟。", "{verb} touches no clock with {key!r}.", verb=label, key=effect.clock
            ),
            Text('请加上例如 {key} = ["disposal"]。', 'Add e.g. {key} = ["disposal"].', key=effect.clock),
        )
    if effect.by_system and SYSTEM not in verb.roles:
        yield (
            Text(
                "{verb}不允许系统执行，而并案时要由系统执行。",
                "{verb} may not be done by the system, which does it when a duplicate is merged.",
                verb=label,
            ),
            Text("请加上角色「system」。", "Add the role 'system'."),
        )
    if effect.stays and verb.to != NOWHERE:
        yield (
            Text("{verb}通向环节 {to}。", "{verb} leads to {to}.", verb=label, to=verb.to),
            Text('它应让案卷留在原环节：to = "="。', 'It leaves the case in its step: to = "=".'),
        )
    if effect.ends and not plan.ends:
        yield (
            Text("{verb}没有结束案卷。", "{verb} does not end the case.", verb=label),
            Text("请让它通向 end = true 的环节。", "Lead it to a step with end = true."),
        )
    if verb.moves == "again" and effect.id != "rework":
        yield _moves_again(label)
