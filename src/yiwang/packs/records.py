"""A city's own file of past requests, read in the words of its pack: typed records for the replay and for measurements.

The file is CSV, plain or gzip-packed, read as a stream. A row that cannot be used is reported with its number and column,
counted and left out; nothing is lost silently, and nothing is repaired by guessing. What the file's columns, words and
habits mean stands in the pack's `replay.toml` (:mod:`yiwang.packs.records_mapping`).
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.packs.hints import did_you_mean
from yiwang.packs.records_flags import MomentReader, as_of, deadline_agrees, expected_flag
from yiwang.packs.records_mapping import REQUIRED_FIELDS, ReplayMapping, placeholders, plain
from yiwang.packs.records_model import Counts, SourceRecord, Vocabulary, spelled

__all__ = [
    "Counts",
    "MomentReader",
    "RecordReader",
    "SourceRecord",
    "Vocabulary",
    "as_of",
    "deadline_agrees",
    "expected_flag",
    "read_records",
]

# Problems kept with their place; beyond it they are only counted, so that a broken file cannot fill the memory.
MAX_PROBLEMS = 1000
_LONGEST_CELL = 1_000_000
_REMEMBERED = 100_000  # look-ups kept; a file holds few different words, but a broken one may not


def read_records(
    *, path: Path | str, mapping: ReplayMapping, vocabulary: Vocabulary, limit: int | None = None
) -> RecordReader:
    """A stream of a file's records.

    Args:
        path: CSV file, plain or gzip-packed.
        mapping: What `replay.toml` says.
        vocabulary: What the pack can call things.
        limit: Stop after so many records.
    """
    return RecordReader(path=Path(path), mapping=mapping, vocabulary=vocabulary, limit=limit)


class RecordReader:
    """A stream of a file's records; iterate once, then read what else was found.

    Attributes:
        counts: What became of the rows so far.
        problems: The first faults, each with file, row and column.
        latest: Latest moment at which anything was opened or closed so far; what :func:`as_of` rests on.
        missing: Fields of the mapping for which the file has no column.
        unused: Columns of the file that the mapping does not ask for.
    """

    def __init__(self, *, path: Path, mapping: ReplayMapping, vocabulary: Vocabulary, limit: int | None = None) -> None:
        self.path = path
        self.mapping = mapping
        self.limit = limit
        self.counts = Counts()
        self.problems: list[Problem] = []
        self.latest: datetime | None = None
        self.missing: tuple[str, ...] = ()
        self.unused: tuple[str, ...] = ()
        self._vocabulary = vocabulary
        self._zone = mapping.zone
        self._position: dict[str, int] = {}
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[SourceRecord]:
        """The records in the file's order.

        Raises:
            BadInput: When the file cannot be opened or unpacked, is empty, or lacks a column that nothing can replace.
        """
        if self.limit is not None and self.limit <= 0:
            return
        try:
            with _opened(self.path) as stream:
                yield from self._records(csv.reader(_without_nul(stream)))
        except FileNotFoundError:
            raise BadInput(Problem("There is no such file.", "Give the path of a CSV file.", str(self.path))) from None
        except (OSError, EOFError, zlib.error) as error:
            what = getattr(error, "strerror", "") or str(error)
            hint = "A CSV file is expected, plain or packed with gzip."
            raise BadInput(Problem(f"The file cannot be read: {what}.", hint, str(self.path))) from None

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _records(self, rows: Iterator[list[str]]) -> Iterator[SourceRecord]:
        csv.field_size_limit(_LONGEST_CELL)
        header = next(rows, None)
        if not header or not any(cell.strip() for cell in header):
            raise BadInput(Problem("The file is empty.", "Its first row names the columns.", str(self.path), 1))
        self._read_header(header)
        build = _Builder(self)
        number = 1
        while True:
            number += 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                self.counts.rows += 1
                self._skip(number, "", f"The row cannot be split into cells: {error}.")
                continue
            if not cells or not any(cells):
                continue
            self.counts.rows += 1
            if len(cells) != len(header):
                self._skip(number, "", f"The row has {len(cells)} cells, the header {len(header)}.")
                continue
            record = build(number, cells)
            if record is None:
                continue
            self.counts.records += 1
            yield record
            if self.limit is not None and self.counts.records >= self.limit:
                return

    def _read_header(self, header: list[str]) -> None:
        names = [plain(cell.lstrip("﻿")) for cell in header]
        taken: set[int] = set()
        for name, aliases in self.mapping.columns.items():
            for alias in aliases:
                if alias in names:
                    self._position[name] = names.index(alias)
                    taken.add(self._position[name])
                    break
        self.missing = tuple(name for name in self.mapping.columns if name not in self._position)
        self.unused = tuple(cell for index, cell in enumerate(header) if index not in taken)
        needed = [*REQUIRED_FIELDS]
        lacking = [name for name in needed if name in self.missing]
        if lacking:
            raise BadInput([self._lack(name, header) for name in lacking])

    def _lack(self, name: str, header: Sequence[str]) -> Problem:
        aliases = self.mapping.columns[name]
        near = did_you_mean(aliases[0], [plain(cell) for cell in header], "The header has")
        hint = (
            near or f"The header has {', '.join(header[:12])}; name the right one in replay.toml under columns.{name}."
        )
        return Problem(f"No column for {name} ({', '.join(aliases)}).", hint, str(self.path), 1)

    # --- what went wrong ----------------------------------------------------------------------------------------------

    def _skip(self, row: int, column: str, message: str, hint: str = "") -> None:
        self.counts.skipped += 1
        self._note(row, column, message, hint or "The row is left out.")

    def _note(self, row: int, column: str, message: str, hint: str = "") -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(message, hint, str(self.path), row, column))


class _Builder:
    """Turns one row into a record; what does not change from row to row is worked out once."""

    def __init__(self, reader: RecordReader) -> None:
        self.reader = reader
        self.mapping = mapping = reader.mapping
        self.blank = mapping.blank
        self.longest_blank = max(map(len, mapping.blank))
        self.at = dict(reader._position)
        vocabulary = reader._vocabulary
        self.category = self._finder(mapping.category_names, vocabulary.categories.get, spelled)
        self.unit = self._finder(mapping.unit_names, {**vocabulary.units, **mapping.unit_words}.get, spelled)
        self.region = self._region_finder(vocabulary.regions)
        self.text = self._filler(mapping.text)
        self.place = self._filler(mapping.place)
        self.category_text = self._filler(mapping.category_names[0] if mapping.category_names else "")
        self.unit_text = self._filler(mapping.unit_names[0] if mapping.unit_names else "")
        self.conditions = {rule.category for rule in mapping.conditions}
        self.moments = MomentReader(zone=mapping.zone, formats=mapping.datetime_formats)

    def __call__(self, row: int, cells: list[str]) -> SourceRecord | None:
        reader, counts = self.reader, self.reader.counts
        external_id = self._cell(cells, "external_id")
        if not external_id:
            reader._skip(row, "external_id", "The request has no number.")
            return None
        if external_id in reader._seen:
            counts.repeated += 1
            reader._note(row, "external_id", f"The number {external_id!r} stood before.", "The row is left out.")
            return None
        moments: dict[str, datetime | None] = {}
        for name in ("opened", "deadline", "closed"):
            text = self._cell(cells, name)
            try:
                moments[name] = self.moments(text) if text else None
            except ValueError:
                reader._skip(row, name, f"{text!r} is no time that the mapping knows.")
                return None
        opened, closed = moments["opened"], moments["closed"]
        if opened is None:
            reader._skip(row, "opened", "The request has no time of opening.")
            return None
        if closed is not None and closed < opened:
            counts.odd += 1
            reader._note(
                row, "closed", f"It was closed ({closed}) before it was opened.", "Taken as closed when opened."
            )
            closed = opened
        reader._seen.add(external_id)
        latest = closed or opened
        if reader.latest is None or latest > reader.latest:
            reader.latest = latest
        self._check_status(row, cells, closed)
        return self._record(row, cells, external_id, opened, moments["deadline"], closed)

    def _record(
        self,
        row: int,
        cells: list[str],
        external_id: str,
        opened: datetime,
        deadline: datetime | None,
        closed: datetime | None,
    ) -> SourceRecord:
        counts = self.reader.counts
        category_text, unit_text = self.category_text(cells), self.unit_text(cells)
        category, rank = self.category(cells)
        if rank:
            counts.other_category[category_text] += 1
        unit, _ = self.unit(cells)
        if not unit and unit_text:
            counts.unknown_unit[unit_text] += 1
        region = self.region(cells)
        counts.without_region += not region
        lon, lat = self._point(row, cells)
        counts.without_point += lon is None
        closing_text = self._cell(cells, "closing_text")
        says, other = self._duplicate(external_id, closing_text)
        return SourceRecord(
            external_id=external_id,
            row=row,
            opened_at=opened,
            deadline=deadline,
            closed_at=closed,
            flag=self._flag(row, cells),
            category=category or self.mapping.other_category,
            category_text=category_text,
            condition=self._condition(category, cells) if category in self.conditions else "",
            text=self.text(cells),
            place=self.place(cells),
            lon=lon,
            lat=lat,
            region=region,
            source=self._source(cells),
            unit=unit,
            unit_text=unit_text,
            department=self.mapping.departments.get(self._cell(cells, "department").casefold(), ""),
            closing_text=closing_text,
            says_duplicate=says,
            duplicate_of=other,
        )

    # --- cells --------------------------------------------------------------------------------------------------------

    def _cell(self, cells: Sequence[str], name: str) -> str:
        index = self.at.get(name)
        if index is None:
            return ""
        cell = cells[index].strip()
        return "" if len(cell) <= self.longest_blank and cell.casefold() in self.blank else cell

    def _filler(self, template: str) -> Callable[[Sequence[str]], str]:
        names = placeholders(template)
        if template.count("{") == 1 and template == f"{{{names[0]}}}":
            only = names[0]
            return lambda cells: " ".join(self._cell(cells, only).split())
        return lambda cells: " ".join(template.format_map({name: self._cell(cells, name) for name in names}).split())

    def _finder(
        self, templates: Sequence[str], find: Callable[[str], str | None], spell: Callable[[str], str]
    ) -> Callable[[Sequence[str]], tuple[str, int]]:
        """The code of the first template that fills and is known, and which one it was; remembered by its cells."""
        asked = tuple(dict.fromkeys(name for template in templates for name in placeholders(template)))
        needs = [(template, placeholders(template)) for template in templates]
        known: dict[tuple[str, ...], tuple[str, int]] = {}

        def look_up(cells: Sequence[str]) -> tuple[str, int]:
            key = tuple(self._cell(cells, name) for name in asked)
            if key in known:
                return known[key]
            filled = dict(zip(asked, key, strict=True))
            answer = "", len(needs)
            for rank, (template, names) in enumerate(needs):
                if all(filled[name] for name in names):
                    code = find(spell(template.format_map(filled)))
                    if code:
                        answer = code, rank
                        break
            if len(known) < _REMEMBERED:
                known[key] = answer
            return answer

        return look_up

    def _region_finder(self, regions: Collection[str]) -> Callable[[Sequence[str]], str]:
        parts = self.mapping.region_parts
        asked = tuple(dict.fromkeys(part.field for part in parts.values()))
        known: dict[tuple[str, ...], str] = {}

        def look_up(cells: Sequence[str]) -> str:
            key = tuple(self._cell(cells, name) for name in asked)
            if key not in known:
                words = dict(zip(asked, key, strict=True))
                filled = {name: part.find(words[part.field]) for name, part in parts.items()}
                codes = (
                    template.format_map(filled)
                    for template in self.mapping.region_codes
                    if all(filled[name] for name in placeholders(template))
                )
                if len(known) >= _REMEMBERED:
                    known.clear()
                known[key] = next((code for code in codes if code in regions), "")
            return known[key]

        return look_up

    def _point(self, row: int, cells: Sequence[str]) -> tuple[float | None, float | None]:
        lon, lat = self._cell(cells, "lon"), self._cell(cells, "lat")
        if not lon or not lat:
            return None, None
        try:
            x, y = float(lon), float(lat)
        except ValueError:
            x = y = float("nan")
        if -180 <= x <= 180 and -90 <= y <= 90 and (x, y) != (0.0, 0.0):
            return x, y
        self.reader.counts.odd += 1
        self.reader._note(row, "lon", f"{lon}, {lat} is no place.", "The record is read without a point.")
        return None, None

    def _source(self, cells: Sequence[str]) -> str:
        word = self._cell(cells, "source")
        channel = self.mapping.sources.get(word.casefold())
        if channel is None:
            if word:
                self.reader.counts.other_source[word] += 1
            return self.mapping.other_source
        return channel

    def _condition(self, category: str, cells: Sequence[str]) -> str:
        for rule in self.mapping.conditions:
            if rule.category == category and rule.pattern.search(self._cell(cells, rule.field)):
                return rule.condition
        return ""

    def _flag(self, row: int, cells: Sequence[str]) -> str:
        rule, word = self.mapping.flag, self._cell(cells, "flag").casefold()
        if rule is None or not word:
            return ""
        for name, ours in ((rule.ontime, "ontime"), (rule.overdue, "overdue")):
            if word == name.casefold():
                return ours
        self.reader.counts.odd += 1
        self.reader._note(
            row, "flag", f"The flag {word!r} is neither {rule.ontime} nor {rule.overdue}.", "It is ignored."
        )
        return ""

    def _check_status(self, row: int, cells: Sequence[str], closed: datetime | None) -> None:
        status = self._cell(cells, "status").casefold()
        if status and self.mapping.closed_words and (status in self.mapping.closed_words) != (closed is not None):
            self.reader.counts.odd += 1
            known = "no time of closing" if closed is None else "a time of closing"
            self.reader._note(
                row, "status", f"The status is {status!r}, but there is {known}.", "The time is believed."
            )

    def _duplicate(self, external_id: str, closing_text: str) -> tuple[bool, str]:
        rule = self.mapping.duplicates
        if rule is None or not closing_text:
            return False, ""
        if not any(pattern.search(closing_text) for pattern in rule.says):
            return False, ""
        if any(pattern.search(closing_text) for pattern in rule.unless):
            return False, ""
        for pattern, template in rule.numbers:
            for found in pattern.finditer(closing_text):
                other = template.format(found[1])
                if other != external_id:
                    return True, other
        return True, ""


def _opened(path: Path) -> IO[str]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    if packed:
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _without_nul(lines: IO[str]) -> Iterator[str]:
    for line in lines:
        yield line.replace("\x00", "") if "\x00" in line else line
