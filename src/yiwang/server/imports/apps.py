from __future__ import annotations

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "yiwang.server.imports"
    label = "imports"
