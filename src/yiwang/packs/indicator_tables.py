"""The keys of `indicators.toml`. What they mean: `docs/reference/indicators.md`; what is checked of them: `indicators.py`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, Strict

from yiwang.core.facts.cases import CASES
from yiwang.core.indicators.definitions import OBJECTS, UNITS
from yiwang.core.indicators.lists import PERIODS
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text
from yiwang.packs.hints import one_of
from yiwang.packs.toml_tables import (
    Day,
    Expected,
    Line,
    ListOf,
    Positive,
    Required,
    Texts,
    TomlTable,
    Words,
    choice,
    wrong,
)

DIRECTIONS = ("up", "down", "none")
COLOURS = ("green", "blue", "yellow", "red", "black")


def _check_steps(steps: tuple[tuple[float, float], ...], *, rising: bool) -> tuple[tuple[float, float], ...]:
    bounds = [bound for bound, _ in steps]
    if bounds != sorted(set(bounds), reverse=not rising):
        raise wrong(
            Text("界限的顺序不对。", "The bounds are out of order."),
            Text("up_to 从小到大，at_least 从大到小。", "Ascending in up_to, descending in at_least."),
        )
    if not all(0 <= points <= 100 for _, points in steps):
        raise wrong(Text("得分不在 0 到 100 之间。", "A score lies outside 0 to 100."))
    return steps


Source = Annotated[
    Required,
    Expected(
        Text(
            '请写标准及其条款、论文，或 "reference default"。',
            'A standard with its clause, a paper, or "reference default".',
        )
    ),
]
Steps = Annotated[
    ListOf[Annotated[tuple[float, float], Strict(False)]],
    Expected(
        Text(
            "请写成「界限、得分」的成对数字：[[50, 100], [100, 90]]。",
            "Write pairs of bound and score: [[50, 100], [100, 90]].",
        ),
        Text("「{value}」不是分档。", "{value!r} are no steps."),
    ),
]


class DatedTable(TomlTable):
    """What holds for some days, and where it comes from."""

    source: Source
    source_en: Line = ""
    confidence: Required
    valid_from: Day | None = None
    valid_to: Day | None = None

    def values(self) -> dict[str, Any]:
        """What was written by key, with the days as one ``validity``."""
        rest = {key: value for key, value in self if key not in ("valid_from", "valid_to")}
        return {**rest, "validity": Validity(self.valid_from, self.valid_to)}


class MomentsTable(TomlTable):
    """`[moments]`: the verbs that mark moments of the facts."""

    verified: Texts = ()
    checked: Texts = ()
    responded: Texts = ()


class ChoiceTable(TomlTable):
    """`[[choice]]`: a name that stands for one of several conditions."""

    label: ClassVar[str] = "choice"
    id: Required
    name: Words
    pick: Required
    options: dict[str, Line] = Field(default_factory=dict)
    source: Required
    source_en: Line = ""


class IndicatorTable(DatedTable):
    """`[[indicator]]`: what is counted, divided by what, of which rows."""

    label: ClassVar[str] = "indicator"
    id: Required
    table: Line = CASES
    name: Words
    meaning: Words
    numerator: Required
    denominator: Line = ""
    filter: Line = ""
    unit: Annotated[Required, choice(tuple(UNITS)), Expected(one_of(UNITS))]
    direction: Annotated[Required, choice(DIRECTIONS), Expected(one_of(DIRECTIONS))]
    basis: Required
    public: bool = False


class GradeTable(TomlTable):
    """One of the `grades` of a grading: from how many points on, and how it looks."""

    label: ClassVar[str] = "grade"
    id: Required
    least: float
    name: Words
    colour: Annotated[Required, choice(COLOURS), Expected(one_of(COLOURS))]


class GradingTable(DatedTable):
    """`[[grading]]`: grades from the best down."""

    label: ClassVar[str] = "grading"
    grades: ListOf[GradeTable] = ()


class PartTable(TomlTable):
    """One of the `parts` of an evaluation: an indicator, its weight, and how its figures become points."""

    label: ClassVar[str] = "part"
    indicator: Required
    weight: Positive
    aspect: Line = ""
    up_to: Annotated[Steps, AfterValidator(partial(_check_steps, rising=True))] = ()
    at_least: Annotated[Steps, AfterValidator(partial(_check_steps, rising=False))] = ()


class AspectTable(TomlTable):
    """One of the `aspects` of an evaluation, scored on its own before it counts for the whole."""

    label: ClassVar[str] = "aspect"
    id: Required
    name: Words
    weight: Positive


class EvaluationTable(DatedTable):
    """`[[evaluation]]`: indicators weighed into the score of a kind of thing."""

    label: ClassVar[str] = "evaluation"
    id: Required
    name: Words
    object: Annotated[Required, choice(OBJECTS), Expected(one_of(OBJECTS))]
    post: Line = ""
    levels: Texts = ()
    aspects: ListOf[AspectTable] = ()
    parts: ListOf[PartTable] = ()
    least_share: float = 1.0


class ListTable(DatedTable):
    """`[[list]]`: a red and a black list."""

    label: ClassVar[str] = "list"
    id: Required
    name: Words
    evaluation: Required
    level: Required
    period: Annotated[Required, choice(tuple(PERIODS)), Expected(one_of(PERIODS))]
    red: Annotated[int, Field(ge=0, le=100)]
    black: Annotated[int, Field(ge=0, le=100)]
    caseload: Required
    least: Annotated[float, Field(ge=0)]
    objection_days: Annotated[int, Field(ge=1, le=60)]


class IndicatorFile(TomlTable):
    """The keys of `indicators.toml`."""

    shown: Texts = ()
    moments: MomentsTable
    terms: dict[str, Required] = Field(default_factory=dict)
    choice: ListOf[ChoiceTable] = ()
    indicator: ListOf[IndicatorTable] = ()
    grading: ListOf[GradingTable] = ()
    evaluation: ListOf[EvaluationTable] = ()
    lists: ListOf[ListTable] = Field((), alias="list")
