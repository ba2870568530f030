"""How often one address may do what costs something, and the frame that the portal's views share."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest

from yiwang.server.common import throttling
from yiwang.server.common.throttling import Limit

TEN, DAY = timedelta(minutes=10), timedelta(days=1)
GUESS = Limit(kind="portal-guess", most=10, window=TEN)
IDEA = Limit(kind="portal-idea", most=5, window=TEN)
COMMENT = Limit(kind="portal-comment", most=10, window=TEN)
SUPPORT = Limit(kind="portal-support", most=60, window=TEN)
SUPPORT_IDEA = Limit(kind="portal-support-idea", most=5, window=DAY)  # a household behind one address, not a crowd
FLAG = Limit(kind="portal-flag", most=10, window=TEN)
DOWNLOAD = Limit(kind="portal-download", most=60, window=TEN)
MAIL = Limit(kind="portal-mail", most=5, window=TEN)  # to one address, so that nobody is flooded through us


def slow(request: HttpRequest, limit: Limit, *, about: str = "") -> None:
    """Hold back an address."""
    throttling.slow_down(limit, f"{throttling.caller(request).network}|{about}")
