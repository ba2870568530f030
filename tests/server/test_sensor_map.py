"""The map of sensors, the panel of the command centre and what a stream's chart draws in: who may see them, and what they say."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.server.sensing_city import START, at, read, underpass

from yiwang.core.kernel.instants import to_micros
from yiwang.core.observations.conditions import Severity
from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import runtime
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person
from yiwang.server.sensing.api import (
    AlarmState,
    Datastream,
    Device,
    StreamSaid,
    Thing,
    ThingState,
    episodes_of,
    find_or_make,
    limits_of_stream,
    maintain,
    placed_things,
    raise_cases,
    standing_alarms,
    stream_row,
    tick_silences,
)

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
UNITS = {"handler": "SWEEP-9001"}


@pytest.fixture
def staff(mini: str) -> Client:
    return signed_in("d", {"dispatcher": ("CTR-90", "")})


def signed_in(name: str, roles: dict[str, tuple[str, str]], *, city: str = "mini", language: str = "zh") -> Client:
    if not User.objects.filter(username=name).exists():
        create_person(username=name, password=None, name="某", name_en="N", city=city, roles=roles)
    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture
def flooded(mini: str) -> Datastream:
    """An underpass whose water rises to 60 cm and stands there."""
    stream = underpass()
    for minute, depth in enumerate((0.0, 1.0, 20.0, 40.0, 60.0, 60.0, 60.0)):
        read(stream, minute, depth)
    raise_cases(at=at(8))
    return stream


def states(moment: datetime) -> dict[str, ThingState]:
    """State of each thing by its key."""
    keys = dict(Thing.objects.values_list("id", "key"))
    return {keys[one.id]: one.state for one in placed_things(runtime("mini"), at=moment)}


# --- who may see them ---------------------------------------------------------------------------------------------------------

# post → whether it is one of the city's staff; `system` is the case administrator's like: a role without an axis
POSTS = {
    "inspector": True, "intake": True, "leader": True, "dispatcher": True, "handler": True, "system": True,
    "administrator": True, "approver": True, "citizen": False, "moderator": False, "": False,
}  # fmt: skip
PAGES = ("", "/map", "/map.json", "/standing", "/alarms", "/devices")


@pytest.mark.parametrize("post", POSTS)
def test_whoever_sees_the_link_is_let_in_and_nobody_else(mini: str, post: str) -> None:
    create_person(username="p", password=None, name="某", name_en="N", city=mini, roles={})
    person = User.objects.get(username="p")
    if post:
        unit = UNITS.get(post, "CTR-90") if post in runtime("mini").rules.workflow.roles else ""
        person.assignments.create(city=mini, role=post, unit=unit, region="")
    client = Client(HTTP_HOST="localhost")
    client.force_login(person)
    frame = client.get("/mini/cases").content.decode()
    assert ('href="/mini/sensors"' in frame) is POSTS[post]
    expected = 200 if POSTS[post] else 403
    assert {client.get(f"/mini/sensors{page}").status_code for page in PAGES} == {expected}
    for page in ("/mini/", "/mini/map", "/mini/centre"):
        assert ('sensors="/mini/sensors/map.json"' in client.get(page).content.decode()) is POSTS[post], page
    assert ("data-alerts=" in client.get("/mini/centre").content.decode()) is POSTS[post]


def test_every_role_of_the_toy_city_is_tried(mini: str) -> None:
    assert runtime(mini).rules.workflow.roles.keys() <= POSTS.keys()


@pytest.mark.parametrize("role", ["dispatcher", "administrator"])
def test_a_post_in_another_city_opens_nothing(mini: str, role: str) -> None:
    client = signed_in("e", {role: ("X", "")}, city="elsewhere")
    assert client.get("/mini/sensors/map.json").status_code == 403
    assert 'href="/mini/sensors"' not in client.get("/mini/cases").content.decode()


def test_one_who_governs_a_region_only_governs_nothing(mini: str) -> None:
    client = signed_in("a", {"administrator": ("", "9001")})
    assert client.get("/mini/sensors/map").status_code == 403


def test_strangers_are_asked_to_sign_in(mini: str) -> None:
    stranger = Client(HTTP_HOST="localhost")
    assert {stranger.get(f"/mini/sensors{page}").status_code for page in PAGES} == {302}
    assert "sensors/map.json" not in stranger.get("/mini/").content.decode()
    assert 'href="/mini/sensors"' not in stranger.get("/mini/").content.decode()


# --- states -------------------------------------------------------------------------------------------------------------------


def test_a_thing_is_silent_before_its_first_reading_and_normal_with_it(mini: str) -> None:
    stream = underpass()
    assert states(at(1)) == {"tunnel-1": ThingState.SILENT}
    read(stream, 0, 0.0)
    assert states(at(1)) == {"tunnel-1": ThingState.NORMAL}


def test_an_alarm_shows_its_severity_and_the_worst_of_a_thing_counts(flooded: Datastream) -> None:
    assert states(at(8)) == {"tunnel-1": ThingState.SEVERE}
    other = StreamSaid(
        key="underpass-1b", name="另一处", observed="water level", unit="cm", lon=1, lat=1, thing="tunnel-1"
    )
    milder = find_or_make(runtime("mini"), other)[0]
    read(milder, 7, 6.0)
    assert states(at(8)) == {"tunnel-1": ThingState.SEVERE}


def test_who_works_on_a_thing_comes_before_its_alarm(flooded: Datastream) -> None:
    maintain(thing=flooded.thing_id, start=at(0), end=at(30), by="d", reason="")
    assert states(at(8)) == {"tunnel-1": ThingState.MAINTENANCE}
    assert states(at(30)) == {"tunnel-1": ThingState.SEVERE}


def test_silence_by_rule_by_device_and_by_age(mini: str) -> None:
    ruled, device, aged = underpass("1"), underpass("2"), _other("gauge")
    for stream in (ruled, device, aged):
        read(stream, 0, 0.0)
    later = at(24 * 60)
    assert set(states(later).values()) == {ThingState.NORMAL}
    Device.objects.create(city="mini", key="a", thing=device.thing, silence_after=60, silent_at=at(1))
    assert states(at(2))["tunnel-2"] == ThingState.SILENT
    tick_silences(at=at(62))
    assert states(at(62)) == {"tunnel-1": ThingState.SILENT, "tunnel-2": ThingState.SILENT, "gauge": ThingState.NORMAL}
    assert states(later + timedelta(seconds=1))["gauge"] == ThingState.SILENT
    # a device that says after what time it is silent is believed, however old the reading is
    Device.objects.create(city="mini", key="b", thing=aged.thing, silence_after=10**6, silent_at=at(10**5))
    assert states(later + timedelta(seconds=1))["gauge"] == ThingState.NORMAL


def test_a_disabled_device_is_not_missed(mini: str) -> None:
    stream = underpass()
    read(stream, 0, 0.0)
    Device.objects.create(city="mini", key="a", thing=stream.thing, silence_after=60, silent_at=at(1), enabled=False)
    assert states(at(5)) == {"tunnel-1": ThingState.NORMAL}


def test_an_alarm_of_a_rule_that_is_no_longer_declared_says_nothing(flooded: Datastream) -> None:
    AlarmState.objects.filter(datastream=flooded, level__gt=0).update(condition="gone")
    assert states(at(8)) == {"tunnel-1": ThingState.NORMAL}
    assert standing_alarms(runtime("mini")) == []


def _other(key: str, observed: str = "level") -> Datastream:
    said = StreamSaid(key=key, name=key, observed=observed, unit="cm", lon=120.004, lat=31.004, thing=key)
    return find_or_make(runtime("mini"), said)[0]


# --- alarms that stand --------------------------------------------------------------------------------------------------------


def test_standing_alarms_come_most_severe_first_with_since_and_case(flooded: Datastream, mini: str) -> None:
    mild, later = underpass("2", lon=120.013, lat=31.013), underpass("3")
    read(mild, 1, 6.0)
    read(later, 3, 6.0)
    found = standing_alarms(runtime("mini"))
    assert [(one.stream, one.severity) for one in found] == [
        (flooded.pk, Severity.SEVERE),
        (later.pk, Severity.MINOR),
        (mild.pk, Severity.MINOR),
    ]
    assert found[0].case == Case.objects.get(city=mini).number
    assert (found[0].since, found[1].since, found[1].case) == (at(2), at(3), "")
    region = placed_things(runtime("mini"), at=at(4), thing=mild.thing_id)[0].region
    assert [one.stream for one in standing_alarms(runtime("mini"), regions=[region])] == [mild.pk]
    assert standing_alarms(runtime("mini"), thing=mild.thing_id)[0].stream == mild.pk


def test_an_alarm_that_stands_again_has_the_case_of_this_time(flooded: Datastream) -> None:
    read(flooded, 10, 0.0)
    read(flooded, 11, 6.0)
    (found,) = standing_alarms(runtime("mini"))
    assert (found.severity, found.since, found.case) == (Severity.MINOR, at(11), "")


# --- what pages and maps get --------------------------------------------------------------------------------------------------


def test_the_map_is_sent_again_only_when_a_state_changed(staff: Client, mini: str) -> None:
    stream = underpass()
    first = staff.get("/mini/sensors/map.json")
    assert set(first["Cache-Control"].split(", ")) == {"private", "no-cache"}
    (feature,) = first.json()["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [120.003, 31.003]}
    assert feature["properties"] == {"id": stream.thing_id, "name": "下穿通道 1", "state": "silent"}
    tag = first["ETag"]
    again = staff.get("/mini/sensors/map.json", HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.content) == (304, b"")
    read(stream, 0, 6.0)
    changed = staff.get("/mini/sensors/map.json", HTTP_IF_NONE_MATCH=tag)
    assert changed.json()["features"][0]["properties"]["state"] == "minor"
    read(stream, 1, 7.0)  # a reading alone changes no state
    assert staff.get("/mini/sensors/map.json", HTTP_IF_NONE_MATCH=changed["ETag"]).status_code == 304


def test_large_answers_are_compressed_and_keep_their_tag(staff: Client, mini: str) -> None:
    for number in range(20):
        underpass(str(number))
    packed = staff.get("/mini/sensors/map.json", HTTP_ACCEPT_ENCODING="gzip")
    assert packed["Content-Encoding"] == "gzip"
    again = staff.get("/mini/sensors/map.json", HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=packed["ETag"])
    assert again.status_code == 304
    assert again["ETag"] == packed["ETag"]


def test_a_thing_says_its_readings_its_alarm_and_the_case(staff: Client, flooded: Datastream, mini: str) -> None:
    number = Case.objects.get(city=mini).number
    said = staff.get(f"/mini/sensors/things/{flooded.thing_id}.json").json()
    assert said["name"] == "下穿通道 1"
    alarm, case, stream = said["lines"]
    assert alarm["text"].startswith("橙色报警：下穿通道积水，已持续 ")
    assert case == {"text": f"打开案卷 {number}", "href": f"/mini/cases/{number}"}
    assert stream == {"text": "water level：60 cm（2026-03-02 12:06）", "href": f"/mini/sensors/{flooded.pk}"}
    english = signed_in("d", {}, language="en").get(f"/mini/sensors/things/{flooded.thing_id}.json").json()
    assert english["lines"][0]["text"].startswith("severe alarm: Water in an underpass, for ")
    assert staff.get("/mini/sensors/things/999999.json").status_code == 404


def test_a_thing_that_was_never_heard_says_so(staff: Client, mini: str) -> None:
    stream = underpass()
    texts = [line["text"] for line in staff.get(f"/mini/sensors/things/{stream.thing_id}.json").json()["lines"]]
    assert texts == ["长时间没有读数", "water level：还没有读数"]


def test_the_panel_of_the_centre(
    staff: Client, flooded: Datastream, mini: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = Case.objects.get(city=mini).number
    panel = staff.get("/mini/sensors/standing").content.decode()
    assert f'href="/mini/cases/{number}"' in panel
    assert "橙色" in panel
    assert "已持续" in panel
    elsewhere = staff.get("/mini/sensors/standing?region=9002").content.decode()
    assert "没有监测报警" in elsewhere
    assert staff.get("/mini/sensors/standing?region=none").status_code == 404
    read(underpass("2"), 1, 6.0)
    monkeypatch.setattr("yiwang.server.sensors.map_views.MOST_ALERTS", 1)
    assert "另有 1 条报警" in staff.get("/mini/sensors/standing").content.decode()


def test_pages_cost_few_queries(staff: Client, flooded: Datastream, django_assert_max_num_queries: Make) -> None:
    for number in range(3, 12):
        read(underpass(str(number)), 0, 6.0)
    staff.get("/mini/sensors/map")
    for url, most in (
        ("map", 9),
        ("map.json", 8),
        ("standing", 5),
        (f"things/{flooded.thing_id}.json", 11),
        (str(flooded.pk), 10),
    ):
        with django_assert_max_num_queries(most):
            staff.get(f"/mini/sensors/{url}")
    with django_assert_max_num_queries(9):
        staff.get("/mini/centre")


# --- what is drawn into the chart ---------------------------------------------------------------------------------------------


def drawn(client: Client, stream: Datastream, query: str = "period=hour") -> Any:
    page = client.get(f"/mini/sensors/{stream.pk}?{query}").content.decode()
    return json.loads(html.unescape(re.findall(r'data-chart="([^"]+)"', page)[0]))["drawn"]


def test_limits_are_those_of_the_rules_in_the_unit_of_the_stream(mini: str) -> None:
    for unit, values in (("cm", [5, 15, 27]), ("m", [0.05, 0.15, 0.27])):
        stream = underpass(unit, unit=unit)
        row = stream_row(runtime("mini"), stream.pk)
        assert row is not None
        found = limits_of_stream(runtime("mini"), row)
        assert [one.value for one in found] == pytest.approx(values)
        assert [one.severity for one in found] == [Severity.MINOR, Severity.MODERATE, Severity.SEVERE]
        assert all(one.above for one in found)


def test_the_chart_has_limits_the_stretch_of_the_alarm_and_the_case(
    staff: Client, flooded: Datastream, mini: str
) -> None:
    read(flooded, 20, 0.0)
    read(flooded, 30, 0.0)
    found = drawn(staff, flooded)
    assert [one["name"] for one in found["limits"]] == ["蓝色 5", "黄色 15", "橙色 27"]
    first = 60 - 31  # the hour ends with the minute of the newest reading
    assert [(one["from"], one["to"], one["name"]) for one in found["stretches"]] == [(first + 2, first + 20, "橙色")]
    (mark,) = found["marks"]
    number = Case.objects.get(city=mini).number
    assert (mark["at"], mark["name"], mark["title"], mark["link"]) == (first + 2, "1", number, f"/mini/cases/{number}")
    page = staff.get(f"/mini/sensors/{flooded.pk}?period=hour").content.decode()
    assert "蓝色 ≥ 5 cm" in page
    assert f'<li><a class="number" translate="no" href="/mini/cases/{number}">' in page
    english = signed_in("d", {}, language="en")
    assert drawn(english, flooded)["limits"][2]["name"] == "severe 27"


def test_an_alarm_that_stands_is_shaded_to_the_end_and_one_that_is_over_before_is_not(
    staff: Client, flooded: Datastream
) -> None:
    (standing,) = drawn(staff, flooded)["stretches"]
    assert standing["to"] == 59
    read(flooded, 10, 0.0)
    for minute in (50, 90, 130):  # no silence
        read(flooded, minute, 0.0)
    assert drawn(staff, flooded)["stretches"] == []
    begin = to_micros(START)
    minute = 60_000_000
    (found,) = episodes_of(flooded.pk, start=begin, end=begin + 5 * minute)
    assert (found.start, found.end) == (to_micros(at(2)), to_micros(at(10)))
    assert episodes_of(flooded.pk, start=begin, end=begin + 2 * minute) == []


def test_a_stream_without_rules_draws_its_course_alone(staff: Client, mini: str) -> None:
    stream = _other("gauge")
    read(stream, 0, 3.0)
    assert {name: found for name, found in drawn(staff, stream).items() if name != "name"} == {
        "limits": [], "stretches": [], "marks": [],
    }  # fmt: skip
