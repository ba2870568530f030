"""Views under a name: a query of the list of cases or of a desk, private or shared with a unit.

Whoever holds a post at the unit sees a shared one and may copy it. To edit or delete it is for its author, and for those who lead
the unit: a role of the command axis that some verb of the workflow lets act on what is held below (``who = "over"``), held at a
unit above.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db.models import Q
from django.urls import reverse

from yiwang.core.cases.events import Actor
from yiwang.core.cases.workflow import Workflow
from yiwang.server.casepage import forms
from yiwang.server.casepage.models import SavedView
from yiwang.server.cases.api import actors_for, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named

MOST_BESIDE = 12
LIST = ""  # stands where a desk's role would
COMMAND_AXIS = "command"
ON_LIST = ("q", "state", "step", "region", "category", "holder", "flag", "order", *forms.NARROWING, "columns")
ON_DESK = ("kind", "q", "region", "category", "step")


def normal(query: str, *, role: str) -> str:
    """A query with the names that its page knows, in their order: what is kept, and what tells two apart."""
    given = {name: value.strip() for name, value in reversed(parse_qsl(query.strip().lstrip("?")))}
    names = ON_LIST if role == LIST else ON_DESK
    return urlencode({name: given[name] for name in names if given.get(name)})


def leading_roles(workflow: Workflow) -> frozenset[str]:
    """The roles that lead what is below their unit: of the command axis, with a verb for what is held at or below it."""
    over = {role for verb in workflow.verbs.values() if verb.who == "over" for role in verb.roles}
    return frozenset(role for role in over if role in workflow.roles and workflow.roles[role].axis == COMMAND_AXIS)


def units_led(actors: Iterable[Actor], *, place: CityRuntime) -> frozenset[str]:
    """The units below those at which a leading role is held."""
    leading, units = leading_roles(place.rules.workflow), place.rules.units
    held = {actor.unit for actor in actors if actor.unit and actor.roles & leading}
    return frozenset(below for unit in held for below in units.at_or_below(unit) if below != unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Somebody with the posts by which views concern them.

    Attributes:
        units: Where they hold a post, ``led``: what is below the units that they lead.
        roles: What they are.
    """

    user: Any
    place: CityRuntime
    units: frozenset[str]
    led: frozenset[str]
    roles: frozenset[str]

    def may_edit(self, view: SavedView) -> bool:
        """Whether it is theirs, or shared with a unit that they lead."""
        return bool(view.user_id == self.user.pk or (view.unit and view.unit in self.led))

    def opens(self, view: SavedView) -> bool:
        """Whether the page of the view is theirs: the list is everybody's, a desk is its role's."""
        return view.role == LIST or view.role in self.roles

    def of_page(self, role: str) -> list[SavedView]:
        """The views of a page that are offered beside it, own ones first."""
        found = SavedView.objects.filter(self._near, city=self.place.info.id, role=role).order_by("name", "id")
        return sorted(found, key=lambda view: view.user_id != self.user.pk)

    def every(self) -> list[SavedView]:
        """All that may be seen, those of units that are led among them."""
        found = SavedView.objects.filter(self._near | Q(unit__in=self.led), city=self.place.info.id)
        return list(found.select_related("user").order_by("role", "name", "id"))

    def one(self, pk: int) -> SavedView | None:
        """A view that may be seen."""
        found = SavedView.objects.filter(self._near | Q(unit__in=self.led), city=self.place.info.id, pk=pk)
        return found.first()

    @property
    def _near(self) -> Q:
        return Q(user_id=self.user.pk) | Q(unit__in=self.units)


def keeper_of(user: Any, *, place: CityRuntime) -> Keeper:
    """Somebody with an account, as one who keeps views."""
    actors = actors_for(user, city=place.info.id)
    return Keeper(
        user=user,
        place=place,
        units=frozenset(actor.unit for actor in actors if actor.unit),
        led=units_led(actors, place=place),
        roles=frozenset(role for actor in actors for role in actor.roles),
    )


def address_of(view: SavedView) -> str:
    """Where the view leads."""
    path = reverse("cases", args=[view.city]) if view.role == LIST else reverse("desk", args=[view.city, view.role])
    return f"{path}?{view.query}"


def page_name(role: str, *, place: CityRuntime) -> str:
    """The page of a view in words."""
    known = place.rules.workflow.roles.get(role)
    return (
        say("案卷列表", "List of cases")
        if role == LIST
        else f"{say('工作台', 'Desk')} · {named(known) if known else role}"
    )


def unit_choices(units: Iterable[str], *, place: CityRuntime) -> list[tuple[str, str]]:
    """What a form offers to share with; the empty code first, for nobody."""
    return [("", say("仅自己", "Only me")), *((unit, unit_name(place, unit)) for unit in sorted(units))]


def beside(user: Any, *, place: CityRuntime, role: str, query: str) -> dict[str, Any]:
    """What the chips above a page show: its views, and the form that keeps the query of now."""
    keeper, query = keeper_of(user, place=place), normal(query, role=role)
    counting = "cases-view-count" if role == LIST else "desk-view-count"
    found = []
    views = keeper.of_page(role)
    # the first ones, and the one that is open: who has more finds them on their page
    for view in [*views[:MOST_BESIDE], *(view for view in views[MOST_BESIDE:] if view.query == query)]:
        path = [view.city, view.pk] if role == LIST else [view.city, role, view.pk]
        found.append(
            {
                "name": view.name,
                "url": f"?{view.query}",
                "count_url": reverse(counting, args=path),
                "current": view.query == query,
                "shared": unit_name(place, view.unit) if view.unit else "",
            }
        )
    return {
        "views": found,
        "views_left": len(views) - len(found),
        "view_role": role,
        "view_query": "" if any(view["current"] for view in found) else query,
        "view_units": unit_choices(keeper.units, place=place),
    }
