from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp


def _governs(request: HttpRequest, city: str) -> bool:
    """Whoever governs the city, or all of them."""
    governed = request.session.get("governs", ())
    return city in governed or "*" in governed


class GovernanceConfig(YiwangApp):
    name = "yiwang.server.governance"
    label = "governance"
    urls = "yiwang.server.governance.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="admin",
            name=Text("管理", "Administration"),
            group=Group.RULES,
            icon="settings",
            order=110,
            page="admin",
            shown=_governs,
        )
