from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import NavigationEntry, YiwangApp, signed_in


class CasepageConfig(YiwangApp):
    name = "yiwang.server.casepage"
    label = "casepage"

    def navigation(self) -> Iterable[NavigationEntry]:
        yield NavigationEntry(url="cases", name=Text("案卷", "Cases"), order=40, page="cases")
        yield NavigationEntry(url="report", name=Text("上报", "Report"), order=80, page="report", shown=signed_in)
