"""The questions of a questionnaire as fields of a form, and what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from yiwang.core.surveys.questionnaires import MOST_WORDS, Choice, FreeWords, Questionnaire, Scale, Value
from yiwang.server.common.language import say


def fields(questionnaire: Questionnaire, sent: QueryDict, wrong: Mapping[str, str]) -> list[dict[str, Any]]:
    """The questions, with what was filled in and what is wrong with it."""
    return [
        {
            "id": question.id,
            "name": say(question.name),
            "words": isinstance(question.kind, FreeWords),
            "most": MOST_WORDS,
            "options": options(question.kind),
            "required": question.required,
            "value": sent.get(f"answer-{question.id}", ""),
            "problem": wrong.get(question.id, ""),
        }
        for question in questionnaire.questions
    ]


def options(kind: Any) -> list[tuple[str, str]]:
    """What may be chosen: value and name."""
    if isinstance(kind, Choice):
        return [(option.id, say(option.name)) for option in kind.options]
    if isinstance(kind, Scale):
        return [(str(value), str(value)) for value in range(5, 0, -1)]
    return [] if isinstance(kind, FreeWords) else [("yes", say("是", "Yes")), ("no", say("否", "No"))]


def filled_in(questionnaire: Questionnaire, sent: QueryDict) -> dict[str, Value]:
    """The answers that were sent; what is no answer is left to `check_answers`."""
    found: dict[str, Value] = {}
    for question in questionnaire.questions:
        text = sent.get(f"answer-{question.id}", "").strip()
        if text:
            is_number = isinstance(question.kind, Scale) and text in {"1", "2", "3", "4", "5"}
            found[question.id] = int(text) if is_number else text
    return found
