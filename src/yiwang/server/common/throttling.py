"""Holds back who calls too often. Counted in the database, so that every worker knows; addresses are kept as hashes only."""

from __future__ import annotations

import hashlib
import logging
import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.common.models import Attempts

log = logging.getLogger("yiwang.throttling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many calls of a kind within a window."""

    kind: str
    most: int
    window: timedelta


class TooOften(Refusal):
    """More calls than the limit allows; ``seconds`` are to pass."""

    code = "too-many"

    def __init__(self, wait: timedelta, text: Text | None = None, *, field: str = "") -> None:
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        minutes = math.ceil(self.seconds / 60)
        usual = Text(
            "太频繁了，请过 {minutes} 分钟再试。",
            "That was too often; try again in {minutes} minutes.",
            minutes=minutes,
        )
        super().__init__(text or usual, field=field)


@dataclass(frozen=True, slots=True)
class Caller:
    """From where somebody without an account calls.

    Attributes:
        network: What their address is counted as, see :func:`network`.
    """

    network: str

    @property
    def pseudonym(self) -> str:
        """The network as a keyed hash: it tells callers apart and tells nobody where they are."""
        return salted_hmac("yiwang.caller", self.network, algorithm="sha256").hexdigest()[:22]


def stranger(request: HttpRequest) -> Caller | None:
    """Who calls without an account; None for an account."""
    user = getattr(request, "auth", None) or request.user
    return None if getattr(user, "is_authenticated", False) else caller(request)


def caller(request: HttpRequest) -> Caller:
    """Who calls, by network: an IPv4 address, or the /64 of an IPv6 address, which is what one household has.

    Behind our own proxy (`YIWANG_HTTPS`) it is the address that the proxy saw, the last in ``X-Forwarded-For``.
    """
    forwarded = request.headers.get("X-Forwarded-For", "")
    if forwarded and not settings.YIWANG_HTTPS:
        _warn_of_proxy()
        forwarded = ""
    return Caller(network(forwarded.rsplit(",", 1)[-1].strip() or str(request.META.get("REMOTE_ADDR", ""))))


@lru_cache(maxsize=1)
def _warn_of_proxy() -> None:
    log.warning(
        "A request came with X-Forwarded-For, so there is a proxy in front, but YIWANG_HTTPS is not set: all citizens are "
        "counted as one address and will hold each other back. Set YIWANG_HTTPS=1 where our own proxy ends TLS."
    )


def network(address: str) -> str:
    """What an address is counted as; an address that is none is counted as it is written."""
    try:
        found = ip_address(address.strip("[]"))
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


def check(limit: Limit, who: str) -> None:
    """Refuse when the limit is used up, without counting.

    Raises:
        TooOften: With the time to wait.
    """
    row = Attempts.objects.filter(key=_key(limit, who)).values_list("count", "since").first()
    if row and row[0] >= limit.most and (left := row[1] + limit.window - timezone.now()) > timedelta(0):
        raise TooOften(left)


def count(limit: Limit, who: str, times: int = 1) -> None:
    """Count a call, or one that stands for several."""
    key, now = _key(limit, who), timezone.now()
    Attempts.objects.filter(key=key, since__lte=now - limit.window).update(count=0, since=now)
    if not Attempts.objects.filter(key=key).update(count=F("count") + times):
        row, made = Attempts.objects.get_or_create(key=key, defaults={"count": times, "since": now})
        if not made:
            Attempts.objects.filter(pk=row.pk).update(count=F("count") + times)


def slow_down(limit: Limit, who: str, times: int = 1) -> None:
    """Count a call, or one that stands for several, or refuse it.

    Raises:
        TooOften: With the time to wait.
    """
    if limit.most:
        check(limit, who)
        count(limit, who, times)


def slow_reports(caller: Caller) -> None:
    """Hold back an address that reports too often: as many in a minute as the setting allows, at whichever entrance.

    Raises:
        TooOften: With the time to wait.
    """
    slow_down(_reports(), caller.network)


def check_reports(caller: Caller) -> None:
    """Refuse an address that may not report now, without counting: before its pictures are read.

    Raises:
        TooOften: With the time to wait.
    """
    if (limit := _reports()).most:
        check(limit, caller.network)


def _reports() -> Limit:
    return Limit(kind="report", most=settings.YIWANG_REPORTS_PER_MINUTE, window=timedelta(minutes=1))


def forget(*, older_than: timedelta) -> int:
    """Throw away counts that hold nobody back any more; how many."""
    return Attempts.objects.filter(since__lt=timezone.now() - older_than).delete()[0]


def _key(limit: Limit, who: str) -> str:
    return f"{limit.kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
