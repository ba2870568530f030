"""Which days lie in the lake, and in which files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, Min

from yiwang.core.kernel.instants import DAY
from yiwang.core.kernel.refusals import Conflict
from yiwang.core.kernel.text import Text
from yiwang.server.sensing.kept.lake import RAW, Part, retire
from yiwang.server.sensing.models import Datastream, KeptDay, Observation

Files = Mapping[str, Mapping[str, str]]  # kind → bucket → file


@dataclass(frozen=True, slots=True)
class Published:
    """A day that lies in the lake."""

    day: int
    version: int
    files: Files


def published(city: str, *, first: int | None = None, last: int | None = None) -> dict[int, Published]:
    """The days of a city in the lake from ``first`` to ``last`` (both of them days since 1970), by day.

    Whoever reads observations asks the database for them first and this afterwards: what has been taken out of the database
    by then is in the files that are named here.
    """
    asked = KeptDay.objects.filter(city=city)
    if first is not None:
        asked = asked.filter(day__gte=first)
    if last is not None:
        asked = asked.filter(day__lte=last)
    rows = asked.order_by("day").values_list("day", "version", "files")
    return {day: Published(day, version, files) for day, version, files in rows if files}


def span(cities: Collection[str]) -> tuple[int, int] | None:
    """The first and the last day, of any of some cities, that lie in the lake; None while none does."""
    found = KeptDay.objects.filter(city__in=cities).exclude(files={}).aggregate(first=Min("day"), last=Max("day"))
    return None if found["first"] is None else (found["first"], found["last"])


def parts_of(days: Iterable[Published], kind: str, buckets: Collection[str] | None = None) -> list[Part]:
    """The files of one kind of some days, each once, with the days for which it holds."""
    found: dict[str, list[int]] = defaultdict(list)
    for one in days:
        for bucket, name in one.files.get(kind, {}).items():
            if buckets is None or bucket in buckets:
                found[name].append(one.day)
    return [Part(name, tuple(numbers)) for name, numbers in found.items()]


def any_closed(city: str) -> bool:
    """Whether single observations of a day of the city are no longer kept."""
    return any(RAW not in one.files for one in published(city).values())


def begin(city: str, day: int) -> KeptDay:
    """The day's row, for whoever is going to write files: who takes an observation away from now on changes its version.

    Reading it changes nothing: of several who write files at once, one always publishes.
    """
    return KeptDay.objects.get_or_create(city=city, day=day)[0]


def publish(row: KeptDay, **values: Any) -> bool:
    """Let files hold for a day, unless something has come between since its row was read; whether they do."""
    changed = KeptDay.objects.filter(pk=row.pk, version=row.version).update(version=row.version + 1, **values)
    if changed and "files" in values:
        retire(row.city, _names(row.files) - _names(values["files"]))
    return bool(changed)


def _names(files: Files) -> set[str]:
    return {name for names in files.values() for name in names.values()}


def all_names(city: str) -> set[str]:
    """The files that any day of a city names."""
    return {name for one in published(city).values() for name in _names(one.files)}


def allow_taking_away(**of: Any) -> None:
    """Before observations are taken away or moved to another moment: who writes files of their days must look again.

    Args:
        of: Which observations, by columns.

    Raises:
        Conflict: A day of theirs lies in the lake already, where single observations are not taken away.
    """
    rows = Observation.objects.filter(**of).order_by().values_list("datastream__city", F("phenomenon_time") / DAY)
    for city, day in sorted(set(rows.distinct())):
        KeptDay.objects.get_or_create(city=city, day=day)
        KeptDay.objects.filter(city=city, day=day).update(version=F("version") + 1)
        if KeptDay.objects.get(city=city, day=day).files:
            raise Conflict(
                Text(
                    "这一天的观测已归档，不能单独删除或改动时间。",
                    "The observations of that day have moved to the lake, where single ones are not taken away or moved.",
                ),
                field="phenomenonTime",
            )


def city_of(stream: int) -> str:
    """The city of a datastream; empty where there is none."""
    return Datastream.objects.filter(pk=stream).values_list("city", flat=True).first() or ""
