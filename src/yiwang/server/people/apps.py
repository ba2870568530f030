from __future__ import annotations

from collections.abc import Iterable

from yiwang.server.common.app import Chore, Phase, Stop, YiwangApp


class PeopleConfig(YiwangApp):
    name = "yiwang.server.people"
    label = "people"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.people.operations import forget_sessions

        yield Chore("old sessions", 3600, forget_sessions, Phase.CLEANS)
