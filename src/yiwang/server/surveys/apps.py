from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.common.app import Group, NavigationEntry, Topic, YiwangApp


class SurveysConfig(YiwangApp):
    name = "yiwang.server.surveys"
    label = "surveys"
    urls = "yiwang.server.surveys.urls"
    # the part of an address that opens somebody's questionnaire
    log_secrets = (r"(/portal/survey/)",)

    def navigation(self) -> Iterable[NavigationEntry]:
        from yiwang.server.surveys.access import shown

        yield NavigationEntry(
            url="surveys",
            name=Text("回访调查", "Surveys"),
            group=Group.RESULTS,
            icon="phone",
            order=46,
            page="surveys",
            shown=shown,
        )

    def streams(self) -> Iterable[Any]:
        from yiwang.server.surveys.history import STREAM

        return (STREAM,)

    def fact_sources(self) -> Iterable[Any]:
        from yiwang.server.surveys.queries import FACTS

        return (FACTS,)

    def glossary(self) -> Iterable[tuple[Text, Text]]:
        yield (
            Text("响应率、解决率、满意率", "responded, resolved, satisfied"),
            Text(
                "回访中认为有人响应、问题已解决、对结果满意的份额，按抽样权重推算到全部结案案卷；各有自己的分母。",
                "Shares of citizens who say that somebody responded, that the matter was resolved, and that they are satisfied,"
                " weighted so that they stand for all closed cases. Each has a denominator of its own.",
            ),
        )
        yield (
            Text("回访应答率", "response rate of a survey"),
            Text(
                "完成回访的案卷占抽中案卷的份额；拒绝的和没有联系上的都算在分母里。",
                "Completed interviews over all drawn cases. Refusals, and people who could not be reached, stay in the denominator.",
            ),
        )

    def topics(self) -> Iterable[Topic]:
        yield Topic(
            url="surveys",
            title=Text("回访调查", "Surveys"),
            text=Text(
                "随机抽取结案案卷，请市民用链接或电话回答；公布应答率和带误差范围的三率。",
                "Closed cases are drawn by lot, citizens answer by a link or by telephone, and three rates are published with"
                " response rates and intervals.",
            ),
        )
