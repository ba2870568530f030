"""Who comes in: the inventory is for those who hold a post in the city; each sees, and may change, what their posts reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from yiwang.server.cases.api import readers_for
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.language import say
from yiwang.server.people.models import User
from yiwang.server.people.roles import ADMINISTRATOR, posts

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody may see and change of a city's inventory.

    Attributes:
        place: The city.
        by: Who, as changes name them.
        seen: Regions whose components are shown; none for the whole city.
        kept: Regions whose components they may change; an empty code for the whole city.
    """

    place: CityRuntime
    by: str
    seen: tuple[str, ...]
    kept: tuple[str, ...]

    def sees(self, region: str) -> bool:
        """Whether a component in a region is shown."""
        return not self.seen or any(self.place.rules.concerns(one, region) for one in self.seen)

    def keeps(self, region: str) -> bool:
        """Whether a component in a region may be changed."""
        return any(self.place.rules.concerns(one, region) for one in self.kept)

    @property
    def keeps_all(self) -> bool:
        """Whether they may bring censuses and decide on them: a census is of the whole city."""
        return any(self._is_whole(one) for one in self.kept)

    def _is_whole(self, region: str) -> bool:
        return self.place.rules.concerns(region, "")


def standing_of(request: HttpRequest, *, city: str) -> Standing | None:
    """The standing of whoever asks; None for those who hold no post in the city. Worked out once for a request."""
    kept = getattr(request, "inventory_standing", None)
    if kept is None or kept[0] != city:
        kept = (city, _standing(request.user, place=runtime(city)))
        request.inventory_standing = kept  # type: ignore[attr-defined]
    found: Standing | None = kept[1]
    return found


def _standing(user: Any, *, place: CityRuntime) -> Standing | None:
    if not isinstance(user, User):
        return None
    held = readers_for(user, place=place).posts
    governing = posts(user, city=place.info.id)
    if not held and not governing:
        return None
    roles = place.rules.workflow.roles
    kept = [post.region for post in held if any(role in roles and roles[role].inventory for role in post.roles)]
    if ADMINISTRATOR in governing:
        kept.append("")
    regions = tuple(dict.fromkeys(post.region for post in held))
    whole = bool(governing) or any(place.rules.concerns(region, "") for region in regions)
    return Standing(place=place, by=user.username, seen=() if whole else regions, kept=tuple(dict.fromkeys(kept)))


def staff_only(view: View) -> View:
    """Lets a view be called with the standing of those who hold a post in the city; others are told who may."""
    return _guarded(view, lambda _: True)


def keepers_only(view: View) -> View:
    """The same for those who keep the inventory of the whole city."""
    return _guarded(view, lambda standing: standing.keeps_all)


def _guarded(view: View, may: Callable[[Standing], bool]) -> View:
    @wraps(view)
    def guard(request: HttpRequest, city: str, **rest: Any) -> HttpResponseBase:
        place = city_or_404(city)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        standing = standing_of(request, city=place.info.id)
        if standing is None:
            detail = say("这里只对本市工作人员开放。", "This is for people who hold a post in this city.")
        elif not may(standing):
            detail = say(
                "普查由负责全市部件台账的岗位办理。",
                "Censuses are for posts that keep the inventory of the whole city.",
            )
        else:
            return view(request, standing, **rest)
        context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
        return render(request, "problem.html", context, status=403)

    return guard
