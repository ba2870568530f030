"""Pages of streams and alarms."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.server.sensing_city import START, at, read, underpass

from yiwang.core.kernel.instants import to_micros
from yiwang.server.cases.api import Case
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person
from yiwang.server.sensing.api import (
    Datastream,
    Device,
    Message,
    Reading,
    raise_cases,
    series_points,
    take_messages,
    write_observations,
)
from yiwang.server.sensors.periods import LENGTHS, stretch_over, stretch_to

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


@pytest.fixture
def staff(mini: str) -> Client:
    create_person(
        username="d", password=None, name="调度", name_en="D", city=mini, roles={"dispatcher": ("CTR-90", "")}
    )
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(username="d"))
    return client


@pytest.fixture
def flooded(mini: str) -> Datastream:
    """An underpass whose water rises to 60 cm and stands there."""
    stream = underpass()
    for minute, depth in enumerate((0.0, 1.0, 20.0, 40.0, 60.0, 60.0, 60.0)):
        read(stream, minute, depth)
    raise_cases(at=at(8))
    return stream


def text(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_an_empty_city_says_how_streams_come_in(staff: Client) -> None:
    assert "yiwang sensing load mini" in text(staff, "/mini/sensors")
    assert "没有报警" in text(staff, "/mini/sensors?state=alarm")
    assert "还没有报警" in text(staff, "/mini/sensors/alarms")


def test_streams_with_what_they_say_now(staff: Client, flooded: Datastream) -> None:
    quiet = underpass("2")
    page = text(staff, "/mini/sensors")
    assert "60 cm" in page
    assert "还没有读数" in page
    standing = text(staff, "/mini/sensors?state=alarm")
    assert flooded.name in standing
    assert quiet.name not in standing
    assert quiet.name in text(staff, "/mini/sensors?q=underpass-2")
    assert flooded.name in text(staff, "/mini/sensors?q=通道 1")
    assert "没有符合条件的监测流" in text(staff, "/mini/sensors?q=nothing")


def test_pages_of_the_list_follow_one_another(staff: Client, mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yiwang.server.sensors.views.PAGE_SIZE", 3)
    names = [underpass(str(n)).name for n in range(7)]
    url, seen = "/mini/sensors", []
    for _ in range(3):
        listed = staff.get(url).content.decode()
        seen += re.findall(r'<a href="/mini/sensors/\d+" lang="">([^<]+)</a>', listed)
        following = re.search(r'rel="next" href="([^"]+)"', listed)
        if not following:
            break
        url = "/mini/sensors" + following[1].replace("&amp;", "&")
    assert seen == names


def test_a_stream_shows_its_course_its_alarms_and_the_case(staff: Client, flooded: Datastream) -> None:
    page = text(staff, f"/mini/sensors/{flooded.pk}?period=hour")
    assert "7 个读数" in page
    html = staff.get(f"/mini/sensors/{flooded.pk}").content.decode()
    (number,) = set(re.findall(r'href="/mini/cases/([^"]+)"', html))
    assert "已开案卷" in page
    assert "触发" in page
    english = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="en")
    english.force_login(User.objects.get(username="d"))
    assert "opened a case" in text(english, f"/mini/sensors/{flooded.pk}")
    assert number in text(staff, "/mini/sensors/alarms")


@pytest.mark.parametrize(
    "query", ["period=never", "until=yesterday", "until=9999-12-31", "until=2026-03-02T00:00:00%2B08:00"]
)
def test_a_period_that_is_none_is_a_day(staff: Client, flooded: Datastream, query: str) -> None:
    assert "走势" in text(staff, f"/mini/sensors/{flooded.pk}?{query}")


def test_who_may_look(mini: str, flooded: Datastream) -> None:
    stranger = Client(HTTP_HOST="localhost")
    for url in ("/mini/sensors", f"/mini/sensors/{flooded.pk}", "/mini/sensors/alarms"):
        assert stranger.get(url).status_code == 302
    create_person(username="c", password=None, name="市民", name_en="C", city=mini, roles={})
    stranger.force_login(User.objects.get(username="c"))
    assert stranger.get("/mini/sensors").status_code == 403


def test_what_is_not_there(staff: Client, flooded: Datastream) -> None:
    assert staff.get("/mini/sensors/999999").status_code == 404


def test_pages_cost_few_queries(staff: Client, flooded: Datastream, django_assert_max_num_queries: Make) -> None:
    for n in range(3, 12):
        underpass(str(n))
    staff.get("/mini/sensors")
    with django_assert_max_num_queries(9):
        staff.get("/mini/sensors")
    with django_assert_max_num_queries(10):
        staff.get(f"/mini/sensors/{flooded.pk}")


# --- points of the chart ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LENGTHS)
def test_a_stretch_ends_with_the_moment_and_has_at_most_a_hundred_points(name: str) -> None:
    shown = stretch_to(START, name=name)
    assert shown.start <= to_micros(START) < shown.end
    assert shown.end - to_micros(START) <= shown.width
    assert 60 <= shown.points <= 100


def test_points_are_those_of_the_readings(mini: str) -> None:
    stream = underpass()
    readings = [Reading(stream.pk, to_micros(START + timedelta(seconds=20 * n)), float(n)) for n in range(9)]
    write_observations(readings, received=to_micros(at(10)), judge=False)
    minute = 60_000_000
    start = to_micros(START)
    found = series_points(stream.pk, start=start, end=start + 3 * minute, width=minute)
    assert found == [(0, 3, 1.0, 0.0, 2.0), (1, 3, 4.0, 3.0, 5.0), (2, 3, 7.0, 6.0, 8.0)]
    assert series_points(stream.pk, start=start - 5 * minute, end=start, width=minute) == []


def test_a_case_shows_the_course_of_what_it_came_of(staff: Client, flooded: Datastream, mini: str) -> None:
    number = Case.objects.get(city=mini).number
    page = staff.get(f"/mini/cases/{number}").content.decode()
    assert f'hx-get="/mini/sensors/cases/{number}"' in page
    part = staff.get(f"/mini/sensors/cases/{number}").content.decode()
    chart = json.loads(html.unescape(re.findall(r'data-chart="([^"]+)"', part)[0]))
    greatest = [row["values"][2] for row in chart["rows"] if row["values"][2] is not None]
    assert greatest == [0, 1, 20, 40, 60, 60, 60]
    assert "橙色" in part
    assert (
        Client(HTTP_HOST="localhost").get(f"/mini/cases/{number}").content.decode().count("/mini/sensors/cases/") == 0
    )
    assert staff.get("/mini/sensors/cases/nothing").content.decode().strip() == ""


@pytest.mark.parametrize(
    ("minutes", "name"),
    [
        (0, "hour"),
        (39, "hour"),
        (41, "hours"),
        (4 * 60, "hours"),
        (5 * 60, "day"),
        (16 * 60, "day"),
        (17 * 60, "week"),
        (10**6, "year"),
    ],
)
def test_a_stretch_over_two_moments_begins_well_before_the_first(minutes: int, name: str) -> None:
    shown = stretch_over(at(-minutes), at(0))
    assert shown.name == name


def test_devices_with_their_signs_of_life(staff: Client, mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "还没有登记设备" in text(staff, "/mini/sensors/devices")
    thing = underpass("9").thing
    now = timezone.now()
    for key, ago, battery in (("a-1", 1, 80.0), ("b-2", 90, 7.0), ("c-3", None, None)):
        seen = None if ago is None else now - timedelta(minutes=ago)
        silent = None if seen is None else seen + timedelta(hours=1)
        Device.objects.create(
            city=mini, key=key, thing=thing, last_seen=seen, battery=battery, silence_after=3600, silent_at=silent
        )
    page = text(staff, "/mini/sensors/devices")
    assert page.count("失联") == 2, "the filter and one device"
    assert "7 %" in page
    assert "从未上报" in page
    only = text(staff, "/mini/sensors/devices?silent=1")
    assert "b-2" in only
    assert "a-1" not in only
    monkeypatch.setattr("yiwang.server.sensors.views.PAGE_SIZE", 2)
    first = staff.get("/mini/sensors/devices").content.decode()
    assert "?after=b-2" in first
    assert "c-3" in text(staff, "/mini/sensors/devices?after=b-2")


def test_messages_that_could_not_be_read_are_shown_with_the_reason(staff: Client, mini: str) -> None:
    take_messages([Message("yiwang/mini/streams/none", b"1.5")] * 3, received=to_micros(timezone.now()))
    page = text(staff, "/mini/sensors/devices")
    assert "yiwang/mini/streams/none" in page
    assert "没有监测流「none」" in page
