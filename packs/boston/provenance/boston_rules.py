"""Write packs/boston/limits.csv, routing.csv and triage.csv from the requests of July–September 2011.

    .venv/bin/python packs/boston/provenance/boston_rules.py [--check-on-september]

**Limits.** For each type every limit of so many working days (as `calendar.toml` counts them) or calendar days is tried;
the one that hits the most recorded deadlines to a minute is taken when it hits at least half of them.

**Routing.** For each type the unit that most requests ended with; a row for a district or a channel is added only when it
was better than the rows above it by a margin that chance does not explain, over the three months and in September alone.
Where the yard of the request's own district wins, one row with a template stands for all thirteen.

With `--check-on-september` the rules are derived from July and August only, written nowhere, and tried on September: that is
how the thresholds here were chosen, October never being looked at.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import sqrt
from zoneinfo import ZoneInfo

import numpy as np

from boston_data import CITY, FILE, PACK, PERIOD, write_csv
from boston_pack import read_calendar_of_pack, records_of, vocabulary
from yiwang.core.worktime import TimeUnit, WorkCalendar
from yiwang.packs.records.reading import SourceRecord

ZONE = ZoneInfo("America/New_York")
FROM = "2011-07-01"
FEWEST = 5  # requests that a row of its own must rest on
MARGIN = 2.0  # standard deviations by which a more special row must beat what stands above it
WITHIN_S = 60
WORK_DAYS = range(1, 61)
CALENDAR_DAYS = range(1, 1500)
YARD = "YARD-{district}"
URGENT = ("Tree Emergencies", "Traffic Signal Repair", "Street Light Knock Downs")
LAST_RESORT = "HOTLINE-OTHER-SERVICE-GENERIC"

Row = dict[str, object]


def month(record: SourceRecord) -> int:
    return record.opened_at.astimezone(ZONE).month


def confidence(share: float, count: int) -> str:
    if count < FEWEST:
        return "few cases"
    return "high" if share >= 0.9 else "medium" if share >= 0.6 else "low"


def numbered(letter: str, lines: Iterable[Row], inputs: Sequence[str]) -> list[Row]:
    """Lines with ids made from their inputs, so that a row keeps its id when others come or go."""
    found = []
    for line in lines:
        cells = [str(line[name]) for name in inputs if line[name]]
        found.append({"row": "-".join([letter, *cells]) if cells else f"{letter}-any", **line})
    return found


def derived(count: int, share: float) -> str:
    return f"derived from {count} requests {PERIOD}, share {share:.3f}"


# --- limits -----------------------------------------------------------------------------------------------------------


def limits(records: Sequence[SourceRecord], calendar: WorkCalendar) -> list[Row]:
    """Lines of limits.csv, the most general first."""
    lines: list[Row] = [_limit_row("", "", None, "no type known: no promise", "high", "the last resort")]
    groups: dict[str, list[SourceRecord]] = defaultdict(list)
    for record in records:
        groups[record.category].append(record)
    reasons: dict[str, Counter[tuple[str, int] | None]] = defaultdict(Counter)
    typed: list[Row] = []
    for category in sorted(groups):
        plain = [record for record in groups[category] if not record.condition]
        for condition, part in (("", plain), *_by_condition(groups[category])):
            limit, hits = best_limit(part, calendar)
            share = hits / len(part)
            if not condition:
                reasons[category[:3]][limit] += len(part)
            typed.append(
                _limit_row(category, condition, limit, derived(len(part), share), confidence(share, len(part)))
            )
    for reason, votes in sorted(reasons.items()):
        limit, count = votes.most_common(1)[0]
        share = count / votes.total()
        # For a type nobody has seen: promise what at least two thirds of its reason's requests are promised, else nothing.
        source = f"for types not seen: {share:.0%} of this reason's {votes.total()} requests {PERIOD} have it"
        chosen = limit if share >= 2 / 3 else None
        note = "" if share >= 2 / 3 else "its types differ too much for a promise"
        lines.append(_limit_row(reason, "", chosen, source, "low", note))
    lines += typed
    return numbered("L", lines, ("category", "condition"))


def _by_condition(records: Iterable[SourceRecord]) -> list[tuple[str, list[SourceRecord]]]:
    found: dict[str, list[SourceRecord]] = defaultdict(list)
    for record in records:
        if record.condition:
            found[record.condition].append(record)
    return sorted(found.items())


def best_limit(records: Sequence[SourceRecord], calendar: WorkCalendar) -> tuple[tuple[str, int] | None, int]:
    """The limit (unit, amount) that most recorded deadlines agree with, or None for none, and how many agree."""
    due = [record for record in records if record.deadline is not None]
    without = len(records) - len(due)
    best: tuple[tuple[str, int] | None, int] = (None, without)
    if due:
        starts = np.array([int(record.opened_at.timestamp()) for record in due], dtype=np.int64)
        ends = np.array([int(record.deadline.timestamp()) for record in due if record.deadline], dtype=np.int64)
        for unit, amounts in ((TimeUnit.WORK_DAYS, WORK_DAYS), (TimeUnit.CALENDAR_DAYS, _near(starts, ends))):
            for amount in amounts:
                seconds = np.full(len(due), amount * 86_400, dtype=np.int64)
                found = calendar.deadlines(starts=starts, seconds=seconds, unit=unit)
                hits = int((np.abs(found - ends) <= WITHIN_S).sum())
                if hits > best[1]:
                    best = ((unit.value, amount), hits)
    return best if best[1] * 2 >= len(records) else (None, without)


def _near(starts: np.ndarray, ends: np.ndarray) -> list[int]:
    """The calendar days worth trying: those that occur."""
    days = Counter(np.round((ends - starts) / 86_400).astype(int).tolist())
    return [amount for amount, _ in days.most_common(8) if amount in CALENDAR_DAYS]


def _limit_row(
    category: str, condition: str, limit: tuple[str, int] | None, source: str, trust: str, note: str = ""
) -> Row:
    unit, amount = limit or ("", "")
    return {
        "category": category, "condition": condition, "amount": amount, "unit": unit,
        "source": source, "confidence": trust, "note": note,
    }  # fmt: skip


# --- routing ----------------------------------------------------------------------------------------------------------


def _beginning(width: int, record: SourceRecord) -> str:
    return record.category[:width]


class Routing:
    """Rows of routing.csv while they grow: each added only when it beats what stands above it."""

    def __init__(self, records: Sequence[SourceRecord], last_month: int) -> None:
        self.records = [record for record in records if record.unit]
        self.last_month = last_month
        self.lines: list[Row] = []

    def grow(self) -> list[Row]:
        self._add("", "", "", LAST_RESORT, [], 0.0, "high", "the last resort")
        for width, text in ((1, "for reasons not seen"), (3, "for types not seen")):
            for prefix, part in self._groups(partial(_beginning, width)):
                self._stem(prefix, part, text)
        for category, part in self._groups(lambda record: record.category):
            stem = self._stem(category, part, "")
            for area, inside in self._groups(lambda record: record.region[:5], part):
                if len(area) == 5:
                    better = self._branch(category, area, "", inside, stem)
                    for channel, through in self._groups(lambda record: record.source, inside):
                        self._branch(category, area, channel, through, better)
            for channel, through in self._groups(lambda record: record.source, part):
                self._branch(category, "", channel, [r for r in through if not r.region[:5]] or through, stem)
        return numbered("R", self.lines, ("category", "region", "channel"))

    def _groups(
        self, key: Callable[[SourceRecord], str], records: Sequence[SourceRecord] | None = None
    ) -> list[tuple[str, list[SourceRecord]]]:
        found: dict[str, list[SourceRecord]] = defaultdict(list)
        for record in self.records if records is None else records:
            found[key(record)].append(record)
        return sorted(found.items())

    def _stem(self, prefix: str, part: Sequence[SourceRecord], text: str) -> Callable[[SourceRecord], str]:
        """The rows of a category or group: one unit for all, and one row more when the district's own yard is likelier.

        Requests without a place cannot go to a yard; so the unit for all is the one that they go to, where enough tell.
        A group whose types go to many units names the department, which then places the request.
        """
        placeless = [record for record in part if not record.region]
        yards = sum(record.unit == f"YARD-{record.region[:5]}" for record in part)
        units = Counter(record.unit for record in part if not record.unit.startswith("YARD-"))
        unit, hits = units.most_common(1)[0] if units else (LAST_RESORT, 0)
        if text and max(yards, hits) < len(part) / 2:
            department, hits = Counter(record.department for record in part).most_common(1)[0]
            self._add(prefix, "", "", department, part, hits / len(part), "", f"{text}: the department places it")
            return lambda record: department
        if yards > hits:
            for_placeless = Counter(r.unit for r in placeless if not r.unit.startswith("YARD-"))
            if for_placeless.total() >= FEWEST:
                unit = for_placeless.most_common(1)[0][0]
            where = placeless or part
            share = sum(record.unit == unit for record in where) / len(where)
            self._add(prefix, "", "", unit, where, share, "", text or "for requests without a place")
            self._add(prefix, CITY, "", YARD, part, yards / len(part), "", text)
            return lambda record: f"YARD-{record.region[:5]}" if len(record.region) >= 5 else unit
        self._add(prefix, "", "", unit, part, hits / len(part), "", text)
        return lambda record: unit

    def _branch(
        self, category: str, area: str, channel: str, part: Sequence[SourceRecord], above: Callable[[SourceRecord], str]
    ) -> Callable[[SourceRecord], str]:
        """One row more where another unit clearly wins; the answer that then stands."""
        unit, hits = Counter(record.unit for record in part).most_common(1)[0]
        before = sum(above(record) == record.unit for record in part)
        recent = [record for record in part if month(record) == self.last_month]
        gain_recent = sum((record.unit == unit) - (above(record) == record.unit) for record in recent)
        sure = hits - before >= MARGIN * sqrt(max(1, hits + before))
        if len(part) < FEWEST or not sure or (recent and gain_recent <= 0):
            return above
        self._add(category, area, channel, unit, part, hits / len(part), "", "")
        return lambda record: unit

    def _add(
        self, category: str, region: str, channel: str, unit: str, part: Sequence[SourceRecord], share: float, trust: str,
        note: str,
    ) -> None:  # fmt: skip
        source = derived(len(part), share) if part else "stated"
        self.lines.append(
            {
                "category": category,
                "region": region,
                "channel": channel,
                "unit": unit,
                "source": source,
                "confidence": trust or confidence(share, len(part)),
                "note": note,
            }
        )


def answer(lines: Sequence[Row]) -> Callable[[SourceRecord], str]:
    """What routing lines say of a record, by the precedence category, region, channel; for the check on September."""

    def find(record: SourceRecord) -> str:
        best: tuple[tuple[int, int, int], str] | None = None
        for line in lines:
            category, region, channel = str(line["category"]), str(line["region"]), str(line["channel"])
            fits = record.category.startswith(category) and (not channel or channel == record.source)
            if not fits or not (not region or (record.region and record.region.startswith(region))):
                continue
            unit = str(line["unit"])
            if "{" in unit:
                if len(record.region) < 5:
                    continue
                unit = f"YARD-{record.region[:5]}"
            rank = (len(category), len(region), len(channel))
            if best is None or rank > best[0]:
                best = rank, unit
        return best[1] if best else ""

    return find


def triage() -> list[Row]:
    """Everything is carried to its unit by the system itself, as the city's forms did; dangers go first."""
    names = vocabulary().categories
    urgent = {names[name.casefold()]: name for name in URGENT}
    common = {"auto": "dispatched", "centre": "HOTLINE", "verify": "no", "confidence": "stated"}
    lines: list[Row] = [
        {
            "category": "",
            "channel": "",
            "priority": "normal",
            **common,
            "source": "the city's forms sent each request on at once",
        }
    ]
    lines += [
        {
            "category": code,
            "channel": "",
            "priority": "urgent",
            **common,
            "source": "limit of one working day",
            "note": name,
        }
        for code, name in urgent.items()
    ]
    return numbered("T", lines, ("category", "channel"))


def check_on_september(records: Sequence[SourceRecord]) -> None:
    early = [record for record in records if month(record) < 9]
    late = [record for record in records if month(record) == 9 and record.unit]
    lines = Routing(early, 8).grow()
    find = answer(lines)
    hits = sum(find(record) == record.unit for record in late)
    print(f"July-August rules ({len(lines)} rows) on September: {hits}/{len(late)} = {hits / len(late):.4f}")


def main() -> None:
    records = list(records_of(FILE, until="2011-10-01"))
    print(len(records), "requests", PERIOD)
    if "--check-on-september" in sys.argv:
        check_on_september(records)
        return
    calendar = read_calendar_of_pack(PACK)
    tail = ("valid_from", "valid_to", "source", "confidence", "note")
    found = limits(records, calendar)
    print(write_csv("limits.csv", ("row", "category", "condition", "amount", "unit", *tail), found), "limits")
    lines = Routing(records, 9).grow()
    print(write_csv("routing.csv", ("row", "category", "region", "channel", "unit", *tail), lines), "routes")
    columns = ("row", "category", "channel", "priority", "auto", "centre", "verify", *tail)
    print(write_csv("triage.csv", columns, triage()), "triage rows")


if __name__ == "__main__":
    main()
