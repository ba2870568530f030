"""Who asks (actor), for what (command), and what came of it (event)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody, or the system, acting in roles at one unit.

    Attributes:
        id: ``user:17``, ``system``, ``nobody``, ``replay`` …
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
