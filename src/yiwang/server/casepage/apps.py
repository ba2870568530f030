from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, Group, NavigationEntry, Phase, Stop, YiwangApp, signed_in


class CasepageConfig(YiwangApp):
    name = "yiwang.server.casepage"
    label = "casepage"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.casepage.operations import forget_reads

        yield Chore("old marks of reading", 3600, forget_reads, Phase.CLEANS)

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="cases", name=Text("案卷", "Cases"), group=Group.WORK, icon="files", order=40, page="cases"
        )
        yield NavigationEntry(
            url="report",
            name=Text("上报", "Report"),
            group=Group.WORK,
            icon="plus",
            order=80,
            page="report",
            shown=signed_in,
        )
