from __future__ import annotations

from collections.abc import Mapping

from yiwang.server.common.app import YiwangApp


class BasemapConfig(YiwangApp):
    name = "yiwang.server.basemap"
    label = "basemap"
    urls = "yiwang.server.basemap.urls"
    backup_excludes = ("basemaps",)

    def head(self, city: str) -> Mapping[str, str]:
        from yiwang.server.basemap import views

        return views.head(city)
