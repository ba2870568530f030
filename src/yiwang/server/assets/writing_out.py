"""The inventory as a file: CSV, GeoJSON or GeoPackage, with the columns that an import knows.

No Shapefile: it cuts names to ten characters, so that attributes would not be known again.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from django.db.models import Q, QuerySet

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.assets.listing import in_regions
from yiwang.server.assets.models import Component
from yiwang.server.cities.queries import runtime
from yiwang.server.common.spreadsheets import harmless

COLUMNS = (
    "code", "kind", "source_id", "name", "state", "lon", "lat", "region", "grid", "authority", "owner", "maintainer", "first_on",
    "changed_on", "source", "note",
)  # fmt: skip
DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON"}
_LAYER = "components"
_BLOCK = 10_000


def export_components(
    *,
    city: str,
    path: Path,
    kind: str = "",
    within: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the components of a city, or of one class, to a file by its ending; attributes become columns.

    Args:
        city, kind: The city; a class, or empty for all.
        path: The file.
        within: Regions of which at least one holds the component; none for the whole city.
        progress: Told how many are written, and of how many.

    Returns:
        How many were written.

    Raises:
        BadInput: When the ending is unknown.
    """
    ending = path.suffix.lower()
    asked = _components(city, kind, within)
    rows = _rows(asked, progress)
    unfinished = path.with_name(f".{path.stem}.part{ending}")
    if ending == ".csv":
        written = _write_csv(unfinished, rows, _attributes(asked))
    elif ending in DRIVERS:
        written = _write_features(unfinished, rows, _attributes(asked), DRIVERS[ending])
    else:
        raise BadInput(
            Text(
                "不能写成「{ending}」，可用 .csv、.geojson、.gpkg。",
                "Cannot write {ending!r}; .csv, .geojson and .gpkg are known.",
                ending=ending,
            )
        )
    unfinished.replace(path)
    return written


def _attributes(asked: QuerySet[Component]) -> list[str]:
    found: dict[str, None] = {}
    for attributes in asked.values_list("attributes", flat=True).iterator(_BLOCK):
        found.update(dict.fromkeys(attributes))
    return list(found)


def _components(city: str, kind: str, within: Sequence[str]) -> QuerySet[Component]:
    asked = Component.objects.filter(in_regions(runtime(city), within) if within else Q(), city=city)
    return (asked.filter(kind=kind) if kind else asked).order_by("id")


def _rows(asked: QuerySet[Component], progress: Callable[[int, int], None] | None) -> Iterator[dict[str, Any]]:
    total = asked.count()
    for number, row in enumerate(asked.values(*COLUMNS, "attributes").iterator(_BLOCK), start=1):
        yield row
        if progress is not None and (number % _BLOCK == 0 or number == total):
            progress(number, total)


def _write_csv(path: Path, rows: Iterator[dict[str, Any]], attributes: list[str]) -> int:
    written = 0
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        out = csv.writer(stream)
        out.writerow([*COLUMNS, *map(harmless, attributes)])
        for row in rows:
            said = row["attributes"]
            out.writerow(
                [
                    *(_cell(row[name]) for name in COLUMNS),
                    *(harmless(str(said.get(name, ""))) for name in attributes),
                ]
            )
            written += 1
    return written


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else value


def _write_features(path: Path, rows: Iterator[dict[str, Any]], attributes: list[str], driver: str) -> int:
    import pyogrio  # GDAL: a start does not wait for it

    names = [name for name in (*COLUMNS, *attributes) if name not in ("lon", "lat")]
    written = 0
    while block := list(islice(rows, 100_000)):
        places = np.array([(row["lon"], row["lat"]) for row in block])
        data = [
            np.array(
                [
                    row["attributes"].get(name, "")
                    if name not in COLUMNS
                    else ""
                    if row[name] is None
                    else str(row[name])
                    for row in block
                ],
                dtype=object,
            )
            for name in names
        ]
        pyogrio.raw.write(
            path,
            shapely.to_wkb(shapely.points(places)),
            data,
            np.array(names),
            geometry_type="Point",
            crs="EPSG:4326",
            driver=driver,
            layer=_LAYER,
            encoding="UTF-8",
            append=written > 0,
        )
        written += len(block)
    return written
