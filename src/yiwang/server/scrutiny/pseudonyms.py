"""Pseudonyms of those who act: the same person the same word within one city of one site, and no way back without its key."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings

PERSON = "user:"  # how actors that are accounts begin; ``system``, ``nobody``, ``replay`` … are nobody
LENGTH = 12  # hex digits: two of a million accounts share a word with a chance of about one in 560


class Pseudonyms:
    """HMAC-SHA-256 (RFC 2104) under a key derived from the site's secret key, which never leaves the site.

    Args:
        city: The same account has another pseudonym in another city.
        reveal: Give the ids of accounts as they are instead.
    """

    def __init__(self, *, city: str, reveal: bool = False) -> None:
        secret = f"yiwang.scrutiny.actors:{city}:{settings.SECRET_KEY}"
        self._key = hashlib.sha256(secret.encode()).digest()
        self._reveal = reveal
        self._known: dict[str, str] = {}

    def __call__(self, actor: str) -> str:
        """The word for an actor."""
        if self._reveal or not actor.startswith(PERSON):
            return actor
        known = self._known.get(actor)
        if known is None:
            known = "p-" + hmac.new(self._key, actor.encode(), hashlib.sha256).hexdigest()[:LENGTH]
            self._known[actor] = known
        return known
