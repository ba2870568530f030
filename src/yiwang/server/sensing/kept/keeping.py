"""What is kept, and for how long: `[keep]` of a city's `sensing.toml` carried out."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import DAY, to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.rollups import merge
from yiwang.packs.sensing import FILE, Keep
from yiwang.server.cities.queries import CityRuntime, cities, runtime
from yiwang.server.common import operations as common
from yiwang.server.common.app import Progress as JobProgress
from yiwang.server.common.models import Job
from yiwang.server.sensing.kept import days as kept_days
from yiwang.server.sensing.kept import lake, moving
from yiwang.server.sensing.kept.days import Published
from yiwang.server.sensing.kept.moving import Moved, Progress
from yiwang.server.sensing.models import KeptDay

log = logging.getLogger("yiwang.sensing")
KIND = "sensing-keep"
LOOSE = 8  # days of a month with files of their own from which the month is written anew
RAW_ROWS = 20_000  # observations of a bucket a day from which a day keeps files of its own


@dataclass(slots=True, kw_only=True)
class Kept:
    """What a run has done.

    Attributes:
        moved: What has gone into the lake.
        months: Files of months that were made of files of days.
        expired: Kinds of days that are no longer kept.
        swept: Files that were removed.
    """

    moved: Moved = field(default_factory=Moved)
    months: int = 0
    expired: int = 0
    swept: int = 0

    def figures(self) -> dict[str, int]:
        """The figures by name."""
        return {**asdict(self.moved), "months": self.months, "expired": self.expired, "swept": self.swept}


def keep_city(
    place: CityRuntime, *, now: datetime, before: datetime | None = None, progress: Progress = lambda _, __: None
) -> Kept:
    """Move what is old enough into the lake, and let go what is no longer to be kept.

    Args:
        place: The city.
        now: Now.
        before: Move the whole days that ended by then, instead of those that the city's rule names.
        progress: Takes the days that are done, and 0 for their unknown total.

    Raises:
        BadInput: The city has no rule and ``before`` is not given.
    """
    city, rule = place.info.id, place.pack.sensing.keep
    done = Kept()
    done.moved = moving.move_days(city, before=boundary(place, now=now, before=before), progress=progress)
    if rule is not None:
        done.expired = expire(city, rule, now=now)
    done.months = compact(city, now=now)
    done.swept = lake.sweep(city, named=kept_days.all_names(city))
    return done


def boundary(place: CityRuntime, *, now: datetime, before: datetime | None = None) -> datetime:
    """The moment by which days that move must have ended.

    Raises:
        BadInput: The city has no rule and ``before`` is not given, or it lies ahead.
    """
    rule = place.pack.sensing.keep
    if before is None and rule is None:
        raise BadInput(
            Problem(
                Text("该城市没有规定观测保留多久。", "The city does not say how long observations are kept."),
                Text(
                    "在 {file} 里写 [keep]，或用 --before 指定日期。",
                    "Write [keep] in {file}, or name a day with --before.",
                    file=FILE,
                ),
            )
        )
    if before is None:
        assert rule is not None
        return now - timedelta(days=rule.days_in_database)
    if before > now:
        raise BadInput(
            Problem(
                Text("{day} 还没有到。", "{day} has not come yet.", day=f"{before:%Y-%m-%d}"),
                Text("请填今天或更早的日期。", "Give today or an earlier day."),
            )
        )
    return before


# --- what is no longer kept -----------------------------------------------------------------------------------------------


def expire(city: str, rule: Keep, *, now: datetime) -> int:
    """Let go the kinds of files whose time is over; how many, over all days. Before observations go, minutes are made of them."""
    today, gone = to_micros(now) // DAY, 0
    lasts = {lake.RAW: rule.raw_days, "minute": rule.minute_days, "hour": rule.hour_days}
    bounds = {kind: today - days for kind, days in lasts.items() if days}
    if not bounds:
        return 0
    for one in kept_days.published(city, last=max(bounds.values()) - 1).values():
        over = {kind for kind, bound in bounds.items() if one.day < bound and kind in one.files}
        if not over:
            continue
        row = kept_days.begin(city, one.day)
        files = {kind: dict(names) for kind, names in row.files.items()}
        if lake.RAW in over and "minute" not in over and one.day >= bounds.get("minute", one.day):
            files["minute"] = _minutes(city, one.day, files)
        left = {kind: names for kind, names in files.items() if kind not in over}
        gone += len(over) if kept_days.publish(row, files=left) else 0
    return gone


def _minutes(city: str, day: int, files: dict[str, dict[str, str]]) -> dict[str, str]:
    names = dict(files.get("minute", {}))
    for bucket, name in files[lake.RAW].items():
        if bucket not in names:
            rows = lake.read_raw(city, [lake.Part(name, (day,))], start=day * DAY, end=(day + 1) * DAY)
            names[bucket] = lake.write_rollups(
                city, lake.day_folder(day), "minute", bucket, moving.rolled(rows)["minute"]
            )
    return names


# --- months ---------------------------------------------------------------------------------------------------------------


def compact(city: str, *, now: datetime) -> int:
    """Make files of months of files of days, for months that are over and have many of these; how many files were made."""
    months: dict[str, list[Published]] = defaultdict(list)
    this = lake.month_folder(to_micros(now) // DAY)
    for one in kept_days.published(city).values():
        if lake.month_folder(one.day) != this:
            months[lake.month_folder(one.day)].append(one)
    return sum(_compact_month(city, month, days) for month, days in months.items())


def _compact_month(city: str, month: str, days: list[Published]) -> int:
    made = 0
    for kind in (lake.RAW, *lake.STEPS):
        buckets = {bucket for one in days for bucket in one.files.get(kind, {})}
        for bucket in sorted(buckets):
            of = [one for one in days if bucket in one.files.get(kind, {})]
            loose = sum(one.files[kind][bucket].startswith("day=") for one in of)
            if loose >= min(LOOSE, len(of)) and loose > 1 and _is_small(city, kind, of):
                made += _write_month(city, month, kind, bucket, of)
    return made


def _is_small(city: str, kind: str, days: list[Published]) -> bool:
    """Whether a month is better in one file: roll-ups always, observations where a day of a bucket has few."""
    if kind != lake.RAW:
        return True
    rows = KeptDay.objects.filter(city=city, day__in=[one.day for one in days]).values_list("rows", flat=True)
    return sum(rows) < RAW_ROWS * lake.BUCKETS * len(days)


def _write_month(city: str, month: str, kind: str, bucket: str, days: list[Published]) -> int:
    """One file for a bucket of a month. A day that was changed meanwhile keeps its own."""
    parts = kept_days.parts_of(days, kind, {bucket})
    start, end = days[0].day * DAY, (days[-1].day + 1) * DAY
    if kind == lake.RAW:
        name = lake.write_raw(city, month, bucket, lake.read_raw(city, parts, start=start, end=end))
    else:
        found = lake.read_rollups(city, parts, start=start, end=end)
        name = lake.write_rollups(city, month, kind, bucket, merge([found], step=lake.STEPS[kind]))
    held = 0
    for one in days:
        row = KeptDay.objects.get(city=city, day=one.day)
        if row.files.get(kind, {}).get(bucket) == one.files[kind][bucket]:
            files = {**row.files, kind: {**row.files[kind], bucket: name}}
            held += kept_days.publish(row, files=files)
    return 1 if held else 0


# --- the worker -----------------------------------------------------------------------------------------------------------


def ask_all(*, at: datetime | None = None) -> int:
    """Ask for the job of today in every city that has a rule; in how many it is new."""
    day = f"{at or datetime.now(UTC):%Y-%m-%d}"
    asked = 0
    for info in cities():
        if runtime(info.id).pack.sensing.keep is not None:
            asked += common.ask_job(kind=KIND, city=info.id, key=day)[1]
    return asked


def keep_job(job: Job, progress: JobProgress) -> dict[str, Any]:
    """The job of a day for a city."""
    return keep_city(runtime(job.city), now=datetime.now(UTC), progress=progress).figures()
