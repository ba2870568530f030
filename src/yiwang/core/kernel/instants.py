"""Moments as whole numbers: microseconds since 1970-01-01T00:00:00Z, as columns of millions of them are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """The moment, which has an offset, as microseconds; exact, which a float of seconds is not.

    Raises:
        ValueError: When it has no offset.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment of so many microseconds, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)
