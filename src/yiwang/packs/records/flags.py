"""Times and flags of a city's own records: when something was, and whether the city would call it late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import FIRST_YEAR, LAST_YEAR
from yiwang.packs.records.mapping import FlagRule, ReplayMapping


class OutOfTime(ValueError):
    """A time outside the years in which working time is counted."""


class MomentReader:
    """Reads times: ISO 8601 first, then the mapping's formats. Times without an offset are local to the zone.

    A local time that the autumn's change of clocks makes happen twice is the first of the two.
    """

    def __init__(self, *, zone: ZoneInfo, formats: Sequence[str] = ()) -> None:
        self._zone = zone
        self._formats = formats

    def __call__(self, text: str) -> datetime:
        """The moment in UTC.

        Raises:
            OutOfTime: When it lies outside the years in which working time is counted.
            ValueError: When no format fits.
        """
        moment = self._parse(text)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise OutOfTime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment.astimezone(UTC)

    def _parse(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            for pattern in self._formats:
                try:
                    return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is added above
                except ValueError:
                    continue
            raise


def as_of(*, rule: FlagRule, mapping: ReplayMapping, latest: datetime | None) -> datetime | None:
    """The moment at which a file was drawn: as the mapping states it, else the latest moment in the file.

    Args:
        rule: The city's rule for flags.
        mapping: The mapping that it stands in.
        latest: :attr:`RecordReader.latest`, once the reader is through.

    Raises:
        BadInput: When the mapping states what is no time.
    """
    if rule.as_of == "latest":
        return latest
    try:
        return MomentReader(zone=mapping.zone, formats=mapping.datetime_formats)(rule.as_of)
    except ValueError:
        problem = Problem(
            Text("「{text}」不是时间。", "{text!r} is no time.", text=rule.as_of),
            Text('请写 "latest" 或日期和时间。', 'Write "latest" or a date and time.'),
            "replay.toml",
            column="flag.as_of",
        )
        raise BadInput(problem) from None


def expected_flag(
    *, deadline: datetime | None, closed_at: datetime | None, as_of: datetime | None, rule: FlagRule
) -> str:
    """How the city would mark a request with this deadline: ``ontime``, ``overdue``, or empty when it cannot be told.

    Closing at the very deadline is on time. A request still open is late once its deadline lies before the moment at
    which the file was drawn.
    """
    if deadline is None:
        return rule.no_deadline
    end = closed_at if closed_at is not None else as_of
    if end is None:
        return ""
    return "ontime" if end <= deadline else "overdue"


def deadline_agrees(*, recorded: datetime | None, predicted: datetime | None, within_s: float = 60.0) -> bool:
    """Whether a predicted deadline is the recorded one: both none, or no more than ``within_s`` seconds apart.

    A minute, because a request's time of opening is written seconds after the clock that set its deadline.
    """
    if recorded is None or predicted is None:
        return recorded is predicted
    return abs((recorded - predicted).total_seconds()) <= within_s
