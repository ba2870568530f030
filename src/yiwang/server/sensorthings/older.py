"""Observations that have moved from the database into the lake: which questions concern them, and which can be answered.

Of one datastream they are read with those in the database, in the order of their times. Any other question that the lake would
have to answer is refused with 501, so that no answer leaves out what is there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from yiwang.core.kernel.instants import DAY
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.core.observations.kept import NONE, Observed
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.entities import OBSERVATION, Kind, Row
from yiwang.server.sensorthings.query.filtering import Filter
from yiwang.server.sensorthings.query.options import Options
from yiwang.server.sensorthings.times import show_instant

MOST_STREAMS = 100  # datastreams whose observations are expanded from the lake
_TIME, _RESULT = ("phenomenonTime",), ("result",)


class NotFromTheLake(Refusal):
    """A question that would need older observations in a way that is not possible."""

    code = "not-implemented"


@dataclass(slots=True)
class Wanted:
    """What a filter asks of observations, as far as the lake can tell.

    Attributes:
        start, end: Phenomenon times from and before which they lie, in microseconds; None for no bound.
        before: Moments before (True: or at) which an interval must have ended.
        results: Comparison and number.
        whole: Whether this is all that the filter says.
    """

    start: int | None = None
    end: int | None = None
    before: list[tuple[int, bool]] = field(default_factory=list)
    results: list[tuple[str, float]] = field(default_factory=list)
    whole: bool = True

    def concerns(self, days: tuple[int, int]) -> bool:
        """Whether observations of these days, or between them, may be among those that are asked for."""
        return (self.start is None or self.start < (days[1] + 1) * DAY) and (
            self.end is None or self.end > days[0] * DAY
        )

    def begins(self, first: int | None) -> Wanted:
        """The same where the earliest observation is known, in microseconds; None for not known."""
        if first is None or (self.start is not None and self.start >= first):
            return self
        return replace(self, start=first)

    def only(self, rows: Observed) -> Observed:
        """Those of the observations that fit; their times lie within the bounds."""
        fits = np.ones(len(rows), np.bool_)
        for moment, included in self.before:
            fits &= (rows.end == NONE) | ((rows.end <= moment) if included else (rows.end < moment))
        for name, number in self.results:
            value = rows.value  # NaN is equal to nothing, so words fit ``ne`` only
            fits &= {
                "eq": value == number, "ne": value != number, "gt": value > number, "ge": value >= number,
                "lt": value < number, "le": value <= number,
            }[name]  # fmt: skip
        return rows if fits.all() else rows.only(fits)


def wanted(text: str) -> Wanted:
    """What a filter of observations asks."""
    found = Wanted()
    for one in Filter(OBSERVATION, text, []).demands() if text else ():
        if one is None:
            found.whole = False
            continue
        path, name, literal = one
        if path == _RESULT and literal.kind is Kind.NUMBER:
            found.results.append((name, float(literal.value)))
        elif path == _TIME and literal.kind is Kind.MICROS and name != "ne":
            moment = int(literal.value)
            if name in ("gt", "ge", "eq"):
                first = moment + (name == "gt")
                found.start = first if found.start is None else max(found.start, first)
            if name in ("lt", "le", "eq"):
                last = moment + (name != "lt")
                found.end = last if found.end is None else min(found.end, last)
            if name in ("lt", "le"):
                found.before.append((moment, name == "le"))
        else:
            found.whole = False
    return found


def check_without(cities: Collection[str], filter_: str, *, option: str) -> None:
    """Refuse a question about observations of several datastreams for which the lake would have to be read.

    Raises:
        NotFromTheLake: Says from which moment on it can be asked.
    """
    days = sensing.kept_span(cities)
    if days is not None and wanted(filter_).concerns(days):
        raise NotFromTheLake(_several(days), field=option)


def too_many(count: int) -> NotFromTheLake:
    """The refusal to expand observations from the lake for so many datastreams."""
    return NotFromTheLake(
        Text(
            "要从归档中读取 {count} 个监测流的观测，一次最多 {most} 个；请用 $top 减少，或限定 phenomenonTime。",
            "The observations of {count} datastreams would be read from the lake; {most} at most in one request. Ask for less "
            "with $top, or for a phenomenonTime after them.",
            count=count,
            most=MOST_STREAMS,
        ),
        field="$expand",
    )


def check_through(cities: Collection[str]) -> None:
    """Refuse a filter of other entities by their observations once there are some in the lake.

    Raises:
        NotFromTheLake: There are.
    """
    if sensing.kept_span(cities) is not None:
        raise NotFromTheLake(
            Text(
                "较早的观测已归档，不能按观测筛选其他实体；请查询 Datastreams(编号)/Observations。",
                "Older observations have moved to the lake, so other entities cannot be filtered by their observations; ask "
                "Datastreams(ID)/Observations.",
            ),
            field="$filter",
        )


@dataclass(frozen=True, slots=True)
class Older:
    """Observations of one datastream, wherever they lie.

    Attributes:
        stream: Its id.
        asked: What is to be found.
        latest: Whether the latest come first.
    """

    stream: int
    asked: Wanted
    latest: bool

    @classmethod
    def of(cls, stream: int, options: Options) -> Older:
        """How the lake answers the options.

        Raises:
            NotFromTheLake: They ask for what cannot be told from it.
        """
        asked, order = wanted(options.filter), options.order
        if not asked.whole:
            raise NotFromTheLake(
                Text(
                    "所查时段含已归档的观测，只能用 and 连接的 phenomenonTime 和 result（数字）条件筛选；"
                    "其他条件请先把 phenomenonTime 限定在归档之后。",
                    "The time that is asked for has observations in the lake: these can be filtered by phenomenonTime and by "
                    "a number of result, joined by and. For other conditions ask for a phenomenonTime after them.",
                ),
                field="$filter",
            )
        if order and order[0][0] != "phenomenonTime":
            raise NotFromTheLake(
                Text(
                    "所查时段含已归档的观测，只能按 phenomenonTime 排序。",
                    "The time that is asked for has observations in the lake: these are ordered by phenomenonTime only.",
                ),
                field="$orderby",
            )
        return cls(stream, asked, bool(order and order[0][1]))

    def count(self) -> int:
        """How many there are."""
        return sum(len(part) for part in self._parts(None))

    def rows(self, skip: int, most: int, *, after: int | None = None) -> list[Row]:
        """Rows with the columns of `entities.OBSERVATION`, in their order.

        Args:
            skip: How many are left out first.
            most: How many at most.
            after: Phenomenon time of the last observation of the page before.
        """
        found: list[Row] = []
        for part in self._parts(after):
            if len(part) <= skip:
                skip -= len(part)
                continue
            places = np.arange(len(part))[:: -1 if self.latest else 1][skip : skip + most - len(found)]
            skip = 0
            found += _as_rows(part.only(places))
            if len(found) >= most:
                break
        return found

    def _parts(self, after: int | None) -> Iterator[Observed]:
        start, end = self.asked.start, self.asked.end
        if after is not None and self.latest:
            end = after if end is None else min(end, after)
        elif after is not None:
            start = after + 1 if start is None else max(start, after + 1)
        for part in sensing.walk_observations(self.stream, start=start, end=end, latest=self.latest):
            yield self.asked.only(part)


def _as_rows(rows: Observed) -> list[Row]:
    found: list[Row] = []
    columns = (
        rows.id,
        rows.time,
        rows.end,
        rows.value,
        rows.result,
        rows.result_time,
        rows.more,
        rows.stream,
        rows.feature,
    )
    for pk, moment, end, value, result, result_time, more, stream, feature in zip(
        *(one.tolist() for one in columns), strict=True
    ):
        found.append(
            (
                pk, moment, _or_none(end), None if math.isnan(value) else value, json.loads(result) if result else None,
                _or_none(result_time), json.loads(more) if more else None, stream, _or_none(feature),
            )
        )  # fmt: skip
    return found


def _or_none(value: int) -> int | None:
    return None if value == NONE else value


def _several(days: Sequence[int]) -> Text:
    return Text(
        "较早的观测已归档，只能按监测流查询：Datastreams(编号)/Observations；或加条件 phenomenonTime ge {moment}。",
        "Older observations have moved to the lake, where they are found by datastream: ask Datastreams(ID)/Observations, or "
        "for phenomenonTime ge {moment}.",
        moment=show_instant((days[1] + 1) * DAY),
    )
