from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from yiwang.server.common.app import Chore, Phase, Stop, YiwangApp


class CasesConfig(YiwangApp):
    name = "yiwang.server.cases"
    label = "cases"

    def streams(self) -> Iterable[Any]:
        from yiwang.server.cases.reading.stream import EVENTS

        return (EVENTS,)

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.cases.writing import chores

        yield Chore("tick", 2, chores.tick, Phase.WORKS)
        yield Chore("deadlines by the calendar", 24 * 3600, chores.recount_all, Phase.WORKS)
        yield Chore("outbox", 1, lambda: chores.drain(stop), apart=True)
        yield Chore("words", 5, chores.index_words)
        yield Chore("tallies", 120, chores.sum_up_tallies)
        yield Chore("outbox cleaning", 3600, chores.forget_sent, Phase.CLEANS)
        yield Chore("old contacts", 6 * 3600, chores.forget_contacts, Phase.CLEANS)
