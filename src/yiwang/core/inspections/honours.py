"""What a place must show to be a demonstration area, and what takes that away again; who may hold a banner.

A demonstration area stands on repeated inspections, of which each was drawn by lot on its own: one good day is not enough.
A banner (流动红旗) moves on: it is given to who stands on a published red list, and given back when its time is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRule:
    """When a region is listed as a demonstration area, and when it is delisted.

    Attributes:
        id, name: Key, and the name for people.
        checklist: Id of the checklist whose inspections count.
        level: Of the regions that the checklist inspects.
        listed_at: Least score of each of the latest inspections, of a hundred.
        inspections: How many in a row must reach it.
        within_months: Older ones do not count.
        delisted_below: A listed area whose score falls below this fails the inspection.
        delisted_after: How many in a row it must fail.
        source, confidence: Who says so.
        validity: Days on which it holds.
    """

    id: str
    name: Text
    checklist: str
    level: str
    listed_at: float
    inspections: int
    within_months: int
    delisted_below: float
    delisted_after: int
    source: Text = NO_TEXT
    confidence: str = ""
    validity: Validity = field(default_factory=Validity)


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerRule:
    """Who may hold a banner, and for how long.

    Attributes:
        id, name: Key, and the name for people.
        list: Id of the list on whose red side one must stand.
        holders: How many hold it at a time.
        months: For how long at most.
        source, confidence: Who says so.
        validity: Days on which it holds.
    """

    id: str
    name: Text
    list: str
    holders: int
    months: int
    source: Text = NO_TEXT
    confidence: str = ""
    validity: Validity = field(default_factory=Validity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """The score of a place in an inspection that has ended.

    Attributes:
        inspection: Key of the inspection.
        day: When the place was visited.
        score: Of a hundred.
    """

    inspection: str
    day: date
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a place's inspections say by a rule.

    Attributes:
        latest: Those that were looked at, the latest first: as many as the rule asks for, or fewer where there are not so many.
        reached: Whether they reach what a listing needs.
        missing: How many more inspections a listing needs, as far as the number goes.
        failed: Whether the last ones fail what a listed area must keep.
    """

    latest: tuple[Inspected, ...]
    reached: bool
    missing: int
    failed: bool


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last day of that month where it is shorter."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def judge(rule: AreaRule, found: Iterable[Inspected], *, today: date) -> Judgement:
    """What the inspections of a place say, as of a day. Of one inspection the latest score counts, and of two on one day
    the one that is given later is the later one."""
    since = months_before(today, rule.within_months)
    last: dict[str, Inspected] = {}
    for one in sorted(found, key=attrgetter("day")):
        if since < one.day <= today:
            last[one.inspection] = one
    ordered = sorted(last.values(), key=attrgetter("day"))
    ordered.reverse()
    latest = tuple(ordered[: rule.inspections])
    worst = ordered[: rule.delisted_after]
    return Judgement(
        latest=latest,
        reached=len(latest) == rule.inspections and all(one.score >= rule.listed_at for one in latest),
        missing=rule.inspections - len(latest),
        failed=len(worst) == rule.delisted_after and all(one.score < rule.delisted_below for one in worst),
    )
