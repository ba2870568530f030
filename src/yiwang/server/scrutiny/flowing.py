"""Where time goes in a city: the figures of the bottleneck page, for cases opened in a period in a region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Max, Min

from yiwang.core.mining.flow import (
    Columns,
    Flags,
    Ints,
    Move,
    Path,
    Stays,
    Summary,
    in_hand_roles,
    moves,
    path_digests,
    paths,
    stays,
    summaries,
)
from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.scrutiny.kept_events import events_of, heads_of
from yiwang.server.scrutiny.reading import chosen_cases, flow_columns, newest_event

MOST_PATHS, MOST_UNITS, MOST_BEHIND = 12, 40, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowQuery:
    """What is asked about: cases opened on local days from ``first`` up to and including ``last``, in a region and below."""

    first: date
    last: date
    region: str

    def bounds(self, place: CityRuntime) -> tuple[datetime, datetime]:
        """The first moment, and the first one after."""
        zone = place.info.zone
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=zone)
        after = self.last + timedelta(days=1)
        return start, datetime(after.year, after.month, after.day, tzinfo=zone)


def last_month(place: CityRuntime) -> tuple[date, date] | None:
    """The last thirty days in which cases were opened; None where there are no cases."""
    rows = Case.objects.filter(city=place.info.id)
    newest, oldest = rows.aggregate(at=Max("opened_at"))["at"], rows.aggregate(at=Min("opened_at"))["at"]
    if newest is None or oldest is None:
        return None
    last = newest.astimezone(place.info.zone).date()
    return max(oldest.astimezone(place.info.zone).date(), last - timedelta(days=29)), last


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The figures of the page. Keys of summaries are places in the columns' lists, or in ``levels``.

    Attributes:
        cases, events: How many were looked at.
        persons: Whether any event says that a person acted; without, waiting cannot be told from working.
        steps, units, levels: Time by step, unit and level, most time first.
        moves: Between steps; ``paths``: the most common ways; ``ways``: how many different ones there are.
    """

    columns: Columns
    by_step: Stays
    by_unit: Stays
    by_level: Stays
    level_names: list[str]
    level_keys: Ints
    cases: int
    events: int
    persons: bool
    steps: list[Summary]
    units: list[Summary]
    levels: list[Summary]
    moves: list[Move]
    paths: list[Path]
    ways: int


def flow(place: CityRuntime, asked: FlowQuery, *, now: datetime | None = None) -> Flow:
    """Work the figures out: two queries to choose the cases, and one for five hundred of those each whose events are not kept."""
    start, end = asked.bounds(place)
    chosen, heads = chosen_cases(city=place.info.id, start=start, end=end, region=asked.region)
    workflow = place.rules.workflow
    found, codes = events_of(place.info.id, chosen, heads_of(heads))
    columns = flow_columns(found, codes, in_hand=in_hand_roles(workflow))
    until = min((now or datetime.now(UTC)).timestamp(), _log_end(place, columns))
    ends = np.array([name in workflow.steps and workflow.steps[name].end for name in columns.steps], dtype=bool)
    open_steps = ~ends if len(ends) else np.zeros(0, dtype=bool)
    everything = stays(columns, until=until)
    by_step = everything.where(open_steps[everything.step]) if len(everything) else everything
    ended = ends[columns.step] if len(columns.case) else np.zeros(0, dtype=bool)
    level_names, level_of = _levels(place, columns.holders)
    levels = level_of[columns.holder] if len(columns.case) else columns.holder
    by_unit = _running(columns, columns.holder, ended, until)
    by_level = _running(columns, levels, ended, until)
    level_keys = level_of[by_level.holder] if len(by_level) else by_level.holder
    common, ways = paths(everything, most=MOST_PATHS)
    return Flow(
        columns=columns,
        by_step=by_step,
        by_unit=by_unit,
        by_level=by_level,
        level_names=level_names,
        level_keys=level_keys,
        cases=len(chosen),
        events=len(columns.case),
        persons=bool(columns.person.any()),
        steps=summaries(by_step, by_step.step),
        units=summaries(by_unit, by_unit.holder),
        levels=summaries(by_level, level_keys),
        moves=moves(everything, steps=max(1, len(columns.steps))),
        paths=common,
        ways=ways,
    )


def _running(columns: Columns, key: Ints, ended: Flags, until: float) -> Stays:
    """Stays with the same unit or level while the case runs, whatever the steps in between."""
    found = stays(columns, until=until, key=key * 2 + ended)
    if len(found) == 0:
        return found
    ends = np.zeros(len(columns.steps), dtype=bool)
    ends[columns.step[ended]] = True
    return found.where(~ends[found.step])


def _log_end(place: CityRuntime, columns: Columns) -> float:
    """The moment up to which the log speaks. A record of years ago says nothing about how long its open cases stayed open."""
    newest = newest_event(place.info.id)
    return max(newest.timestamp() if newest else 0.0, float(columns.at.max()) if len(columns.at) else 0.0)


def _levels(place: CityRuntime, holders: Sequence[str]) -> tuple[list[str], Ints]:
    names: dict[str, int] = {}
    keys = [names.setdefault(place.rules.level_of(holder) if holder else "", len(names)) for holder in holders]
    return list(names), np.array(keys, dtype=np.int64)


# --- the cases behind a figure ----------------------------------------------------------------------------------------


def behind(
    place: CityRuntime, asked: FlowQuery, *, kind: str, key: str, now: datetime | None = None
) -> list[dict[str, Any]]:
    """The cases behind a figure, those with the longest time first.

    Args:
        place, asked: As for the page.
        kind: ``step``, ``unit``, ``level``, ``move`` or ``path``.
        key: Id of the step, unit or level; two steps with ``>`` between; steps of a path with ``>`` between.

    Returns:
        ``number``, ``category``, ``region``, ``holder``, ``step``, ``opened_at`` of the case, ``seconds`` that it spent
        there, and whether it is ``going_on``; at most `MOST_BEHIND`. Empty where the key is unknown.
    """
    found = flow(place, asked, now=now)
    choose: dict[str, Callable[[Flow, str], tuple[Stays, Flags]]] = {
        "step": _of_step, "unit": _of_unit, "level": _of_level, "move": _of_move, "path": _of_path,
    }  # fmt: skip
    if kind not in choose or len(found.by_step) == 0:
        return []
    source, chosen = choose[kind](found, key)
    part = source.where(chosen)
    cases, place_of = np.unique(part.case, return_inverse=True)
    seconds = np.bincount(place_of, weights=part.end - part.start, minlength=len(cases))
    going = np.bincount(place_of, weights=part.going_on, minlength=len(cases)) > 0
    order = np.argsort(-seconds, kind="stable")[:MOST_BEHIND]
    columns = ("id", "number", "category", "region", "holder", "step", "opened_at")
    rows = {row["id"]: row for row in Case.objects.filter(id__in=[int(case) for case in cases[order]]).values(*columns)}
    return [
        {**rows[int(cases[index])], "seconds": float(seconds[index]), "going_on": bool(going[index])} for index in order
    ]


def _code(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else -1


def _of_step(found: Flow, key: str) -> tuple[Stays, Flags]:
    return found.by_step, found.by_step.step == _code(found.columns.steps, key)


def _of_unit(found: Flow, key: str) -> tuple[Stays, Flags]:
    return found.by_unit, found.by_unit.holder == _code(found.columns.holders, key)


def _of_level(found: Flow, key: str) -> tuple[Stays, Flags]:
    return found.by_level, found.level_keys == _code(found.level_names, key)


def _of_move(found: Flow, key: str) -> tuple[Stays, Flags]:
    origin, _, target = key.partition(">")
    every = stays(found.columns, until=0.0)
    steps = found.columns.steps
    return every, (every.step == _code(steps, origin)) & (every.next_step == _code(steps, target)) & ~every.going_on


def _of_path(found: Flow, key: str) -> tuple[Stays, Flags]:
    steps = found.columns.steps
    wanted = [_code(steps, name) for name in key.split(">")]
    every = stays(found.columns, until=0.0)
    first, digests = path_digests(every)
    asked = Stays(
        case=np.zeros(len(wanted), dtype=np.int64), step=np.array(wanted, dtype=np.int64), holder=np.zeros(0, dtype=np.int64),
        start=np.zeros(0), end=np.zeros(0), touched=np.zeros(0), going_on=np.zeros(0, dtype=bool), next_step=np.zeros(0, dtype=np.int64),
    )  # fmt: skip
    if -1 in wanted:
        return every, np.zeros(len(every), dtype=bool)
    matches = digests == path_digests(asked)[1][0]
    return every, np.repeat(matches, np.diff(np.r_[first, len(every)]))
