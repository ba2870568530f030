"""What sends a case back or round again: 回退, 返工, 重新打开."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import BAD, Changes, Effect
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.definitions import Verb, Workflow


def _return(attempt: Attempt) -> Changes:
    """The receiver may only correct or send again; see `permissions`."""
    return {"returned_from": attempt.state.step}


def _reopen(_: Attempt) -> Changes:
    """A new round with a new disposal clock; what was recorded stays."""
    return {"closed_at": None, "finished_at": None, "rating": 0, "pending": None, "assisting": {}, "returned_from": ""}


def _check_leads_back(workflow: Workflow, verb: Verb, label: Text) -> Iterator[tuple[Text, Text]]:
    target = workflow.steps.get(verb.to)
    later = [step for step in verb.origins if target is None or workflow.order[step] <= workflow.order[target.id]]
    if later:
        yield (
            Text("{verb}没有从环节 {step} 退回。", "{verb} does not lead back from {step}.", verb=label, step=later[0]),
            Text("它应通向更早的环节（按文件中的顺序）。", "It leads to an earlier step (in the order of the file)."),
        )


def _check_leads_in(workflow: Workflow, verb: Verb, label: Text) -> Iterator[tuple[Text, Text]]:
    if not all(workflow.steps[step].end for step in verb.origins):
        yield (
            Text("{verb}从未结束的环节开始。", "{verb} starts at a step that is no end.", verb=label),
            Text("只有已结束的案卷才能重新打开。", "Only what has ended can be reopened."),
        )
    target = workflow.steps.get(verb.to)
    if target is None or target.end:
        yield (
            Text("{verb}没有让案卷回到办理流程。", "{verb} does not lead back into the loop.", verb=label),
            Text("请让它通向一个不是结束的环节。", "Lead it to a step that is no end."),
        )


RETURN = Effect(
    id="return",
    apply=_return,
    counts_as="returns",
    tone=BAD,
    exceptional=True,
    needs="reason",
    check=_check_leads_back,
)
REWORK = Effect(id="rework", counts_as="reworks", tone=BAD, needs="reason")
REOPEN = Effect(
    id="reopen",
    apply=_reopen,
    reopens=True,
    counts_as="reopens",
    tone=BAD,
    exceptional=True,
    needs="reason",
    check=_check_leads_in,
)
