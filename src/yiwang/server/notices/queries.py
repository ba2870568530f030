"""Reads notices: how many somebody has not read, and a page of them. Each addressee is a walk along one index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.notices.kinds import KINDS
from yiwang.server.notices.models import Notice, ReadMark, Recipient
from yiwang.server.people.models import RoleAssignment

MOST_COUNTED = 99  # unread notices that a bell counts
MOST_LISTED = 200
MOST_ID = 2**63 - 1
_UNREAD, _READ = "u", "r"  # the two parts of a list, as a cursor names them


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """What is addressed to somebody in a city, and what of it they have read.

    Attributes:
        user: Account.
        city: City.
        addressees: Each with the moment from which its notices are theirs: who comes to a unit is not told its past.
            Empty for somebody without a post in the loop.
        read_to: Every notice up to this id has been read.
    """

    user: int
    city: str
    addressees: tuple[tuple[str, datetime | None], ...]
    read_to: int = 0

    def of(self, place: int) -> Q:
        """Those of one addressee."""
        addressee, since = self.addressees[place]
        return Q(addressee=addressee) & (Q(created_at__gte=since) if since else Q())

    def each(self, *, kinds: Iterable[str] = ()) -> list[QuerySet[Notice]]:
        """The notices of each addressee, without those of which another one before it is told too, and without what they
        did themselves."""
        found = []
        for place in range(len(self.addressees)):
            query = Notice.objects.filter(self.of(place), city=self.city).exclude(actor=f"user:{self.user}")
            if kinds:
                query = query.filter(kind__in=list(kinds))
            if place:
                before = Q()
                for earlier in range(place):
                    before |= self.of(earlier)
                query = query.exclude(
                    Exists(Notice.objects.filter(before, number=OuterRef("number"), seq=OuterRef("seq")))
                )
            found.append(query)
        return found

    def unread(self, query: QuerySet[Notice]) -> QuerySet[Notice]:
        """Those that have not been read."""
        return query.filter(id__gt=self.read_to).exclude(self._mark())

    def read(self, query: QuerySet[Notice]) -> QuerySet[Notice]:
        """Those that have been read."""
        return query.filter(Q(id__lte=self.read_to) | Q(self._mark()))

    def _mark(self) -> Exists:
        return Exists(ReadMark.objects.filter(user_id=self.user, notice=OuterRef("pk")))


def addressees(user: Any, *, place: CityRuntime) -> tuple[tuple[str, datetime | None], ...]:
    """Under which addresses somebody is told in a city: themselves, and the units at which they have a post of the loop."""
    held = RoleAssignment.objects.filter(
        user_id=user.pk, city=place.info.id, role__in=list(place.rules.workflow.roles)
    )  # fmt: skip
    units = dict(held.order_by("unit").values_list("unit").annotate(since=Min("created_at")))
    if not units:
        return ()
    own = ((f"user:{user.pk}", None),)
    return (*own, *((f"unit:{code}", since) for code, since in units.items() if code))


def mine(user: Any, *, place: CityRuntime) -> Mine:
    """What is addressed to an account in a city; two queries."""
    found = addressees(user, place=place)
    recipient = Recipient.objects.filter(user_id=user.pk, city=place.info.id) if found else Recipient.objects.none()
    read_to = recipient.values_list("read_to", flat=True).first() or 0
    return Mine(user=user.pk, city=place.info.id, addressees=found, read_to=read_to)


def unread_count(own: Mine, *, most: int = MOST_COUNTED) -> int:
    """How many have not been read; ``most + 1`` for more than ``most``."""
    total = 0
    for query in own.each():
        total += own.unread(query)[: most + 1 - total].count()
        if total > most:
            break
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePage:
    """Notices, each with whether it is ``unread``; the cursor of the next page, empty on the last."""

    items: list[dict[str, Any]]
    next: str


def page(own: Mine, *, kind: str = "", unread_only: bool = False, cursor: str = "", limit: int = 30) -> NoticePage:
    """Unread ones first, each part newest first.

    Raises:
        BadInput: There is no such kind or cursor, or too many are asked for.
    """
    if kind and kind not in KINDS:
        raise _bad("kind", kind, Text("可选：{known}。", "One of {known}.", known=", ".join(KINDS)))
    if not 1 <= limit <= MOST_LISTED:
        raise _bad("limit", limit, Text("应在 1 到 {most} 之间。", "Between 1 and {most}.", most=MOST_LISTED))
    part, before = _position(cursor)
    queries = own.each(kinds=[kind] if kind else ())
    found: list[dict[str, Any]] = []
    for name, narrow in ((_UNREAD, own.unread), (_READ, own.read)):
        if (name == _UNREAD and part == _READ) or (name == _READ and unread_only) or len(found) > limit:
            continue
        below = before if name == part else MOST_ID
        rows = [
            row
            for query in queries
            for row in narrow(query).filter(id__lt=below).order_by("-id").values()[: limit + 1 - len(found)]
        ]
        rows.sort(key=lambda row: -row["id"])
        found += [{**row, "unread": name == _UNREAD} for row in rows[: limit + 1 - len(found)]]
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return NoticePage(items=shown, next=f"{_UNREAD if last['unread'] else _READ}{last['id']}" if last else "")


def _position(cursor: str) -> tuple[str, int]:
    """In which part of the list a page begins, and below which id."""
    if not cursor:
        return _UNREAD, MOST_ID
    part, number = cursor[:1], cursor[1:]
    if part not in (_UNREAD, _READ) or not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise _bad("cursor", cursor, Text("请用上一页给出的 next。", "Use the 'next' of the page before."))
    return part, int(number)


def _bad(name: str, value: object, hint: Text) -> BadInput:
    said = Text("{name} 不能为「{value}」。", "{name} cannot be {value!r}.", name=name, value=str(value)[:60])
    return BadInput(Problem(said, hint, column=name))


def newest_id() -> int:
    """The id of the newest notice; 0 where there is none."""
    return Notice.objects.order_by("-id").values_list("id", flat=True).first() or 0


def of_id(own: Mine, pk: int) -> list[dict[str, Any]]:
    """Somebody's own notice of an id, or none."""
    if not 0 < pk < MOST_ID:
        return []
    return [dict(row) for query in own.each() for row in query.filter(id=pk).values()]
