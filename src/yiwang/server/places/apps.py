from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class PlacesConfig(YiwangApp):
    name = "yiwang.server.places"
    label = "places"
