from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, Topic, YiwangApp

if TYPE_CHECKING:
    from ninja import Router


class ListsConfig(YiwangApp):
    name = "yiwang.server.lists"
    label = "lists"
    urls = "yiwang.server.lists.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="lists",
            name=Text("红黑榜", "Red and black lists"),
            group=Group.RESULTS,
            icon="megaphone",
            order=47,
            page="lists",
            shown=_has_rules,
        )

    def api_routers(self) -> Iterable[Router]:
        from yiwang.server.lists.calls import router

        return (router,)

    def streams(self) -> Iterable[Any]:
        from yiwang.server.lists.queries import STREAM

        return (STREAM,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("红榜、黑榜", "red and black lists"),
            Text(
                "按事先公布的规则，每期列出最好和最差的单位；只有差距大到不能用偶然解释的才上榜，上榜单位可以提出异议。",
                "The best and the worst units of a period by a rule that was published before. Only who stands out further than chance"
                " explains is listed, and may object.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="lists",
            title=Text("红黑榜", "Red and black lists"),
            text=Text(
                "公示、异议、决定、公布：每期榜单怎么来的，谁提过异议，怎么处理的。",
                "Notice, objection, decision, publication: how each list was made, who objected, and what came of it.",
            ),
        )


def _has_rules(_: HttpRequest, city: str) -> bool:
    from yiwang.server.cities.queries import runtime

    return bool(runtime(city).pack.indicators.lists)
