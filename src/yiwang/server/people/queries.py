"""Reads accounts, roles and tokens."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import connection
from django.utils import timezone

from yiwang.server.common.selecting import columns, select
from yiwang.server.people.models import RoleAssignment, User

ACCOUNT = ("id", "username", "display_name", "display_name_en", "is_active", "is_staff", "is_superuser", "demo")
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
    if not token or len(token) > 200:
        return None
    user, posts = columns(User, ACCOUNT), columns(RoleAssignment, POST)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT people_apitoken.scopes, {user}, {posts} FROM people_apitoken "  # noqa: S608 - names of our own models
            "JOIN people_user ON people_user.id = people_apitoken.user_id "
            "LEFT JOIN people_roleassignment ON people_roleassignment.user_id = people_user.id "
            "WHERE people_apitoken.digest = %s AND people_apitoken.revoked_at IS NULL AND people_user.is_active "
            "AND (people_apitoken.expires_at IS NULL OR people_apitoken.expires_at > %s) "
            "ORDER BY people_roleassignment.id",
            [token_digest(token), connection.ops.adapt_datetimefield_value(timezone.now())],
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    width = len(ACCOUNT)
    found = User.from_db(connection.alias, ACCOUNT, rows[0][1 : width + 1])
    found.scopes = frozenset(rows[0][0].split())
    found.posts = [row[width + 1 :] for row in rows if row[width + 1] is not None]
    return found


def posts_of(user: User, *, city: str) -> list[tuple[str, str, str]]:
    """Unit, region and role of every post that somebody holds in a city, in the order in which they were given."""
    if user.posts is None:
        tail = "WHERE user_id = %s ORDER BY id"
        user.posts = select(RoleAssignment, POST, tail, [user.pk])
    return [(unit, region, role) for of, unit, region, role in user.posts if of == city]
