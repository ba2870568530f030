from __future__ import annotations

from collections.abc import Iterable, Mapping

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, JobWork, NavigationEntry, Stop, YiwangApp


class ScoresConfig(YiwangApp):
    name = "yiwang.server.scores"
    label = "scores"
    default_auto_field = "django.db.models.BigAutoField"
    urls = "yiwang.server.scores.urls"
    backup_excludes = ("scores",)  # the facts are counted anew from the events

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.scores.tasks import refresh_all

        yield Chore("facts", 30, refresh_all)

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.scores.tasks import rebuild_job

        return {"facts": rebuild_job}

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(url="score", name=Text("评分", "Score"), order=60, page="score")
