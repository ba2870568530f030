"""A list of cases as one reader may read it: words masked for staff whom a case concerns, as published for everybody else.

The database searches masked words (`words`). What everybody reads may be less than that, since moderators withhold texts or have
not released them yet: cases that only such words would have found are left out, and the list goes on to the next ones, so
that neither a line nor the end of the list tells that there are any. Whoever reads words as written (the supervision axis, where
the case concerns them) may also look for personal data, a caller's telephone number say; whom it finds goes on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from yiwang.core.kernel.characters import fold
from yiwang.server.cases.models import Report
from yiwang.server.cases.reading import public, queries
from yiwang.server.cases.reading.access import Readers
from yiwang.server.cases.storage import words
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.masking import mask

MOST_LOOKED_AT = 5_000  # cases with words that are not public; a word that so many hold tells nothing of a person


def page(
    *,
    readers: Readers,
    place: CityRuntime,
    filters: queries.CaseFilters,
    cursor: str = "",
    limit: int = 50,
    at: datetime | None = None,
) -> queries.Page:
    """A page of a list for a reader; see `queries.list_cases` for the arguments and what it raises."""
    shown: list[dict[str, Any]] = []
    looked_at = 0
    # a caller's telephone number, say: who takes calls may look for it
    personal = bool(readers.supervising) and mask(filters.q) != filters.q
    filters = replace(filters, as_written=personal)
    while True:
        found = queries.list_cases(city=place.info.id, filters=filters, cursor=cursor, limit=limit, at=at)
        rows = readable_rows(found.items, readers=readers, place=place)
        kept = {row["id"] for row in _matching_rows(rows, filters.q)} if filters.q else {row["id"] for row in rows}
        if personal:
            read = [row for row in found.items if row["id"] not in kept and readers.of_row(row).personal]
            readers.record(numbers=[row["number"] for row in read], what="words", purpose="search by personal data")
            kept |= {row["id"] for row in read}
        shown += [row for row in rows if row["id"] in kept]
        looked_at += len(found.items)
        if found.next is None or not filters.q or len(shown) >= limit or looked_at >= MOST_LOOKED_AT:
            break
        cursor = found.next
    if len(shown) <= limit:
        return queries.Page(items=shown, next=found.next)
    last = shown[limit - 1]
    return queries.Page(items=shown[:limit], next=queries.cursor_after(last, order=filters.order))


def readable_rows(rows: Iterable[Mapping[str, Any]], *, readers: Readers, place: CityRuntime) -> list[dict[str, Any]]:
    """Rows of cases with the words that a reader may read in a list; the others come without their words."""
    rows = list(rows)
    staff = [readers.of_row(row).staff for row in rows]
    others = iter(public.public_rows([row for row, known in zip(rows, staff, strict=True) if not known], place=place))
    return [
        {**row, "text": mask(row["text"]), "address": mask(row["address"])} if known else next(others)
        for row, known in zip(rows, staff, strict=True)
    ]


def _matching_rows(rows: list[dict[str, Any]], sought: str) -> list[dict[str, Any]]:
    """Of the rows those that the words which are shown, or their numbers, have been found by."""
    asked = [fold(word) for word in words.split_words(sought)]
    missing = {row["id"]: {word for word in asked if word not in _search_text(row)} for row in rows}
    doubtful = [case for case, lacking in missing.items() if lacking]
    numbers: dict[int, list[str]] = {case: [] for case in doubtful}
    if doubtful:
        for case, number in Report.objects.filter(case_id__in=doubtful).values_list("case_id", "number"):
            numbers[case].append(fold(number))
    return [
        row
        for row in rows
        if all(
            any(words.names(word, number) for number in (fold(row["number"]), *numbers[row["id"]]))
            for word in missing[row["id"]]
        )
    ]


def _search_text(row: Mapping[str, Any]) -> str:
    return fold(f"{row['text']}\n{row['address']}")
