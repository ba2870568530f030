from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp, signed_in


class DesksConfig(YiwangApp):
    name = "yiwang.server.desks"
    label = "desks"
    urls = "yiwang.server.desks.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="desk-home",
            name=Text("我的工作台", "My desk"),
            group=Group.WORK,
            icon="inbox",
            order=30,
            page="desk",
            shown=signed_in,
        )
