"""Finding cases by words, any part of a word in any script, without reading a million texts.

Chinese has no spaces to cut at, and a search box is asked for parts of words, so what is indexed is every pair of
neighbouring characters: 井盖破损 is found by 盖破. A word of a search must have all its pairs in a case; whether they
stand in order is looked up in the text. SQLite keeps the pairs in an FTS5 table, PostgreSQL in a `tsvector` under a GIN
index (`docs/decisions/0095`).

What is searched is the column ``sought``: the words with personal data masked, folded in width and case, so that nobody
finds a case by a telephone number which they may not read, and ＡＢＣ is found by abc on both databases. (The index has the
pairs of what was written; it only says where to look.) Who may read words as written may search them so, on record: `listing`.

The worker indexes what has come in, some seconds behind; a search reads the few cases after that as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from yiwang.core.kernel.characters import fold
from yiwang.server.cases.models import Case, Report
from yiwang.server.common import sql
from yiwang.server.common.masking import mask
from yiwang.server.common.selecting import select

BATCH = 5000
# A transaction that took its ids early may end late: so far back cases are looked for that are not indexed.
LOOK_BACK = 10_000
MOST_WORDS = 5
SHORTEST_TAIL = 4  # digits of a number that one reads out; three would name a thousandth of all cases

_KEY = {"sqlite": "rowid", "postgresql": "case_id"}
_PUT = {
    "sqlite": "INSERT OR REPLACE INTO cases_words (rowid, grams) VALUES (%s, %s)",
    "postgresql": "INSERT INTO cases_words (case_id, grams) "
    "SELECT id, array_to_tsvector(string_to_array(grams, ' ')) FROM unnest(%s::bigint[], %s::text[]) AS new (id, grams) "
    "ON CONFLICT (case_id) DO UPDATE SET grams = EXCLUDED.grams",
}
# as PostgreSQL's index for the beginnings of numbers is ordered
_IN_CODE_ORDER = {"sqlite": (">=", "<"), "postgresql": ("~>=~", "~<~")}
_MATCH = {"sqlite": "cases_words MATCH %s", "postgresql": "grams @@ %s::tsquery"}


@lru_cache(maxsize=4096)  # a case is written several times with the same words
def search_text(text: str, address: str) -> str:
    """What a search may find a case by: its words with personal data masked, folded (`characters.fold`)."""
    return fold(mask(f"{text}\n{address}"))


def bigrams(text: str) -> list[str]:
    """Every pair of neighbouring letters or digits, and the last one of each run, so that one alone is found too."""
    found: set[str] = set()
    for run in _runs(fold(text)):
        found.update(run[index : index + 2] for index in range(len(run) - 1))
        found.add(run[-1])
    return sorted(found)


def _runs(folded: str) -> Iterator[str]:
    for usable, run in groupby(folded, str.isalnum):
        if usable:
            yield "".join(run)


def _entry(written: str, numbers: Iterable[str]) -> str:
    """What the index keeps of a case: the pairs, and each number backwards, so that its last digits are a beginning."""
    return " ".join([*bigrams(written), *sorted({_backwards(number) for number in numbers})])


def _backwards(number: str) -> str:
    return "no" + "".join(one for one in reversed(fold(number)) if one.isalnum())


def upsert_statement(*, case_id: int, text: str, address: str, more: Iterable[str] = ()) -> sql.Statement:
    """The statement that indexes a case anew, whether it was indexed or not, with ``more`` numbers of reports than are there."""
    numbers = {*more, *Case.objects.filter(pk=case_id).values_list("number", flat=True)}
    numbers |= {*Report.objects.filter(case_id=case_id).values_list("number", flat=True)}
    written = _entry(f"{text}\n{address}", numbers)
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
        rows = select(Case, ("id", "number", "text", "address"), tail, [since, limit])
        numbers: dict[int, list[str]] = {case: [number] for case, number, *_ in rows}
        if rows:
            span = [rows[0][0], rows[-1][0]]
            for case, number in select(Report, ("case_id", "number"), "WHERE case_id BETWEEN %s AND %s", span):
                if case in numbers:
                    numbers[case].append(number)
        written = [(case, _entry(f"{text}\n{where}", numbers[case])) for case, _, text, where in rows]
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


def matching(query: QuerySet[Case], sought: str, *, as_written: bool = False) -> QuerySet[Case]:
    """The cases that have all the words: each in what is said, or as a number (see `_ids_by_number`).

    Args:
        query: Among which cases.
        sought: Words.
        as_written: Look at the words as they were written too, personal data among them.
    """
    for word in split_words(sought):
        found = Q(sought__contains=fold(word)) | Q(id__in=_ids_by_number(word))
        if as_written:
            found |= Q(text__icontains=word) | Q(address__icontains=word)
        query = query.filter(found)
    return query


def split_words(sought: str) -> list[str]:
    """The words of a search, as many as are looked at."""
    return sought.split()[:MOST_WORDS]


def names(word: str, number: str) -> bool:
    """Whether a folded word names a folded number: its beginning, or its last digits."""
    return number.startswith(word) or (len(word) >= SHORTEST_TAIL and word.isdigit() and number.endswith(word))


def _ids_by_number(word: str) -> RawSQL:
    """Ids of the cases that a word names: the number of a case or of a report, whatever its letter case, the beginning of a
    case's number, or the last digits of either, from `SHORTEST_TAIL` on."""
    at_least, below = _IN_CODE_ORDER[connection.vendor]
    parts, values = [], []
    for spelled in dict.fromkeys((word, word.upper(), word.lower())):
        parts.append(f"SELECT id FROM cases_case WHERE number {at_least} %s AND number {below} %s")  # noqa: S608
        values += [spelled, spelled + "\U0010ffff"]
        parts.append("SELECT case_id FROM cases_report WHERE number = %s")
        values.append(spelled)
    if len(word) >= SHORTEST_TAIL and word.isascii() and word.isdigit():
        key = _KEY[connection.vendor]
        newest = f"(SELECT coalesce(max({key}), 0) FROM cases_words)"  # noqa: S608 - our own names
        parts += [
            f"SELECT {key} FROM cases_words WHERE {_MATCH[connection.vendor]}",  # noqa: S608
            f"SELECT id FROM cases_case WHERE id > {newest} AND number LIKE %s",  # noqa: S608
            f"SELECT case_id FROM cases_report WHERE case_id > {newest} AND number LIKE %s",  # noqa: S608
        ]
        values += [_prefix_term(_backwards(word)), f"%{word}", f"%{word}"]
    return RawSQL(" UNION ALL ".join(parts), values)  # noqa: S611 - our own names


def candidates(query: QuerySet[Case], sought: str) -> QuerySet[Case]:
    """The cases that may have all the words: those whose pairs are there, those not indexed yet, those so numbered."""
    asked = _match_expression(sought)
    if not asked:
        return query
    key = _KEY[connection.vendor]
    candidates = (
        f"SELECT {key} FROM cases_words WHERE {_MATCH[connection.vendor]} "  # noqa: S608 - our own names
        f"UNION ALL SELECT id FROM cases_case WHERE id > (SELECT coalesce(max({key}), 0) FROM cases_words)"
    )
    found = Q(id__in=RawSQL(candidates, [asked]))  # noqa: S611
    for word in split_words(sought):
        found |= Q(id__in=_ids_by_number(word))
    return query.filter(found)


def few(sought: str, *, most: int) -> bool:
    """Whether the index knows at most so many cases that may have all the words."""
    asked = _match_expression(sought)
    if not asked:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM cases_words WHERE {_MATCH[connection.vendor]} LIMIT %s) AS candidates",  # noqa: S608
            [asked, most + 1],
        )
        return bool(cursor.fetchone()[0] <= most)


def _prefix_term(token: str) -> str:
    return f'"{token}" *' if connection.vendor == "sqlite" else f"'{token}':*"


def _match_expression(sought: str) -> str:
    """What words ask of the index, in its own language; empty when they have no letter or digit."""
    terms: list[str] = []
    for run in _runs(fold(" ".join(split_words(sought)))):
        if len(run) == 1:  # the first of a pair, or a last one
            terms.append(_prefix_term(run))
        else:
            pairs = sorted({run[index : index + 2] for index in range(len(run) - 1)})
            terms += [f'"{pair}"' if connection.vendor == "sqlite" else f"'{pair}'" for pair in pairs]
    return (" AND " if connection.vendor == "sqlite" else " & ").join(dict.fromkeys(terms))
