"""Messages become observations in one transaction; what cannot be read is kept with its reason and holds up nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.sensing_city import at, turns, underpass

from yiwang.core.kernel.instants import SECOND, to_micros
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing import messages as module
from yiwang.server.sensing.api import (
    Datastream,
    DatastreamState,
    Device,
    Message,
    Observation,
    Rejected,
    StreamSaid,
    Taken,
    Thing,
    device_silences,
    find_or_make,
    take_messages,
    topic_filters,
)
from yiwang.server.sensing.devices import reading, rejecting

pytestmark = pytest.mark.django_db
NOW = to_micros(at(0))


def stream(key: str, unit: str = "cm", thing: str = "") -> Datastream:
    said = StreamSaid(key=key, name=key, observed="level", unit=unit, thing=thing)
    return find_or_make(runtime("mini"), said)[0]


def device(key: str = "w1", adapter: str = "well", thing: str = "", **more: Any) -> Device:
    standing, _ = Thing.objects.get_or_create(city="mini", key=thing or f"thing-{key}", defaults={"name": key})
    return Device.objects.create(city="mini", key=key, thing=standing, adapter=adapter, added=at(-60), **more)


def well(key: str = "w1", **said: Any) -> Message:
    return Message(f"yiwang/mini/well/{key}", json.dumps({"level": 5, "temp": 7, "ts": NOW / SECOND} | said).encode())


def plain(payload: bytes | str, key: str = "s", user: str = "") -> Message:
    return Message(f"yiwang/mini/streams/{key}", payload.encode() if isinstance(payload, str) else payload, user)


def take(*messages: Message, minute: float = 0) -> Taken:
    return take_messages(messages, received=to_micros(at(minute)))


def values(key: str) -> list[Any]:
    rows = Observation.objects.filter(datastream__key=key).order_by("phenomenon_time")
    return [row.result if row.value is None else row.value for row in rows]


def reasons() -> list[str]:
    return [row.why["en"] for row in Rejected.objects.order_by("id")]


# --- topics that name the datastream --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ("1.5", [1.5]),
        ('{"value": 1.5}', [1.5]),
        ('{"value": 0.5, "unit": "m", "time": "2026-03-02T11:59:00+08:00"}', [50]),
        ('[{"value": 1, "time": 1772420000}, {"value": 2, "time": 1772420001.5}]', [1, 2]),
        ('[{"n": "x", "v": 2, "u": "m"}]', [200]),
        (b"\x81\xa2\x00\x61x\x02\x03", [3]),
        ("[7]", [7]),
        ("true", [True]),
        ('"shut"', ["shut"]),
    ],
)
def test_a_stream_takes_a_number_an_object_a_list_and_senml(mini: str, payload: bytes | str, found: list[Any]) -> None:
    stream("s")
    taken = take(plain(payload))
    assert values("s") == pytest.approx(found) if isinstance(found[0], float) else values("s") == found
    assert (taken.new, taken.rejected, reasons()) == (len(found), 0, [])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "no valid JSON"),
        ("NaN", "no valid JSON"),
        (b"\xff\xfe", "no valid JSON"),
        ("[]", "empty"),
        ("null", "no reading"),
        ("{}", "no reading"),
        ('{"value": 1, "tmie": "x"}', "tmie"),
        ('{"value": 1, "time": "2026-03-02T08:00:00"}', "no time with an offset"),
        ('{"value": 1, "time": "9999-12-31T00:00:00Z"}', "out of range"),
        ('{"value": 1, "time": 1e300}', "no time with an offset"),
        ('{"value": 1e300}', "out of what can be used"),
        ('{"value": 1' + "0" * 400 + "}", "no valid JSON"),
        ('{"value": 1e99, "unit": "km"}', "out of what can be used"),
        ('{"value": 1, "unit": "kg"}', "different dimensions"),
        ('{"value": 1, "unit": "parsnip"}', "not known"),
        ('{"value": 1, "unit": 5}', "unit should be"),
        ('{"value": "a\\u0000b"}', "no zero"),
        ('{"value": "' + "x" * 2000 + '"}', "1000 letters"),
        ("[1, 2]", "no time"),
        ('[{"n": "x", "v": 2}, {"n": "y", "v": 2}]', "several names"),
        ("[" * 5000, "no valid JSON"),
        (b"[" + b"1," * 200_000 + b"1]", "at most 262144"),
    ],
)
def test_what_a_stream_cannot_take_is_kept_with_its_reason_and_the_others_are_written(
    mini: str, payload: bytes | str, reason: str
) -> None:
    stream("s")
    taken = take(plain("1", "s"), plain(payload), plain('{"value": 3, "time": "2026-03-02T08:00:00+08:00"}'))
    assert (taken.messages, taken.new, taken.rejected) == (3, 2, 1)
    assert values("s") == [3, 1]
    row = Rejected.objects.get()
    assert reason in row.why["en"]
    assert row.why["zh"] != row.why["en"]
    assert (row.city, row.topic, row.count, row.partly) == ("mini", "yiwang/mini/streams/s", 1, False)
    assert row.size == len(payload.encode() if isinstance(payload, str) else payload)


def test_of_a_list_what_can_be_read_is_taken(mini: str) -> None:
    stream("s")
    taken = take(plain('[{"value": 1, "time": 1772420000}, {"value": null, "time": 1772420001}, {"value": 2}]'))
    assert (taken.new, taken.rejected, taken.partly, values("s")) == (1, 0, 1, [1])
    assert Rejected.objects.get().partly


def test_readings_without_a_time_in_one_batch_are_all_kept(mini: str) -> None:
    stream("s")
    assert take(*(plain(str(n)) for n in range(5))).new == 5
    assert values("s") == [0, 1, 2, 3, 4]


def test_a_batch_given_again_is_a_duplicate(mini: str) -> None:
    device()
    assert take(well()).new == 2
    again = take(well())
    assert (again.new, again.duplicates, again.corrected) == (0, 2, 0)


@pytest.mark.parametrize(
    ("topic", "city"),
    [("x/y", ""), ("", ""), ("yiwang", ""), ("yiwang/nowhere/streams/s", ""), ("yiwang/mini", "mini"),
     ("yiwang/mini/other/s", "mini"), ("yiwang/mini/streams/", "mini"), ("a\0b/" + "c" * 9000, "")],
)  # fmt: skip
def test_a_topic_that_nobody_reads_is_kept(mini: str, topic: str, city: str) -> None:
    assert take(Message(topic, b"1")).rejected == 1
    row = Rejected.objects.get()
    assert row.city == city
    assert "No adapter reads this topic" in row.why["en"]


def test_an_unknown_stream_is_refused(mini: str) -> None:
    assert take(plain("1", "nothing/there")).rejected == 1
    assert "no datastream 'nothing/there'" in reasons()[0]


def test_a_stream_without_a_state_gets_one(mini: str) -> None:
    DatastreamState.objects.filter(datastream=stream("s")).delete()
    assert take(plain("1")).new == 1


def test_a_device_writes_the_streams_of_its_thing_only(mini: str) -> None:
    stream("mine", thing="thing-w1")
    stream("other")
    device()
    taken = take(plain("1", "mine", "w1"), plain("2", "other", "w1"), plain("3", "other", "somebody"))
    assert (taken.new, taken.rejected, taken.devices) == (2, 1, 1)
    assert (values("mine"), values("other")) == ([1], [3])
    assert "not one of the thing" in reasons()[0]
    assert Device.objects.get().last_seen == at(0)


# --- adapters and devices -------------------------------------------------------------------------------------------------


def test_an_adapter_makes_streams_in_its_units_and_notes_what_the_device_says(mini: str) -> None:
    device(silence_after=600)
    assert take(well(bat=81, fw="1.2")).new == 2
    assert (values("w1-level"), values("w1-temp")) == ([5], [7])
    made = Datastream.objects.get(key="w1-level")
    assert (made.unit["symbol"], made.thing.key, made.observed_property.name) == ("cm", "thing-w1", "level")
    row = Device.objects.get()
    assert (row.battery, row.firmware, row.last_seen) == (81, "1.2", at(0))
    take(well(bat=None, ts=NOW / SECOND + 60), minute=1)
    row = Device.objects.get()
    assert (row.battery, row.firmware, row.last_seen) == (81, "1.2", at(1))


def test_the_older_batch_does_not_take_back_what_the_newer_said(mini: str) -> None:
    device()
    take(well(bat=50), minute=9)
    take(well(bat=90), minute=8)
    row = Device.objects.get()
    assert (row.battery, row.last_seen) == (50, at(9))


@pytest.mark.parametrize(
    ("change", "message", "reason"),
    [
        ({"enabled": False}, well(), "disabled"),
        ({"adapter": "node"}, well(), "'node' of the device 'w1' does not read"),
        ({}, well("w2"), "'w2' is not registered"),
        ({}, Message("yiwang/mini/well/w2", b"nonsense"), "'w2' is not registered"),
        ({}, Message("yiwang/mini/well/w1", b"nonsense"), "no valid JSON"),
        ({}, Message("yiwang/mini/well/w1", b'{"ts": 5}'), "level"),
    ],
)
def test_why_a_device_is_not_heard(mini: str, change: dict[str, Any], message: Message, reason: str) -> None:
    device(**change)
    assert take(message).rejected == 1
    assert reason in reasons()[0]
    assert Observation.objects.count() == 0


def test_a_device_does_not_speak_for_another(mini: str) -> None:
    device("w1")
    device("w2")
    taken = take(
        Message("yiwang/mini/well/w1", well().payload, "w2"), Message("yiwang/mini/well/w1", well().payload, "w1")
    )
    assert (taken.new, taken.rejected) == (2, 1)
    assert "in the name of 'w1'" in reasons()[0]


def test_a_device_that_sends_nonsense_is_heard_all_the_same(mini: str) -> None:
    device(silence_after=600)
    take(Message("yiwang/mini/well/w1", b"nonsense"), minute=3)
    assert Device.objects.get().last_seen == at(3)


def test_a_device_cannot_make_streams_without_end(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STREAMS", 1)
    device()
    taken = take(well())
    assert (taken.new, taken.partly, Datastream.objects.count()) == (1, 1, 1)
    assert "has 1 datastreams" in reasons()[0]


def test_two_quantities_of_a_message_do_not_correct_one_another(mini: str) -> None:
    device("n1", "node")
    stream("n1-9", unit="deg")
    frame = base64.b64encode(bytes.fromhex("09880607fd8700bef5000ce4")).decode()[:16]  # a position on channel 9
    up = {"uplink_message": {"frm_payload": frame, "received_at": "2026-03-02T04:00:00Z"}}
    taken = take(Message("v3/a/devices/n1/up", json.dumps(up).encode()))
    assert (taken.new, taken.corrected, taken.partly) == (1, 0, 1)
    assert "both go into the datastream 'n1-9'" in reasons()[0]


def test_silence_begins_when_it_was_long_enough_and_is_over_with_the_next_message(mini: str) -> None:
    device(silence_after=600, silent_at=at(-50))
    assert [(one.key, one.thing, one.since) for one in device_silences("mini", at=at(0))] == [
        ("w1", "thing-w1", at(-50))
    ]
    take(well())
    assert device_silences("mini", at=at(9.9)) == []
    assert [one.since for one in device_silences("mini", at=at(10))] == [at(10)]
    Device.objects.update(enabled=False)
    assert device_silences("mini", at=at(10)) == []


def test_an_alarm_rises_from_a_message(mini: str) -> None:
    underpass("1")
    take(plain("16", "underpass-1"))
    assert [turn[:2] for turn in turns()] == [("underpass_water", "raised")]


def test_topics_to_subscribe(mini: str) -> None:
    assert topic_filters() == ["yiwang/mini/#", "v3/+/devices/+/up", "application/+/device/+/event/+"]


# --- what is refused fills no disk ----------------------------------------------------------------------------------------


def test_one_row_for_a_topic_and_a_kind_of_fault(mini: str) -> None:
    stream("s")
    take(*(plain(f'{{"value": {n}, "unit": "parsnip{n}"}}') for n in range(7)), plain("[]"))
    take(plain('{"value": 1, "unit": "turnip"}'), minute=5)
    first, second = Rejected.objects.order_by("-count")
    assert (first.count, second.count) == (8, 1)
    assert (first.first_time, first.last_time) == (NOW, to_micros(at(5)))
    assert "turnip" in first.payload


def test_the_payload_is_cut_and_written_so_that_it_can_be_read(mini: str) -> None:
    take(Message("a", b"\xff" * 100_000), Message("b", "水".encode() * 30_000))
    first, second = Rejected.objects.order_by("topic")
    assert (first.encoding, first.size, len(first.payload)) == ("base64", 100_000, 87_384)
    assert (second.encoding, second.size, len(second.payload)) == ("text", 90_000, 65536 // 3)


def test_of_many_topics_the_oldest_are_left_out(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejecting, "MOST", 3)
    for minute in range(5):
        take(Message(f"t{minute}", b""), minute=minute)
    assert sorted(Rejected.objects.values_list("topic", flat=True)) == ["t2", "t3", "t4"]


# --- a batch as a whole ---------------------------------------------------------------------------------------------------


def statements(run: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        run()
    return len(queries)


def test_a_thousand_devices_cost_as_many_statements_as_ten_but_for_the_blocks(mini: str) -> None:
    things = Thing.objects.bulk_create(Thing(city="mini", key=f"t{n}", name="t") for n in range(1000))
    Device.objects.bulk_create(Device(city="mini", key=f"d{n}", thing=thing) for n, thing in enumerate(things))
    first = [well(f"d{n}") for n in range(1000)]
    said = [well(f"d{n}", ts=NOW / SECOND + 1) for n in range(1000)]
    made = statements(lambda: take(*first))
    few = statements(lambda: take(*said[:10]))
    many = statements(lambda: take(*said[10:], Message("yiwang/mini/well/d1", b"x")))
    assert Observation.objects.count() == 4000
    assert few <= 16
    assert many <= few + 16  # 2,000 streams in blocks of 400, and the row that is refused
    assert made <= 100  # that makes 2,000 streams too, in the blocks that SQLite takes


def test_one_message_that_cannot_be_written_is_found_and_the_others_are_kept(
    mini: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings are looked at before they are written; here that is gone round, as a fault of ours would."""
    stream("s")
    real = reading.observed

    def spoilt(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        return found._replace(time=1 << 70) if found.value == 13 else found

    monkeypatch.setattr(module, "observed", spoilt)
    taken = take(*(plain(str(n)) for n in range(20)))
    assert (taken.new, taken.rejected) == (19, 1)
    assert values("s") == [n for n in range(20) if n != 13]
    assert (Rejected.objects.get().payload, Rejected.objects.get().partly) == ("13", False)


def test_a_database_that_fails_fails_the_batch(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream("s")

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(module, "write_observations", gone)
    with pytest.raises(OperationalError):
        take(plain("1"), plain("x"))
    assert Rejected.objects.count() == 0


TOPICS = ["yiwang/mini/streams/s", "yiwang/mini/well/w1", "v3/a/devices/n1/up", "application/a/device/m1/event/up", "z"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "time", "unit", "n", "v", "level", "ts", "bat", "fw"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            Message, st.sampled_from(TOPICS), st.binary(max_size=40) | JSON.map(lambda one: json.dumps(one).encode()),
            st.sampled_from(["", "w1", "\0"]) | st.text(max_size=5),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_comes_the_good_message_among_it_is_written(mini: str, others: list[Message]) -> None:
    Device.objects.filter(key__in=["w1", "n1", "m1"]).delete()
    stream("s")
    stream("good")
    for key, adapter in (("w1", "well"), ("n1", "node"), ("m1", "meter")):
        device(key, adapter)
    before = Observation.objects.filter(datastream__key="good").delete()
    taken = take(*others, plain("42", "good"))
    assert (values("good"), before[0] <= 1) == ([42], True)
    assert taken.messages == len(others) + 1
