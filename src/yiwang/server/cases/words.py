"""Finding cases by words, any part of a word in any script, without reading a million texts.

Chinese has no spaces to cut at, and a search box is asked for parts of words, so what is indexed is every pair of
neighbouring characters: 井盖破损 is found by 盖破. A word of a search must have all its pairs in a case; whether they
stand in order is looked up in the text. SQLite keeps the pairs in an FTS5 table, PostgreSQL in a `tsvector` under a GIN
index (`docs/decisions/0095`).

The worker indexes what has come in, some seconds behind; a search reads the few cases after that as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from yiwang.server.cases import storage
from yiwang.server.cases.models import Case
from yiwang.server.common.selecting import select

BATCH = 5000
# A transaction that took its ids early may end late: so far back cases are looked for that are not indexed.
LOOK_BACK = 10_000

_KEY = {"sqlite": "rowid", "postgresql": "case_id"}
_PUT = {
    "sqlite": "INSERT OR REPLACE INTO cases_words (rowid, grams) VALUES (%s, %s)",
    "postgresql": "INSERT INTO cases_words (case_id, grams) "
    "SELECT id, array_to_tsvector(string_to_array(grams, ' ')) FROM unnest(%s::bigint[], %s::text[]) AS new (id, grams) "
    "ON CONFLICT (case_id) DO UPDATE SET grams = EXCLUDED.grams",
}
_MATCH = {"sqlite": "cases_words MATCH %s", "postgresql": "grams @@ %s::tsquery"}


def grams(text: str) -> list[str]:
    """Every pair of neighbouring letters or digits, and the last one of each run, so that one alone is found too."""
    found: set[str] = set()
    for run in _runs(text):
        found.update(run[index : index + 2] for index in range(len(run) - 1))
        found.add(run[-1])
    return sorted(found)


def _runs(text: str) -> Iterator[str]:
    for usable, run in groupby(text.lower(), str.isalnum):
        if usable:
            yield "".join(run)


def put(*, case_id: int, text: str, place: str) -> storage.Statement:
    """The statement that indexes a case, whether it was indexed or not."""
    written = " ".join(grams(f"{text} {place}"))
    return _PUT[connection.vendor], [case_id, written] if connection.vendor == "sqlite" else [[case_id], [written]]


def index(*, limit: int = BATCH) -> int:
    """Index cases that are not indexed yet; how many. Call it again until it gives 0."""
    key = _KEY[connection.vendor]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max({key}), 0) FROM cases_words")  # noqa: S608 - our own names
        since = max(0, cursor.fetchone()[0] - LOOK_BACK)
        tail = (
            f"WHERE id > %s AND NOT EXISTS (SELECT 1 FROM cases_words WHERE {key} = id) "  # noqa: S608
            "ORDER BY id LIMIT %s"
        )
        rows = select(Case, ("id", "text", "place"), tail, [since, limit])
        written = [(case, " ".join(grams(f"{text} {place}"))) for case, text, place in rows]
        if connection.vendor == "sqlite":
            cursor.executemany(_PUT["sqlite"], written)
        elif written:
            cursor.execute(_PUT["postgresql"], [list(column) for column in zip(*written, strict=True)])
    return len(rows)


def index_all() -> int:
    """Index everything that is not indexed yet."""
    total = 0
    while done := index():
        total += done
    return total


def having(query: QuerySet[Case], sought: str) -> QuerySet[Case]:
    """The cases that may have all the words: those whose pairs are there, those not indexed yet, one so numbered."""
    asked = _asked(sought)
    if not asked:
        return query
    key = _KEY[connection.vendor]
    candidates = (
        f"SELECT {key} FROM cases_words WHERE {_MATCH[connection.vendor]} "  # noqa: S608 - our own names
        f"UNION ALL SELECT id FROM cases_case WHERE id > (SELECT coalesce(max({key}), 0) FROM cases_words)"
    )
    values = [asked]
    if len(sought.split()) == 1:
        # in the order of code points, as PostgreSQL's index for the beginnings of numbers is
        at_least, below = ("~>=~", "~<~") if connection.vendor == "postgresql" else (">=", "<")
        candidates += f" UNION ALL SELECT id FROM cases_case WHERE number {at_least} %s AND number {below} %s"  # noqa: S608
        values += [sought.strip(), sought.strip() + "\U0010ffff"]
    return query.filter(id__in=RawSQL(candidates, values))  # noqa: S611


def few(sought: str, *, most: int) -> bool:
    """Whether the index knows at most so many cases that may have all the words."""
    asked = _asked(sought)
    if not asked:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM cases_words WHERE {_MATCH[connection.vendor]} LIMIT %s) AS candidates",  # noqa: S608
            [asked, most + 1],
        )
        return bool(cursor.fetchone()[0] <= most)


def _asked(sought: str) -> str:
    """What words ask of the index, in its own language; empty when they have no letter or digit."""
    terms: list[str] = []
    for run in _runs(sought):
        if len(run) == 1:  # the first of a pair, or a last one
            terms.append(f'"{run}" *' if connection.vendor == "sqlite" else f"'{run}':*")
        else:
            pairs = sorted({run[index : index + 2] for index in range(len(run) - 1)})
            terms += [f'"{pair}"' if connection.vendor == "sqlite" else f"'{pair}'" for pair in pairs]
    return (" AND " if connection.vendor == "sqlite" else " & ").join(dict.fromkeys(terms))
