from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, Topic, YiwangApp


class ProjectsConfig(YiwangApp):
    name = "yiwang.server.projects"
    label = "projects"
    urls = "yiwang.server.projects.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="projects",
            name=Text("民生实事", "Projects for people"),
            group=Group.RESULTS,
            icon="users",
            order=49,
            page="projects",
        )

    def streams(self) -> Iterable[Any]:
        from yiwang.server.projects.queries import STREAM

        return (STREAM,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("民生实事项目", "project for people"),
            Text(
                "一年内为市民办的具体项目（微幸福、民生实事）：提出、立项、实施、报完工、群众评议、验收，预算和节点公开。",
                "A concrete thing that the city builds or repairs for its people within a year: proposed, chosen, carried out, reported"
                " done, voted on by citizens and accepted, with its budget and milestones in public.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="projects",
            title=Text("民生实事项目", "Projects for people"),
            text=Text(
                "每年办哪些实事，花多少钱，进展如何；完工后由市民评议，再由未参与的人验收。",
                "What is built for people each year, what it costs and how far it is; citizens vote when it is done, and somebody who"
                " took no part accepts it.",
            ),
        )
