from __future__ import annotations

from django.apps import AppConfig


class CentreConfig(AppConfig):
    name = "yiwang.server.centre"
    label = "centre"
