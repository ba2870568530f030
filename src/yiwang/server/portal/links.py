"""Secret links: who has one is who reported. Only a keyed hash of the secret is kept, and comparing takes the same time always.

The secret is in the address once: opening the link exchanges it for a signed cookie and leads on to an address without it.
Messages carry a signed ticket of their own, which expires and dies with the secret.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from yiwang.server.portal.models import Follow

COOKIE = "yw-follow"
VISITOR = "yw-visitor"
HELD_FOR = timedelta(days=60)
TICKET_FOR = timedelta(days=180)
VISITOR_FOR = timedelta(days=400)
MOST_HELD = 20
LONGEST_SECRET = 100
NEWS, STOP = "news", "stop"  # what a ticket is for


def new_secret() -> str:
    """128 random bits, as they stand in a link."""
    return secrets.token_urlsafe(16)


def uid_of(key: str) -> str:
    """The name of a reporter, the same for the same form sent twice."""
    return salted_hmac("yiwang.portal.uid", key, algorithm="sha256").hexdigest()[:22]


def digest_of(secret: str, *, uid: str) -> str:
    """The keyed hash that is kept of a secret."""
    return salted_hmac("yiwang.portal.secret", f"{uid}:{secret}", algorithm="sha256").hexdigest()


def address_digest(email: str) -> str:
    """The keyed hash of an e-mail address."""
    return salted_hmac("yiwang.portal.address", email.strip().casefold(), algorithm="sha256").hexdigest()


def fits(follow: Follow, secret: str) -> bool:
    """Whether a secret is that of a report."""
    offered = digest_of(secret[:LONGEST_SECRET], uid=follow.uid)
    return constant_time_compare(offered, follow.digest)


# --- the cookie that stands for the links opened on this device ---------------------------------------------------


def opened_uids(request: HttpRequest) -> list[str]:
    """Names of the reporters whose links were opened on this device."""
    try:
        text = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=HELD_FOR) or ""
    except signing.BadSignature:
        return []
    return [uid for uid in text.split(".") if uid][:MOST_HELD]


def hold(request: HttpRequest, response: HttpResponse, uid: str) -> None:
    """Remember on this device that a link was opened."""
    uids = [uid, *(other for other in opened_uids(request) if other != uid)][:MOST_HELD]
    _set(response, COOKIE, ".".join(uids), HELD_FOR)


def forget_all(response: HttpResponse) -> None:
    """Forget on this device every link that was opened."""
    response.delete_cookie(COOKIE, samesite="Lax")


def visitor(request: HttpRequest) -> str:
    """The random name of this browser; empty when it has none yet."""
    try:
        return request.get_signed_cookie(VISITOR, default="", salt=VISITOR, max_age=VISITOR_FOR) or ""
    except signing.BadSignature:
        return ""


def name_visitor(response: HttpResponse, name: str) -> None:
    """Give this browser its random name."""
    _set(response, VISITOR, name, VISITOR_FOR)


def person(request: HttpRequest) -> tuple[str, str]:
    """Who this is among supporters and commentators, and the browser's random name, made if it is missing."""
    if request.user.is_authenticated:
        return f"user:{request.user.pk}", ""
    name = visitor(request) or secrets.token_urlsafe(12)
    return f"visitor:{salted_hmac('yiwang.portal.visitor', name, algorithm='sha256').hexdigest()[:40]}", name


def _set(response: HttpResponse, name: str, value: str, age: timedelta) -> None:
    response.set_signed_cookie(
        name, value, salt=name, max_age=age, httponly=True, samesite="Lax", secure=settings.YIWANG_HTTPS
    )


# --- links and tickets --------------------------------------------------------------------------------------------


def secret_path(follow: Follow, secret: str) -> str:
    """Path of the secret link."""
    return reverse("portal-open", args=[follow.city, follow.report, secret])


def origin(request: HttpRequest) -> str:
    """Scheme and host for links that people keep: as set, else as this request came."""
    return str(settings.YIWANG_PUBLIC_URL).rstrip("/") or f"{request.scheme}://{request.get_host()}"


def ticket(follow: Follow, purpose: str) -> str:
    """A signed ticket for a message."""
    return signing.dumps([follow.uid, follow.digest[:16]], salt=f"yiwang.portal.{purpose}", compress=False)


def of_ticket(text: str, purpose: str) -> Follow | None:
    """The report of a ticket; None when it is not one of ours, has expired, or its secret has been renewed."""
    try:
        uid, digest = signing.loads(text, salt=f"yiwang.portal.{purpose}", max_age=TICKET_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    follow = Follow.objects.filter(uid=uid).first()
    return follow if follow and constant_time_compare(follow.digest[:16], str(digest)) else None


def absolute(follow: Follow, path: str) -> str:
    """An address for a message; empty when nobody said under which host this site is reached.

    Without a mail server messages are written to the log, which is no place for a ticket either.
    """
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        return ""
    base = str(settings.YIWANG_PUBLIC_URL).rstrip("/") or follow.origin
    return f"{base}{path}" if urlsplit(base).scheme in {"http", "https"} else ""
