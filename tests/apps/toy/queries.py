"""What one may ask of the app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max, Min
from tests.apps.toy.models import Reading
from tests.apps.toy.operations import NAME

from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import (
    DAY,
    FLOAT,
    TEXT,
    FactColumn,
    FactTable,
    Row,
    region_codes,
    region_columns,
    region_dimensions,
)  # fmt: skip
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.facts.sources import FactSource
from yiwang.server.ledger.api import Entry, Stream


def newest(city: str, *, most: int = 50) -> list[dict[str, Any]]:
    """The last readings of a city, the newest first."""
    rows = Reading.objects.filter(city=city).order_by("-id").values("bin", "at", "full", "case")[:most]
    return [{**row} for row in rows]


# --- facts ------------------------------------------------------------------------------------------------------------


def table(context: FactContext) -> FactTable:
    """A row for each reading."""
    return FactTable(
        name=NAME,
        label=Text("垃圾桶读数", "Readings of bins"),
        key="reading",
        columns=(
            FactColumn("reading", TEXT, Text("读数", "Reading")),
            FactColumn("bin", TEXT, Text("垃圾桶", "Bin")),
            FactColumn("read_day", DAY, Text("读数日期", "Day of the reading")),
            FactColumn("full", FLOAT, Text("满的程度", "How full")),
            *region_columns(context.levels),
        ),
        bases={"read": "read_day"},
        dimensions=region_dimensions(context.levels),
        month="read_day",
        order="reading",
    )


def rows(place: CityRuntime) -> Iterator[Sequence[Row]]:
    """Every reading of a city as a row of facts."""
    found = Reading.objects.filter(city=place.info.id).order_by("id")
    levels, root = place.pack.fact_context().levels, place.regions.roots[0].code
    yield [
        {
            "reading": str(reading.pk),
            "bin": reading.bin,
            "read_day": reading.at.astimezone(place.info.zone).date(),
            "full": reading.full,
            **region_codes(reading.region, levels=levels, root=root),
        }
        for reading in found
    ]


def size(city: str) -> int:
    """About how many readings a city has."""
    return Reading.objects.filter(city=city).count()


def marks(city: str) -> tuple[int, ...]:
    """The last id: another one means that there is something new to count."""
    return (Reading.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0,)


FACTS = FactSource(name=NAME, table=table, rows=rows, size=size, newest=marks)


# --- ledger -----------------------------------------------------------------------------------------------------------


def entries(*, city: str, after: int, end: datetime) -> Iterator[Entry]:
    """Readings by time."""
    found = Reading.objects.filter(city=city, id__gt=after, at__lt=end).order_by("at", "id")
    for pk, at, digest in found.values_list("id", "at", "digest"):
        yield at, pk, bytes(digest)


def lookup(*, city: str, keys: Sequence[int]) -> Mapping[int, tuple[datetime, bytes]]:
    """Readings by their ids."""
    found = Reading.objects.filter(city=city, id__in=keys).values_list("id", "at", "digest")
    return {pk: (at, bytes(digest)) for pk, at, digest in found}


def seen(*, city: str, after: int, end: datetime) -> int:
    """The last id before the first that lies behind ``end``."""
    first = Reading.objects.filter(city=city, id__gt=after, at__gte=end).aggregate(n=Min("id"))["n"]
    return marks(city)[0] if first is None else first - 1


STREAM = Stream(name=NAME, title=Text("垃圾桶读数", "readings of bins"), entries=entries, lookup=lookup, seen=seen)
