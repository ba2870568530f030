from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "yiwang.server.portal"
    label = "portal"
