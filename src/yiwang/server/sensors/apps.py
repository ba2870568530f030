from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, Topic, YiwangApp


class SensorsConfig(YiwangApp):
    name = "yiwang.server.sensors"
    label = "sensors"
    urls = "yiwang.server.sensors.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        from yiwang.server.scrutiny.access import shown_to_staff

        yield NavigationEntry(
            url="sensors",
            name=Text("监测", "Sensors"),
            group=Group.CITY,
            icon="chart-line",
            order=57,
            page="sensors",
            shown=shown_to_staff,
        )

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("监测流", "datastream"),
            Text(
                "一台仪器在一处对一个量的连续观测，例如某下穿通道的积水深度。",
                "What one instrument observes of one quantity at one place in the course of time, e.g. the depth of water in an underpass.",
            ),
        )
        yield (
            Text("报警", "alarm"),
            Text(
                "读数达到规则给定的限值；够严重的开案卷或并入群众已上报的案卷，恢复后由人决定是否结案。",
                "Readings reach a limit of a rule. What is bad enough opens a case or joins people's report; a person closes it.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="sensors",
            title=Text("监测和报警", "Sensors and alarms"),
            text=Text(
                "看每路监测流的最新读数和走势，哪些在报警，各自开了哪件案卷。",
                "The latest readings and the course of each stream, which of them are in alarm, and the case that each opened.",
            ),
        )
