"""Who acts: accounts and their role assignments as the core's actors, and whoever comes from outside."""

from __future__ import annotations

from typing import Any

from yiwang.core.cases.events import Actor
from yiwang.server.cities.queries import NoSuchCity, runtime
from yiwang.server.people.queries import posts_of

NOBODY = "nobody"  # the id in history of nobody in particular, in every city


def outsider(city: str, *, id: str = NOBODY, name: str = "") -> Actor:
    """Whoever comes from outside, in the role that the city's workflow gives them (``outside = true``).

    Args:
        city: City; in one that does not exist nobody has a role.
        id: Who, where it can be known again: an account, the holder of a secret link.
        name: Name of an account.
    """
    try:
        roles = runtime(city).rules.workflow.outside_roles()
    except NoSuchCity:
        roles = frozenset()
    return Actor(id=id, name=name, roles=roles)


def actors_for(user: Any, *, city: str) -> list[Actor]:
    """Every capacity in which somebody can act in a city: one actor per unit and region at which roles are held."""
    if not getattr(user, "is_authenticated", False):
        return [outsider(city)]
    name = user.display_name or user.username
    posts: dict[tuple[str, str], set[str]] = {}
    for unit, region, role in posts_of(user, city=city):
        posts.setdefault((unit, region), set()).add(role)
    identity = f"user:{user.pk}"
    found = [
        Actor(id=identity, name=name, roles=frozenset(roles), unit=unit, region=region)
        for (unit, region), roles in posts.items()
    ]
    return found or [outsider(city, id=identity, name=name)]


def actor_for(user: Any, *, city: str) -> Actor:
    """The first capacity of `actors_for`: the only one, for nearly everybody."""
    return actors_for(user, city=city)[0]
