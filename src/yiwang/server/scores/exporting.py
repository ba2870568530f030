# ruff: noqa: S608 - the path is quoted
"""The facts as a lake of Parquet files, partitioned by city and month of opening."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yiwang.core.facts.cases import CASES
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.engines import sql
from yiwang.server.cities.queries import runtime
from yiwang.server.facts import files, operations
from yiwang.server.facts.sources import sources
from yiwang.server.scores.queries import store_of

MOST_REFRESHES = 10_000


def catch_up(*, city: str) -> None:
    """Refresh every table of a city until nothing is left."""
    for source in sources():
        for _ in range(MOST_REFRESHES):
            if operations.refresh(city=city, table=source.name)["complete"]:
                break


def export_parquet(*, city: str, path: Path, table: str = CASES) -> dict[str, Any]:
    """Write a table of facts of a city, brought up to date, to ``path/city=…/month=2011-07/*.parquet``.

    Args:
        city: City.
        path: A folder; cities may share one, tables may not.
        table: Name of the table.

    Returns:
        ``city``, ``rows``, ``months``, ``files``, ``bytes``, ``path``.

    Raises:
        BadInput: When the folder holds this city already, or is a file.
    """
    target = path / f"city={city}"
    if path.is_file() or target.exists():
        what = (
            Text("{path} 是一个文件。", "{path} is a file.", path=path)
            if path.is_file()
            else Text("{path} 里已有 {city}。", "{path} holds {city} already.", path=path, city=city)
        )
        raise BadInput(
            Problem(
                what,
                Text(
                    "请换一个文件夹，以免旧月份混在新月份里。",
                    "Name another folder, so that no old month stays among new ones.",
                ),
            )
        )
    catch_up(city=city)
    place = runtime(city)
    store, shelf = store_of(place, table), operations.shelf_of(place, table)
    path.mkdir(parents=True, exist_ok=True)
    relation, of = shelf.facts(base=store.base, delta=store.delta), shelf.table
    # the folder's column names the city, also where the table has none
    columns = "*" if "city" in of.kinds else f"*, '{city}' as city"
    quoted = str(path).replace("'", "''")
    with files.workshop(shelf) as connection:
        connection.execute(
            f"copy (select {columns}, strftime({sql.quote(of.month)}, '%Y-%m') as month from {relation} as facts"
            f" order by month, {sql.quote(of.key)})"
            f" to '{quoted}' (format parquet, compression zstd, partition_by (city, month), overwrite_or_ignore true)"
        )
    written = sorted(target.rglob("*.parquet"))
    return {
        "city": city,
        "rows": store.rows,
        "months": len({file.parent.name for file in written}),
        "files": len(written),
        "bytes": sum(file.stat().st_size for file in written),
        "path": str(path),
    }
