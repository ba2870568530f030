"""One row of a city's file as a record: its cells, their times, words and places as `replay.toml` reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.worktime import FIRST_YEAR, LAST_YEAR
from yiwang.packs.records.flags import MomentReader, OutOfTime
from yiwang.packs.records.mapping import ReplayMapping, placeholders
from yiwang.packs.records.model import Counts, SourceRecord, Vocabulary, name_key
from yiwang.packs.records.places import projection

_REMEMBERED = 100_000  # look-ups kept; a file holds few different words, but a broken one may not
_LONGEST_NUMBER = 80  # characters that a report's number elsewhere may have
# What a spreadsheet makes of a long number: 1.01E+11.
_MADE_A_NUMBER = re.compile(r"\d+[.,]\d+[eE]\+?\d+|\d+[eE]\+\d+")


class Ledger(Protocol):
    """Where faults and counts of a file go: the reader of the file."""

    counts: Counts
    mapping: ReplayMapping
    latest: datetime | None

    def note(self, row: int, column: str, message: Text, hint: Text = NO_TEXT) -> None: ...

    def leave_out(self, row: int, column: str, message: Text, hint: Text = NO_TEXT) -> None: ...


class RowReader:
    """Turns one row into a record; what does not change from row to row is worked out once."""

    def __init__(self, reader: Ledger, *, at: Mapping[str, int], vocabulary: Vocabulary) -> None:
        self.reader = reader
        self.mapping = mapping = reader.mapping
        self.blank = mapping.blank
        self.longest_blank = max(map(len, mapping.blank))
        self.at = dict(at)
        self._seen: set[str] = set()
        self.category = self._finder(mapping.category_names, vocabulary.categories.get, name_key)
        self.unit = self._finder(mapping.unit_names, {**vocabulary.units, **mapping.unit_words}.get, name_key)
        self.region = self._region_finder(vocabulary.regions)
        self.text = self._filler(mapping.text)
        self.place = self._filler(mapping.place)
        self.category_text = self._filler(mapping.category_names[0] if mapping.category_names else "")
        self.unit_text = self._filler(mapping.unit_names[0] if mapping.unit_names else "")
        self.conditions = {rule.category for rule in mapping.conditions}
        self.project = projection(mapping.crs)
        self.moments = MomentReader(zone=mapping.zone, formats=mapping.datetime_formats)

    def __call__(self, row: int, cells: list[str]) -> SourceRecord | None:
        reader, counts = self.reader, self.reader.counts
        external_id = self._cell(cells, "external_id")
        if not external_id:
            reader.leave_out(row, "external_id", Text("诉求没有编号。", "The request has no number."))
            return None
        if len(external_id) > _LONGEST_NUMBER:
            message = Text("编号有 {count} 个字符。", "The number has {count} characters.", count=len(external_id))
            reader.leave_out(row, "external_id", message)
            return None
        if _MADE_A_NUMBER.fullmatch(external_id):
            reader.leave_out(
                row,
                "external_id",
                Text("编号「{number}」丢失了数字。", "The number {number!r} has lost digits.", number=external_id),
                Text(
                    "电子表格把它变成了数字：请把该列设为文本格式。此行不予读取。",
                    "A spreadsheet turned it into a number: format the column as text. The row is left out.",
                ),
            )
            return None
        if external_id in self._seen:
            counts.repeated += 1
            message = Text("编号「{number}」前面已出现过。", "The number {number!r} stood before.", number=external_id)
            reader.note(row, "external_id", message, Text("此行不予读取。", "The row is left out."))
            return None
        moments: dict[str, datetime | None] = {}
        for name in ("opened", "deadline", "closed"):
            text = self._cell(cells, name)
            try:
                moments[name] = self.moments(text) if text else None
            except OutOfTime:
                reader.leave_out(
                    row,
                    name,
                    Text(
                        "「{text}」不在 {first} 年至 {last} 年之间。",
                        "{text!r} lies outside the years {first} to {last}.",
                        text=text,
                        first=FIRST_YEAR,
                        last=LAST_YEAR,
                    ),
                    Text(
                        "如果它表示没有时间，请把它列入 replay.toml 的 blank。此行不予读取。",
                        "If it stands for none, list it under blank in replay.toml. The row is left out.",
                    ),
                )
                return None
            except ValueError:
                message = Text(
                    "「{text}」不是 replay.toml 能识别的时间。",
                    "{text!r} is no time that the mapping knows.",
                    text=text,
                )
                reader.leave_out(row, name, message)
                return None
        opened, closed = moments["opened"], moments["closed"]
        if opened is None:
            reader.leave_out(row, "opened", Text("诉求没有受理时间。", "The request has no time of opening."))
            return None
        if closed is not None and closed < opened:
            counts.odd += 1
            reader.note(
                row,
                "closed",
                Text(
                    "办结时间（{closed}）早于受理时间。",
                    "It was closed ({closed}) before it was opened.",
                    closed=closed,
                ),
                Text("按受理时即办结处理。", "Taken as closed when opened."),
            )
            closed = opened
        self._seen.add(external_id)
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
        if (x, y) != (0.0, 0.0):
            if self.project is not None:
                x, y = self.project(x, y)
            if -180 <= x <= 180 and -90 <= y <= 90:
                return x, y
        self.reader.counts.odd += 1
        self.reader.note(
            row,
            "lon",
            Text("{lon}, {lat} 不是有效位置。", "{lon}, {lat} is no place.", lon=lon, lat=lat),
            Text("此记录按没有坐标读取。", "The record is read without a point."),
        )
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
        self.reader.note(
            row,
            "flag",
            Text(
                "标记「{word}」既不是 {ontime}，也不是 {overdue}。",
                "The flag {word!r} is neither {ontime} nor {overdue}.",
                word=word,
                ontime=rule.ontime,
                overdue=rule.overdue,
            ),
            Text("此标记将被忽略。", "It is ignored."),
        )
        return ""

    def _check_status(self, row: int, cells: Sequence[str], closed: datetime | None) -> None:
        status = self._cell(cells, "status").casefold()
        if status and self.mapping.closed_words and (status in self.mapping.closed_words) != (closed is not None):
            self.reader.counts.odd += 1
            message = (
                Text(
                    "状态是「{status}」，但没有办结时间。",
                    "The status is {status!r}, but there is no time of closing.",
                    status=status,
                )
                if closed is None
                else Text(
                    "状态是「{status}」，但有办结时间。",
                    "The status is {status!r}, but there is a time of closing.",
                    status=status,
                )
            )
            self.reader.note(row, "status", message, Text("以时间为准。", "The time is believed."))

    def _duplicate(self, external_id: str, closing_text: str) -> tuple[bool, str]:
        rule = self.mapping.duplicates
        if rule is None or not closing_text:
            return False, ""
        if not any(pattern.search(closing_text) for pattern in rule.says):
            return False, ""
        if any(pattern.search(closing_text) for pattern in rule.unless):
            return False, ""
        for number in rule.number:
            for found in number.pattern.finditer(closing_text):
                other = number.template.format(found[1])
                if other != external_id:
                    return True, other
        return True, ""
