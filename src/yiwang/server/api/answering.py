"""How answers are rendered and bodies read: orjson, both ways."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from ninja.types import DictStrAny

from yiwang.server.people.callers import caller_of

_OPTIONS = orjson.OPT_NON_STR_KEYS


class OrjsonRenderer(BaseRenderer):
    """For the answers that are not ready-made."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data, option=_OPTIONS, default=str)


class OrjsonParser(Parser):
    """Stricter than the standard library: no NaN, no lone surrogates."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        parsed: DictStrAny = orjson.loads(request.body)
        return parsed


def not_modified(if_none_match: str, tag: str) -> HttpResponse | None:
    """The answer 304 when the caller has what the tag names, compared weakly (RFC 9110, section 8.8.3.2); else None."""
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return HttpResponse(status=304, headers={"ETag": tag}) if tag.removeprefix("W/") in known else None


def for_reader(request: HttpRequest, data: Any, *, seq: int | None = None, if_none_match: str = "") -> HttpResponse:
    """An answer that depends on who asks, and on what moderators have decided since.

    The entity tag covers every byte of it, after the case's last event where there is one case (``"12-9f86d081"``): words that
    have been withheld, or rights that have been taken, make another tag. No cache may give it to anybody else.

    Args:
        request: The call.
        data: The answer.
        seq: Number of the case's last event, which ``If-Match`` of a verb compares.
        if_none_match: Tags that the caller has.
    """
    content = orjson.dumps(data, option=_OPTIONS, default=str)
    digest = hashlib.sha256(content).hexdigest()[:16]
    tag = f'"{digest}"' if seq is None else f'"{seq}-{digest}"'
    response = not_modified(if_none_match, tag) or HttpResponse(content, content_type="application/json")
    response["ETag"] = tag
    signed_in = caller_of(request).is_authenticated
    response["Cache-Control"] = "private, no-cache" if signed_in else "no-cache"
    response["Vary"] = "Authorization, Cookie"
    return response


def ready(data: Any, *, status: int = 200, **headers: str) -> HttpResponse:
    """An answer that needs no validation, since our own code made it from checked data."""
    response = HttpResponse(orjson.dumps(data, option=_OPTIONS), status=status, content_type="application/json")
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response
