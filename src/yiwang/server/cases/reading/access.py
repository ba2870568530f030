"""Who may read what of a case: one policy for every door (pages, API, field app, desks, photos, the printed file).

Three things decide, all of them about the city of the case: the role of a post (its axis in the workflow), its region,
and its unit. An account without a post in the city reads what everybody reads.

| reader | words of the report | notes, reasons | persons | contacts |
|---|---|---|---|---|
| everybody | as published | those that the verb publishes, as published | – | – |
| staff whom the case concerns | personal data masked | personal data masked | who acted | – |
| of them, the supervision axis | as written | as written | who acted, who reported | on request |
| who reported it, signed in | as written | as everybody | – | – |

What is read as written and holds personal data is on record (`people.PersonalDataRead`); see `record`. Lists show masked words
whoever asks, so that no list is a register of telephone numbers, and a search looks at what its reader may read (`listing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from yiwang.core.cases.events import Actor
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import Workflow
from yiwang.server.cases.reading.actors import actors_for
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.people import operations as people

SUPERVISION = "supervision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What somebody may see of one case.

    Attributes:
        staff: Works in the loop of the case's city, and the case concerns them: by region or by unit.
        personal: Of those, the axis that takes reports, asks back and verifies: reads words as written, and contacts.
        own: Reported it, with an account.
    """

    staff: bool = False
    personal: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """What somebody may see of the cases of a city: worked out once, asked for each case.

    Attributes:
        user: Who; an anonymous user for nobody in particular.
        city: Of which city's cases.
        rules: The city's, which know its regions.
        identity: Who they are as a reporter; empty for nobody.
        posts: Their posts in the city's loop.
        supervising: Those of them on the supervision axis.
    """

    user: Any
    city: str
    rules: Rulebook
    identity: str
    posts: tuple[Actor, ...]
    supervising: tuple[Actor, ...]

    @property
    def reads_whole_city(self) -> bool:
        """Whether every case of the city concerns one of their posts, those without a place too."""
        return any(self.rules.concerns(post.region, "") for post in self.posts)

    def of_state(self, state: CaseState) -> Reader:
        """What they may see of a case. It concerns every unit that has had it, or was asked to assist."""
        if not self.identity:
            return NOBODY
        units = {state.holder, *state.assisting, *(link.unit for link in state.custody)}
        return self._reader(region=state.region, units=units, reporter=state.reporter)

    def of_row(self, row: Mapping[str, Any]) -> Reader:
        """The same from a line of a list, which knows the holder only."""
        if not self.posts:
            return NOBODY
        return self._reader(region=row["region"], units={row["holder"]}, reporter="")

    def _reader(self, *, region: str, units: set[str], reporter: str) -> Reader:
        return Reader(
            staff=self._concern(self.posts, region, units),
            personal=self._concern(self.supervising, region, units),
            own=bool(reporter) and reporter == self.identity,
        )

    def _concern(self, posts: Iterable[Actor], region: str, units: set[str]) -> bool:
        return any(self.rules.concerns(post.region, region) or (post.unit and post.unit in units) for post in posts)

    def record(self, *, numbers: str | Iterable[str], what: str, purpose: str) -> None:
        """Put on record that they are shown personal data of cases, before the answer is sent."""
        people.log_read(user=self.user, city=self.city, subject=numbers, what=what, purpose=purpose)


NOBODY = Reader()


def readers(user: Any, *, place: CityRuntime) -> Readers:
    """What an account, or somebody without one, may see of a city's cases."""
    return readers_as(actors_for(user, city=place.info.id), user=user, place=place)


def readers_as(actors: Iterable[Actor], *, user: Any, place: CityRuntime) -> Readers:
    """The same for some of somebody's capacities only: what a desk shows."""
    signed_in = bool(getattr(user, "is_authenticated", False))
    held = list(actors) if signed_in else []
    workflow = place.rules.workflow
    within = [_with_region(actor, place) for actor in held]
    return Readers(
        user=user,
        city=place.info.id,
        rules=place.rules,
        identity=held[0].id if held else "",
        posts=tuple(actor for actor in within if _axes(actor, workflow) - {""}),
        supervising=tuple(actor for actor in within if SUPERVISION in _axes(actor, workflow)),
    )


def _axes(actor: Actor, workflow: Workflow) -> set[str]:
    return {workflow.roles[role].axis for role in actor.roles if role in workflow.roles}


def _with_region(actor: Actor, place: CityRuntime) -> Actor:
    """The post with the region that it works in: its own, else its unit's; none is the whole city."""
    unit = place.rules.units.get(actor.unit) if actor.unit and not actor.region else None
    return replace(actor, region=unit.region) if unit else actor
