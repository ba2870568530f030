from __future__ import annotations

from yiwang.server.common.app import YiwangApp


class MqttConfig(YiwangApp):
    name = "yiwang.server.mqtt"
    label = "mqtt"
