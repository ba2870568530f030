from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class CitiesConfig(YiwangApp):
    name = "yiwang.server.cities"
    label = "cities"
