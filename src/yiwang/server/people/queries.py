"""Reads accounts, roles and tokens."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import Q
from django.utils import timezone

from yiwang.server.people.models import ApiToken, RoleAssignment, User

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
    """The account of a valid token."""
    if not token or len(token) > 200:
        return None
    now = timezone.now()
    found = (
        ApiToken.objects.select_related("user")
        .filter(digest=token_digest(token), revoked_at=None, user__is_active=True)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .first()
    )
    return found.user if found else None
