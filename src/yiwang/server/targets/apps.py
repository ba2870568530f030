from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, Topic, YiwangApp

if TYPE_CHECKING:
    from ninja import Router


class TargetsConfig(YiwangApp):
    name = "yiwang.server.targets"
    label = "targets"
    urls = "yiwang.server.targets.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="targets",
            name=Text("目标责任书", "Target letters"),
            group=Group.RESULTS,
            icon="circle-check",
            order=46,
            page="targets",
            shown=_has_indicators,
        )

    def api_routers(self) -> Iterable[Router]:
        from yiwang.server.targets.calls import router

        return (router,)

    def streams(self) -> Iterable[Any]:
        from yiwang.server.targets.queries import STREAM

        return (STREAM,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("目标责任书", "target letter"),
            Text(
                "一个单位一年的指标、基数、目标值和节点目标，由考评方和责任单位签订；生效后不能改，只能用新版替代。",
                "What a unit is to reach in a year: indicators, baselines, targets and milestones, signed for the city's assessment"
                " and for the unit. In force it cannot be changed, only replaced by a new version.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="targets",
            title=Text("目标责任书", "Target letters"),
            text=Text(
                "各单位的年度目标、进度、年底预测和通报。",
                "What each unit is to reach this year, how far it is, what is to be expected at the year's end, and the bulletin.",
            ),
        )


def _has_indicators(_: HttpRequest, city: str) -> bool:
    from yiwang.core.targets.letters import can_be_wanted
    from yiwang.server.cities.queries import runtime

    return any(can_be_wanted(one) for one in runtime(city).pack.indicators.indicators)
