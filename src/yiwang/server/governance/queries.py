"""Reads of administration: accounts with their posts, changes of rules, the record of reads of personal data."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.governance.models import RuleChange
from yiwang.server.people.models import AccountChange, PersonalDataRead, RoleAssignment, User
from yiwang.server.people.roles import GOVERNING, OTHER

PAGE_SIZE = 50
MOST_PEOPLE = 2000


def roles_of(place: CityRuntime) -> dict[str, Text]:
    """Every post that can be given in a city, by id: the workflow's roles, then the governing ones."""
    roles = {role.id: role.name for role in place.rules.workflow.roles.values()}
    roles.pop("system", None)
    for role in place.rules.workflow.outside_roles():  # everybody has it
        roles.pop(role, None)
    return {**roles, **GOVERNING, **OTHER}


def assignment(row: RoleAssignment, place: CityRuntime, roles: dict[str, Text]) -> dict[str, Any]:
    """A post in words."""
    unit, region = place.rules.units.get(row.unit), place.regions.get(row.region) if row.region else None
    return {
        "id": row.pk,
        "role": row.role,
        "role_name": named(roles.get(row.role) or place.rules.workflow.roles.get(row.role)) or row.role,
        "unit": row.unit,
        "unit_name": named(unit) if unit else row.unit,
        "region": row.region,
        "region_name": named(region) if region else row.region,
    }


def people(place: CityRuntime, *, q: str, role: str, page: int) -> tuple[list[dict[str, Any]], bool]:
    """A page of accounts with a post in the city, by user name; and whether there are more."""
    query = User.objects.filter(assignments__city=place.info.id)
    if role:
        query = query.filter(assignments__role=role, assignments__city=place.info.id)
    if q:
        query = query.filter(
            Q(username__contains=q.casefold()) | Q(display_name__contains=q) | Q(display_name_en__icontains=q)
        )
    start = (page - 1) * PAGE_SIZE
    users = list(query.distinct().order_by("username")[start : start + PAGE_SIZE + 1])
    shown, roles = users[:PAGE_SIZE], roles_of(place)
    held = defaultdict(list)
    for row in RoleAssignment.objects.filter(user__in=shown, city=place.info.id).order_by("id"):
        held[row.user_id].append(assignment(row, place, roles))
    return [{"account": user, "posts": held[user.pk]} for user in shown], len(users) > PAGE_SIZE


def holders(city: str) -> Counter[str]:
    """How many accounts that can sign in hold each role."""
    rows = RoleAssignment.objects.filter(city=city, user__is_active=True).values_list("role", "user_id").distinct()
    return Counter(role for role, _ in rows)


def candidates(city: str) -> list[tuple[User, list[RoleAssignment]]]:
    """Everybody with a post in a city who can sign in, with the posts."""
    found: dict[int, tuple[User, list[RoleAssignment]]] = {}
    rows = (
        RoleAssignment.objects.filter(city=city, user__is_active=True)
        .select_related("user")
        .order_by("user__username", "id")
    )
    for row in rows[:MOST_PEOPLE]:
        found.setdefault(row.user_id, (row.user, []))[1].append(row)
    return list(found.values())


def changes(city: str) -> QuerySet[RuleChange]:
    """Changes of a city's rules, the newest first."""
    return RuleChange.objects.filter(city=city).select_related("author", "approver").order_by("-id")


def reads(
    city: str, *, user: str, subject: str, since: datetime | None, before: int | None
) -> tuple[list[PersonalDataRead], int | None]:
    """A page of the record of reads, the newest first, and where the next one begins."""
    query = PersonalDataRead.objects.filter(city=city).select_related("user").order_by("-id")
    if user:
        query = query.filter(user__username=user.casefold())
    if subject:
        query = query.filter(subject__contains=subject)
    if since:
        query = query.filter(at__gte=since)
    if before:
        query = query.filter(pk__lt=before)
    found = list(query[: PAGE_SIZE + 1])
    return found[:PAGE_SIZE], found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None


def account_changes(city: str, *, subject: User | None = None) -> list[AccountChange]:
    """What was done to accounts, the newest first."""
    query = AccountChange.objects.select_related("actor", "subject").order_by("-id")
    query = query.filter(subject=subject) if subject else query.filter(city=city)
    return list(query[:PAGE_SIZE])


def holders_by_unit(city: str) -> Counter[str]:
    """How many accounts that can sign in have a post at each unit."""
    rows = RoleAssignment.objects.filter(city=city, user__is_active=True).values_list("unit", "user_id").distinct()
    return Counter(unit for unit, _ in rows)
