"""Makes anew what is derived from events: the cases' rows, the counts, the nodes kept above the logs. Events are never touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Count

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import (
    CASE_COLUMNS,
    COMPARED,
    EVENT_COLUMNS,
    TALLY_COLUMNS,
    Case,
    DerivedRow,
    Event,
    Tally,
    derive_row,
    differences,
    event_of,
    hash_chain,
    load_rows,
    word_index_entry,
)
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common import sql
from yiwang.server.ledger import api

BATCH = 500


@dataclass(slots=True)
class RebuildReport:
    """What a rebuild did, or would do.

    Attributes:
        cases: Looked at.
        differed: Rows that said something else than their events, and for each column how many.
        tallies: Counts that were wrong.
        nodes: Nodes of the logs that were wrong, of all streams of the city.
        left: Numbers of cases whose events cannot be folded or do not end in the hash that the row names: their rows stay as
            they are, `yiwang ledger verify` says why.
    """

    city: str
    cases: int = 0
    differed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    tallies: int = 0
    nodes: int = 0
    left: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "city": self.city,
            "cases": self.cases,
            "differed": self.differed,
            "columns": dict(sorted(self.columns.items())),
            "tallies": self.tallies,
            "nodes": self.nodes,
            "left": self.left,
        }


def rebuild(*, city: str, dry_run: bool = False, progress: Callable[[int], None] | None = None) -> RebuildReport:
    """Compute every row of a city anew from its events, then the counts from the rows; again, it changes nothing.

    Each batch is one transaction, so the city goes on meanwhile and a rebuild that is killed has done whole batches.

    Args:
        city: City.
        dry_run: Only tell what differs.
        progress: Called with the number of cases done so far.
    """
    place, found, last = runtime(city), RebuildReport(city), ""
    while True:
        numbers = list(
            Case.objects.filter(city=city, number__gt=last).order_by("number").values_list("number", flat=True)[:BATCH]
        )
        if not numbers:
            break
        last = numbers[-1]
        _rebuild_batch(numbers, place, found, dry_run=dry_run)
        if progress:
            progress(found.cases)
    found.tallies = _rebuild_tallies(city, dry_run=dry_run)
    found.nodes = sum(api.renew_nodes(stream=stream.name, city=city, dry_run=dry_run)[1] for stream in api.streams())
    return found


def renew_dues(*, city: str) -> int:
    """Let changed rules say anew when the system has to look at each open case; how many moments changed."""
    place, changed, last = runtime(city), 0, 0
    while True:
        query = Case.objects.filter(city=city, closed_at=None, id__gt=last).order_by("id")
        part = list(query.values_list("id", "number")[:BATCH])
        if not part:
            return changed
        last = part[-1][0]
        found = RebuildReport(city)
        _rebuild_batch([number for _, number in part], place, found, dry_run=False, only=frozenset({"next_due"}))
        changed += found.differed


def _rebuild_batch(
    numbers: Sequence[str],
    place: CityRuntime,
    found: RebuildReport,
    *,
    dry_run: bool,
    only: frozenset[str] = frozenset(),
) -> None:
    """Put the rows of some cases right.

    Args:
        numbers: The cases.
        place: Their city.
        found: Where to count.
        dry_run: Only count.
        only: Columns to look at; all when it is empty.
    """
    with transaction.atomic():
        load_rows(numbers, lock=not dry_run)  # in the order of numbers, as every command does
        cases = list(Case.objects.filter(number__in=numbers).order_by("number").values(*COMPARED))
        stored = Event.objects.filter(case_id__in=[row["id"] for row in cases]).order_by("case_id", "seq")
        by_case = {
            case: list(group) for case, group in groupby(stored.values(*EVENT_COLUMNS), key=lambda row: row["case_id"])
        }
        for row in cases:
            found.cases += 1
            own = by_case.get(row["id"], [])
            try:
                right = _derive(row, own, place)
            except (BadInput, orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError):
                found.left.append(row["number"])
                continue
            names = [name for name in differences(row, right) if not only or name in only]
            if names:
                found.differed += 1
                found.columns.update(names)
                if not dry_run:
                    _write(row, right)


def _derive(row: dict[str, Any], stored: Sequence[dict[str, Any]], place: CityRuntime) -> DerivedRow:
    number = row["number"]
    events = [event_of(item, number=number) for item in stored]
    digests = [bytes(item["hash"]) for item in stored]
    if hash_chain(events, head=None) != digests or digests[-1] != bytes(row["head"]):
        raise BadInput(
            Text("案卷 {number} 的事件与其哈希不符。", "The events of {number} do not fit their hashes.", number=number)
        )
    return derive_row(events, head=digests[-1], place=place)


def _write(row: dict[str, Any], right: DerivedRow) -> None:
    columns = dict(right.columns)
    if row["next_due"] in right.dues:
        columns["next_due"] = row["next_due"]
    statements = [sql.change(Case, CASE_COLUMNS, [columns[name] for name in CASE_COLUMNS], pk=row["id"])]
    if (row["text"], row["address"]) != (columns["text"], columns["address"]):
        statements.append(word_index_entry(case_id=row["id"], text=columns["text"], address=columns["address"]))
    sql.run(statements)


def _rebuild_tallies(city: str, *, dry_run: bool) -> int:
    """Replace the counts of a city by what its cases say, when they say otherwise."""
    with transaction.atomic():
        if not dry_run and connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # nobody moves a case between the counting and the writing
                cursor.execute("LOCK TABLE cases_case, cases_tally IN SHARE ROW EXCLUSIVE MODE")
        kept: Counter[tuple[Any, ...]] = Counter()
        for *key, count in Tally.objects.filter(city=city).values_list("region", "step", "late", "count"):
            kept[tuple(key)] += count
        cases = Case.objects.filter(city=city).values_list("region", "step", "overdue").annotate(n=Count("id"))
        right = Counter({tuple(key): count for *key, count in cases.order_by()})
        wrong = sum(kept[key] != right[key] for key in kept.keys() | right.keys())
        if wrong and not dry_run:
            Tally.objects.filter(city=city).delete()
            sql.insert_many(Tally, TALLY_COLUMNS, [(city, *key, count) for key, count in right.items()])
    return wrong
