"""Moments that come from outside, in an address, a form or a call.

`datetime` takes years and offsets that a database refuses or that no sum of working hours survives (PostgreSQL takes an offset
below sixteen hours only). What is read here is in UTC and within `YEARS`.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime
from pydantic_core import PydanticCustomError

YEARS = range(1900, 9000)


def read_moment(text: str, *, zone: tzinfo | None = None) -> datetime:
    """The moment that an ISO 8601 text names, in UTC.

    Args:
        text: A day or a time; without an offset, of the ``zone``.
        zone: The city's; None asks for an offset.

    Raises:
        ValueError: When it names none, or one outside `YEARS`.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        if zone is None:
            raise ValueError("no offset")
        found = found.replace(tzinfo=zone)
    if found.year not in YEARS:
        raise ValueError("no year that is kept")
    return found.astimezone(UTC)


def _kept(found: datetime) -> datetime:
    if found.year not in YEARS:
        raise PydanticCustomError(
            "moment_out_of_range",
            "The year should be {first} to {last}",
            {"first": YEARS.start, "last": YEARS.stop - 1},
        )
    return found.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_kept)]
