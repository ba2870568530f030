"""指派到人: who at the unit that has the case works on it. Custody stays the unit's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt


def _to_person(attempt: Attempt) -> Changes:
    """Whether there is such a person is the server's to know. Another holder begins with nobody; see `decide`."""
    return {"assignee": attempt.payload["person"]}


TO_PERSON = Effect(id="to_person", fields=("person",), apply=_to_person, by_the_way=True, needs="person", stays=True)
