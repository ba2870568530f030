"""Periodic tasks of the cases, as the worker calls them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from yiwang.server.cases.storage import tallies
from yiwang.server.cases.storage.words import index_all as index_words
from yiwang.server.cases.writing import forgetting, outbox
from yiwang.server.cases.writing.outbox import forget as forget_sent
from yiwang.server.cases.writing.recounting import recount_all
from yiwang.server.cases.writing.tick import tick
from yiwang.server.cities.queries import cities
from yiwang.server.common.app import Stop, installed_apps

__all__ = ["drain", "forget_contacts", "forget_sent", "index_words", "recount_all", "sum_up_tallies", "tick"]


def drain(stop: Stop) -> None:
    """Tell everybody whom the apps bring of what has happened to cases."""
    correspondents = [correspondent for app in installed_apps() for correspondent in app.correspondents()]
    outbox.drain(correspondents=correspondents, stop=stop)


def sum_up_tallies() -> None:
    """Add up the counts that commands have written, city by city."""
    for info in cities():
        tallies.sum_up(city=info.id)


def forget_contacts() -> int:
    """Contacts of reporters, `YIWANG_CONTACT_DAYS` after the end of their case; 0 keeps them."""
    days = int(settings.YIWANG_CONTACT_DAYS)
    return forgetting.forget_contacts(older_than=timedelta(days=days)) if days else 0
