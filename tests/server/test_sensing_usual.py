"""What is usual is learned from the stored past and kept; the live judge and the dry run give the same alarms by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.server.sensing_city import forget, install, stream

from yiwang.core.kernel.instants import SECOND, to_micros
from yiwang.core.observations.series import alarms_of_series
from yiwang.server.cities.queries import runtime
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person
from yiwang.server.sensing.api import (
    Alarm,
    Datastream,
    KeptBaseline,
    Reading,
    keep_city,
    learn_due,
    rules_of_stream,
    stream_row,
    try_rules,
    write_observations,
)
from yiwang.server.sensing.judging import learning, usual
from yiwang.server.sensing.judging.rules import rules_for
from yiwang.server.sensing.judging.turns import Stream

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 9, 22, tzinfo=ZONE)  # a Monday
HOUR = timedelta(hours=1)
RULE = """
[[alarm]]
id = "people_unusual"
kind = "pattern"
name = "人流异常"
name_en = "Unusual number of people"
unit = "count/h"
reads_in = ""
direction = "either"
min_spread = 10
weeks = 4
least = 3
levels = [{ severity = "minor", at = 5, clear = 3 }, { severity = "moderate", at = 8, clear = 5 }]
ends_after = 14400
source = "虚构"
source_en = "invented"
streams = { observed = ["people"] }
case = { category = "03001", from = "moderate" }
"""


@pytest.fixture
def city(pack_copy: Path, mini: str, tmp_path: Path, settings: Any) -> Iterator[str]:
    settings.YIWANG_HOME = tmp_path
    yield install(pack_copy, RULE)
    forget()


def counter(key: str = "counter-1") -> Datastream:
    return stream(key, "people", unit="count/h")


def people(moment: datetime) -> float:
    """Busy from 8 to 20 on working days, and quiet otherwise."""
    return 500.0 if moment.weekday() < 5 and 8 <= moment.hour < 20 else 50.0


def past(one: Datastream, *, weeks: int = 4, until: datetime = NOW) -> None:
    """Hourly readings before a moment, unjudged."""
    moments = [until - HOUR * number for number in range(weeks * 168, 0, -1)]
    rows = [Reading(one.pk, to_micros(moment), people(moment) + index % 7) for index, moment in enumerate(moments)]
    write_observations(rows, received=to_micros(until), judge=False)


def say(one: Datastream, moment: datetime, value: float) -> None:
    write_observations([Reading(one.pk, to_micros(moment), value)], received=to_micros(moment))


def turns() -> list[tuple[str, int]]:
    found = Alarm.objects.filter(condition="people_unusual").order_by("id")
    return list(found.values_list("turn", "severity"))


def judged_by(one: Datastream) -> list[str]:
    place = runtime("mini")
    row = stream_row(place, one.pk)
    assert row is not None
    return [name.into("en") for name in rules_of_stream(place, row)]


def test_the_unusual_is_told_as_it_comes(city: str) -> None:
    one = counter()
    past(one)
    assert learn_due(at=NOW) == 1
    kept = KeptBaseline.objects.get()
    assert (kept.readings, kept.hours, kept.learned_at) == (672, 168, NOW)
    say(one, NOW + 9 * HOUR, 500)
    assert turns() == []
    say(one, NOW + 10 * HOUR, 50)
    assert turns() == [("raised", 2)]
    say(one, NOW + 11 * HOUR, 500)
    assert turns() == [("raised", 2), ("cleared", 2)]
    assert "above" not in Alarm.objects.first().why["en"]  # type: ignore[union-attr]
    assert "away from what was usual" in Alarm.objects.first().why["en"]  # type: ignore[union-attr]


def test_live_dry_run_and_bulk_give_the_same_alarms_by_what_is_kept(city: str) -> None:
    one = counter()
    past(one)
    learn_due(at=NOW)
    dice = np.random.default_rng(5)
    moments = [NOW + HOUR * number for number in range(14 * 24)]  # with a holiday and a working weekend
    values = [people(moment) + float(dice.choice([0, 0, 0, 60, 90, -400, 400])) for moment in moments]
    for start in range(0, len(moments), 5):
        rows = [
            Reading(one.pk, to_micros(moment), value)
            for moment, value in zip(moments[start : start + 5], values[start : start + 5], strict=True)
        ]
        write_observations(rows, received=to_micros(moments[min(start + 5, len(moments)) - 1]))
    place = runtime(city)
    about = Stream(city, one.key, "people", '{"symbol": "count/h"}')
    (fitted,) = rules_for(place, key=one.key, observed="people", unit=about.unit)
    kept = usual.baselines(place, {one.pk: (about, [fitted])})[one.pk, "people_unusual"]
    times = np.array([moment.timestamp() for moment in moments])
    bulk = alarms_of_series(fitted.rule.condition, times, np.array(values), stream=one.key, baseline=kept)
    live = Alarm.objects.order_by("id").values_list("turn", "time", "severity", "peak")
    assert list(live) == [(a.turn.value, round(a.time * SECOND), int(a.severity), a.peak) for a in bulk]
    assert len(bulk) > 50
    (trial,) = try_rules(place, now=moments[-1], since=NOW)
    raised = Alarm.objects.filter(turn="raised").order_by("id").values_list("since", flat=True)
    assert [round(one.start * SECOND) for one in trial.found.now] == list(raised)


def test_without_enough_history_nothing_is_judged_and_the_stream_says_so(city: str) -> None:
    one, other = counter(), counter("counter-2")
    assert judged_by(one) == ["Unusual number of people (not judged yet: what is usual has not been learned)"]
    say(one, NOW - HOUR, 10_000)
    past(other, weeks=3)
    learn_due(at=NOW)
    assert judged_by(one) == ["Unusual number of people (not judged: too little history)"]
    assert judged_by(other)[0].endswith("(168 of the 168 hours of the week have enough history to be judged)")
    say(one, NOW, 10_000)
    assert turns() == []


def test_learning_again_leaves_a_standing_alarm(city: str) -> None:
    one = counter()
    past(one)
    learn_due(at=NOW)
    say(one, NOW + 10 * HOUR, 50)
    assert learn_due(at=NOW + 12 * HOUR) == 0, "it is not a day old"
    assert learn_due(at=NOW + 24 * HOUR) == 1
    assert turns() == [("raised", 2)]
    say(one, NOW + 13 * HOUR, 60)
    assert turns() == [("raised", 2)], "still far below"
    say(one, NOW + 14 * HOUR, 500)
    assert [turn for turn, _ in turns()] == ["raised", "cleared"]


@pytest.mark.parametrize(
    ("old", "new", "again"), [("at = 5, clear = 3", "at = 6, clear = 3", False), ("weeks = 4", "weeks = 3", True)]
)
def test_a_changed_rule_is_learned_anew_and_changed_levels_are_not(
    city: str, pack_copy: Path, old: str, new: str, again: bool
) -> None:
    one = counter()
    past(one)
    learn_due(at=NOW)
    install(pack_copy, RULE.replace(old, new))
    say(one, NOW + 10 * HOUR, 50)
    assert turns() == ([] if again else [("raised", 2)])
    assert learn_due(at=NOW + 11 * HOUR) == int(again)
    say(one, NOW + 11 * HOUR, 50)
    assert turns() == [("raised", 2)]


def test_silence_still_ends_an_alarm_whose_rule_is_being_learned_anew(city: str, pack_copy: Path) -> None:
    from yiwang.server.sensing.api import tick_silences

    one = counter()
    past(one)
    learn_due(at=NOW)
    say(one, NOW + 10 * HOUR, 50)
    KeptBaseline.objects.update(made_by="former")
    tick_silences(at=NOW + 15 * HOUR)
    assert [turn for turn, _ in turns()] == ["raised", "cleared"]


def test_a_day_off_is_a_sunday_and_a_worked_weekend_a_monday(city: str) -> None:
    one = counter()
    past(one)
    learn_due(at=NOW)
    worked, off = datetime(2025, 9, 28, 10, tzinfo=ZONE), datetime(2025, 10, 1, 10, tzinfo=ZONE)
    assert (worked.weekday(), off.weekday()) == (6, 2)
    say(one, worked, 500)
    say(one, off, 50)
    assert turns() == []
    say(one, off + HOUR, 500)
    assert turns() == [("raised", 2)]


def test_what_is_usual_is_learned_from_the_lake_too(city: str) -> None:
    one = counter()
    past(one)
    learn_due(at=NOW)
    before = KeptBaseline.objects.get().figures
    keep_city(runtime(city), now=NOW, before=NOW - timedelta(days=2))
    KeptBaseline.objects.all().delete()
    learn_due(at=NOW)
    assert KeptBaseline.objects.get().figures == before


def test_some_at_a_time_the_oldest_first_and_one_that_fails_holds_up_no_other(city: str) -> None:
    streams = [counter(f"counter-{number}") for number in range(3)]
    for hour, one in enumerate(streams):
        KeptBaseline.objects.create(datastream=one, condition="people_unusual", tried_at=to_micros(NOW + hour * HOUR))
    later = NOW + 48 * HOUR
    assert learn_due(at=later, most=1) == 1
    assert KeptBaseline.objects.get(learned_at=later).datastream == streams[0]
    real = learning.usable

    def usable(pk: int, **more: Any) -> Any:
        if pk == streams[1].pk:
            raise OSError("the file is gone")
        return real(pk, **more)

    with patch.object(learning, "usable", usable):
        assert learn_due(at=later, most=1) == 0
        assert learn_due(at=later, most=1) == 1
    assert KeptBaseline.objects.get(datastream=streams[2]).learned_at == later
    assert learn_due(at=later) == 0


def test_a_batch_of_many_streams_asks_once_for_what_is_usual(city: str) -> None:
    streams = [counter(f"counter-{number}") for number in range(20)]
    learn_due(at=NOW)
    rows = [Reading(one.pk, to_micros(NOW), 1.0) for one in streams]
    with CaptureQueriesContext(connection) as queries:
        write_observations(rows, received=to_micros(NOW))
    assert len([one for one in queries if "keptbaseline" in one["sql"]]) == 1


def test_the_page_of_a_stream_says_how_far_it_can_be_judged(city: str, django_assert_max_num_queries: Any) -> None:
    create_person(
        username="d", password=None, name="调度", name_en="D", city=city, roles={"dispatcher": ("CTR-90", "")}
    )
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(username="d"))
    one = counter()
    past(one)
    learn_due(at=NOW)
    url = f"/mini/sensors/{one.pk}"
    chinese = client.get(url, headers={"accept-language": "zh"}).content.decode()
    assert "人流异常（每周 168 个小时中 168 个有足够历史，可以判断）" in chinese
    with django_assert_max_num_queries(11):  # one more than other streams: what is usual
        english = client.get(url, headers={"accept-language": "en"}).content.decode()
    assert "Unusual number of people (168 of the 168 hours of the week have enough history to be judged)" in english
