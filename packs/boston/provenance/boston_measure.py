"""How the Boston pack does on a file of requests: flags, deadlines, routing, places, duplicates.

    .venv/bin/python packs/boston/provenance/boston_measure.py [FILE] [--since 2011-10-01] [--until 2011-11-01] [--json]

Without a file it measures October 2011, which nothing in the pack was derived from. The figures of
docs/reference/boston-replay.md come from here.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from boston_data import FILE, PACK
from boston_pack import opened_in, reader
from yiwang.core.cases.rulebook import Rulebook
from yiwang.packs import read_pack
from yiwang.packs.pack import Pack
from yiwang.packs.records.duplicates import link_duplicates
from yiwang.packs.records.mapping import ReplayMapping
from yiwang.packs.records.reading import SourceRecord, as_of, deadline_agrees, expected_flag

TOP = 25


class Measures:
    """Figures over some records, each a count of how many of how many."""

    def __init__(self, pack: Pack, records: Sequence[SourceRecord], *, drawn: Any) -> None:
        self.pack, self.records, self.drawn = pack, records, drawn
        self.rules: Rulebook = pack.rulebook()
        self.zone = pack.info.zone
        assert pack.replay is not None
        self.mapping: ReplayMapping = pack.replay

    def department(self, code: str) -> str:
        """The department that a unit belongs to."""
        return self.mapping.department_among([code, *(unit.code for unit in self.pack.units.above(code))])

    def facts(self, record: SourceRecord) -> tuple[dict[str, str], date]:
        facts = {
            "category": record.category, "condition": record.condition, "region": record.region,
            "channel": record.source, "priority": "normal",
        }  # fmt: skip
        return facts, record.opened_at.astimezone(self.zone).date()

    def flags(self) -> dict[str, Any]:
        rule = self.mapping.flag
        assert rule is not None
        hits = misses = unmarked = 0
        for record in self.records:
            expected = expected_flag(deadline=record.deadline, closed_at=record.closed_at, as_of=self.drawn, rule=rule)
            unmarked += not record.flag
            hits += bool(record.flag) and expected == record.flag
            misses += bool(record.flag) and expected != record.flag
        return {"agree": hits, "differ": misses, "unmarked": unmarked, "share": hits / max(1, len(self.records))}

    def deadlines(self) -> dict[str, Any]:
        within: Counter[str] = Counter()
        missed: Counter[str] = Counter()
        late_by: Counter[str] = Counter()
        for record in self.records:
            facts, on = self.facts(record)
            limit, _ = self.rules.limit_for(facts, on)
            predicted = None if limit is None else self.pack.calendar.add(start=record.opened_at, limit=limit)
            kind = "dated" if record.deadline else "undated"
            within[kind] += 1
            agrees = deadline_agrees(recorded=record.deadline, predicted=predicted)
            within[f"{kind}, agrees"] += agrees
            if record.deadline and predicted:
                apart = abs((record.deadline - predicted).total_seconds())
                for name, seconds in (("within a minute", 60), ("within an hour", 3600), ("within a day", 86400)):
                    within[name] += apart <= seconds
            if not agrees:
                missed[record.category_text] += 1
                late_by[self._why(record, predicted)] += 1
        total = len(self.records)
        agree = within["dated, agrees"] + within["undated, agrees"]
        return {
            "agree": agree, "of": total, "share": agree / max(1, total),
            "share_of_dated": within["dated, agrees"] / max(1, within["dated"]),
            "counts": dict(within), "missed": missed.most_common(TOP), "why": late_by.most_common(),
        }  # fmt: skip

    @staticmethod
    def _why(record: SourceRecord, predicted: Any) -> str:
        if record.deadline is None:
            return "the city took its deadline away"
        if predicted is None:
            return "a type without deadlines was given one"
        apart = (record.deadline - predicted).total_seconds()
        if -900 <= apart < 0:
            return "same rule, but opened up to 15 minutes after its form was begun"
        if record.deadline.second == 0:
            return "set by hand (a full minute)"
        return "another limit"

    def routing(self) -> dict[str, Any]:
        unit_hits = department_hits = 0
        confused: Counter[tuple[str, str, str]] = Counter()
        by_type: Counter[str] = Counter()
        later: Counter[str] = Counter()
        for record in self.records:
            facts, on = self.facts(record)
            ruled = self.rules.unit_for(facts, on)
            unit = ruled.value if ruled else ""
            right = bool(record.unit) and unit == record.unit
            unit_hits += right
            department = self.department(unit)
            department_hits += bool(record.department) and department == record.department
            if not right:
                confused[record.category_text, unit, record.unit or record.unit_text] += 1
                by_type[record.category_text] += 1
                later[self._how(record, unit)] += 1
        total = max(1, len(self.records))
        return {
            "unit": unit_hits, "unit_share": unit_hits / total, "department": department_hits,
            "department_share": department_hits / total, "of": len(self.records),
            "confused": confused.most_common(TOP), "missed": by_type.most_common(TOP), "why": later.most_common(),
        }  # fmt: skip

    def _how(self, record: SourceRecord, unit: str) -> str:
        if not record.unit:
            return "a queue that July-September did not have"
        if "WAITING" in record.unit or "WAITING" in unit:
            return "street light: waiting for the contractor or not"
        if record.unit in {"HOTLINE-OTHER-SERVICE-GENERIC", "HOTLINE-SENT-BACK-BY"}:
            return "sent back to the hotline by the unit it had been sent to"
        if record.unit.startswith("YARD-") and unit.startswith("YARD-"):
            return "another district's yard than the request's own words name"
        if self.department(unit) != record.department:
            return "another department took it"
        return "another crew of the same department"

    def places(self) -> dict[str, Any]:
        """How many name their region, how many are only located by their point, and how good points are."""
        locator = self.pack.locator(on=date(2011, 10, 1))
        named: Counter[int] = Counter(len(record.region) for record in self.records)
        flags: Counter[str] = Counter()
        same: Counter[int] = Counter()
        compared = unlocated = rescued = 0
        for record in self.records:
            if record.lon is None or record.lat is None:
                flags["no point"] += 1
                unlocated += not record.region
                continue
            location = locator.locate(record.lon, record.lat)
            flags[location.flag or "inside"] += 1
            usable = bool(location.code) and location.flag != "default_point"
            unlocated += not record.region and not usable
            rescued += not record.region and usable
            if usable and len(record.region) == 9:
                compared += 1
                for width in (5, 7, 9):
                    same[width] += location.code[:width] == record.region[:width]
        return {
            "named by level": {str(width): count for width, count in sorted(named.items())}, "flags": dict(flags),
            "unlocated": unlocated, "located only by point": rescued, "points compared": compared,
            "same district": same[5] / max(1, compared), "same ward": same[7] / max(1, compared),
            "same precinct": same[9] / max(1, compared),
        }  # fmt: skip


def duplicates(
    pack: Pack, everything: Sequence[SourceRecord], chosen: Callable[[SourceRecord], bool]
) -> dict[str, int]:
    rule = pack.replay.duplicates if pack.replay else None
    assert rule is not None
    links = link_duplicates(everything, rule=rule, default_points=pack.info.default_points)
    by_id = {record.external_id: record for record in everything}
    found = Counter(link.how for number, link in links.items() if chosen(by_id[number]))
    return {"says so": found.total(), **dict(sorted(found.items()))}


def measure(path: Path = FILE, *, since: str = "2011-10-01", until: str = "2011-11-01") -> dict[str, Any]:
    """All figures of a file's records opened in ``[since, until)``."""
    pack = read_pack(PACK)
    found = reader(path)
    everything = list(found)
    assert found.mapping.flag is not None
    drawn = as_of(rule=found.mapping.flag, mapping=found.mapping, latest=found.latest)
    part = [record for record in everything if opened_in(record, since=since, until=until)]
    chosen = {record.external_id for record in part}
    measures = Measures(pack, part, drawn=drawn)
    return {
        "requests": len(part), "as_of": str(drawn), "rows": found.counts.rows, "skipped": found.counts.skipped,
        "other_category": dict(found.counts.other_category), "unknown_unit": dict(found.counts.unknown_unit),
        "flags": measures.flags(), "deadlines": measures.deadlines(), "routing": measures.routing(),
        "places": measures.places(), "duplicates": duplicates(pack, everything, lambda r: r.external_id in chosen),
    }  # fmt: skip


def show(figures: dict[str, Any], indent: str = "") -> Iterable[str]:
    for key, value in figures.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from show(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{key}:"
            yield from (f"{indent}  {item}" for item in value)
        else:
            yield f"{indent}{key}: {value:.4f}" if isinstance(value, float) else f"{indent}{key}: {value}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    parser.add_argument("--since", default="2011-10-01")
    parser.add_argument("--until", default="2011-11-01")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.file, since=options.since, until=options.until)
    print(json.dumps(figures, indent=1) if options.json else "\n".join(show(figures)))


if __name__ == "__main__":
    main()
