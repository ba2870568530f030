"""The outbox for those who follow: filled only while somebody does, with what was committed, in order, and emptied once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries
from tests.server.sensing_city import at, read, underpass

from yiwang.core.kernel.instants import to_micros
from yiwang.server.sensing import following
from yiwang.server.sensing.api import (
    Datastream,
    Observation,
    Reading,
    change_observation,
    follow,
    leave,
    told,
    unfollow,
    waiting,
    write_observations,
)
from yiwang.server.sensing.models import Change, Follower
from yiwang.server.sensorthings.api import Subscriptions, everywhere

pytestmark = pytest.mark.django_db
NAME, ME, OTHER = "broker", "a", "b"


@pytest.fixture
def level(mini: str) -> Datastream:
    return underpass()


def refs() -> list[Any]:
    return [one.refs for one in waiting(NAME, ME)]


def key(stream: Datastream, minutes: float) -> list[int]:
    return [stream.pk, to_micros(at(minutes))]


def test_nothing_is_left_while_nobody_follows(level: Datastream) -> None:
    read(level, 0, 1.0)
    assert not Change.objects.exists()
    assert follow(NAME, ME)
    unfollow(NAME, ME)
    read(level, 1, 1.0)
    assert not Change.objects.exists()


def test_what_is_written_is_told_in_order(level: Datastream) -> None:
    assert follow(NAME, ME)
    other = underpass("2")
    made = [one.kind for one in waiting(NAME, ME)]
    assert sorted(set(made)) == ["Datastream", "Location", "Thing"]
    told(waiting(NAME, ME))
    read(level, 0, 1.0)
    now = to_micros(at(5))
    batch = [
        Reading(level.pk, to_micros(at(1)), 2.0),
        Reading(other.pk, now, 3.0),
        Reading(level.pk, to_micros(at(0)), 9.0),
    ]
    write_observations(batch, received=now)  # the last one corrects
    write_observations(batch, received=now)  # and all of it comes again
    change_observation(Observation.objects.get(datastream=other).pk, {"value": 4.0})
    assert refs() == [[key(level, 0)], [key(level, 1), key(other, 5), key(level, 0)], [key(other, 5)]]
    told(waiting(NAME, ME)[:2])
    assert refs() == [[key(other, 5)]]


def test_what_was_undone_is_not_told(level: Datastream) -> None:
    assert follow(NAME, ME)
    with transaction.atomic():
        read(level, 0, 1.0)
        transaction.set_rollback(True)
    assert refs() == []


def test_one_process_at_a_time_follows_under_a_name(level: Datastream, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [to_micros(at(0))]
    monkeypatch.setattr(following, "clock", lambda: clock[0])
    assert follow(NAME, ME)
    assert not follow(NAME, OTHER)
    read(level, 0, 1.0)
    clock[0] += following.LASTS - 1
    assert not follow(NAME, OTHER)
    clock[0] += 2
    read(level, 1, 1.0)  # the first has not been heard of for a minute, and nobody has come in its place
    assert follow(NAME, OTHER)
    assert [one.refs for one in waiting(NAME, OTHER)] == [[key(level, 0)]]
    assert waiting(NAME, ME) == []
    assert not follow(NAME, ME)
    leave(NAME, OTHER)
    assert follow(NAME, ME)
    assert refs() == [[key(level, 0)]]
    clock[0] += 3600_000_000 + following.LASTS + 1
    following.forget()
    assert not Follower.objects.exists()
    assert not Change.objects.exists()


def test_many_at_once_are_several_rows(level: Datastream) -> None:
    assert follow(NAME, ME)
    now = to_micros(at(0))
    write_observations([Reading(level.pk, now + number, 1.0) for number in range(1100)], received=now)
    assert [len(one) for one in refs()] == [500, 500, 100]
    assert [one for part in refs() for one in part] == [[level.pk, now + number] for number in range(1100)]


@pytest.mark.parametrize("followed", [False, True])
def test_what_following_costs_a_writer(
    level: Datastream, django_assert_num_queries: DjangoAssertNumQueries, followed: bool
) -> None:
    if followed:
        follow(NAME, ME)
    read(level, 0, 1.0)
    now = to_micros(at(1))
    with django_assert_num_queries(5 + followed):
        write_observations([Reading(level.pk, now + number, 1.0) for number in range(200)], received=now, judge=False)


@pytest.mark.parametrize("topics", [1, 50])
def test_what_telling_costs(
    level: Datastream, django_assert_max_num_queries: DjangoAssertNumQueries, topics: int
) -> None:
    assert follow(NAME, ME)
    asked = Subscriptions()
    for number in range(topics):
        asked.add(f"v1.1/Datastreams({level.pk})/Observations?$select={','.join(['result'] * (number + 1))}")
    now = to_micros(at(0))
    write_observations([Reading(level.pk, now + number, 1.0) for number in range(100)], received=now)
    rows = waiting(NAME, ME)
    with django_assert_max_num_queries(6):
        assert len(list(asked.messages(rows))) == topics * 100
    with django_assert_max_num_queries(6):
        assert (
            len(list(everywhere(rows))) == 100 * 3 + 5
        )  # under its path, in the set and in the datastream's; the datastream in its three ends' too


def test_an_entity_that_is_gone_is_not_told(level: Datastream) -> None:
    assert follow(NAME, ME)
    read(level, 0, 1.0)
    level.delete()
    assert list(everywhere(waiting(NAME, ME))) == []
