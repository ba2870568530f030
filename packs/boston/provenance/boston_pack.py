"""Reading the city's file through the half-made pack: the same reader as `yiwang replay`, without the decision tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from boston_data import PACK
from yiwang.core.worktime import WorkCalendar
from yiwang.packs.calendar import read_calendar
from yiwang.packs.files import PackFiles
from yiwang.packs.records.mapping import require_mapping
from yiwang.packs.records.reading import RecordReader, SourceRecord, Vocabulary, read_records

TIMEZONE = "America/New_York"
ZONE = ZoneInfo(TIMEZONE)


def vocabulary() -> Vocabulary:
    """The pack's names, from its files."""

    def names(file: str) -> dict[str, str]:
        with (PACK / file).open(encoding="utf-8", newline="") as stream:
            return {row["code"]: row["name"] for row in csv.DictReader(stream)}

    return Vocabulary.of(
        categories=names("categories.csv"), units=names("units.csv"), regions=names("regions.csv").keys()
    )


def reader(path: Path) -> RecordReader:
    mapping = require_mapping(PackFiles(PACK), timezone=TIMEZONE)
    return read_records(path=path, mapping=mapping, vocabulary=vocabulary())


def records_of(path: Path, *, since: str = "", until: str = "") -> Iterator[SourceRecord]:
    """Records opened in ``[since, until)``, days in Boston as ISO dates."""
    for record in reader(path):
        if opened_in(record, since=since, until=until):
            yield record


def opened_in(record: SourceRecord, *, since: str = "", until: str = "") -> bool:
    """Whether a record was opened in ``[since, until)``, days in Boston as ISO dates; empty for no end."""
    day = record.opened_at.astimezone(ZONE).date().isoformat()
    return since <= day and (not until or day < until)


def read_calendar_of_pack(pack: Path) -> WorkCalendar:
    files = PackFiles(pack)
    calendar = read_calendar(files, timezone=TIMEZONE)
    assert calendar is not None, files.problems
    return calendar
