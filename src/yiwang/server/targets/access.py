"""Who signs for a unit, and who sees a letter."""

from __future__ import annotations

from typing import Any

from yiwang.server.cities.queries import CityRuntime
from yiwang.server.people.models import User
from yiwang.server.people.queries import posts_of
from yiwang.server.scrutiny.access import is_staff
from yiwang.server.targets.models import Letter

ANSWERS = "command"  # the axis that answers for deadlines
PUBLIC = (Letter.Step.IN_FORCE, Letter.Step.REPLACED)


def signs_for(user: Any, unit: str, *, place: CityRuntime) -> bool:
    """Whether somebody signs for a region: a post on the command axis at a unit whose region it is, or for the region itself.

    A post in a part of the region does not sign for the whole.
    """
    if not isinstance(user, User):
        return False
    roles, root = place.rules.workflow.roles, place.regions.roots[0].code
    for at, region, role in posts_of(user, city=place.info.id):
        if role not in roles or roles[role].axis != ANSWERS:
            continue
        held = place.rules.units.get(at) if at else None
        if unit == (region or (held.region if held else "") or root):
            return True
    return False


def sees(user: Any, letter: Letter, *, place: CityRuntime) -> bool:
    """Whether somebody may read a letter: everybody once it was in force, before that those who hold a post in the city."""
    return letter.step in PUBLIC or is_staff(user, place=place)
