"""Who asks (actor), for what (command), what came of it (event), and why not (refusals)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yiwang.core.kernel.errors import YiwangError

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody, or the system, acting in roles at one unit.

    Attributes:
        id: ``user:17``, ``system``, ``citizen``, ``replay`` …
        name: As the story shows it.
        roles: Role ids of the workflow.
        unit: Code of the unit for which they act; empty for citizens and the system.
        region: Region code prefix within which the roles hold; empty for the whole city.
    """

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    unit: str = ""
    region: str = ""


SYSTEM_ACTOR = Actor(id=SYSTEM, name="", roles=frozenset({SYSTEM}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish to do a verb.

    Attributes:
        verb: Verb id of the workflow.
        actor: Who wishes it.
        payload: What the verb needs: ``reason``, ``note``, ``photos``, ``unit``, ``until``, ``stars`` … (`payloads`
            lists them all).
        expected_seq: The last event the actor has seen; another one having happened since is a conflict.
    """

    verb: str
    actor: Actor
    payload: Mapping[str, Any] = field(default_factory=dict)
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a case. It says all that folding needs; no rule is consulted again.

    Attributes:
        number: The case.
        seq: 1, 2, 3 … without gaps.
        at: When it happened (aware).
        verb: What was done.
        actor, actor_name, actor_unit, role: Who did it, for which unit, in which role.
        from_step, to_step: Steps before and after; ``from_step`` is empty for the first.
        from_holder, holder: Unit that had and has the case.
        reason: Why, in the actor's words.
        payload: JSON-able. ``set`` (changed fields), ``add`` (raised counts), ``clocks`` (changed clocks), ``level`` (of
            a new holder), ``handler`` (an id added to those who handled), ``why`` (rows that decided and what came
            second), ``notices`` (units to be told), and what the command itself carried.
    """

    number: str
    seq: int
    at: datetime
    verb: str
    actor: str
    actor_name: str
    actor_unit: str
    role: str
    from_step: str
    to_step: str
    from_holder: str
    holder: str
    reason: str
    payload: dict[str, Any]


class Refusal(YiwangError):
    """A command that cannot be taken, with the sentence in both languages.

    Attributes:
        code: For machines.
        zh, en: For people.
        status: The HTTP status that says the same.
        field: Field of the command that is at fault, if one is.
        role: Roles that may, comma-separated, where the actor's are the wrong ones.
    """

    code = "refused"
    status = 409

    def __init__(self, zh: str, en: str, *, field: str = "", role: str = "") -> None:
        super().__init__(en)
        self.zh, self.en, self.field, self.role = zh, en, field, role


class Conflict(Refusal):
    """Somebody else acted first."""

    code = "conflict"


class NotAllowed(Refusal):
    """The actor may not do this; ``role`` names who may."""

    code = "not-allowed"
    status = 403


class NotPossible(Refusal):
    """Nobody may do this now: wrong step, used up, too late."""

    code = "not-possible"


class Missing(Refusal):
    """The verb needs something that the command does not carry; ``field`` names it."""

    code = "missing"
    status = 422


class Invalid(Refusal):
    """The command carries something that cannot be read; ``field`` names it."""

    code = "invalid"
    status = 422


class Unknown(Refusal):
    """There is no such verb, unit or region."""

    code = "unknown"
    status = 404


class Unruled(Refusal):
    """The city's rules or calendar give no answer, e.g. for a year whose holidays are not known."""

    code = "unruled"
