from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.http import HttpRequest

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, YiwangApp

if TYPE_CHECKING:
    from ninja import Router


class ScoresConfig(YiwangApp):
    name = "yiwang.server.scores"
    label = "scores"
    urls = "yiwang.server.scores.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="score-index",
            name=Text("城市指数", "City index"),
            group=Group.RESULTS,
            icon="chart-line",
            order=59,
            page="index",
            shown=_has_index,
        )
        yield NavigationEntry(
            url="score", name=Text("评分", "Score"), group=Group.RESULTS, icon="gauge", order=60, page="score"
        )

    def api_routers(self) -> Iterable[Router]:
        from yiwang.server.scores.calls import router

        return (router,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("城市指数", "city index"),
            Text(
                "几个方面各自评分，再按权重合成的一个分数；没有数据的部分不按零分算，并说明有数据的权重占多少。",
                "One score made of several aspects, each scored on its own first. What has no data does not count as zero, and the"
                " page says how much of the weight has data.",
            ),
        )


def _has_index(_: HttpRequest, city: str) -> bool:
    from yiwang.server.cities.queries import runtime
    from yiwang.server.scores.index_views import has_index

    return has_index(runtime(city))
