"""The table of facts of inspections: what indicators may count of recorded visits."""

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

INSPECTIONS = "inspections"


def inspections_table(context: FactContext) -> FactTable:
    """Recorded first visits, one row each."""
    return FactTable(
        name=INSPECTIONS,
        label=Text("检查", "inspections"),
        key="visit",
        columns=(
            FactColumn("visit", TEXT, Text("检查记录", "visit")),
            FactColumn("campaign", TEXT, Text("检查", "inspection")),
            FactColumn("checklist", TEXT, Text("清单", "checklist")),
            FactColumn("outcome", TEXT, Text("结果", "outcome")),
            FactColumn("visit_day", DAY, Text("检查日期", "day of the visit")),
            FactColumn("score", FLOAT, Text("得分", "score")),
            FactColumn("weight", FLOAT, Text("权重", "weight")),
            # whole numbers, which is what indicators sum: the one over the other is the mean score of all places
            FactColumn("earned", INTEGER, Text("得分乘权重", "score times weight")),
            FactColumn("could_earn", INTEGER, Text("满分乘权重", "full score times weight")),
            *region_columns(context.levels),
        ),
        bases={"visited": "visit_day"},
        dimensions=region_dimensions(context.levels),
        month="visit_day",
        order="visit_day",
    )
