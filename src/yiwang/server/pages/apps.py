from __future__ import annotations

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "yiwang.server.pages"
    label = "pages"
