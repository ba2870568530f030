"""Who can be sent to inspect, and where each of them is never sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.api import region_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.people.models import User
from yiwang.server.people.queries import name_of, posts_of, staff_of

MOST_LISTED = 1000


def candidates(place: CityRuntime) -> list[dict[str, Any]]:
    """People who hold a post in the city, for a page: name, user name, and their posts with the regions."""
    roles = place.rules.workflow.roles
    city = place.info.id
    rows = []
    for one in staff_of(city=city, most=MOST_LISTED):
        posts = [
            " · ".join(filter(None, (named(roles[role]), region_name(place, region) if region else "")))
            for _, region, role in posts_of(one, city=city)
            if role in roles
        ]
        if posts:
            rows.append(
                {"username": one.username, "name": name_of(one), "posts": say("；", "; ").join(dict.fromkeys(posts))}
            )
    return rows


def own_strata(place: CityRuntime, usernames: Iterable[str], *, level: str) -> dict[str, tuple[str, ...]]:
    """User name → the regions of a level in which they hold a post, where they do: nobody inspects their own work.

    Nobody, where the level is the whole city.
    """
    tree, city = place.regions, place.info.id
    if level in {root.level for root in tree.roots}:
        return {}
    own = {}
    for one in User.objects.filter(username__in=list(usernames), is_active=True):
        found = set()
        for _, region, _ in posts_of(one, city=city):
            try:
                found.add(tree.ancestor(region, level) if region else None)
            except BadInput:  # a region that the tree no longer has
                continue
        if held := tuple(sorted(code for code in found if code)):
            own[one.username] = held
    return own
