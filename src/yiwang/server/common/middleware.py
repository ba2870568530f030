"""A content security policy (our own scripts only, nothing inline, nothing from elsewhere but the base map's tiles), the
client's address behind proxies, and the size of what is sent to us."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


def policy(tiles_url: str) -> str:
    """The header's value."""
    parts = urlsplit(tiles_url)
    tiles = f" {parts.scheme}://{parts.netloc}" if tiles_url else ""
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
        self.value = policy(settings.YIWANG_TILES_URL)

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
