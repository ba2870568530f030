"""Whether the operations of a workflow have what they need: fields, clocks, and their counterparts."""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.core.cases.definitions import NOWHERE, REQUESTS, SYSTEM, Verb, Workflow
from yiwang.core.kernel.text import NO_TEXT, Text

Fault = tuple[str, Text, Text]
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
_NO_GRANT = Text("它的申请无人可以批准。", "Nobody can grant what it asks for.")
_NO_APPEAL = Text("无人可以申诉。", "Nobody can appeal.")
COUNTERPARTS = {
    "extend_approve": ("extend_ask", Text("它批准的事项无人可以申请。", "Nobody can ask for what it grants.")),
    "extend_ask": ("extend_approve", _NO_GRANT),
    "suspend_ask": ("suspend_approve", _NO_GRANT),
    "suspend_approve": ("resume", Text("挂账没有办法结束。", "Nothing ends the suspension.")),
    "assist_ask": ("assist_done", Text("无人可以报告会办完成。", "Nobody can say that the assistance is done.")),
    "merge": (
        "absorb",
        Text("重复案卷没有与并入的案卷关联。", "Nothing links the duplicate to the case that takes it in."),
    ),
    "appeal": ("appeal_approve", Text("无人可以批准申诉。", "Nobody can grant the appeal.")),
    "appeal_endorse": ("appeal", _NO_APPEAL),
    "appeal_approve": ("appeal", _NO_APPEAL),
}


def effect_faults(workflow: Workflow) -> Iterator[Fault]:
    """Faults of all verbs with an effect, as (key, message, hint)."""
    present = {verb.effect for verb in workflow.verbs.values()}
    for verb in workflow.verbs.values():
        if not verb.effect:
            continue
        label = Text("动作 {verb}（效果 {effect}）", "verb {verb} (effect {effect})", verb=verb.id, effect=verb.effect)
        for message, hint in (*_fields(verb, label), *_steps(workflow, verb, label)):
            yield "verb", message, hint
        counterpart, why = COUNTERPARTS.get(verb.effect, ("", NO_TEXT))
        if counterpart and counterpart not in present:
            yield (
                "verb",
                Text("{verb}没有对应的动作：{why}", "{verb} has no counterpart: {why}", verb=label, why=why),
                Text(
                    '请增加一个 effect = "{effect}" 的动作。',
                    'Add a verb with effect = "{effect}".',
                    effect=counterpart,
                ),
            )
    for kind, ask in (("extend", "extend_ask"), ("suspend", "suspend_ask"), ("appeal", "appeal")):
        for verb in workflow.by_effect(ask):
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
                    effects=Text.joined({"zh": " 或 ", "en": " or "}, effects),
                )
                yield "verb", message, hint


def _fields(verb: Verb, label: Text) -> Iterator[tuple[Text, Text]]:
    needed = NEEDED.get(verb.effect)
    if needed and needed not in verb.requires:
        yield (
            Text("{verb}没有要求填写 {field}。", "{verb} does not ask for {field}.", verb=label, field=needed),
            Text("请在 requires 中加上「{field}」。", "Add {field!r} to requires.", field=needed),
        )
    touched = CLOCKS.get(verb.effect)
    if touched and not getattr(verb, touched):
        yield (
            Text("{verb}没有用「{key}」指明时钟。", "{verb} touches no clock with {key!r}.", verb=label, key=touched),
            Text('请加上例如 {key} = ["disposal"]。', 'Add e.g. {key} = ["disposal"].', key=touched),
        )
    if verb.effect == "absorb" and SYSTEM not in verb.roles:
        yield (
            Text(
                "{verb}不允许系统执行，而并案时要由系统执行。",
                "{verb} may not be done by the system, which does it when a duplicate is merged.",
                verb=label,
            ),
            Text("请加上角色「system」。", "Add the role 'system'."),
        )
    if verb.effect in WITHIN and verb.to != NOWHERE:
        yield (
            Text("{verb}通向环节 {to}。", "{verb} leads to {to}.", verb=label, to=verb.to),
            Text('它应让案卷留在原环节：to = "="。', 'It leaves the case in its step: to = "=".'),
        )
    if verb.moves == "again" and verb.effect != "rework":
        yield (
            Text("{verb}写了 moves = again。", "{verb} moves again.", verb=label),
            Text('只有 effect = "rework" 可以这样写。', 'Only effect = "rework" does.'),
        )


def _steps(workflow: Workflow, verb: Verb, label: Text) -> Iterator[tuple[Text, Text]]:
    target = workflow.steps.get(verb.to)
    if verb.effect == "return":
        later = [step for step in verb.origins if target is None or workflow.order[step] <= workflow.order[target.id]]
        if later:
            yield (
                Text(
                    "{verb}没有从环节 {step} 退回。",
                    "{verb} does not lead back from {step}.",
                    verb=label,
                    step=later[0],
                ),
                Text(
                    "它应通向更早的环节（按文件中的顺序）。", "It leads to an earlier step (in the order of the file)."
                ),
            )
    if verb.effect == "reopen" and not all(workflow.steps[step].end for step in verb.origins):
        yield (
            Text("{verb}从未结束的环节开始。", "{verb} starts at a step that is no end.", verb=label),
            Text("只有已结束的案卷才能重新打开。", "Only what has ended can be reopened."),
        )
    if verb.effect == "reopen" and (target is None or target.end):
        yield (
            Text("{verb}没有让案卷回到办理流程。", "{verb} does not lead back into the loop.", verb=label),
            Text("请让它通向一个不是结束的环节。", "Lead it to a step that is no end."),
        )
    if verb.effect in {"merge", "reject", "void"} and (target is None or not target.end):
        yield (
            Text("{verb}没有结束案卷。", "{verb} does not end the case.", verb=label),
            Text("请让它通向 end = true 的环节。", "Lead it to a step with end = true."),
        )
    if verb.effect == "suspend_approve":
        here = verb.to if target is not None else ", ".join(verb.origins)
        leaving = [other for step in here.split(", ") for other in workflow.leaving(step)]
        if not any(other.effect == "resume" and SYSTEM in other.roles for other in leaving):
            yield (
                Text(
                    "{verb}通向环节 {steps}，系统无法离开那里。",
                    "{verb} leads to {steps}, which the system cannot leave.",
                    verb=label,
                    steps=here,
                ),
                Text(
                    "请让效果为 resume、角色为「system」的动作可以从那里开始。",
                    "Let a verb with effect resume and role 'system' start there.",
                ),
            )
