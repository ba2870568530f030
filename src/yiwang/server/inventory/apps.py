from __future__ import annotations

from collections.abc import Iterable, Mapping

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, Group, JobWork, NavigationEntry, Phase, Stop, Topic, YiwangApp, signed_in


class InventoryConfig(YiwangApp):
    name = "yiwang.server.inventory"
    label = "inventory"
    urls = "yiwang.server.inventory.urls"
    backup_excludes = ("surveys",)  # files that were brought and not taken up yet

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.inventory.uploads import forget_surveys

        yield Chore("survey files that nobody took up", 3600, forget_surveys, Phase.CLEANS)

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.inventory import operations

        return {
            operations.CHECK: operations.check_job,
            operations.TAKE: operations.take_job,
            operations.DECIDE: operations.decide_job,
        }

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="components",
            name=Text("部件", "Components"),
            group=Group.CITY,
            icon="boxes",
            order=55,
            page="components",
            shown=signed_in,
        )

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("部件普查", "census"),
            Text(
                "一个类别的全部部件重新数一遍：新增、位移、变化、缺失由人逐项确认后才写入台账。",
                "All components of a class are counted again; what differs enters the inventory once a person has confirmed it.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="components",
            title=Text("部件台账和普查", "Components and censuses"),
            text=Text(
                "查一个部件的位置、权属、变更和案卷；导入普查文件，先试算，再逐项确认。",
                "Where a component is, who answers for it, its changes and cases; bring a census file, try it, then confirm what it found.",
            ),
        )
