from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp


class ScoresConfig(YiwangApp):
    name = "yiwang.server.scores"
    label = "scores"
    urls = "yiwang.server.scores.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="score", name=Text("评分", "Score"), group=Group.RESULTS, icon="gauge", order=60, page="score"
        )
