"""Who calls: a program with a token, a person with a session, or anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from yiwang.server.common.language import say
from yiwang.server.people.operations import ACT, READ, REPORT
from yiwang.server.people.queries import user_of_token

_SAFE = {"GET", "HEAD", "OPTIONS"}


class Token(HttpBearer):
    """``Authorization: Bearer TOKEN``. A token that is not valid, or not for this, is refused, never taken for nobody."""

    openapi_description = "A token from `yiwang token create`, with the scope that the call needs."

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Any | None:
        if "Authorization" not in request.headers:
            return None
        found = super().__call__(request)
        if found is None:
            raise HttpError(401, say("令牌不存在、已过期或已撤销。", "The token is unknown, expired or revoked."))
        if self.scope not in found.scopes:
            raise HttpError(
                403,
                say(
                    "这个令牌不能用于此处：需要权限范围「{scope}」。",
                    "The token is not for this: it needs the scope {scope!r}.",
                    scope=self.scope,
                ),
            )
        return found

    def authenticate(self, request: HttpRequest, token: str) -> Any | None:
        return user_of_token(token.strip())


class Session(APIKeyCookie):
    """The session of somebody who signed in on the pages; unsafe calls need the CSRF token too."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # checked below, only where there is a session to protect

    def authenticate(self, request: HttpRequest, key: str | None) -> Any | None:
        if not key or not request.user.is_authenticated:
            return None
        if request.method not in _SAFE and check_csrf(request) is not None:
            raise HttpError(403, say("缺少 CSRF 令牌，或令牌不对。", "The CSRF token is missing or wrong."))
        return request.user


def caller_of(request: HttpRequest) -> Any:
    """Who makes a call of the API: the account of its token or session, or `AnonymousUser` where anybody may call.

    Django Ninja leaves it on the request, which Django's type knows nothing of.
    """
    return getattr(request, "auth", None) or AnonymousUser()


def anybody(request: HttpRequest) -> Any:
    """Nobody in particular may call this too."""
    return AnonymousUser()


ACTING = [Token(ACT), Session()]
ANYBODY: list[Callable[..., Any]] = [Token(READ), Session(), anybody]
REPORTING: list[Callable[..., Any]] = [Token(REPORT), Session(), anybody]
SIGNED_IN = [Token(READ), Session()]
