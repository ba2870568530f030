from __future__ import annotations

from collections.abc import Iterable

from yiwang.server.common.app import Chore, Stop, YiwangApp


class ScrutinyConfig(YiwangApp):
    name = "yiwang.server.scrutiny"
    label = "scrutiny"
    urls = "yiwang.server.scrutiny.urls"
    backup_excludes = ("flow",)  # a copy of the events, made again

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.scrutiny.kept_events import keep_all

        yield Chore("flow", 60, keep_all, apart=True)  # the first time a large city takes minutes
