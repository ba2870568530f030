from __future__ import annotations

from django.apps import AppConfig


class CasepageConfig(AppConfig):
    name = "yiwang.server.casepage"
    label = "casepage"
