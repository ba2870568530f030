"""What a helping process does first. It imports nothing of Django, since it is looked up before Django is set up."""

from __future__ import annotations


def begin(parent: int, city: str, origin: str, quiet: bool) -> None:
    """Set Django up in a spawned process, then let `many_hands` remember what it is to do."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
    django.setup()
    from yiwang.server.imports import many_hands

    many_hands.begin(parent, city, origin, quiet)
