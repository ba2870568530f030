"""What an effect is: an operation with a state of its own, or a mark by which a verb is counted.

Everything that the engine, the soundness check, the facts, the desks and the pages need to know of an effect stands in its
one object, so that a new effect is a file here and a line in the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import NO_TEXT, Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.definitions import Verb, Workflow
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState

Changes = dict[str, Any]
Ready = Callable[["CaseState", "Rulebook", datetime], NotPossible | None]
Apply = Callable[["Attempt"], Changes]
Check = Callable[["Workflow", "Verb", Text], Iterable[tuple[Text, Text]]]
BAD = "bad"
TONES = frozenset({BAD})  # how a verb may be marked where people read what has happened; empty is plain


def always_ready(_: CaseState, __: Rulebook, ___: datetime) -> None:
    """Nothing stands against it."""


def changes_nothing(_: Attempt) -> Changes:
    """What all verbs share is all that happens."""
    return {}


def always_sound(_: Workflow, __: Verb, ___: Text) -> Iterable[tuple[Text, Text]]:
    """Nothing more to check."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An operation that a verb of any workflow may have.

    Attributes:
        id: As ``effect`` of a verb says it, and as it is counted.
        fields: Fields of the command that it reads; history keeps them.
        ready: Whether a case is ready for it, whoever wishes it and whatever the command carries; the refusal if not.
        apply: The fields of the case that it changes, given the command. What all verbs share (step, custody, clocks,
            counts) is not its business.
        asks: The kind of request that it makes; empty for none. A case has one request at a time.
        asked: How a case is marked while that request has no answer; every effect that asks has it.
        answers: The kinds of request that it answers.
        granted_by: The effect whose count is held against ``max``: one may ask as often as one likes, what counts is what
            was granted. Empty for its own.
        ends: How the facts call an end that it leads to, where that is no closing of work: ``rejected``, ``void``,
            ``merged``. Empty for an effect that leads to no end or to a closing.
        finishes: A verb with it may report the work done.
        reopens: It leads away from an end.
        counts_as: The column of the case facts that counts it; empty where none does.
        tone: How it is marked where people read what has happened: ``bad`` or nothing. A verb may say otherwise.
        by_the_way: It says or puts something right and moves nothing: nobody's duty, and no work of the desk.
        exceptional: It undoes or passes over the ordinary way: offered, but nobody's queue is made of it.
        needs: The field without which it means nothing: a verb with it must require that field.
        clock: Which list of clocks of the verb (``extend``, ``pause``, ``resume``) must name one; empty for none.
        stays: A verb with it leaves the case in its step.
        by_system: The system must be able to do it.
        partner: The effect without which it leads nowhere, and why; empty for none.
        check: What else must hold of a verb with it, as pairs of what is wrong and what to do.
    """

    id: str
    fields: tuple[str, ...] = ()
    ready: Ready = always_ready
    apply: Apply = changes_nothing
    asks: str = ""
    asked: Text = NO_TEXT
    answers: tuple[str, ...] = ()
    granted_by: str = ""
    ends: str = ""
    finishes: bool = False
    reopens: bool = False
    counts_as: str = ""
    tone: str = ""
    by_the_way: bool = False
    exceptional: bool = False
    needs: str = ""
    clock: str = ""
    stays: bool = False
    by_system: bool = False
    partner: tuple[str, Text] = ("", NO_TEXT)
    check: Check = always_sound


NONE = Effect(id="", finishes=True)


def by_id(*effects: Effect) -> Mapping[str, Effect]:
    """Effects by their id, in order; a name given twice is a mistake in this package."""
    found = {effect.id: effect for effect in effects}
    if len(found) != len(effects):
        raise ValueError("Two effects have one id.")
    return found
