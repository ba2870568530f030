"""The posts that govern a city: they change people and rules, never cases. The posts of the loop are the workflow's."""

from __future__ import annotations

from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.people.models import RoleAssignment

ADMINISTRATOR = "administrator"
APPROVER = "approver"
GOVERNING = {
    ADMINISTRATOR: Text("系统管理员", "Administrator"),
    APPROVER: Text("规则审批人", "Approver of rules"),
}
# posts outside the workflow that do no governing: who looks through what the public reads (portal.toml)
OTHER = {"moderator": Text("内容审核员", "Moderator")}


def posts(user: Any, *, city: str) -> frozenset[str]:
    """The governing posts that somebody holds in a city. The deployment's own staff hold all of them everywhere.

    A post counts for the whole city only: an assignment within one region governs nothing.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return frozenset()
    if user.is_superuser or user.is_staff:
        return frozenset(GOVERNING)
    held = RoleAssignment.objects.filter(user_id=user.pk, city=city, region="", role__in=GOVERNING)
    return frozenset(held.values_list("role", flat=True))


def governed_cities(user: Any) -> list[str]:
    """Cities in which somebody holds a governing post; ``*`` for the deployment's own staff."""
    if user.is_superuser or user.is_staff:
        return ["*"]
    held = RoleAssignment.objects.filter(user_id=user.pk, region="", role__in=GOVERNING)
    return sorted(set(held.values_list("city", flat=True)))


def may_change(administrator: Any, account: Any, *, city: str) -> bool:
    """Whether a city's administrator may change an account as a whole: it is not staff, and nobody in another city.

    Roles in one's own city can be given to anybody; disabling or resetting an account reaches into every city.
    """
    if administrator.is_superuser or administrator.is_staff:
        return True
    if account.is_superuser or account.is_staff:
        return False
    return not RoleAssignment.objects.filter(user_id=account.pk).exclude(city=city).exists()
