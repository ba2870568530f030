"""How a refusal or a bad input is said over HTTP: its status, and its sentences."""

from __future__ import annotations

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.common.language import say

_BAD_INPUT = 422
_CONFLICT = 409  # what cannot be done now, whoever asks
_STATUSES = {
    "not-allowed": 403,
    "unknown": 404,
    "missing": _BAD_INPUT,
    "invalid": _BAD_INPUT,
    "idempotency-key-reused": _BAD_INPUT,
    "too-many": 429,
}


def status_of(error: Refusal | BadInput) -> int:
    """The HTTP status that says the same."""
    return _STATUSES.get(error.code, _CONFLICT) if isinstance(error, Refusal) else _BAD_INPUT


def sentences(error: Refusal | BadInput) -> list[str]:
    """What is wrong, in the reader's language."""
    if isinstance(error, Refusal):
        return [say(error.text)]
    return [sentence(problem) for problem in error.problems]


def sentence(problem: Problem) -> str:
    """What is wrong with an input, in the reader's language; where, when it came as a file. A form shows its fields itself."""
    place = say(problem.where) + say("：", ": ") if problem.file or problem.row is not None else ""
    gap = say("", " ") if problem.hint else ""
    return f"{place}{say(problem.message)}{gap}{say(problem.hint)}"
