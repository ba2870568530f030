from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import YiwangApp


class SensorThingsConfig(YiwangApp):
    name = "yiwang.server.sensorthings"
    label = "sensorthings"
    urls = "yiwang.server.sensorthings.urls"

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("监测流", "datastream"),
            Text(
                "一个物体上由一种仪器测得的一个量的全部观测，按时间排列。",
                "The observations of one quantity by one sensor at one thing, in the order of time.",
            ),
        )
