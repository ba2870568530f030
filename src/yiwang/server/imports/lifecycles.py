"""Whole lives of cases at once: decided in memory by the same `decide`, written in chunks, each one transaction.

Records of a city's past and simulated months come in this way. What is written is what `operations` would have written
command by command: events with their hash chain, row, report, outbox, counts. A run that is killed has written whole
chunks; run again, it goes on behind them, since a report's id in its system of origin is taken only once.
"""

from __future__ import annotations

import gc
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.cases.decide import advance
from yiwang.core.cases.events import SYSTEM_ACTOR, Actor, Command, Event
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import (
    CASE_COLUMNS,
    CASE_NUMBERS,
    EVENT_COLUMNS,
    OUTBOX_COLUMNS,
    REPORT_COLUMNS,
    REPORT_NUMBERS,
    TALLY_COLUMNS,
    Case,
    Outbox,
    Report,
    Tally,
    case_values,
    event_values,
    format_number,
    hash_chain,
    serial_day,
    take_numbers,
)
from yiwang.server.cases.api import Event as EventRow
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import sql

CHUNK = 500
SERIALS = 50  # serials taken at a time for a day of which none were reserved
_LOOKED_UP = 400  # external ids asked for in one query


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Something that is done with a case at a time.

    Attributes:
        into: For a merger, the external id of the case that it is merged into; ``command`` then gets its number.
        otherwise: What is done instead when the move is refused; without it the life cannot be taken.
    """

    at: datetime
    command: Command
    into: str = ""
    otherwise: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """A report and what was done later.

    Attributes:
        external: Id in the system of origin.
        at: When it was reported.
        actor: Who reported.
        payload: Fields of the opening command, without ``number``; places are located already.
        moves: In the order of time.
        contact: How to reach the reporter.
        flag: How it was located.
    """

    external: str
    at: datetime
    actor: Actor
    payload: Mapping[str, Any]
    moves: tuple[Move, ...] = ()
    contact: str = ""
    flag: str = ""


@dataclass(slots=True, kw_only=True)
class Life:
    """A case with all that has happened to it, ready to be written."""

    state: CaseState
    events: list[Event]
    external: str = ""
    report: str = ""
    contact: str = ""
    flag: str = ""


class Untaken(Exception):
    """A life that cannot be taken as it is recorded, and why."""

    def __init__(self, external: str, refusal: Refusal) -> None:
        super().__init__(external, refusal)
        self.external, self.refusal = external, refusal


@dataclass(slots=True)
class Totals:
    """What a run wrote, and what it passed over.

    Attributes:
        refused: Lives that cannot be taken as they are recorded; nothing of them is written.
        reasons: Their external ids, each with why.
    """

    reports: int = 0
    cases: int = 0
    events: int = 0
    closed: int = 0
    merged: int = 0
    refused: int = 0
    known: int = 0
    reasons: list[tuple[str, str]] = field(default_factory=list)


class BulkWriter:
    """Collects lived cases and writes them chunk by chunk.

    Args:
        place: The city.
        origin: System that the reports come from.
        quiet: The cases belong to the past: the passing of time now asks nothing of them.
    """

    def __init__(self, *, place: CityRuntime, origin: str, quiet: bool = False, chunk: int = CHUNK) -> None:
        self.place = place
        self.origin = origin
        self.quiet = quiet
        self.chunk = chunk
        self.totals = Totals()
        self._waiting: list[Life] = []
        self._serials: dict[tuple[str, str], list[int]] = {}

    def number(self, kind: str, at: datetime) -> str:
        """The next number of a day; serials are taken in blocks that belong to this run."""
        info = self.place.info
        day = at.astimezone(info.zone).date()
        key = (kind, serial_day(info, kind=kind, day=day))
        block = self._serials.get(key)
        if block is None or block[0] >= block[1]:
            first = take_numbers(city=info.id, kind=kind, day=key[1], count=SERIALS)
            block = self._serials[key] = [first, first + SERIALS]
        block[0] += 1
        return format_number(info, kind=kind, day=day, serial=block[0] - 1)

    def reserve(self, moments: Iterable[datetime]) -> None:
        """Take the serials that cases opened at these times will need: as many as they are, so that no number is lost."""
        info = self.place.info
        days = [moment.astimezone(info.zone).date() for moment in moments]
        for kind in (CASE_NUMBERS, REPORT_NUMBERS):
            needed = Counter(serial_day(info, kind=kind, day=day) for day in days)
            for day, count in sorted(needed.items()):
                first = take_numbers(city=info.id, kind=kind, day=day, count=count)
                self._serials[kind, day] = [first, first + count]

    def existing(self, externals: Iterable[str]) -> set[str]:
        """Which external ids have been taken already."""
        asked, found = list(externals), set()
        for start in range(0, len(asked), _LOOKED_UP):
            query = Report.objects.filter(
                city=self.place.info.id, origin=self.origin, external__in=asked[start : start + _LOOKED_UP]
            )
            found |= set(query.values_list("external", flat=True))
        return found

    def add(self, lived: Sequence[Life]) -> None:
        """Take cases that belong together; they are written in one transaction."""
        self._waiting += lived
        if len(self._waiting) >= self.chunk:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lived, self._waiting = self._waiting, []
        if not lived:
            return
        try:
            self._write(lived)
        except IntegrityError:
            # another run of the same import came first with some of them
            taken = self.existing(one.external for one in lived if one.external)
            left = [one for one in lived if one.external not in taken]
            if len(left) == len(lived):
                raise
            self.totals.known += len(lived) - len(left)
            if left:
                self._write(left)
            lived = left
        _count(self.totals, lived)

    def _write(self, lived: Sequence[Life]) -> None:
        city = self.place.info.id
        with transaction.atomic():
            case_rows, event_rows, report_rows, outbox, counts = self._rows(lived, city)
            sql.insert_many(Case, ("id", *CASE_COLUMNS), case_rows)
            sql.insert_many(EventRow, EVENT_COLUMNS, event_rows)
            sql.insert_many(Report, REPORT_COLUMNS, report_rows)
            sql.insert_many(Outbox, OUTBOX_COLUMNS, outbox)
            sql.insert_many(Tally, TALLY_COLUMNS, [(*key, count) for key, count in counts.items()])

    def _rows(self, lived: Sequence[Life], city: str) -> tuple[Any, ...]:
        ids = sql.reserve_ids(Case, len(lived))
        now = datetime.now(UTC)
        case_rows, event_rows, report_rows, outbox = [], [], [], []
        counts: dict[tuple[Any, ...], int] = {}
        due = CASE_COLUMNS.index("next_due")
        for one, pk in zip(lived, ids, strict=True):
            state, events = one.state, one.events
            digests = hash_chain(events, head=None)
            values = list(case_values(state, head=digests[-1], flag=one.flag, place=self.place))
            if self.quiet:
                values[due] = None
            case_rows.append((pk, *values))
            event_rows += [
                event_values(event, case_id=pk, city=city, digest=digest)
                for event, digest in zip(events, digests, strict=True)
            ]
            if one.report:
                said = events[0].payload["set"]  # as it was reported, whatever became of the case later
                report_rows.append((
                    pk, one.report, city, events[0].at, said.get("text", ""), said.get("category", ""), said.get("lon"),
                    said.get("lat"), said.get("region", ""), said.get("address", ""), said.get("source", ""), one.contact,
                    said.get("reporter", ""), self.origin, one.external,
                ))  # fmt: skip
            outbox.append((city, state.number, 1, state.seq, now, 0, now, ""))
            key = (city, state.region, state.step, state.overdue)
            counts[key] = counts.get(key, 0) + 1
        return case_rows, event_rows, report_rows, outbox, counts


def _count(totals: Totals, lived: Sequence[Life]) -> None:
    for one in lived:
        totals.cases += 1
        totals.reports += bool(one.report)
        totals.events += len(one.events)
        totals.closed += one.state.closed_at is not None
        totals.merged += bool(one.state.merged_into)


# --- living -------------------------------------------------------------------------------------------------------


def live(bundle: Sequence[Lifecycle], *, place: CityRuntime, writer: BulkWriter) -> list[Life]:
    """Let lives that belong together happen, in the order of time.

    Args:
        bundle: One life, or several of which some are merged into others.
        place: The city.
        writer: Gives the numbers.

    Raises:
        Untaken: The first life that cannot be taken as it is recorded.
    """
    found: dict[str, Life] = {}
    queue: list[tuple[datetime, int, int, Lifecycle, tuple[Move, ...]]] = []
    for index, life in enumerate(bundle):
        heapq.heappush(queue, (life.at, 0, index, life, ()))
    while queue:
        at, _, index, life, moves = heapq.heappop(queue)
        one = found.get(life.external)
        try:
            if one is None:
                found[life.external] = _open(life, place, writer)
                rest = life.moves
            else:
                rest = _move_on(one, moves, found, place)
        except Refusal as refusal:
            raise Untaken(life.external, refusal) from refusal
        if rest:
            heapq.heappush(queue, (max(rest[0].at, at), 1, index, life, rest))
    return list(found.values())


def _open(life: Lifecycle, place: CityRuntime, writer: BulkWriter) -> Life:
    payload = {**life.payload, "number": writer.number(CASE_NUMBERS, life.at), "city": place.info.id}
    if life.flag:
        payload["flags"] = [life.flag]
    command = Command(verb=place.rules.workflow.opening().id, actor=life.actor, payload=payload)
    events, state = advance(None, command, rules=place.rules, calendar=place.calendar, at=life.at)
    report = writer.number(REPORT_NUMBERS, life.at)
    return Life(state=state, events=events, external=life.external, report=report, contact=life.contact, flag=life.flag)


def _move_on(one: Life, moves: tuple[Move, ...], found: Mapping[str, Life], place: CityRuntime) -> tuple[Move, ...]:
    """Do the first of the moves; those that are left.

    Raises:
        Refusal: It cannot be done, and nothing else is foreseen.
    """
    move, rest = moves[0], moves[1:]
    try:
        if move.into:
            _merge(one, move, found, place)
        else:
            _do(one, move.command, move.at, place)
    except Refusal:
        if not move.otherwise:
            raise
        return (*move.otherwise, *rest)
    return rest


def _do(one: Life, command: Command, at: datetime, place: CityRuntime) -> None:
    events, one.state = advance(one.state, command, rules=place.rules, calendar=place.calendar, at=at)
    one.events += events


def _merge(one: Life, move: Move, found: Mapping[str, Life], place: CityRuntime) -> None:
    """Merge into the other case, or into the one that it has become part of itself."""
    other = found.get(move.into)
    by_number = {lived.state.number: lived for lived in found.values()}
    while other is not None and other.state.merged_into and other is not one:
        other = by_number.get(other.state.merged_into)
    if other is None or other is one:
        raise Refusal(Text("并入的案卷不在。", "The case to merge into is not there."))
    absorb = next((verb.id for verb in place.rules.workflow.verbs.values() if verb.effect == "absorb"), "")
    taken = Command(verb=absorb, actor=SYSTEM_ACTOR, payload={"number": one.state.number})
    # decided before either is changed, so that a refusal leaves both as they are
    absorbed, after = advance(other.state, taken, rules=place.rules, calendar=place.calendar, at=move.at)
    command = move.command
    payload = {**command.payload, "into": other.state.number}
    _do(one, Command(verb=command.verb, actor=command.actor, payload=payload), move.at, place)
    other.state = after
    other.events += absorbed


def import_lives(*, bundles: Iterable[Sequence[Lifecycle]], writer: BulkWriter, progress: Any = None) -> Totals:
    """Let bundles of lives happen and write them; those that are known already are passed over.

    Args:
        bundles: Lives that are merged with one another belong into one bundle.
        writer: Where they go.
        progress: Called with the number of lives done so far.

    Returns:
        What was written. Lives that cannot be taken as they are recorded are left out and named there.
    """
    batch: list[Sequence[Lifecycle]] = []
    done = size = 0
    for bundle in bundles:
        batch.append(bundle)
        size += len(bundle)
        if size >= writer.chunk:
            import_batch(batch, writer)
            done, batch, size = done + size, [], 0
            if progress:
                progress(done)
    import_batch(batch, writer)
    with pause_gc():
        writer.flush()
    if progress:
        progress(done + size)
    return writer.totals


def import_batch(batch: Sequence[Sequence[Lifecycle]], writer: BulkWriter) -> None:
    """Let a few bundles happen; the writer writes them, at the latest when it is flushed."""
    known = writer.existing(life.external for bundle in batch for life in bundle)
    new = [[life for life in bundle if life.external not in known] for bundle in batch]
    writer.totals.known += sum(map(len, batch)) - sum(map(len, new))
    writer.reserve(life.at for bundle in new for life in bundle)
    with pause_gc():
        for bundle in filter(None, new):
            writer.add(_take(bundle, writer))


def _take(bundle: Sequence[Lifecycle], writer: BulkWriter) -> list[Life]:
    """Those of a bundle that can be taken; one that cannot is left out whole, and the others live without it."""
    left = list(bundle)
    while left:
        try:
            return live(left, place=writer.place, writer=writer)
        except Untaken as untaken:
            left = [life for life in left if life.external != untaken.external]
            writer.totals.refused += 1
            writer.totals.reasons.append((untaken.external, untaken.refusal.text.en))
    return []


@contextmanager
def pause_gc() -> Iterator[None]:
    """Python's collector of cycles looks at the many living objects of a chunk again and again and finds nothing: a third of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
