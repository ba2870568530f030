from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp


class CentreConfig(YiwangApp):
    name = "yiwang.server.centre"
    label = "centre"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="centre",
            name=Text("一屏统览", "Command centre"),
            group=Group.CITY,
            icon="monitor",
            order=20,
            page="centre",
        )
