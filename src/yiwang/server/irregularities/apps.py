from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, JobWork, NavigationEntry, Topic, YiwangApp


class IrregularitiesConfig(YiwangApp):
    name = "yiwang.server.irregularities"
    label = "irregularities"
    urls = "yiwang.server.irregularities.urls"

    def navigation(self) -> Iterable[NavigationEntry]:
        from yiwang.server.scrutiny.access import shown_to_staff

        yield NavigationEntry(
            url="irregularities",
            name=Text("疑点核查", "Irregularities"),
            group=Group.RESULTS,
            icon="search",
            order=48,
            page="irregularities",
            shown=shown_to_staff,
        )

    def jobs(self) -> Mapping[str, JobWork]:
        from yiwang.server.irregularities.operations import look_job

        return {"irregularities": look_job}

    def streams(self) -> Iterable[Any]:
        from yiwang.server.irregularities.queries import STREAM

        return (STREAM,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("疑点线索", "lead"),
            Text(
                "数据里与其他单位明显不同、值得人去核实的情况。线索不是证据，系统不会因此扣分或处罚任何人。",
                "Something in the records that is clearly unlike the other units and worth checking. A lead is no proof, and the"
                " system takes no points from anybody for it.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="irregularities",
            title=Text("疑点核查", "Irregularities"),
            text=Text(
                "截止前突击办结、结案后又报、月底挂账、照片重复使用等线索：依据、基准比例、误报率，单位说明，由人认定。",
                "Closings heaped before deadlines, trouble that came again, suspensions at the month's end, photos used twice:"
                " the evidence, how usual it is, how often it is a false alarm, the unit's answer, and a person's judgement.",
            ),
        )
