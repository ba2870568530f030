"""Rows that are changed or put by the hundred, with whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from yiwang.server.cities.queries import runtime
from yiwang.server.common import sql
from yiwang.server.sensing.api import Datastream, Device, DeviceSaid, StreamSaid, add_device, find_or_make
from yiwang.server.sensing.models import AlarmState, DatastreamState

AWKWARD = ['{"a": "b"}', "a\\b", 'say "no"', "NULL", "", "  {1,2}  ", "a,b\nc", "'; --", "%s", "𠮷 水尺"]


@pytest.fixture
def streams(mini: str) -> list[int]:
    place = runtime(mini)
    said = [StreamSaid(key=f"gauge-{n}", name="gauge", observed="water level", unit="cm") for n in range(len(AWKWARD))]
    return [find_or_make(place, one)[0].pk for one in said]


def test_texts_come_back_as_they_were(streams: list[int]) -> None:
    rows = [[pk, "rule", "digest", text, 1, None] for pk, text in zip(streams, AWKWARD, strict=True)]
    columns = ("digest", "state", "level", "due")
    sql.put_many(AlarmState, ("datastream_id", "condition"), columns, rows)
    assert list(AlarmState.objects.order_by("datastream").values_list("state", flat=True)) == AWKWARD
    sql.put_many(
        AlarmState, ("datastream_id", "condition"), columns, [[pk, "rule", "new", "{}", 2, 7] for pk in streams[:3]]
    )
    assert AlarmState.objects.count() == len(AWKWARD)  # changed, not added
    found = AlarmState.objects.order_by("datastream").values_list("digest", "state", "level", "due")
    assert [tuple(one) for one in found][2:4] == [("new", "{}", 2, 7), ("digest", AWKWARD[3], 1, None)]


def test_numbers_and_values_of_json_come_back_as_they_were(streams: list[int]) -> None:
    DatastreamState.objects.bulk_create([DatastreamState(datastream_id=pk) for pk in streams], ignore_conflicts=True)
    given = [(0.1 + 0.2, None), (-1e-300, None), (1e100, None), (None, '"a\\"b"'), (None, "true"), (None, "[1, null]")]
    rows = [[2**53 + 1, value, result, pk] for (value, result), pk in zip(given, streams, strict=False)]
    sql.change_many(DatastreamState, "datastream_id", ("last_time", "value", "result"), rows)
    found = list(DatastreamState.objects.order_by("datastream").values_list("last_time", "value", "result"))
    assert found[:6] == [
        (2**53 + 1, 0.1 + 0.2, None), (2**53 + 1, -1e-300, None), (2**53 + 1, 1e100, None),
        (2**53 + 1, None, 'a"b'), (2**53 + 1, None, True), (2**53 + 1, None, [1, None]),
    ]  # fmt: skip
    assert set(found[6:]) == {(None, None, None)}  # nobody asked for them


def test_moments_come_back_as_they_were(mini: str, streams: list[int]) -> None:
    thing = Datastream.objects.select_related("thing").get(pk=streams[0]).thing.key
    pk = add_device(runtime(mini), DeviceSaid(key="d-1", thing=thing)).pk
    moment = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)
    sql.change_many(Device, "id", ("last_seen", "silent_at"), [[moment, None, pk]])
    found = Device.objects.get(pk=pk)
    assert (found.last_seen, found.silent_at) == (moment, None)


def test_nothing_to_change_asks_nothing(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        sql.change_many(AlarmState, "id", ("level",), [])
        sql.put_many(AlarmState, ("datastream_id", "condition"), ("level",), [])
