"""What a visit scores: the points of its items over those that they could have had, of a hundred."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from yiwang.core.inspections.checklists import Checklist, Item, Photo
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text


class Outcome(StrEnum):
    """How a visit ended. A place that refuses or is not found has no score: it is missing, never zero."""

    DONE = "done"
    REFUSED = "refused"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found of an item.

    Attributes:
        value: 1 or 0, a number of faults, or a measured value; None where the place has nothing of the kind 不适用.
        note: In words.
        photos: How many there are.
    """

    value: float | None
    note: str = ""
    photos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a visit scores.

    Attributes:
        points, possible: Sums over the items that apply.
        groups: The same for each group.
        rated: Ids of the items that apply.
        failed: Ids of those that are not met.
    """

    points: float
    possible: float
    groups: Mapping[str, tuple[float, float]]
    rated: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def value(self) -> float | None:
        """Of a hundred; None where no item applies."""
        return 100 * self.points / self.possible if self.possible else None


def check_answers(checklist: Checklist, answers: Mapping[str, Answer]) -> None:
    """Look whether the answers are complete and each is one that its item takes.

    Raises:
        BadInput: With every reason why not; the column is the id of the item.
    """
    problems = [
        Problem(Text("清单里没有这一项。", "The checklist has no such item."), column=name)
        for name in sorted(answers.keys() - {item.id for item in checklist.items})
    ]
    problems += [
        Problem(Text("{item}：{why}", "{item}: {why}", item=item.name, why=why), column=item.id)
        for item in checklist.items
        if (why := _objection(item, answers.get(item.id))) is not None
    ]
    if problems:
        raise BadInput(problems)


def score(checklist: Checklist, answers: Mapping[str, Answer]) -> Score:
    """The score of a visit whose answers `check_answers` has taken."""
    groups: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    rated, failed = [], []
    points = possible = 0.0
    for item in checklist.items:
        value = answers[item.id].value
        if value is None:
            continue
        rated.append(item.id)
        got = item.points * item.measure.share(value)
        points += got
        possible += item.points
        if item.group:
            groups[item.group][0] += got
            groups[item.group][1] += item.points
        if item.measure.fails(value):
            failed.append(item.id)
    sums = {group: (got, of) for group, (got, of) in groups.items()}
    return Score(points=points, possible=possible, groups=sums, rated=tuple(rated), failed=tuple(failed))


def opened_by(checklist: Checklist, failed: Collection[str]) -> dict[str, list[Item]]:
    """The cases that failed items open: one for each category, with its items."""
    found: dict[str, list[Item]] = {}
    for item in checklist.items:
        if item.id in failed and item.category:
            found.setdefault(item.category, []).append(item)
    return found


def _objection(item: Item, answer: Answer | None) -> Text | None:
    if answer is None:
        return Text("还没有填写。", "It is not answered.")
    value = answer.value
    if value is None:
        return None
    if not isfinite(value) or not item.measure.takes(value):
        return Text("{value} 不是这一项的值。", "{value} is no value of this item.", value=f"{value:g}")
    needed = item.photo is Photo.ALWAYS or (item.photo is Photo.FAILED and item.measure.fails(value))
    return Text("需要照片。", "It needs a photo.") if needed and not answer.photos else None
