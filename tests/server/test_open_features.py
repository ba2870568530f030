"""GeoJSON of open cases: what the tables say, as fresh as the last commit, and each feature written once."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.narrowing import present

from yiwang.core.cases.lateness import has_passed
from yiwang.server.cases.api import prefixes_of
from yiwang.server.cases.models import Case
from yiwang.server.cases.reading.map_points import map_cases, unplaced_points
from yiwang.server.centre import board as boards
from yiwang.server.centre.open_features import apart_of, open_features
from yiwang.server.cities.queries import runtime

Make = Callable[..., Any]
ADDRESS = "/api/v1/cities/mini/map/cases"
REGIONS = ("", "90", "9001", "900101", "900202", "1")


@pytest.fixture
def cases(report: Make) -> list[str]:
    """Cases with every kind of place, deadline and end, some of them alike to the second."""
    draw = random.Random(7)
    numbers = []
    now = datetime.now(UTC).replace(microsecond=0)
    for turn in range(40):
        number = report(category="02001", lon=120.001 + 0.018 * draw.random(), lat=31.001 + 0.018 * draw.random())[
            "case"
        ]
        due = draw.choice([None, now, now - timedelta(days=1), now + timedelta(seconds=draw.randint(1, 9999))])
        Case.objects.filter(number=number).update(
            deadline=due,
            opened_at=now - timedelta(seconds=draw.randint(0, 3)),
            closed_at=now if turn % 7 == 0 else None,
            flag=draw.choice(["", "", "border", "outside", "default_point"]),
        )
        numbers.append(number)
    boards.forget()
    return numbers


def told(features: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(b"[" + features + b"]")
    return found


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("bbox", [None, (120.005, 31.002, 120.015, 31.02), (0.0, 0.0, 1.0, 1.0)])
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_they_are_what_the_tables_say(cases: list[str], region: str, bbox: Any, limit: int) -> None:
    place, now = runtime("mini"), datetime.now(UTC)
    regions = prefixes_of(region, place=place)
    features, more = open_features(place=place, regions=regions, bbox=bbox, limit=limit, at=now, past=False)
    rows = map_cases(city="mini", region=region, limit=limit + 1, bbox=bbox)
    assert more == (len(rows) > limit)
    assert [one["properties"]["number"] for one in told(features)] == [row["number"] for row in rows[:limit]]
    for one, row in zip(told(features), rows, strict=False):
        assert one["geometry"] == {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
        due = row["deadline"].astimezone(place.info.zone).isoformat() if row["deadline"] else None
        assert one["properties"] == {
            **{name: row[name] for name in ("number", "category", "step", "holder")},
            "deadline": due,
            "overdue": has_passed(row["deadline"], at=now),
        }


def test_who_writes_sees_it_at_once(mini: str, report: Make, act: Make, actor: Make) -> None:
    client = Client()
    assert client.get(ADDRESS).json()["features"] == []
    number = report(category="02001", lon=120.004, lat=31.003)["case"]
    (feature,) = client.get(ADDRESS).json()["features"]
    assert (feature["properties"]["number"], feature["properties"]["step"]) == (number, "accepted")
    act(number, "file", actor("leader"))
    (feature,) = client.get(ADDRESS).json()["features"]
    assert feature["properties"]["step"] == "filed", "a feature is written anew when its case has changed"
    act(number, "dispatch", actor("dispatcher"))
    holder = present(Case.objects.filter(number=number).first()).holder
    assert client.get(ADDRESS).json()["features"][0]["properties"]["holder"] == holder


def test_lateness_is_not_kept_with_the_feature(mini: str, report: Make) -> None:
    report(category="02001", lon=120.004, lat=31.003)
    place = runtime("mini")
    late = []
    for days in (0, 400):
        at = datetime.now(UTC) + timedelta(days=days)
        features, _ = open_features(place=place, regions=(), bbox=None, limit=9, at=at, past=False)
        late.append(told(features)[0]["properties"]["overdue"])
    assert late == [False, True]


def test_a_feature_is_read_once(cases: list[str]) -> None:
    client = Client()
    first = client.get(ADDRESS).json()
    assert first["features"]
    with CaptureQueriesContext(connection) as captured:
        assert client.get(ADDRESS).json() == first
    assert not [query for query in captured if '"holder"' in query["sql"]], "no case was read again"


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("bbox", [None, (120.005, 31.002, 120.015, 31.02), (0.0, 0.0, 1.0, 1.0)])
def test_points_that_are_no_place_are_what_the_tables_say_and_counted_once(
    cases: list[str], region: str, bbox: Any
) -> None:
    place, now = runtime("mini"), datetime.now(UTC)
    for _ in range(2):
        found = apart_of(place=place, region=region, bbox=bbox, at=now, past=False)
        assert found == unplaced_points(city="mini", region=region, bbox=bbox)
    with CaptureQueriesContext(connection) as captured:
        assert apart_of(place=place, region=region, bbox=bbox, at=now, past=False) == found
    assert not [query for query in captured if '"flag"' in query["sql"]]


def test_a_point_that_is_no_place_is_counted_as_soon_as_it_is_reported_and_closed(
    mini: str, report: Make, act: Make, actor: Make
) -> None:
    client = Client()
    assert client.get(ADDRESS).json()["apart"] == []
    numbers = [report(category="02001", lon=125.0, lat=40.0)["case"] for _ in range(2)]
    Case.objects.filter(number__in=numbers).update(flag="outside", lon=125.0, lat=40.0)
    boards.forget()
    (point,) = client.get(ADDRESS).json()["apart"]
    assert (point["flag"], point["open"]) == ("outside", 2)
    act(numbers[0], "reject", actor("intake"), reason="out of town")
    (point,) = client.get(ADDRESS).json()["apart"]
    assert point["open"] == 1
