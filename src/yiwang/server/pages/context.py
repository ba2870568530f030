"""What every page knows besides its own matter: the cities there are, and the version of the software."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from django.http import HttpRequest

from yiwang.server.cities.queries import cities

VERSION = version("yiwang")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context processor. The view that knows the city gives ``city``."""
    return {"cities": cities(), "yiwang_version": VERSION}
