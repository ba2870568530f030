from __future__ import annotations

from collections.abc import Iterable

from yiwang.server.common.app import Chore, Stop, YiwangApp


class LedgerConfig(YiwangApp):
    name = "yiwang.server.ledger"
    label = "ledger"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.ledger.publishing import publish
        from yiwang.server.ledger.sealing import seal_all

        yield Chore("seals", 600, seal_all)
        yield Chore("roots", 60, publish)
