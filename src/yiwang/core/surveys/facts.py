"""The table of facts of surveys: what indicators may count of citizens' answers."""

from __future__ import annotations

from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import (
    DAY,
    FLOAT,
    INTEGER,
    TEXT,
    FactColumn,
    FactTable,
    region_columns,
    region_dimensions,
)
from yiwang.core.kernel.text import Text

ANSWERS = "answers"


def answers_table(context: FactContext) -> FactTable:
    """Answered cases of rounds that have ended, one row each."""
    return FactTable(
        name=ANSWERS,
        label=Text("回访", "survey answers"),
        key="answer",
        columns=(
            FactColumn("answer", TEXT, Text("回访记录", "answer")),
            FactColumn("round", TEXT, Text("回访轮次", "round")),
            FactColumn("questionnaire", TEXT, Text("问卷", "questionnaire")),
            FactColumn("way", TEXT, Text("回答方式", "way of answering")),
            FactColumn("closed_to", DAY, Text("结案时段末日", "last day of the period of closing")),
            FactColumn("weight", FLOAT, Text("权重", "weight")),
            # whole numbers, which is what indicators sum: the one over the other is the rate among all closed cases
            FactColumn("responded_yes", INTEGER, Text("有响应乘权重", "responded to, times weight")),
            FactColumn("responded_asked", INTEGER, Text("响应率有效回答乘权重", "answered whether responded to, times weight")),
            FactColumn("resolved_yes", INTEGER, Text("已解决乘权重", "resolved, times weight")),
            FactColumn("resolved_asked", INTEGER, Text("解决率有效回答乘权重", "answered whether resolved, times weight")),
            FactColumn("satisfied_yes", INTEGER, Text("满意乘权重", "satisfied, times weight")),
            FactColumn("satisfied_asked", INTEGER, Text("满意率有效回答乘权重", "answered whether satisfied, times weight")),
            *region_columns(context.levels),
        ),
        bases={"surveyed": "closed_to"},
        dimensions=region_dimensions(context.levels),
        month="closed_to",
        order="closed_to",
    )  # fmt: skip
