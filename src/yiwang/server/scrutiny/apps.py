from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class ScrutinyConfig(YiwangApp):
    name = "yiwang.server.scrutiny"
    label = "scrutiny"
    urls = "yiwang.server.scrutiny.urls"
