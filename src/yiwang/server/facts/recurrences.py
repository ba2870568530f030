# ruff: noqa: S608 - names of columns come from the catalogue
"""The one column of the case facts that depends on other cases: how often the trouble came back, counted in DuckDB's SQL."""

from __future__ import annotations

from math import cos, radians
from typing import Any

from yiwang.core.facts.cases import FactContext

NEAR_M, NEAR_DAYS = 50, 30
_DM_PER_DEGREE = 1_113_194.9  # decimetres on a great circle of radius 6,378,137 m
_CELL_DM = NEAR_M * 10
_PLACING = "number, category, opened_at, closed_at, end_kind, lon, lat, located, recurrences"


def with_cells(relation: str, latitude: float) -> str:
    """Located cases with their place in decimetres and their cell of 50 m, in whole numbers, so that every count is exact."""
    east = _DM_PER_DEGREE * cos(radians(latitude))
    return (
        "select number, category, opened_at, closed_at, end_kind, recurrences, x, y,"
        f" cast(floor(x / {_CELL_DM}.0) as bigint) as cx, cast(floor(y / {_CELL_DM}.0) as bigint) as cy"
        f" from (select {_PLACING},"
        f" cast(round(lon * {east!r}) as bigint) as x, cast(round(lat * {_DM_PER_DEGREE!r}) as bigint) as y"
        f" from {relation} where located) as located_cases"
    )


_AROUND = "(values (-1), (0), (1)) as i(d), (values (-1), (0), (1)) as j(d)"


def recurrences(placed_cases: str, *, ended: str = "") -> str:
    """A query that counts, for each closed case, the cases of its category that were opened within 30 days after it was
    closed and within 50 m: ``number, n``, only where there are any.

    Args:
        placed_cases: Relation of `with_cells`, for those that come again.
        ended: Relation of `with_cells`, for those that are counted for; the same by default.
    """
    return (
        f"with around as (select e.*, e.cx + i.d as nx, e.cy + j.d as ny from {ended or placed_cases} as e, {_AROUND}"
        " where e.end_kind = 'closed')"
        f" select around.number, count(*) as n from around join {placed_cases} as again"
        " on again.category = around.category and again.cx = around.nx and again.cy = around.ny"
        " where again.number <> around.number and again.end_kind not in ('rejected', 'void', 'merged')"
        f" and again.opened_at > around.closed_at and again.opened_at <= around.closed_at + interval {NEAR_DAYS} day"
        " and (again.x - around.x) * (again.x - around.x) + (again.y - around.y) * (again.y - around.y)"
        f" <= {_CELL_DM * _CELL_DM} group by around.number"
    )


def count_all(connection: Any, relation: str, *, latitude: float) -> None:
    """Make the table ``counted`` (``number, n``) over all cases."""
    connection.execute(f"create or replace temp table placed_cases as {with_cells(relation, latitude)}")
    connection.execute(f"create or replace temp table counted as {recurrences('placed_cases')}")


def recount(connection: Any, *, there: str, fresh: str, latitude: float) -> int:
    """Make the tables ``counted`` (``number, n``: for every fresh row, and for the others whose count has changed) and
    ``recounted`` (numbers of those others); how many others.

    Only the cells that a fresh row lies or lay in can have changed counts, and those around them; what comes again for
    those lies one cell further. So the rows that are there are looked through twice, a few columns each time.
    """
    connection.execute(f"create or replace temp table fresh_rows as select number, located from {fresh}")
    connection.execute(
        f"create or replace temp table old_rows as select {_PLACING} from {there} as old"
        " where number in (select number from fresh_rows)"
    )
    connection.execute(f"create or replace temp table now_placed as {with_cells(fresh, latitude)}")
    connection.execute(
        "create or replace temp table touched as select distinct category, cx + i.d as cx, cy + j.d as cy from"
        f" (select category, cx, cy from now_placed union select category, cx, cy from ({with_cells('old_rows', latitude)}) as o)"
        f" as t, {_AROUND}"
    )
    connection.execute(
        f"create or replace temp table wider as select distinct category, cx + i.d as cx, cy + j.d as cy from touched, {_AROUND}"
    )
    connection.execute(
        f"create or replace temp table near as select * from ({with_cells(there + ' as old', latitude)}) as p"
        " where (category, cx, cy) in (select category, cx, cy from wider)"
        " and number not in (select number from fresh_rows)"
    )
    connection.execute("insert into near select * from now_placed")
    connection.execute(
        "create or replace temp table concerned as select * from near"
        " where (category, cx, cy) in (select category, cx, cy from touched)"
    )
    connection.execute(f"create or replace temp table found as {recurrences('near', ended='concerned')}")
    connection.execute(
        "create or replace temp table recounted as select c.number, coalesce(f.n, 0) as n from concerned as c"
        " left join found as f using (number)"
        " where c.number not in (select number from fresh_rows) and c.recurrences <> coalesce(f.n, 0)"
    )
    connection.execute(
        "create or replace temp table counted as select * from recounted union all"
        " select number, coalesce(f.n, 0) as n from fresh_rows left join found as f using (number)"
    )
    row = connection.execute("select count(*) from recounted").fetchone()
    return int(row[0]) if row else 0


class Recurrences:
    """Keeps the column ``recurrences``."""

    column = "recurrences"

    def count_all(self, connection: Any, relation: str, *, context: FactContext) -> None:
        count_all(connection, relation, latitude=context.latitude)

    def recount(self, connection: Any, *, there: str, fresh: str, context: FactContext) -> int:
        return recount(connection, there=there, fresh=fresh, latitude=context.latitude)
