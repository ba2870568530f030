from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Chore, Group, NavigationEntry, Phase, Stop, YiwangApp, signed_in


class FieldConfig(YiwangApp):
    name = "yiwang.server.field"
    label = "field"

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.field import waiting_photos

        yield Chore("photos of phones", 3600, waiting_photos.forget, Phase.CLEANS)

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(
            url="field", name=Text("现场", "Field"), group=Group.WORK, icon="hard-hat", order=70, shown=signed_in
        )
