"""Replaying a city's own records: each request lives through report, triage, routing, custody and closing at its recorded times.

Nothing here knows a city. What a file's columns mean is the pack's `replay.toml`; which verbs lead from where triage
left a case to its end is read off the workflow.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from yiwang.core.cases.events import SYSTEM, Actor, Command
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import NOWHERE, Verb, Workflow
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.records.duplicates import Link, link_duplicates
from yiwang.packs.records.flags import as_of
from yiwang.packs.records.mapping import ReplayMapping
from yiwang.packs.records.model import Counts, SourceRecord, Vocabulary
from yiwang.packs.records.places import projection
from yiwang.packs.records.reading import read_records
from yiwang.server.cases.api import REPLAYED, UNPLACED
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job
from yiwang.server.imports import agreement
from yiwang.server.imports.following import follow
from yiwang.server.imports.lifecycles import BulkWriter, Lifecycle, Move, Totals, import_lives
from yiwang.server.imports.many_hands import import_by_many

_MOST_TOLD = 50  # kinds of faults and unknown words that are listed
# the deadline and the unit of a record are taken from the system only
RECORDER = Actor(id="replay", roles=frozenset({SYSTEM}))


def replay_file(
    *, city: str, path: Path | str, limit: int | None = None, progress: Any = None, processes: int = 1
) -> dict[str, Any]:
    """Feed a file of records through the whole loop.

    Args:
        city: An installed city whose pack has a `replay.toml`.
        path: CSV file, plain or gzip-packed.
        limit: Take only the first so many records.
        progress: Called with (done, total).
        processes: How many decide and write at once; more than one only from a program that can be started again
            (`multiprocessing` spawns it), such as the command line.

    Returns:
        ``rows, taken, known, updated, left_out``: what became of every row of the file; the four add up to the rows.
        ``reports, cases, events, closed, open, duplicates, unlocated, ontime_agreement, deadline_agreement,
        routing_agreement, seconds, cases_per_second`` and more. Counts are of what this run wrote, so the same file
        again gives zeros; the agreements are over all records of the file, from the cases as stored. ``problems`` has a
        line for every kind of fault, ``unknown`` the city's words that pack and mapping do not know.

    Raises:
        BadInput: When the pack cannot read such files, or the file cannot be read.
        NoSuchCity: When the city is not installed.
    """
    started = time.monotonic()
    place = runtime(city)
    mapping = _mapping(place)
    reader = read_records(path=path, mapping=mapping, vocabulary=vocabulary(place), limit=limit)
    records = list(reader)
    links = _links(records, mapping, place)
    drawn = as_of(rule=mapping.flag, mapping=mapping, latest=reader.latest) if mapping.flag else reader.latest
    scribe = _Scribe(place, with_deadlines="deadline" in reader.present)
    writer = BulkWriter(place=place, origin=REPLAYED, quiet=True)
    known = writer.existing(record.external_id for record in records)
    began = time.monotonic()
    totals = _take(
        [record for record in records if record.external_id not in known],
        links,
        scribe=scribe,
        writer=writer,
        progress=(lambda done: progress(len(known) + done, len(records))) if progress else None,
        processes=processes,
    )
    row_of = {record.external_id: record.row for record in records}
    for external, reason in totals.reasons:
        message = Text(
            "记录「{external}」无法收录：{reason}",
            "The record {external!r} cannot be taken: {reason}",
            external=external,
            reason=reason,
        )
        reader.note(row_of[external], "", message, Text("此行不予读取。", "The row is left out."))
    followed = follow(
        records=[record for record in records if record.external_id in known],
        links=links,
        place=place,
        origin=REPLAYED,
        drawn=drawn,
        closing=scribe.closing_from,
        refused=lambda record, reason: reader.note(
            record.row,
            "",
            Text(
                "记录「{external}」无法跟进：{reason}",
                "The record {external!r} cannot be followed: {reason}",
                external=record.external_id,
                reason=reason,
            ),
            Text("案卷保持原样。", "The case is left as it is."),
        ),
    )
    seconds = time.monotonic() - began
    agreed = agreement.measure(
        records=records, place=place, origin=REPLAYED, drawn=drawn, rule=mapping.flag, present=reader.present
    )
    return {
        "city": city,
        "file": str(path),
        "rows": reader.counts.rows,
        "taken": totals.reports,
        "known": len(known) - followed.updated - followed.refused + totals.known,
        "updated": followed.updated,
        "left_out": reader.counts.skipped + reader.counts.repeated + totals.refused + followed.refused,
        "reports": totals.reports,
        "cases": totals.cases,
        "events": totals.events + followed.events,
        "closed": totals.closed + followed.closed,
        "open": totals.cases - totals.closed,
        "duplicates": totals.merged,
        "refused": totals.refused + followed.refused,
        "records": len(records),
        "skipped": reader.counts.skipped + reader.counts.repeated,
        "problems": [*reader.fault_lines(), *_unknown_words(reader.counts)][:_MOST_TOLD],
        "unknown": {name: dict(words.most_common(_MOST_TOLD)) for name, words in _unknown(reader.counts).items()},
        **agreed,
        "seconds": round(time.monotonic() - started, 3),
        "cases_per_second": round(totals.cases / seconds, 1) if seconds else 0.0,
    }


def _take(
    records: Sequence[SourceRecord],
    links: Mapping[str, Link],
    *,
    scribe: _Scribe,
    writer: BulkWriter,
    progress: Callable[[int], None] | None,
    processes: int,
) -> Totals:
    """Let new records live and write them."""
    bundles = _bundles(records, links, scribe)
    if processes > 1:
        return import_by_many(
            bundles=bundles,
            city=scribe.place.info.id,
            origin=REPLAYED,
            quiet=True,
            processes=processes,
            progress=progress,
        )
    return import_lives(bundles=bundles, writer=writer, progress=progress)


def _unknown(counts: Counts) -> dict[str, Counter[str]]:
    return {"categories": counts.other_category, "units": counts.unknown_unit, "sources": counts.other_source}


def _unknown_words(counts: Counts) -> Iterator[str]:
    """A line for each kind of word that pack and mapping do not know, the most frequent first."""
    for name, words in _unknown(counts).items():
        if words:
            few = ", ".join(f"{word!r} ({count:,})" for word, count in words.most_common(5))
            more = f" and {len(words) - 5:,} more" if len(words) > 5 else ""
            yield f"{len(words):,} {name} are not known, in {words.total():,} records: {few}{more}."


def _mapping(place: CityRuntime) -> ReplayMapping:
    mapping = place.pack.replay
    if mapping is None:
        raise BadInput(
            Problem(
                Text(
                    "城市包「{info}」不能读取历史记录。", "The pack {info!r} cannot read records.", info=place.info.id
                ),
                Text("请为它编写 replay.toml。", "Write its replay.toml."),
                "replay.toml",
            )
        )
    return mapping


def vocabulary(place: CityRuntime) -> Vocabulary:
    """What the city's pack can call things."""
    return Vocabulary.of(
        categories={code: category.name.zh for code, category in place.categories.items()},
        units={unit.code: unit.name.zh for unit in place.rules.units},
        regions=place.regions.codes,
    )


def _links(records: Sequence[SourceRecord], mapping: ReplayMapping, place: CityRuntime) -> dict[str, Link]:
    if mapping.duplicates is None:
        return {}
    found = link_duplicates(records, rule=mapping.duplicates, default_points=place.info.default_points)
    return {external: link for external, link in found.items() if link.is_usable}


# --- lives --------------------------------------------------------------------------------------------------------


def _bundles(records: Sequence[SourceRecord], links: Mapping[str, Link], scribe: _Scribe) -> Iterator[list[Lifecycle]]:
    """Records that are linked to one another come together, all others by themselves, in the file's order."""
    groups = _groups(links)
    by_id = {record.external_id: record for record in records} if groups else {}
    done: set[str] = set()
    for record in records:
        if record.external_id in done:
            continue
        members = [
            member for member in groups.get(record.external_id, [record.external_id]) if member in by_id or not groups
        ]
        done.update(members if len(members) > 1 else ())
        bundle = [by_id[member] for member in members] if len(members) > 1 else [record]
        yield [scribe.life(one, links) for one in sorted(bundle, key=lambda one: (one.opened_at, one.external_id))]


def _groups(links: Mapping[str, Link]) -> dict[str, list[str]]:
    """For every record in a chain of duplicates, all of that chain's."""
    leader: dict[str, str] = {}

    def find(one: str) -> str:
        while leader.setdefault(one, one) != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for external, link in links.items():
        leader[find(external)] = find(link.original)
    members: dict[str, list[str]] = {}
    for one in leader:
        members.setdefault(find(one), []).append(one)
    return {one: members[find(one)] for one in leader}


class _Scribe:
    """Turns records into lives."""

    def __init__(self, place: CityRuntime, *, with_deadlines: bool) -> None:
        self.place = place
        self.with_deadlines = with_deadlines
        self.workflow = place.rules.workflow
        said = place.pack.replay.crs if place.pack.replay else ""
        self.crs = "wgs84" if projection(said) else said
        self.merging = next((verb for verb in self.workflow.verbs.values() if verb.effect == "merge"), None)
        self._ways: dict[str, tuple[Verb, ...]] = {}
        self._actors: dict[tuple[str, str], Actor] = {}

    def life(self, record: SourceRecord, links: Mapping[str, Link]) -> Lifecycle:
        payload, flag = self._payload(record)
        moves: tuple[Move, ...] = ()
        if record.closed_at is not None:
            moves = self._closing(record, payload)
            link = links.get(record.external_id)
            if link is not None and self.merging is not None:
                actor = self._actor(self.merging, "")
                command = Command(
                    verb=self.merging.id, actor=actor, payload={"reason": record.closing_text or "duplicate"}
                )
                moves = (Move(at=record.closed_at, command=command, into=link.original, otherwise=moves),)
        return Lifecycle(
            external=record.external_id, at=record.opened_at, actor=RECORDER, payload=payload, moves=moves, flag=flag
        )

    def _payload(self, record: SourceRecord) -> tuple[dict[str, Any], str]:
        payload: dict[str, Any] = {
            "text": record.text, "category": record.category, "condition": record.condition, "source": record.source,
            "address": record.place, "region": record.region, "external": record.external_id,
        }  # fmt: skip
        flag = ""
        if record.lon is not None and record.lat is not None:
            found, lon, lat = self.place.locate(record.lon, record.lat, crs=self.crs)
            flag = found.flag
            payload["flags"] = [flag] if flag else []
            payload |= {"lon": lon, "lat": lat}
            if flag not in UNPLACED:
                payload["region"] = record.region or found.code
                payload["grid"] = found.grid if found.code == payload["region"] else ""
        if self.with_deadlines:
            payload["deadline"] = record.deadline.isoformat() if record.deadline else None
        if record.unit:
            payload["unit"] = record.unit
        return payload, flag

    def _closing(self, record: SourceRecord, payload: Mapping[str, Any]) -> tuple[Move, ...]:
        """From where triage leaves the case to its end, all at the time of closing: the records know no other."""
        unit = str(payload.get("unit") or "")
        steps = self._steps(record, self._triage_step(record), unit)
        return tuple(Move(at=at, command=command) for at, command in steps)

    def closing_from(self, record: SourceRecord, state: CaseState) -> list[tuple[datetime, Command]]:
        """The verbs from where a case is to its end, at the recorded time of closing."""
        return self._steps(record, state.step, record.unit or state.holder)

    def _steps(self, record: SourceRecord, start: str, unit: str) -> list[tuple[datetime, Command]]:
        assert record.closed_at is not None
        steps = []
        for verb in self._way(start):
            fields = {"result": record.closing_text} if "result" in verb.optional and record.closing_text else {}
            if "reason" in verb.requires:
                fields["reason"] = record.closing_text or "as recorded"
            steps.append((record.closed_at, Command(verb=verb.id, actor=self._actor(verb, unit), payload=fields)))
        return steps

    def _triage_step(self, record: SourceRecord) -> str:
        """The step to which triage lets the system carry the case."""
        facts = {
            "category": record.category, "condition": record.condition, "region": record.region, "channel": record.source, "priority": "",
        }  # fmt: skip
        triaged = self.place.rules.triage_for(facts, record.opened_at.astimezone(self.place.info.zone).date())
        return (triaged.auto if triaged else "") or self.workflow.start

    def _actor(self, verb: Verb, unit: str) -> Actor:
        """Somebody in the first role of people that may do the verb: a different person for every verb."""
        key = (verb.id, unit)
        if key not in self._actors:
            role = next((role for role in verb.roles if role != SYSTEM), verb.roles[0])
            if not unit and verb.who != "any" and SYSTEM in verb.roles:
                role = SYSTEM  # the record names no unit that the pack knows, so nobody of the holder's can be meant
            self._actors[key] = Actor(id=f"replay:{verb.id}", roles=frozenset({role}), unit=unit)
        return self._actors[key]

    def _way(self, step: str) -> tuple[Verb, ...]:
        if step not in self._ways:
            self._ways[step] = usual_way(self.workflow, step)
        return self._ways[step]


def usual_way(workflow: Workflow, start: str) -> tuple[Verb, ...]:
    """The ordinary verbs from a step to the end: through as many steps as there are, in the order of the file.

    Only verbs without an effect of their own count, and only those that lead to a later step of the file; the end is
    the first end step that the file names.
    """
    order = {step: position for position, step in enumerate(workflow.steps)}
    goal = next(step.id for step in workflow.steps.values() if step.end)
    best: dict[str, tuple[Verb, ...]] = {goal: ()}
    for step in sorted(workflow.steps, key=lambda step: -order[step]):
        for verb in workflow.verbs_from(step):
            if verb.effect or verb.to == NOWHERE or order[verb.to] <= order[step] or verb.to not in best:
                continue
            way = (verb, *best[verb.to])
            if step not in best or len(way) > len(best[step]):
                best[step] = way
    return best.get(start, ())


def replay_job(job: Job, progress: Progress) -> dict[str, Any]:
    """A file of records, as a job."""
    return replay_file(city=job.city, progress=progress, **job.parameters)
