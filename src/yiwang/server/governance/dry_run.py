"""What changed rules would have answered for past cases: both packs decide on the same columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from yiwang.core.cases.fields import DECIDING
from yiwang.core.rules import Change, DictColumn, Row, compare, compile_table
from yiwang.packs import Pack
from yiwang.server.cases.api import Case

_EVERY = 10_000
_TABLES = ("triage", "routing", "limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts of past cases as columns of one length, the local day on which each was opened, and the rows' keys."""

    columns: Mapping[str, DictColumn]
    days: NDArray[np.datetime64]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.days)


def past_facts(*, city: str, since: datetime, zone: ZoneInfo, step: Callable[..., None]) -> Facts:
    """Facts of a city's cases opened since a moment, as they stand now (so with the priority that they have), in the order of opening."""
    names = tuple(DECIDING.values())
    query = Case.objects.filter(city=city, opened_at__gte=since).order_by("opened_at", "id")
    values: dict[str, list[str]] = {name: [] for name in names}
    days: list[str] = []
    ids: list[int] = []
    for count, row in enumerate(query.values_list("opened_at", "id", *names).iterator(chunk_size=_EVERY), start=1):
        days.append(row[0].astimezone(zone).date().isoformat())
        ids.append(row[1])
        for name, value in zip(names, row[2:], strict=True):
            values[name].append(value)
        if count % _EVERY == 0:
            step(count)
    columns = {fact: DictColumn.encode(values[name]) for fact, name in DECIDING.items()}
    return Facts(columns=columns, days=np.array(days, dtype="datetime64[D]"), ids=np.array(ids, dtype=np.int64))


def compare_packs(*, old: Pack, new: Pack, facts: Facts, most: int, examples: int = 0) -> dict[str, Any]:
    """Differences by table.

    Args:
        old: The pack in force.
        new: The pack proposed.
        facts: What the tables are asked.
        most: How many changes to list for each table.
        examples: How many of the cases that would be answered otherwise to name for each table, the newest first.
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
        if examples:
            some = result.changed[::-1][:examples]
            tables[name]["examples"] = _examples(
                facts.ids[some].tolist(),
                [
                    (
                        old.tables[name].rows[before] if before >= 0 else None,
                        new.tables[name].rows[after] if after >= 0 else None,
                    )
                    for before, after in zip(
                        result.old_rows[some].tolist(), result.new_rows[some].tolist(), strict=True
                    )
                ],
            )
    return {"cases": len(facts), "tables": tables}


def _change(change: Change) -> dict[str, Any]:
    return {
        "count": change.count,
        "old_row": change.old_row,
        "new_row": change.new_row,
        "old": " ".join(filter(None, change.old_outputs.values())),
        "new": " ".join(filter(None, change.new_outputs.values())),
    }


def _examples(ids: list[int], rows: list[tuple[Row | None, Row | None]]) -> list[dict[str, Any]]:
    numbers = dict(Case.objects.filter(pk__in=ids).values_list("pk", "number"))
    return [
        {
            "number": numbers.get(key, ""),
            "old_row": before.id if before else None,
            "new_row": after.id if after else None,
            "old": " ".join(filter(None, before.outputs.values())) if before else "",
            "new": " ".join(filter(None, after.outputs.values())) if after else "",
        }
        for key, (before, after) in zip(ids, rows, strict=True)
    ]
