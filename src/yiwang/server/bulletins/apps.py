from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp, signed_in


class BulletinsConfig(YiwangApp):
    name = "yiwang.server.bulletins"
    label = "bulletins"
    urls = "yiwang.server.bulletins.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="handover",
            name=Text("交接班", "Hand-over"),
            group=Group.WORK,
            icon="clock",
            order=35,
            page="handover",
            shown=signed_in,
        )
        yield NavigationEntry(
            url="bulletin",
            name=Text("日报周报", "Bulletins"),
            group=Group.RESULTS,
            icon="file-text",
            order=50,
            page="bulletin",
            shown=signed_in,
        )
