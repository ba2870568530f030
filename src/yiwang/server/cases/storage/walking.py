"""The first rows of a list, at the price of a hundred rows and not of a million.

A list is ordered by time. Where one index serves both the filter and the order, the database walks along it and stops
after a page. Where none does, there are two ways, each good where the other is bad:

* **walk** along the order, look at each row, keep what passes: quick when many pass;
* **gather** all that pass through the narrowest index and sort them: quick when few do.

Neither SQLite nor PostgreSQL knows beforehand how many will pass; their guesses cost up to a second at a million cases
(`docs/decisions/0093`). So the walk is tried over a bounded stretch first. When that fills the page, it was the right
way. When it does not, a handful is gathered at once; else it is counted, up to a bound, how many pass: a few
are gathered; where there are many the stretch was an unlucky one (the newest cases are never overdue, say), and the walk
goes on.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import F, Func, QuerySet
from django.db.models.expressions import Col

from yiwang.server.cases.models import Case
from yiwang.server.cases.storage import words

STRETCH = 3000
FURTHER = 8  # so many times as long is the second stretch
FEW = 4  # stretches that are gathered rather than walked for; a text costs more to gather, so of those it is one
HANDFUL = 500  # so many are sorted here: to count them first would cost as much as to find them
_TABLE = f'FROM "{Case._meta.db_table}"'


class _OffIndex(Func):
    """A column as a sort key that no index offers, so that the database sorts what it has gathered."""

    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="+%(expressions)s", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="(%(expressions)s + interval '0')", **context)


def _filter_columns(query: QuerySet[Case]) -> set[str]:
    """The columns that a query's filters look at."""
    pending: list[Any] = list(query.query.where.children)
    found: set[str] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, Col):
            found.add(node.target.attname)
        else:
            pending += getattr(node, "children", None) or node.get_source_expressions()
    return found


def _few(narrowed: QuerySet[Case], sought: str) -> bool:
    """Whether there are few enough to gather."""
    if sought:
        return words.few(sought, most=STRETCH)
    return narrowed.order_by()[: FEW * STRETCH + 1].count() <= FEW * STRETCH


def _handful(narrowed: QuerySet[Case], column: str) -> list[tuple[Any, int]] | None:
    """All of them with what they are ordered by, found in one look, where they are a handful; else None."""
    found = list(narrowed.order_by().values_list(column, "id")[: HANDFUL + 1])
    return found if len(found) <= HANDFUL and all(value is not None for value, _ in found) else None


def first_ids(
    *,
    walked: QuerySet[Case],
    narrowed: QuerySet[Case],
    sought: str,
    column: str,
    falling: bool,
    limit: int,
) -> list[int]:
    """Ids of the first ``limit`` cases of ``narrowed`` in the order of ``column`` and id.

    Args:
        walked: The part of the filters that an index in this order serves; ``narrowed`` is a part of it.
        narrowed: All the filters.
        sought: The words among the filters, which an index of their own helps to gather; empty without any.
        column: What the list is ordered by.
        falling: Newest first.
        limit: How many.
    """
    sign = "-" if falling else ""
    order = (f"{sign}{column}", f"{sign}id")
    columns = sorted({"id", column, *_filter_columns(narrowed)})
    outer, outer_values = narrowed.order_by(*order).values("id", column)[:limit].query.sql_with_params()
    stretches = [STRETCH]
    for stretch in stretches:
        inner, inner_values = walked.order_by(*order).values(*columns)[:stretch].query.sql_with_params()
        # the stretch takes the table's name, so the same filters read it instead of the table
        sql = outer.replace(_TABLE, f'FROM ({inner}) AS "{Case._meta.db_table}"', 1)
        with connection.cursor() as cursor:
            cursor.execute(sql, (*inner_values, *outer_values))
            found = [int(row[0]) for row in cursor.fetchall()]
        if len(found) == limit:
            return found
        if stretch == STRETCH:
            if not sought and (every := _handful(narrowed, column)) is not None:
                return [pk for _, pk in sorted(every, reverse=falling)[:limit]]
            if not _few(narrowed, sought):
                stretches.append(FURTHER * STRETCH)
    gathered = words.candidates(narrowed, sought)
    key = _OffIndex(F(column))
    return list(
        gathered.order_by(key.desc() if falling else key.asc(), f"{sign}id").values_list("id", flat=True)[:limit]
    )
