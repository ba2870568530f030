# ruff: noqa: S608 - the path is quoted
"""The facts as a lake of Parquet files, partitioned by city and month of opening."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.places.queries import runtime
from yiwang.server.scores import files, operations
from yiwang.server.scores.queries import store_of

MOST_REFRESHES = 10_000


def catch_up(*, city: str) -> dict[str, Any]:
    """Refresh until nothing is left."""
    for _ in range(MOST_REFRESHES):
        found = operations.refresh(city=city)
        if found["complete"]:
            break
    return found


def export_parquet(*, city: str, path: Path) -> dict[str, Any]:
    """Write the facts of a city, brought up to date, to ``path/city=…/month=2011-07/*.parquet``.

    Args:
        city: City.
        path: A folder; cities may share one.

    Returns:
        ``city``, ``cases``, ``months``, ``files``, ``bytes``, ``path``.

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
    store = store_of(runtime(city))
    path.mkdir(parents=True, exist_ok=True)
    relation = files.facts(city, base=store.base, delta=store.delta)
    quoted = str(path).replace("'", "''")
    with files.workshop(city) as connection:
        connection.execute(
            f"copy (select *, strftime(opened_day, '%Y-%m') as month from {relation} as facts order by month, number)"
            f" to '{quoted}' (format parquet, compression zstd, partition_by (city, month), overwrite_or_ignore true)"
        )
    written = sorted(target.rglob("*.parquet"))
    return {
        "city": city,
        "cases": store.cases,
        "months": len({file.parent.name for file in written}),
        "files": len(written),
        "bytes": sum(file.stat().st_size for file in written),
        "path": str(path),
    }
