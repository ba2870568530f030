"""A city's events as columns in files, so that where time goes is worked out without reading every event anew.

The files are a copy that may be behind, and need not be right about anything newer: beside each case stands the hash of its last event.
Who reads compares it with the case's own, and reads the events of the others from the database. Events are never changed, and the hash
covers all of a case's, so what agrees is exact.

`YIWANG_HOME/flow/<city>/<build>/` holds a file for each column; `current` names the build that counts.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Max
from numpy.typing import NDArray

from yiwang.core.mining.flow import Ints
from yiwang.server.cases.api import Case, Event
from yiwang.server.cities.queries import cities
from yiwang.server.scrutiny.reading import Codes, Happened, happened

Heads = NDArray[np.uint64]
FOLDER = "flow"
CURRENT = "current"
LEAST_NEW = 2_000  # events; fewer are read from the database as long as that is quick
SHARE_NEW = 0.05  # of those that are kept
KEEP_SECONDS = 3_600  # builds that no longer count, for those who are still reading them
CASES_AT_ONCE = 20_000
EVENTS = ("at", "step", "holder", "role", "same")
log = logging.getLogger("yiwang.scrutiny")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A build: events of whole cases, each case's together and in their order.

    Attributes:
        case: Ids of the cases, growing. ``head``: the first eight bytes of the hash of each one's last event.
        start: Where each case's events begin, and where the last one's end.
        at, step, holder, role, same: See `Happened`.
        codes: What the numbers stand for.
        mark: The largest id of an event that was looked at.
    """

    case: Ints
    head: Heads
    start: Ints
    at: NDArray[Any]
    step: NDArray[Any]
    holder: NDArray[Any]
    role: NDArray[Any]
    same: NDArray[Any]
    codes: Codes
    mark: int

    def holds(self, cases: Ints, heads: Heads) -> NDArray[np.bool_]:
        """Of which cases this knows all events."""
        if not len(self.case):
            return np.zeros(len(cases), dtype=bool)
        place = np.minimum(np.searchsorted(self.case, cases), len(self.case) - 1)
        return np.asarray((self.case[place] == cases) & (self.head[place] == heads))

    def of(self, cases: Ints) -> Happened:
        """The events of cases that it holds, by growing ids."""
        place = np.searchsorted(self.case, cases)
        begin, count = self.start[place], self.start[place + 1] - self.start[place]
        ends = np.cumsum(count)
        total = int(ends[-1]) if len(ends) else 0
        rows = np.arange(total) + np.repeat(begin - (ends - count), count)
        return Happened(
            case=np.repeat(cases, count), **{name: np.asarray(getattr(self, name)[rows]) for name in EVENTS}
        )


def events_of(city: str, cases: Ints, heads: Heads) -> tuple[Happened, Codes]:
    """The events of cases, from the files where those know all of a case, else from the database.

    Args:
        city: City.
        cases: Ids, growing.
        heads: See `heads_of`.
    """
    kept = kept_events(city)
    if kept is None:
        codes = Codes()
        return happened(cases.tolist(), codes), codes
    known = kept.holds(cases, heads)
    codes = kept.codes.copy()
    parts = [kept.of(cases[known])]
    if not known.all():
        parts.append(happened(cases[~known].tolist(), codes))
    return Happened.joined(parts), codes


def heads_of(values: Sequence[Any]) -> Heads:
    """The first eight bytes of hashes, as whole numbers."""
    return np.frombuffer(b"".join(bytes(value[:8]) for value in values), dtype=">u8").astype(np.uint64)


def kept_events(city: str) -> Kept | None:
    """The build that counts; None before the first."""
    folder = Path(settings.YIWANG_HOME, FOLDER, city)
    try:
        build = (folder / CURRENT).read_text(encoding="utf-8")
        return _opened(str(folder / build))
    except (
        OSError,
        ValueError,
        KeyError,
    ):  # there is none, or it was swept away: then everything is read from the database
        return None


def keep_all() -> int:
    """Bring the files of every city up to date that are far enough behind; of how many cities."""
    return sum(keep_events(info.id) for info in cities())


def keep_events(city: str) -> bool:
    """Build anew where enough has happened since. Two that do it at once leave one of two whole builds."""
    old = kept_events(city)
    newest = Event.objects.aggregate(last=Max("id"))["last"] or 0
    mark, held = (old.mark, len(old.at)) if old else (0, 0)
    if newest - mark < max(LEAST_NEW, held * SHARE_NEW):
        return False
    began = time.monotonic()
    made = _built(city, old, newest)
    _write(Path(settings.YIWANG_HOME, FOLDER, city), made)
    log.info("events of %s kept as columns: %s events in %.1f s", city, len(made.at), time.monotonic() - began)
    return True


def _built(city: str, old: Kept | None, newest: int) -> Kept:
    """The old build with the cases in which something happened since read anew."""
    codes = old.codes.copy() if old else Codes()
    changed = _changed(city, since=old.mark if old else 0)
    parts, cases, heads = [], [], []
    if old is not None:
        stays = ~np.isin(old.case, changed)
        cases.append(np.asarray(old.case[stays]))
        heads.append(np.asarray(old.head[stays]))
        parts.append(old.of(cases[0]))
    for begin in range(0, len(changed), CASES_AT_ONCE):
        ids, own = _heads_now(changed[begin : begin + CASES_AT_ONCE])
        cases.append(ids)
        heads.append(own)
        parts.append(happened(ids.tolist(), codes))
    every = Happened.joined(parts)
    ids, own = np.concatenate(cases or [np.zeros(0, np.int64)]), np.concatenate(heads or [np.zeros(0, np.uint64)])
    order = np.argsort(ids, kind="stable")
    ids, own = ids[order], own[order]
    start = np.r_[np.searchsorted(every.case, ids), len(every.case)]
    return Kept(
        case=ids,
        head=own,
        start=start,
        codes=codes,
        mark=newest,
        **{name: getattr(every, name) for name in EVENTS},
    )


def _changed(city: str, *, since: int) -> Ints:
    """Ids of the cases of a city in which something happened behind an event, growing."""
    rows = Case.objects.filter(city=city)
    if since:
        rows = rows.filter(pk__in=Event.objects.filter(id__gt=since).values("case_id"))
    return np.fromiter(rows.order_by("id").values_list("id", flat=True).iterator(chunk_size=10_000), dtype=np.int64)


def _heads_now(cases: Ints) -> tuple[Ints, Heads]:
    """Ids and heads of cases. Read before their events: what happens in between makes a build that is known to be behind."""
    rows = list(
        Case.objects.filter(id__gte=int(cases[0]), id__lte=int(cases[-1])).order_by("id").values_list("id", "head")
    )
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    own = np.isin(ids, cases)
    return ids[own], heads_of([row[1] for row in rows])[own]


def _write(folder: Path, made: Kept) -> None:
    build = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    place = folder / build
    place.mkdir(parents=True)
    for name in ("case", "head", "start", *EVENTS):
        np.save(place / f"{name}.npy", getattr(made, name))
    (place / "about.json").write_text(json.dumps({"mark": made.mark, **made.codes.as_json()}), encoding="utf-8")
    unfinished = folder / f".{build}"
    unfinished.write_text(build, encoding="utf-8")
    unfinished.replace(folder / CURRENT)
    for other in _others(folder, build):
        shutil.rmtree(other, ignore_errors=True)


def _others(folder: Path, build: str) -> Iterator[Path]:
    """Builds that do not count any more and are old enough not to be read."""
    for one in folder.iterdir():
        if one.is_dir() and one.name != build and time.time() - one.stat().st_mtime > KEEP_SECONDS:
            yield one


@lru_cache(maxsize=8)
def _opened(path: str) -> Kept:
    """A build; its files are mapped, not read."""
    folder = Path(path)
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    columns = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("case", "head", "start", *EVENTS)}
    return Kept(mark=about["mark"], codes=Codes.from_json(about), **columns)
