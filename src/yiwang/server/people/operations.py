"""Writes accounts, roles, tokens, and the record of who was shown personal data."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.people.models import AccountChange, ApiToken, PersonalDataRead, RoleAssignment, User
from yiwang.server.people.queries import token_digest

TOKEN_PREFIX = "yw_"  # noqa: S105 - lets scanners recognise a leaked token
READ, REPORT, ACT = SCOPES = ("read", "report", "act")
TOKEN_DAYS, MOST_TOKEN_DAYS = 365, 3660
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,59}")
MOST_SUBJECTS = 200  # of one view that are named; ``count`` says how many there were


def create_token(*, user: str, name: str = "", days: int = TOKEN_DAYS, scopes: Iterable[str] = SCOPES) -> str:
    """Make a token for a program and give its text, which is not kept.

    Args:
        user: Account for which the program acts.
        name: What it is for.
        days: How long it is valid.
        scopes: Which of `SCOPES` it may be used for.

    Raises:
        BadInput: When there is no such account or scope, or it would last too long.
    """
    wanted = frozenset(scopes)
    if not wanted or wanted - set(SCOPES):
        unknown = ", ".join(sorted(wanted - set(SCOPES))) or "nothing"
        raise BadInput(
            Problem(
                Text("令牌不能用于 {unknown}。", "A token cannot be for {unknown}.", unknown=unknown),
                Text("可选：{scopes}。", "Some of {scopes}.", scopes=", ".join(SCOPES)),
                column="scopes",
            )
        )
    if not 1 <= days <= MOST_TOKEN_DAYS:
        raise BadInput(
            Problem(
                Text("令牌有效期不能为 {days} 天。", "A token cannot last {days} days.", days=days),
                Text("应为 1 到 {most_token_days} 天。", "1 to {most_token_days}.", most_token_days=MOST_TOKEN_DAYS),
                column="days",
            )
        )
    account = User.objects.filter(username=user, is_active=True).first()
    if account is None:
        raise BadInput(
            Problem(
                Text("没有账号「{user}」。", "There is no account {user!r}.", user=user),
                Text("请写一个可以登录的账号。", "Name one that can sign in."),
                column="user",
            )
        )
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=account,
        name=name,
        digest=token_digest(text),
        expires_at=timezone.now() + timedelta(days=days),
        scopes=" ".join(scope for scope in SCOPES if scope in wanted),
    )
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


# --- accounts, changed by an administrator ------------------------------------------------------------------------


def add_account(
    *, actor: User, city: str, username: str, name: str, name_en: str, role: str, unit: str, region: str
) -> tuple[User, str]:
    """A new account with one role, and its first password, which is shown once and must be changed at the first sign-in.

    Raises:
        BadInput: When the name is taken or no name.
    """
    username = username.strip().casefold()
    if not USERNAME.fullmatch(username):
        raise BadInput(
            Problem(
                Text("「{username}」不能作用户名。", "{username!r} cannot be a user name.", username=username),
                Text(
                    "应为 3 到 60 个小写字母、数字、点、短横或下划线。",
                    "3 to 60 small letters, digits, dots, dashes or underscores.",
                ),
                column="username",
            )
        )
    if not name.strip():
        raise BadInput(
            Problem(
                Text("账号没有姓名。", "The account has no name."),
                Text("请填写本人姓名。", "Write the person's name."),
                column="name",
            )
        )
    password = new_password()
    with transaction.atomic():
        if User.objects.filter(username=username).exists():
            raise BadInput(
                Problem(
                    Text("用户名「{username}」已有人用。", "The user name {username!r} is taken.", username=username),
                    Text("请换一个。", "Choose another."),
                    column="username",
                )
            )
        user = User(
            username=username,
            display_name=name.strip()[:80],
            display_name_en=name_en.strip()[:80],
            must_change_password=True,
        )
        user.set_password(password)
        user.save()
        _log(actor=actor, subject=user, city=city, action="create", detail={"username": username})
        give_role(actor=actor, account=user, city=city, role=role, unit=unit, region=region)
    return user, password


def new_password() -> str:
    """A password that can be read out over the telephone: about 80 random bits in groups of four."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def set_active(*, actor: User, account: User, city: str, active: bool) -> None:
    """Let an account sign in, or no longer. Its open sessions end with the next request, its tokens at once."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=account.pk)
        if row.is_active == active:
            return
        row.is_active = active
        row.save(update_fields=["is_active"])
        if not active:
            _end_tokens(row)
        _log(actor=actor, subject=row, city=city, action="enable" if active else "disable", detail={})


def reset_password(*, actor: User, account: User, city: str) -> str:
    """A new password, shown once; it must be changed at the next sign-in. Open sessions and tokens of the account end."""
    password = new_password()
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=account.pk)
        row.set_password(password)
        row.must_change_password = True
        row.save(update_fields=["password", "must_change_password"])
        _end_tokens(row)
        _log(actor=actor, subject=row, city=city, action="password", detail={})
    return password


def change_own_password(*, user: User, old: str, new: str) -> None:
    """Somebody changes their own password. Their other sessions and their tokens end: a password is changed when it is known.

    Raises:
        BadInput: When the old one is wrong or the new one too weak, with every reason.
    """
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        if not row.check_password(old):
            raise BadInput(
                Problem(
                    Text("现有密码不对。", "The present password is wrong."),
                    Text("请重新输入。", "Type it again."),
                    column="old",
                )
            )
        try:
            validate_password(new, row)
        except ValidationError as error:
            # the framework says them in the reader's language
            raise BadInput(Problem(Text(message, message), column="new") for message in error.messages) from error
        if new == old:
            raise BadInput(
                Problem(
                    Text("新密码与旧密码相同。", "The new password is the old one."),
                    Text("请换一个。", "Choose another."),
                    column="new",
                )
            )
        row.set_password(new)
        row.must_change_password = False
        row.save(update_fields=["password", "must_change_password"])
        _end_tokens(row)
        _log(actor=row, subject=row, city="", action="own_password", detail={})


def _end_tokens(user: User) -> None:
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())


def give_role(*, actor: User | None, account: User, city: str, role: str, unit: str = "", region: str = "") -> bool:
    """Give an account a role at a unit, within a region (empty: the whole city); False when it has it already."""
    with transaction.atomic():
        _, made = RoleAssignment.objects.get_or_create(user=account, city=city, role=role, unit=unit, region=region)
        if made:
            detail = {"role": role, "unit": unit, "region": region}
            _log(actor=actor, subject=account, city=city, action="give_role", detail=detail)
    return made


def take_role(*, actor: User, account: User, city: str, assignment: int) -> bool:
    """Take a role away; False when it is gone already."""
    with transaction.atomic():
        row = RoleAssignment.objects.select_for_update().filter(pk=assignment, user=account, city=city).first()
        if row is None:
            return False
        detail = {"role": row.role, "unit": row.unit, "region": row.region}
        row.delete()
        _log(actor=actor, subject=account, city=city, action="take_role", detail=detail)
    return True


def _log(*, actor: User | None, subject: User, city: str, action: str, detail: dict[str, Any]) -> None:
    AccountChange.objects.create(actor=actor, subject=subject, city=city, action=action, detail=detail)


def remember_tour(*, user: User, tour: str) -> None:
    """That somebody took a tour, or does not want it."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        if tour not in row.tours:
            row.tours = [*row.tours, tour][-50:]
            row.save(update_fields=["tours"])


# --- personal data ------------------------------------------------------------------------------------------------


def log_read(*, user: Any, city: str, subject: str | Iterable[str], what: str | Iterable[str], purpose: str) -> None:
    """Record that a view showed somebody personal data: one row per view, however many people it showed.

    Call it before the page is sent, in the view that shows the data in clear; masked data (`people.masking`) needs none.

    Args:
        user: Who sees it; nobody signed in sees none, so that is a mistake of the caller.
        city: City.
        subject: Number of the case or report, or several.
        what: Which data, e.g. ``contact``, or several.
        purpose: For what, e.g. ``handling the case``.
    """
    subjects = [subject] if isinstance(subject, str) else list(dict.fromkeys(subject))
    if not subjects:
        return
    PersonalDataRead.objects.create(
        user_id=user.pk,
        city=city,
        subject=" ".join(subjects[:MOST_SUBJECTS]),
        what=(what if isinstance(what, str) else ", ".join(what))[:120],
        purpose=purpose[:200],
        count=len(subjects),
    )


# --- housekeeping -------------------------------------------------------------------------------------------------


def forget_sessions() -> int:
    """Remove sessions that have expired; how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
