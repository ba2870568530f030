from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class AssetsConfig(YiwangApp):
    name = "yiwang.server.assets"
    label = "assets"
