"""How answers are rendered and bodies read: orjson, both ways."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from ninja.types import DictStrAny

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


def unchanged(if_none_match: str, tag: str) -> HttpResponse | None:
    """The answer 304 when the caller has what the tag names, compared weakly (RFC 9110, section 8.8.3.2); else None."""
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return HttpResponse(status=304, headers={"ETag": tag}) if tag.removeprefix("W/") in known else None


def ready(data: Any, *, status: int = 200, **headers: str) -> HttpResponse:
    """An answer that needs no validation, since our own code made it from checked data."""
    response = HttpResponse(orjson.dumps(data, option=_OPTIONS), status=status, content_type="application/json")
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response
