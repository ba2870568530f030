"""What `check --deploy` looks at before a site is opened to the public."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_proxy(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Behind a proxy that the site does not know of, every citizen has the proxy's address, and they hold each other back."""
    if settings.YIWANG_HTTPS:
        return []
    return [
        Warning(
            "YIWANG_HTTPS is not set, so X-Forwarded-For is not believed: behind a proxy all citizens are counted as one "
            "address, and share one allowance of reports and failed sign-ins.",
            hint="Set YIWANG_HTTPS=1 where our own proxy ends TLS; leave it where browsers reach the site directly.",
            id="yiwang.W001",
        )
    ]
