"""How the verbs of a case are offered: what moves it on first, what sends back, undoes or ends it apart.

Worked out of the city's workflow, so that no verb or step is named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from yiwang.core.cases.definitions import NOWHERE
from yiwang.core.cases.effects import BAD
from yiwang.core.cases.workflow import Verb, Workflow
from yiwang.core.kernel.text import Text
from yiwang.server.common.language import say

ASK = Text(
    "「{verb}」后案卷就此结束（{step}），本人不能撤销。确定吗？",
    "“{verb}” ends the case ({step}); you cannot take it back. Go on?",
)


class Rank(IntEnum):
    """How a verb is offered at a step: the next step, one that leads on but has to be justified, something else, or back."""

    NEXT = 0
    ON = 1
    OTHER = 2
    BACK = 3


def rank(workflow: Workflow, verb: Verb, *, step: str) -> Rank:
    """How a verb is offered at a step.

    The *next* is the ordinary way: to a later step, without special effect, without a reason to be given; and the word that an
    assistance is done. *Back* is what is marked as bad, goes to an earlier step or to the holder before, or ends the case
    otherwise than in the ordinary way. What asks, notes or corrects is neither, nor is a recall, which is pressed in haste.
    """
    plan = workflow.plans[verb.id]
    if verb.who == "assisting":
        return Rank.NEXT
    if verb.within_minutes:
        return Rank.OTHER
    if plan.tone == BAD or ends_early(workflow, verb) or verb.moves == "back":
        return Rank.BACK
    if verb.to in {NOWHERE, step}:
        return Rank.OTHER
    if plan.order < workflow.order[step] and not verb.resume:
        return Rank.BACK  # work that goes on after a rest goes on where it stood, which is no way back
    return Rank.ON if verb.effect or "reason" in verb.requires else Rank.NEXT


def ends_early(workflow: Workflow, verb: Verb) -> bool:
    """Whether a verb ends a case otherwise than in the ordinary way, which nobody can take back by themselves."""
    plan = workflow.plans[verb.id]
    return plan.ends and (plan.effect.exceptional or not plan.closes or "reason" in verb.requires)


def ranked(workflow: Workflow, step: str) -> dict[str, int]:
    """The verbs of a step in the order in which they are offered, each with its `Rank`; alike ones as in the workflow's file."""
    ranks = {verb.id: rank(workflow, verb, step=step) for verb in workflow.verbs_from(step)}
    return {verb: int(ranks[verb]) for verb in sorted(ranks, key=lambda verb: ranks[verb])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a verb is offered.

    Attributes:
        rank: Its place among the others.
        hint: What it does, in a line; empty where its name says it.
        confirm: The question before it is done; empty where it needs none.
    """

    rank: Rank
    hint: str
    confirm: str

    @property
    def apart(self) -> bool:
        """Whether it stands apart from the others."""
        return self.rank == Rank.BACK


def manner_of(workflow: Workflow, verb: Verb, *, step: str) -> Manner:
    """How a verb is offered at a step to whoever may do it."""
    target = workflow.plans[verb.id].target
    ends = target is not None and ends_early(workflow, verb)
    confirm = say(ASK, verb=verb.name, step=target.name) if target is not None and ends else ""
    return Manner(rank=rank(workflow, verb, step=step), hint=say(verb.hint), confirm=confirm)
