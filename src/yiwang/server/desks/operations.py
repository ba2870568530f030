"""What desks write: how somebody has theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.server.desks.models import DeskPreference


def keep_layout(*, user: Any, city: str, role: str, layout: str) -> None:
    """Show the desk as a list or as a board from now on."""
    DeskPreference.objects.update_or_create(user_id=user.pk, city=city, role=role, defaults={"layout": layout})


def read_all(*, user: Any, city: str, role: str, at: datetime) -> None:
    """What happened up to a moment counts as read at this desk."""
    DeskPreference.objects.update_or_create(user_id=user.pk, city=city, role=role, defaults={"read_before": at})
