"""Whether a workflow holds together. Each check answers with problems that name the file and the piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from yiwang.core.cases.definitions import (
    FROM_RULES,
    MOVES,
    NOWHERE,
    WHO,
    WORDS,
    Verb,
    Workflow,
)
from yiwang.core.cases.effects import EFFECTS, TONES
from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.payloads import REQUIREMENTS
from yiwang.core.cases.soundness_clocks import clock_faults
from yiwang.core.cases.soundness_effects import effect_faults
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.worktime import Limit

Fault = tuple[str, Text, Text]  # key, message, hint
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
        yield (
            "start",
            Text("起点「{start}」不是环节。", "The start {start!r} is no step.", start=workflow.start),
            Text("请写一个已声明的环节。", "Name a declared step."),
        )
    if workflow.main_clock not in workflow.clocks:
        yield (
            "main_clock",
            Text("主时钟「{clock}」没有声明。", "The main clock {clock!r} is not declared.", clock=workflow.main_clock),
            Text("请用 [[clock]] 声明它。", "Declare it as a [[clock]]."),
        )
    openers = [verb.id for verb in workflow.verbs.values() if not verb.origins]
    if len(openers) != 1:
        yield (
            "verb",
            Text(
                "有 {count} 个动作可以新建案卷：{verbs}。",
                "{count} verbs open a case: {verbs}.",
                count=len(openers),
                verbs=", ".join(openers),
            ),
            Text("应当恰好有一个动作没有 from。", "Exactly one verb has no 'from'."),
        )
    for step in workflow.steps.values():
        if step.stage not in workflow.stages:
            yield (
                "step",
                Text(
                    "环节 {step} 的阶段「{stage}」不存在。",
                    "step {step} has the unknown stage {stage!r}.",
                    step=step.id,
                    stage=step.stage,
                ),
                Text("请用 [[stage]] 声明它。", "Declare it as a [[stage]]."),
            )
    for role in workflow.roles.values():
        if role.axis not in AXES:
            yield (
                "role",
                Text(
                    "角色 {role} 的 axis「{axis}」不存在。",
                    "role {role} has the unknown axis {axis!r}.",
                    role=role.id,
                    axis=role.axis,
                ),
                Text("请写 {axes} 之一，或留空。", "One of {axes}, or ''.", axes=", ".join(AXES[:-1])),
            )
    for verb in workflow.verbs.values():
        yield from _verb_words(workflow, verb)
    yield from _clock_words(workflow)
    yield from _phrase_words(workflow)
    yield from _escalation_words(workflow)


def _words_hint(words: Iterable[str]) -> Text:
    return Text("可用的有：{words}。", "Known: {words}.", words=", ".join(words))


def _verb_words(workflow: Workflow, verb: Verb) -> Iterator[Fault]:
    touched = [*verb.start, *verb.stop, *verb.pause, *verb.resume, *verb.extend]
    lists: tuple[tuple[Text, Iterable[str], Iterable[str]], ...] = (
        (Text("环节", "step"), [*verb.origins, *([] if verb.to == NOWHERE else [verb.to])], workflow.steps),
        (Text("角色", "role"), verb.roles, workflow.roles),
        (Text("时钟", "clock"), touched, workflow.clocks),
        (Text("必填项", "requirement"), [*verb.requires, *verb.optional], REQUIREMENTS),
        (Text("文字字段（public）", "field with words (public)"), verb.public, WORDS),
        (Text("效果", "effect"), [verb.effect], EFFECTS.keys() - {""}),
        (Text("标记（tone）", "tone"), [verb.tone], TONES),
        (Text("移交方式（moves）", "move"), [verb.moves], MOVES),
        (Text("关系（who）", "relation (who)"), [verb.who], WHO),
    )
    for what, values, known in lists:
        for word in sorted(set(values) - set(known) - {""}):
            yield (
                "verb",
                Text(
                    "动作 {verb} 写的{what}「{word}」不存在。",
                    "verb {verb} names the unknown {what} {word!r}.",
                    verb=verb.id,
                    what=what,
                    word=word,
                ),
                _words_hint(sorted(known)),
            )
    if not verb.roles:
        yield (
            "verb",
            Text("动作 {verb} 无人可以做。", "verb {verb} can be done by nobody.", verb=verb.id),
            Text("请给它写上角色（roles）。", "Give it roles."),
        )
    if not verb.origins and verb.to != workflow.start:
        yield (
            "verb",
            Text(
                "动作 {verb} 新建案卷，却通向环节 {to}。",
                "verb {verb} opens a case but leads to {to}.",
                verb=verb.id,
                to=verb.to,
            ),
            Text("它应通向起点 {start}。", "It leads to the start, {start}.", start=workflow.start),
        )
    if not verb.origins and verb.who != "any":
        yield (
            "verb",
            Text(
                "动作 {verb} 新建案卷，此时案卷还不在任何单位手中。",
                "verb {verb} opens a case, which nobody holds yet.",
                verb=verb.id,
            ),
            Text("请去掉 who。", "Leave out 'who'."),
        )
    if verb.moves == "across" and "unit" not in verb.requires:
        yield (
            "verb",
            Text(
                "动作 {verb} 平级移交，却没有要求写明移交给谁。",
                "verb {verb} moves across without asking to whom.",
                verb=verb.id,
            ),
            Text("请在 requires 中加上「unit」。", "Add 'unit' to requires."),
        )
    if verb.id in EFFECTS and verb.effect != verb.id:
        yield (
            "verb",
            Text(
                "动作 {verb} 与一个效果同名，写的却是别的效果。",
                "verb {verb} is named like an effect but has another one.",
                verb=verb.id,
            ),
            Text('请加上 effect = "{verb}"。', 'Add effect = "{verb}".', verb=verb.id),
        )
    try:
        Limit.parse(verb.longest)
    except BadInput as error:
        message = Text("动作 {verb}：longest：{error}", "verb {verb}: longest: {error}", verb=verb.id, error=error.text)
        yield "verb", message, NO_TEXT


def _phrase_words(workflow: Workflow) -> Iterator[Fault]:
    for phrase in workflow.phrases.values():
        named: dict[str, object] = {"phrase": phrase.id, "field": phrase.field}
        if phrase.field not in WORDS:
            yield (
                "phrase",
                Text(
                    "常用语 {phrase}：「{field}」不能写字。", "phrase {phrase}: {field!r} takes no words."
                ).with_values(**named),
                Text("可选：{words}。", "One of {words}.", words=", ".join(WORDS)),
            )
        for name in phrase.verbs:
            verb = workflow.verbs.get(name)
            if verb is None or phrase.field not in {*verb.requires, *verb.optional, "note"}:
                lacks = Text(
                    "常用语 {phrase}：动作「{verb}」没有「{field}」这一项。",
                    "phrase {phrase}: the verb {verb!r} has no field {field!r}.",
                )
                yield (
                    "phrase",
                    lacks.with_values(**named, verb=name),
                    Text("请改动作，或去掉 verbs。", "Name another verb, or leave out verbs."),
                )


def _clock_words(workflow: Workflow) -> Iterator[Fault]:
    for clock in workflow.clocks.values():
        if clock.limit == FROM_RULES:
            if clock.id != workflow.main_clock:
                yield (
                    "clock",
                    Text(
                        "时钟 {clock} 从时限表取时限。",
                        "clock {clock} takes its limit from the limits table.",
                        clock=clock.id,
                    ),
                    Text(
                        "请写出它的时限，例如 '2 work_hours'；时限表只用于主时钟。",
                        "Write its limit, e.g. '2 work_hours'; the limits table is the main clock's.",
                    ),
                )
            continue
        try:
            Limit.parse(clock.limit)
        except BadInput as error:
            message = Text("时钟 {clock}：{error}", "clock {clock}: {error}", clock=clock.id, error=error.text)
            yield "clock", message, NO_TEXT


def _escalation_words(workflow: Workflow) -> Iterator[Fault]:
    for number, rule in enumerate(workflow.escalations, start=1):
        label = Text("第 {place} 条升级规则", "escalation number {place}", place=number)
        if rule.clock not in workflow.clocks:
            yield (
                "escalation",
                Text(
                    "{rule}写的时钟「{clock}」不存在。",
                    "{rule} names the unknown clock {clock!r}.",
                    rule=label,
                    clock=rule.clock,
                ),
                _words_hint(workflow.clocks),
            )
        for step in sorted(set(rule.steps) - set(workflow.steps)):
            message = Text(
                "{rule}写的环节「{step}」不存在。", "{rule} names the unknown step {step!r}.", rule=label, step=step
            )
            yield "escalation", message, _words_hint(workflow.steps)
        verb = workflow.verbs.get(rule.verb)
        if verb is None:
            message = Text(
                "{rule}写的动作「{verb}」不存在。",
                "{rule} names the unknown verb {verb!r}.",
                rule=label,
                verb=rule.verb,
            )
            yield "escalation", message, _words_hint(workflow.verbs)
        elif SYSTEM not in verb.roles:
            yield (
                "escalation",
                Text(
                    "{rule}：系统无权做动作 {verb}。", "{rule}: the system may not do {verb}.", rule=label, verb=verb.id
                ),
                Text("请给该动作加上角色「system」。", "Add the role 'system' to that verb."),
            )
        elif verb.moves == "across":
            yield (
                "escalation",
                Text(
                    "{rule}：动作 {verb} 需要单位，但无人选择。",
                    "{rule}: {verb} needs a unit that nobody chooses.",
                    rule=label,
                    verb=verb.id,
                ),
                Text("请让它上报（up）或不移交（stay）。", "Let it move up or stay."),
            )


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
            yield (
                "step",
                Text(
                    "从 {start} 无法到达环节 {step}。",
                    "step {step} cannot be reached from {start}.",
                    step=step.id,
                    start=workflow.start,
                ),
                Text("请让一个动作通向它，或将它删除。", "Lead a verb there or remove it."),
            )
        if not step.end and not any(workflow.steps[end].end for end in reach([step.id], edges)):
            yield (
                "step",
                Text("从环节 {step} 无法到达结束环节。", "step {step} cannot reach an end.", step=step.id),
                Text("请让一个动作通向 end = true 的环节。", "Lead a verb on to a step with end = true."),
            )
    if not any(step.end for step in workflow.steps.values()):
        yield (
            "step",
            Text("没有结束环节。", "No step is an end."),
            Text("请至少给一个环节写上 end = true。", "Mark at least one with end = true."),
        )
    for verb in workflow.verbs.values():
        if verb.origins and not set(verb.origins) & reached:
            yield (
                "verb",
                Text(
                    "动作 {verb} 永远用不上：它的环节都无法到达。",
                    "verb {verb} is dead: none of its steps can be reached.",
                    verb=verb.id,
                ),
                Text("请改正它的 from。", "Correct its 'from'."),
            )
        ends = [origin for origin in verb.origins if workflow.steps[origin].end]
        if ends and verb.to != NOWHERE and not workflow.plans[verb.id].effect.reopens:
            yield (
                "verb",
                Text(
                    "动作 {verb} 离开了结束环节 {step}。",
                    "verb {verb} leads away from the end {step}.",
                    verb=verb.id,
                    step=ends[0],
                ),
                Text('只有 effect = "reopen" 或 to = "=" 可以。', 'Only effect = "reopen" may, or to = "=".'),
            )


def _roles(workflow: Workflow) -> Iterator[Fault]:
    used = {role for verb in workflow.verbs.values() for role in verb.roles}
    for role in workflow.roles:
        if role not in used:
            yield (
                "role",
                Text("角色 {role} 没有可做的动作。", "role {role} may do nothing.", role=role),
                Text("请给它一个动作，或将它删除。", "Give it a verb or remove it."),
            )
    for language in sorted({tag for role in workflow.roles.values() for tag in role.name}):
        called = Counter(role.name.into(language) for role in workflow.roles.values())
        for name, count in called.items():
            if count > 1:
                yield (
                    "role",
                    Text(
                        "有 {count} 个角色都叫「{name}」（{language}）。",
                        "{count} roles have the name {name!r} ({language}).",
                        count=count,
                        name=name,
                        language=language,
                    ),
                    Text("这样无法区分它们。", "Nobody could tell them apart."),
                )
    outside = [role for role in workflow.roles.values() if role.outside]
    if len(outside) > 1:
        yield (
            "role",
            Text(
                "有 {count} 个外部角色（outside）：{roles}。",
                "{count} roles are outside: {roles}.",
                count=len(outside),
                roles=", ".join(role.id for role in outside),
            ),
            Text("外部人员最多共用一个角色。", "One role at most is that of everybody outside."),
        )
    for role_outside in outside:
        if role_outside.axis:
            yield (
                "role",
                Text(
                    "角色 {role} 是外部角色，却写了 axis「{axis}」。",
                    "role {role} is outside and has the axis {axis!r}.",
                    role=role_outside.id,
                    axis=role_outside.axis,
                ),
                Text(
                    "外部人员不属于任何 axis：请留空，否则工作人员写的内容人人可见。",
                    "Whoever comes from outside works in no axis: leave it empty, or staff's words are everybody's.",
                ),
            )
    for plan in workflow.plans.values():
        verb = plan.verb
        people = [role for role in verb.roles if role != SYSTEM]
        if plan.closes and people and not verb.not_handler:
            yield (
                "verb",
                Text(
                    "动作 {verb} 可以结案，经办人自己也能做。",
                    "verb {verb} closes a case, also by whoever handled it.",
                    verb=verb.id,
                ),
                Text(
                    '请加上 not_handler = true；若不是结案，请写 effect = "reject" 或 "void"。',
                    'Add not_handler = true, or effect = "reject" or "void" where it is no closing.',
                ),
            )
    barred = any(verb.not_handler for verb in workflow.verbs.values())
    if barred and not any(verb.handles for verb in workflow.verbs.values()):
        yield (
            "verb",
            Text("没有任何人算作经办人。", "Nobody ever counts as a handler."),
            Text(
                "请给处置人员的动作加上 handles = true。",
                "Add handles = true to the verbs of those who do the work.",
            ),
        )
