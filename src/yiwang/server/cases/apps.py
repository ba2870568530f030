from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "yiwang.server.cases"
    label = "cases"

    def ready(self) -> None:
        from yiwang.server.cases.reading.fact_source import SOURCE
        from yiwang.server.cases.reading.stream import EVENTS
        from yiwang.server.ledger import api as ledger
        from yiwang.server.places import fact_sources

        fact_sources.register(SOURCE)
        ledger.register(EVENTS)
