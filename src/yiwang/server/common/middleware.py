"""A content security policy (our own scripts only, nothing inline, nothing from elsewhere but the base map), the
client's address behind proxies, and the size of what is sent to us."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

GetResponse = Callable[[HttpRequest], HttpResponse]


def policy(hosts: Sequence[str]) -> str:
    """The header's value; maps may ask some hosts."""
    tiles = "".join(f" {host}" for host in hosts)
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            f"img-src 'self' data: blob:{tiles}",
            f"connect-src 'self'{tiles}",
            # MapLibre, ECharts and the API's documentation set styles on elements
            "style-src 'self' 'unsafe-inline'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class ContentSecurityPolicy:
    """Sets the header unless a view has set its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.value = policy(settings.YIWANG_MAP_HOSTS)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.value)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(self)")
        return response


class UploadLimit:
    """Refuses a request whose body is larger than the settings allow before anything of it is read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        most = settings.YIWANG_UPLOAD_BYTES
        if size > most:
            # nobody knows the reader's language yet
            text = (
                f"请求太大：{size} 字节，最多 {most} 字节。\nThe request is too large: {size} bytes, at most {most}.\n"
            )
            return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class Readable:
    """Refuses what no database can hold as text (NUL, halves of characters) and bodies too large to be held in memory.

    Once for all requests: whether such a value ends in a filter, a form or a record, and whether the database minds (SQLite
    takes NUL, PostgreSQL does not), need not be known anywhere else.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            readable = _texts_are_fine(request)
        except RequestDataTooBig:
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return _plain(
                413, f"请求太大，最多 {most} 字节。", f"The request is too large: at most {most} bytes of text."
            )
        except (SuspiciousOperation, MultiPartParserError):
            return _plain(400, "请求无法读取。", "The request cannot be read.")
        if not readable:
            return _plain(
                400, "请求含有不能保存的字符（空字符）。", "The request has characters in it that cannot be kept (NUL)."
            )
        return self.get_response(request)


def _plain(status: int, zh: str, en: str) -> HttpResponse:
    # nobody knows the reader's language yet
    return HttpResponse(f"{zh}\n{en}\n", status=status, content_type="text/plain; charset=utf-8")


def _texts_are_fine(request: HttpRequest) -> bool:
    """Whether path, query and body hold only text that can be kept."""
    if (
        "\0" in request.path
        or "%00" in request.META.get("QUERY_STRING", "")
        or "\0" in request.META.get("QUERY_STRING", "")
    ):
        return False
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return True
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return all(_is_storable(text) for name, texts in request.POST.lists() for text in (name, *texts))
    body = request.body
    if b"\\u0000" not in body and b"\\ud" not in body.lower():
        return True
    try:
        return _is_storable(json.loads(body))
    except (ValueError, RecursionError):
        return True  # no JSON: whoever reads it says so


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return all(_is_storable(part) for pair in value.items() for part in pair)
    return all(_is_storable(part) for part in value) if isinstance(value, list) else True
