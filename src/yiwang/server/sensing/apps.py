from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.server.common.app import Chore, JobWork, Phase, Stop, YiwangApp


class SensingConfig(YiwangApp):
    name = "yiwang.server.sensing"
    label = "sensing"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.sensing import following, raising
        from yiwang.server.sensing.judging import judge, learning
        from yiwang.server.sensing.kept import keeping

        yield Chore("silent streams", 15, judge.tick, Phase.WORKS)
        yield Chore("cases from alarms", 3, raising.raise_cases, Phase.WORKS)
        yield Chore("what is usual", 60, learning.learn_due, apart=True)
        yield Chore("followers that are gone", 600, following.forget, Phase.CLEANS)
        yield Chore("old observations", 3600, keeping.ask_all, Phase.CLEANS)

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.sensing.kept import keeping

        return {keeping.KIND: keeping.keep_job}

    def fact_sources(self) -> Iterable[Any]:
        from yiwang.server.sensing.alarms.facts import SOURCE

        return (SOURCE,)
