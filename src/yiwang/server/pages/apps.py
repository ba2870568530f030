from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp


class PagesConfig(YiwangApp):
    name = "yiwang.server.pages"
    label = "pages"
    urls = "yiwang.server.pages.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="overview",
            name=Text("总览", "Overview"),
            group=Group.CITY,
            icon="layout-dashboard",
            order=10,
            page="overview",
        )
        yield NavigationEntry(url="map", name=Text("地图", "Map"), group=Group.CITY, icon="map", order=50, page="map")
        yield NavigationEntry(
            url="rules",
            name=Text("规则与流程", "Rules and workflow"),
            group=Group.RULES,
            icon="waypoints",
            order=100,
            page="rules",
        )
