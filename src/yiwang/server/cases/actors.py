"""Who acts: accounts and their role assignments as the core's actors."""

from __future__ import annotations

from typing import Any

from yiwang.core.cases.events import Actor
from yiwang.server.people.queries import posts_of

CITIZEN = Actor(id="citizen", name="", roles=frozenset({"citizen"}))


def actors_for(user: Any, *, city: str) -> list[Actor]:
    """Every capacity in which somebody can act in a city: one actor per unit and region at which roles are held."""
    if not getattr(user, "is_authenticated", False):
        return [CITIZEN]
    name = user.display_name or user.username
    posts: dict[tuple[str, str], set[str]] = {}
    for unit, region, role in posts_of(user, city=city):
        posts.setdefault((unit, region), set()).add(role)
    identity = f"user:{user.pk}"
    found = [
        Actor(id=identity, name=name, roles=frozenset(roles), unit=unit, region=region)
        for (unit, region), roles in posts.items()
    ]
    return found or [Actor(id=identity, name=name, roles=frozenset({"citizen"}))]


def actor_for(user: Any, *, city: str) -> Actor:
    """The first capacity of `actors_for`: the only one, for nearly everybody."""
    return actors_for(user, city=city)[0]
