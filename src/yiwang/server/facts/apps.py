from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.server.common.app import Chore, JobWork, Stop, YiwangApp


class FactsConfig(YiwangApp):
    name = "yiwang.server.facts"
    label = "facts"
    backup_excludes = ("facts",)  # the facts are counted anew from the events

    def fact_sources(self) -> Iterable[Any]:
        from yiwang.server.facts.case_source import SOURCE

        return (SOURCE,)

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.facts.tasks import refresh_all

        yield Chore("facts", 30, refresh_all)

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.facts.tasks import rebuild_job

        return {"facts": rebuild_job}
