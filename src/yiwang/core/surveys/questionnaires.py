"""Questionnaires as data: questions of four kinds, and which of them measures whether a case was responded to, resolved, and
whether its reporter is satisfied.

A questionnaire has versions. Each is in force for a span of days, and a round stays with the version that it began with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text

ALWAYS = Validity()
MOST_WORDS = 1000
Value = str | int


class Measure(StrEnum):
    """What a question measures: whether somebody got in touch (响应), the matter was settled (解决), the reporter is satisfied (满意)."""

    RESPONDED = "responded"
    RESOLVED = "resolved"
    SATISFIED = "satisfied"


class Counts(StrEnum):
    """What an answer counts as in a rate. ``NEITHER`` ("do not know") is left out of numerator and denominator."""

    YES = "yes"
    NO = "no"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class YesNo:
    """``yes`` or ``no``."""

    def takes(self, value: Value) -> bool:
        """Whether a value can be an answer."""
        return value in ("yes", "no")

    def counts(self, value: Value) -> Counts:
        """What an answer counts as."""
        return Counts.YES if value == "yes" else Counts.NO


@dataclass(frozen=True, slots=True)
class Scale:
    """A whole number from 1 to 5, 5 being best.

    Attributes:
        yes_from: From here on an answer counts as yes.
    """

    yes_from: int = 4

    def takes(self, value: Value) -> bool:
        """Whether a value can be an answer."""
        return isinstance(value, int) and 1 <= value <= 5

    def counts(self, value: Value) -> Counts:
        """What an answer counts as."""
        return Counts.YES if isinstance(value, int) and value >= self.yes_from else Counts.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer of a choice."""

    id: str
    name: Text
    counts: Counts = Counts.NO


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several options, by its id."""

    options: tuple[Option, ...]

    def takes(self, value: Value) -> bool:
        """Whether a value can be an answer."""
        return value in {option.id for option in self.options}

    def counts(self, value: Value) -> Counts:
        """What an answer counts as."""
        return next((option.counts for option in self.options if option.id == value), Counts.NEITHER)


@dataclass(frozen=True, slots=True)
class FreeWords:
    """Words of the person's own, up to `MOST_WORDS` characters."""

    def takes(self, value: Value) -> bool:
        """Whether a value can be an answer."""
        return isinstance(value, str) and 0 < len(value) <= MOST_WORDS

    def counts(self, value: Value) -> Counts:
        """Words count as nothing."""
        return Counts.NEITHER


Kind = YesNo | Scale | Choice | FreeWords


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    Attributes:
        id: Unique in the questionnaire.
        name: The question as it is put.
        kind: What may be answered.
        measures: Which rate it gives; None for none.
        required: Whether an interview without it is incomplete.
    """

    id: str
    name: Text
    kind: Kind
    measures: Measure | None = None
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """A version of a questionnaire.

    Attributes:
        id: Of the questionnaire; versions share it.
        version: Of this one.
        name: In words.
        questions: In the order in which they are put.
        sources: By which ways a case must have been reported for its reporter to be asked; empty for all ways.
        tries: How often an interviewer telephones before giving up.
        least_response: A stratum whose response rate is below this share is marked.
        validity: When rounds may begin with it.
        source: Where it comes from.
        confidence: How sure that is.
    """

    id: str
    version: str
    name: Text
    questions: tuple[Question, ...]
    sources: frozenset[str] = field(default_factory=frozenset)
    tries: int = 3
    least_response: float = 0.5
    validity: Validity = ALWAYS
    source: Text = NO_TEXT
    confidence: str = ""

    def measuring(self, measure: Measure) -> Question | None:
        """The question that gives a rate."""
        return next((question for question in self.questions if question.measures is measure), None)

    def digest(self) -> str:
        """SHA-256 of what is asked, of whom, and what counts as yes, as one line of JSON, sorted."""
        content = {
            "id": self.id,
            "version": self.version,
            "sources": sorted(self.sources),
            "tries": self.tries,
            "least_response": self.least_response,
            "questions": [
                [one.id, dict(one.name), _told(one.kind), one.measures, one.required] for one in self.questions
            ],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def in_force(questionnaires: Iterable[Questionnaire], *, on: date) -> dict[str, Questionnaire]:
    """The version of each questionnaire that is in force on a day, by id."""
    return {one.id: one for one in questionnaires if one.validity.contains(on)}


def check_answers(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> None:
    """Look whether the answers are complete and each is one that its question takes.

    Raises:
        BadInput: With every reason why not; the column is the id of the question.
    """
    problems = [
        Problem(Text("问卷里没有这一题。", "The questionnaire has no such question."), column=name)
        for name in sorted(answers.keys() - {question.id for question in questionnaire.questions})
    ]
    for question in questionnaire.questions:
        value = answers.get(question.id)
        if value is None:
            if question.required:
                problems.append(Problem(Text("这一题还没有回答。", "This is not answered yet."), column=question.id))
        elif not question.kind.takes(value):
            wrong = Text("这不是这一题的答案。", "That is no answer to this question.")
            if isinstance(question.kind, FreeWords):
                wrong = Text("最多 {most} 个字。", "At most {most} characters.", most=MOST_WORDS)
            problems.append(Problem(wrong, column=question.id))
    if problems:
        raise BadInput(problems)


def measured(questionnaire: Questionnaire, answers: Mapping[str, Value]) -> dict[Measure, bool]:
    """What complete answers say of each rate; a measure that they say nothing of is left out."""
    found = {}
    for measure in Measure:
        question = questionnaire.measuring(measure)
        if question is None or question.id not in answers:
            continue
        counts = question.kind.counts(answers[question.id])
        if counts is not Counts.NEITHER:
            found[measure] = counts is Counts.YES
    return found


def _told(kind: Kind) -> list[object]:
    match kind:
        case Scale():
            return ["scale", kind.yes_from]
        case Choice():
            return ["choice", [[option.id, dict(option.name), option.counts] for option in kind.options]]
        case FreeWords():
            return ["words"]
        case _:
            return ["yes_no"]
