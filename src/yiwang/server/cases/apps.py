from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "yiwang.server.cases"
    label = "cases"

    def ready(self) -> None:
        from yiwang.server.cases.fact_source import SOURCE
        from yiwang.server.places.fact_sources import register

        register(SOURCE)
