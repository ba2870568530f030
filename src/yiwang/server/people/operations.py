"""Writes accounts, roles and tokens."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.server.people.models import ApiToken, RoleAssignment, User
from yiwang.server.people.queries import token_digest

TOKEN_PREFIX = "yw_"  # noqa: S105 - lets scanners recognise a leaked token


def create_token(*, user: str, name: str = "", days: int | None = None) -> str:
    """Make a token for a program and give its text, which is not kept.

    Raises:
        BadInput: When there is no such account.
    """
    account = User.objects.filter(username=user, is_active=True).first()
    if account is None:
        raise BadInput(Problem(f"There is no account {user!r}.", "Name one that can sign in.", column="user"))
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    expires = timezone.now() + timedelta(days=days) if days else None
    ApiToken.objects.create(user=account, name=name, digest=token_digest(text), expires_at=expires)
    return text


def revoke_tokens(*, user: str, name: str = "") -> int:
    """Make an account's tokens (of one name, or all) invalid; how many."""
    query = ApiToken.objects.filter(user__username=user, revoked_at=None)
    return (query.filter(name=name) if name else query).update(revoked_at=timezone.now())


def create_person(
    *,
    username: str,
    password: str | None,
    name: str,
    name_en: str,
    city: str,
    roles: dict[str, tuple[str, str]],
    demo: bool = False,
) -> tuple[User, bool]:
    """An account with roles in a city (role → unit, region), and whether it is new. An existing one keeps its password."""
    with transaction.atomic():
        user = User.objects.filter(username=username).first()
        made = user is None
        if user is None:
            user = User(username=username, display_name=name, display_name_en=name_en, demo=demo)
            user.set_password(password) if password else user.set_unusable_password()
            user.save()
        for role, (unit, region) in roles.items():
            RoleAssignment.objects.get_or_create(user=user, city=city, role=role, unit=unit, region=region)
    return user, made
