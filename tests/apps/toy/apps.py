"""What the app brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ninja import Router

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, Group, JobWork, NavigationEntry, Phase, Stop, Topic, YiwangApp


class ToyConfig(YiwangApp):
    name = "tests.apps.toy"
    label = "toy"
    urls = "tests.apps.toy.urls"
    backup_excludes = ("bins",)
    log_secrets = (r"(/bins/key/)",)

    def streams(self) -> Iterable[Any]:
        from tests.apps.toy.queries import STREAM

        return (STREAM,)

    def fact_sources(self) -> Iterable[Any]:
        from tests.apps.toy.queries import FACTS

        return (FACTS,)

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from tests.apps.toy import operations

        yield Chore("full bins", 5, operations.look, Phase.WORKS)

    def jobs(self) -> Mapping[str, JobWork]:
        from tests.apps.toy import operations

        return {"count-bins": operations.count}

    def commands(self) -> Mapping[str, tuple[str, str]]:
        return {"bins": ("tests.apps.toy.commands", "The last readings of a city's bins.")}

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="bins", name=Text("垃圾桶", "Bins"), group=Group.CITY, icon="recycle", order=95, page="bins"
        )

    def api_routers(self) -> Iterable[Router]:
        from tests.apps.toy.calls import router

        return (router,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("垃圾桶", "bin"),
            Text("立在街上，能报告自己有多满。", "Stands in the street and says how full it is."),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(url="bins", title=Text("垃圾桶", "Bins"), text=Text("哪些垃圾桶满了。", "Which bins are full."))
