"""Deadlines in bulk against one at a time, and hashes of the ledger against the bound that SHA-256 alone sets."""

from __future__ import annotations

from datetime import UTC, datetime, time
from hashlib import sha256
from time import perf_counter
from typing import Any

import numpy as np

from yiwang.core.cases.ledger import EVENT_FIELDS, event_hash, genesis
from yiwang.core.ledger import Frontier, canonical, leaf_hash
from yiwang.core.worktime import TimeUnit, WorkCalendar
from yiwang.packs.holidays_source import year_tables

BULK = 2_000_000
SINGLE = 20_000
SHORT_REPEATS = 5


def best(action: Any, repeats: int = SHORT_REPEATS) -> float:
    """Seconds of the fastest of some runs."""
    spent = []
    for _ in range(repeats):
        begin = perf_counter()
        action()
        spent.append(perf_counter() - begin)
    return min(spent)


def calendar_rows() -> list[dict[str, Any]]:
    calendar = WorkCalendar(
        timezone="Asia/Shanghai",
        periods=[(time(8), time(12)), (time(14), time(18))],
        years=year_tables(country="CN", years=range(2022, 2027)),
        fallback="weekdays",
    )
    random = np.random.default_rng(20261123)
    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2023, 2026))
    starts = random.integers(first, last, BULK)
    rows = []
    for unit, most in ((TimeUnit.WORK_HOURS, 40 * 3600), (TimeUnit.CALENDAR_DAYS, 30 * 86_400)):
        seconds = random.integers(1, most, BULK)
        moments = [datetime.fromtimestamp(start, UTC) for start in starts[:SINGLE].tolist()]
        amounts = seconds[:SINGLE].tolist()
        due = calendar.deadlines(starts=starts, seconds=seconds, unit=unit)

        def bulk(seconds: Any = seconds, unit: TimeUnit = unit) -> Any:
            return calendar.deadlines(starts=starts, seconds=seconds, unit=unit)

        def single(moments: Any = moments, amounts: Any = amounts, unit: TimeUnit = unit) -> Any:
            pairs = zip(moments, amounts, strict=True)
            return [calendar.add_seconds(start=start, seconds=amount, unit=unit) for start, amount in pairs]

        assert [int(moment.timestamp()) for moment in single()] == due[:SINGLE].tolist()
        many, one = BULK / best(bulk), SINGLE / best(single)
        rows.append(
            {
                "name": f"deadlines in bulk, {unit}",
                "value": many / 1e6,
                "unit": "M/s",
                "peer": f"one at a time, {one:,.0f}/s",
                "ratio": many / one,
            }
        )
    return rows


def ledger_rows() -> list[dict[str, Any]]:
    event: dict[str, Any] = dict.fromkeys(EVENT_FIELDS, "some text")
    clock = {"unit": "work_hours", "limit_seconds": 14_400, "used_seconds": 0.0, "resumed_at": None}
    event |= {"seq": 3, "at": datetime(2026, 11, 20, 8, tzinfo=UTC)}
    event["payload"] = {"set": {"step": "dispatched"}, "clocks": {"disposal": clock}, "why": {"routing": ["R1", "R2"]}}
    previous, size = genesis("A1"), len(canonical(event))
    data = bytes(size)
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(SINGLE * 4)]
    hashes = SINGLE / best(lambda: [event_hash(event=event, previous=previous) for _ in range(SINGLE)])
    plain = SINGLE / best(lambda: [sha256(data).digest() for _ in range(SINGLE)])
    node = bytes(65)
    nodes = SINGLE / best(lambda: [sha256(node).digest() for _ in range(SINGLE)])
    added = len(leaves) / best(lambda: Frontier().extend(leaves))
    return [
        {
            "name": f"event hashes ({size} bytes)",
            "value": hashes,
            "unit": "/s",
            "peer": f"SHA-256 of as many bytes, {plain:,.0f}/s",
            "ratio": hashes / plain,
        },
        {
            "name": "leaves added to the Merkle tree",
            "value": added,
            "unit": "/s",
            "peer": f"SHA-256 of one node, {nodes:,.0f}/s",
            "ratio": added / nodes,
        },
    ]


def run() -> list[dict[str, Any]]:
    """Rows for ``python -m bench``."""
    return calendar_rows() + ledger_rows()


if __name__ == "__main__":
    from bench.__main__ import lines

    print("\n".join(lines(run())))
