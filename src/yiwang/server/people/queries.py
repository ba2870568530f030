"""Reads accounts, roles and tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils import timezone

from yiwang.server.common.language import say
from yiwang.server.common.selecting import columns, select
from yiwang.server.people.models import RoleAssignment, User

# in the order of the model's fields, in which `from_db` takes values whatever the order of the names
ACCOUNT = ("id", "is_superuser", "username", "is_staff", "is_active", "display_name", "display_name_en", "demo")
POST = ("city", "unit", "region", "role")
DEMO_PASSWORD = "yiwang-demo"  # noqa: S105 - shown on the sign-in page of demonstrations


def demo_people() -> list[dict[str, Any]]:
    """Demonstration accounts with the role of each, city by city."""
    rows = (
        RoleAssignment.objects.filter(user__demo=True, user__is_active=True)
        .order_by("city", "id")
        .values("city", "role", "unit", "region", "user__username", "user__display_name", "user__display_name_en")
    )
    return [
        {
            "city": row["city"],
            "role": row["role"],
            "unit": row["unit"],
            "region": row["region"],
            "username": row["user__username"],
            "name": row["user__display_name"],
            "name_en": row["user__display_name_en"],
        }
        for row in rows
    ]


def token_digest(token: str) -> str:
    """What is kept of a token. Tokens are 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def user_of_token(token: str) -> User | None:
    """The account of a valid token, with the posts that it holds: one query, since every call of a program makes it."""
    return user_of_token_digest(token_digest(token)) if token and len(token) <= 200 else None


def user_of_token_digest(digest: str) -> User | None:
    """The account of a valid token of which only `token_digest` is known: its text was seen when a connection was made."""
    user, posts = columns(User, ACCOUNT), columns(RoleAssignment, POST)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT people_apitoken.scopes, {user}, {posts} FROM people_apitoken "  # noqa: S608 - names of our own models
            "JOIN people_user ON people_user.id = people_apitoken.user_id "
            "LEFT JOIN people_roleassignment ON people_roleassignment.user_id = people_user.id "
            "WHERE people_apitoken.digest = %s AND people_apitoken.revoked_at IS NULL AND people_user.is_active "
            "AND (people_apitoken.expires_at IS NULL OR people_apitoken.expires_at > %s) "
            "ORDER BY people_roleassignment.id",
            [digest, connection.ops.adapt_datetimefield_value(timezone.now())],
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    width = len(ACCOUNT)
    found = User.from_db(connection.alias, ACCOUNT, rows[0][1 : width + 1])
    found.scopes = frozenset(rows[0][0].split())
    found.posts = [row[width + 1 :] for row in rows if row[width + 1] is not None]
    return found


def people_at(*, city: str, unit: str) -> list[User]:
    """Who holds a post at a unit and can sign in, by name."""
    return list(
        User.objects.filter(assignments__city=city, assignments__unit=unit, is_active=True)
        .distinct()
        .order_by("display_name", "username")
    )


def staff_of(*, city: str, most: int) -> list[User]:
    """Who holds a post in a city and can sign in, by name, each with their posts; at most so many. Two queries."""
    found = User.objects.filter(assignments__city=city, is_active=True).distinct().order_by("display_name", "username")
    people = list(found[:most])
    rows = RoleAssignment.objects.filter(user__in=[one.pk for one in people]).order_by("id")
    by_person: dict[int, list[tuple[str, ...]]] = {one.pk: [] for one in people}
    for person, *post in rows.values_list("user_id", *POST):
        by_person[person].append(tuple(post))
    for one in people:
        one.posts = by_person[one.pk]
    return people


def names_of(ids: Iterable[str]) -> dict[str, str]:
    """Names of accounts by the id that history has of them (``user:7``); what is no account is left out."""
    keys = {int(one.removeprefix("user:")) for one in ids if one.startswith("user:") and one[5:].isdecimal()}
    found = User.objects.filter(pk__in=keys).only("username", "display_name", "display_name_en") if keys else ()
    return {f"user:{user.pk}": name_of(user) for user in found}


def name_of(user: User) -> str:
    """What an account is called in the language of the page."""
    name = user.display_name or user.username
    return say(name, user.display_name_en or name)


def posts_of(user: User, *, city: str) -> list[tuple[str, str, str]]:
    """Unit, region and role of every post that somebody holds in a city, in the order in which they were given."""
    if user.posts is None:
        tail = "WHERE user_id = %s ORDER BY id"
        user.posts = select(RoleAssignment, POST, tail, [user.pk])
    return [(unit, region, role) for of, unit, region, role in user.posts if of == city]
