from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, Group, NavigationEntry, Phase, Stop, YiwangApp, signed_out


class PortalConfig(YiwangApp):
    name = "yiwang.server.portal"
    label = "portal"
    urls = "yiwang.server.portal.urls"
    # the part of an address that opens somebody's report
    log_secrets = (r"(/portal/(?:open/[^/\s]+|mail|unsubscribe)/)",)

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.portal import forms, gathering, operations

        yield Chore("public words", 30, gathering.gather)
        yield Chore("drafts", 3600, forms.forget_drafts, Phase.CLEANS)
        yield Chore("old addresses", 3600, operations.forget_addresses, Phase.CLEANS)

    def correspondents(self) -> Iterable[Any]:
        from yiwang.server.portal import mailing

        return (mailing.letters,)

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="portal-report",
            name=Text("上报", "Report"),
            group=Group.PEOPLE,
            icon="plus",
            order=80,
            page="report",
            shown=signed_out,
        )
        yield NavigationEntry(
            url="portal", name=Text("市民", "Citizens"), group=Group.PEOPLE, icon="users", order=90, page="portal"
        )
