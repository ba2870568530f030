"""Moments from outside: in UTC, and none that a database refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from yiwang.server.common.moments import Moment, read_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENTS = TypeAdapter(Moment)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-01", datetime(2026, 2, 28, 16, tzinfo=UTC)),
        ("2026-03-01T08:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T08:00:00-20:39", datetime(2026, 3, 2, 4, 39, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc(text: str, read: datetime) -> None:
    found = read_moment(text, zone=SHANGHAI)
    assert found == read
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["yesterday", "", "0448-05-01T15:21:51Z", "9000-01-01T00:00Z", "2026-03-01T08:00"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_moment(text)
    with pytest.raises(ValidationError):
        MOMENTS.validate_json(f'"{text}"')


@given(st.datetimes(timezones=st.timezones()) | st.datetimes().map(lambda at: at.replace(tzinfo=UTC)))
def test_a_call_and_an_address_read_alike(at: datetime) -> None:
    try:
        read = read_moment(at.isoformat())
    except ValueError:
        with pytest.raises(ValidationError):
            MOMENTS.validate_python(at)
    else:
        assert MOMENTS.validate_python(at) == read


@pytest.mark.django_db
@pytest.mark.parametrize("offset", ["-23:59", "-20:39", "+15:59", "+23:59"])
@pytest.mark.parametrize("year", [1900, 8999])
def test_the_database_takes_what_is_read(offset: str, year: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [read_moment(f"{year}-01-01T12:00:00{offset}")])
        assert cursor.fetchone()
