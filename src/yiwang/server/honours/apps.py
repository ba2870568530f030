from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, Topic, YiwangApp

if TYPE_CHECKING:
    from ninja import Router


class HonoursConfig(YiwangApp):
    name = "yiwang.server.honours"
    label = "honours"
    urls = "yiwang.server.honours.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="honours",
            name=Text("示范与红旗", "Honours"),
            group=Group.RESULTS,
            icon="circle-check",
            order=48,
            page="honours",
            shown=_has_rules,
        )

    def api_routers(self) -> Iterable[Router]:
        from yiwang.server.honours.calls import router

        return (router,)

    def streams(self) -> Iterable[Any]:
        from yiwang.server.honours.queries import STREAM

        return (STREAM,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("示范区、流动红旗", "demonstration area, banner"),
            Text(
                "示范区要在多次抽查中都达标才授牌，连续不达标就摘牌；流动红旗授给红榜上的单位，轮流持有。",
                "A demonstration area must reach the mark in several inspections drawn by lot, and loses the title when it fails"
                " several in a row. A banner goes to a unit on the red list and moves on.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="honours",
            title=Text("示范区和流动红旗", "Demonstration areas and banners"),
            text=Text(
                "按规则提出，由另一人决定；授牌、摘牌都有依据和记录。",
                "Proposed by rule, decided by somebody else; each listing and delisting with what it rests on.",
            ),
        )


def _has_rules(_: HttpRequest, city: str) -> bool:
    from yiwang.server.cities.queries import runtime

    rules = runtime(city).pack.honours
    return bool(rules.areas or rules.banners)
