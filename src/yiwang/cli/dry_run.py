"""What changed rules would have answered for past cases: both packs decide on the same columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from yiwang.core.rules import Change, DictColumn, compare, compile_table
from yiwang.packs import Pack

_EVERY = 10_000
_TABLES = ("triage", "routing", "limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts of past cases as columns of one length, and the local day on which each was opened."""

    columns: Mapping[str, DictColumn]
    days: NDArray[np.datetime64]

    def __len__(self) -> int:
        return len(self.days)


def past_facts(*, city: str, since: datetime, zone: ZoneInfo, step: Callable[..., None]) -> Facts:
    """Facts of a city's cases opened since a moment, as they stand now (so with the priority that they have), in the order of opening."""
    from yiwang.server.cases.models import Case

    names = ("category", "condition", "region", "source", "priority")
    query = Case.objects.filter(city=city, opened_at__gte=since).order_by("opened_at", "id")
    values: dict[str, list[str]] = {name: [] for name in names}
    days: list[str] = []
    for count, row in enumerate(query.values_list("opened_at", *names).iterator(chunk_size=_EVERY), start=1):
        days.append(row[0].astimezone(zone).date().isoformat())
        for name, value in zip(names, row[1:], strict=True):
            values[name].append(value)
        if count % _EVERY == 0:
            step(count)
    columns = {("channel" if name == "source" else name): DictColumn.encode(texts) for name, texts in values.items()}
    return Facts(columns=columns, days=np.array(days, dtype="datetime64[D]"))


def compare_packs(*, old: Pack, new: Pack, facts: Facts, most: int) -> dict[str, Any]:
    """Differences by table.

    Args:
        old: The pack in force.
        new: The pack proposed.
        facts: What the tables are asked.
        most: How many changes to list for each table.
    """
    tables: dict[str, Any] = {}
    for name in _TABLES:
        result = compare(
            old=compile_table(old.tables[name]),
            new=compile_table(new.tables[name]),
            columns=facts.columns,
            on=facts.days,
        )
        altered = [change for change in result.changes if change.changes_answer]
        tables[name] = {**result.counts, "changes": [_change(change) for change in altered[:most]]}
    return {"cases": len(facts), "tables": tables}


def _change(change: Change) -> dict[str, Any]:
    return {
        "count": change.count,
        "old_row": change.old_row,
        "new_row": change.new_row,
        "old": " ".join(filter(None, change.old_outputs.values())),
        "new": " ".join(filter(None, change.new_outputs.values())),
    }
