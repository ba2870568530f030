"""Taking back what one has just handed on: 撤回.

It is no return: the receiver has not looked at the case yet, so nothing stands against anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Effect
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.definitions import Verb, Workflow


def _check(_: Workflow, verb: Verb, label: Text) -> Iterator[tuple[Text, Text]]:
    if verb.within_minutes <= 0:
        yield (
            Text("{verb}没有写明在几分钟内可以撤回。", "{verb} does not say for how many minutes.", verb=label),
            Text("请写 within_minutes，例如 15。", "Write within_minutes, e.g. 15."),
        )
    if verb.moves != "back":
        yield (
            Text("{verb}没有把案卷交还给移交的单位。", "{verb} does not give the case back.", verb=label),
            Text('请写 moves = "back"。', 'Write moves = "back".'),
        )


RECALL = Effect(id="recall", exceptional=True, check=_check)
