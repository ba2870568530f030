"""Where in time a city stands whose cases were replayed from its records: at its last recorded day, not now."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from yiwang.server.cases.models import Case, Report
from yiwang.server.cities.queries import runtime

REPLAYED = "replay"  # the origin of reports that came with a city's own records
_OF_THE_PAST = timedelta(days=7)  # records younger than this are of a city that lives
_LAST_MINUTES = timedelta(minutes=5)


def stands_at(*, city: str, now: datetime | None = None) -> datetime | None:
    """The end of the last day on which anything was reported, when that was replayed and is long past.

    Args:
        city: Id of the city.
        now: Now by default.

    Returns:
        Five minutes before that day's midnight on the city's clocks, or when the newest case was opened if that was later;
        None for a city that lives, or has no cases.
    """
    newest = Case.objects.filter(city=city).order_by("-opened_at", "-id").values_list("id", "opened_at").first()
    if newest is None or newest[1] > (now or datetime.now(UTC)) - _OF_THE_PAST:
        return None
    if not Report.objects.filter(case=newest[0], origin=REPLAYED).exists():
        return None
    zone = runtime(city).info.zone
    day = newest[1].astimezone(zone).date()
    # whatever was reported has been reported at that moment, in the day's last minutes too
    return max(datetime.combine(day + timedelta(days=1), time(), zone) - _LAST_MINUTES, newest[1].astimezone(zone))


def lateness_moment(*, city: str, now: datetime | None = None) -> datetime:
    """The moment for which lateness is judged wherever a figure, a list or a map of the city is shown: `stands_at`, else now."""
    now = now or datetime.now(UTC)
    return stands_at(city=city, now=now) or now
