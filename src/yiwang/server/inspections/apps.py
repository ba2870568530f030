from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, Group, NavigationEntry, Phase, Stop, Topic, YiwangApp

if TYPE_CHECKING:
    from ninja import Router


class InspectionsConfig(YiwangApp):
    name = "yiwang.server.inspections"
    label = "inspections"
    urls = "yiwang.server.inspections.urls"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.inspections.recording import open_cases

        yield Chore("cases of inspections", 5, open_cases, Phase.WORKS)

    def navigation(self) -> Iterable[NavigationEntry]:
        from yiwang.server.inspections.access import shown

        yield NavigationEntry(
            url="inspections",
            name=Text("检查考评", "Inspections"),
            group=Group.RESULTS,
            icon="circle-check",
            order=45,
            page="inspections",
            shown=shown,
        )

    def api_routers(self) -> Iterable[Router]:
        from yiwang.server.inspections.calls import router

        return (router,)

    def streams(self) -> Iterable[Any]:
        from yiwang.server.inspections.history import STREAM

        return (STREAM,)

    def fact_sources(self) -> Iterable[Any]:
        from yiwang.server.inspections.queries import FACTS

        return (FACTS,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("双随机", "double-random inspection"),
            Text(
                "检查的地点和检查员都由抽签决定：抽签前公布承诺值，检查结束后公布种子，任何人都能重新抽一遍核对。",
                "Both places and inspectors are drawn by lot: a hash is published before the draw and the seed at the end, so that"
                " anybody can draw again and compare.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="inspections",
            title=Text("检查考评", "Inspections"),
            text=Text(
                "双随机抽取地点和检查员，手机上按清单检查，不达标的自动立案，得分带误差范围。",
                "Places and inspectors are drawn by lot, checklists are filled in on a phone, what is not met becomes a case, and"
                " scores have intervals.",
            ),
        )
