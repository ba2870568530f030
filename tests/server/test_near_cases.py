"""Open cases around a point of the map."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from yiwang.server.pages import near

HERE = (120.005, 31.005)


def degrees_north(metres: float) -> float:
    return math.degrees(metres / 6_371_008.8)


def asked(lon: float | str = HERE[0], lat: float | str = HERE[1]) -> Any:
    return Client().get("/mini/map/near.json", {"lon": str(lon), "lat": str(lat)}, headers={"Accept-Language": "en"})


def test_the_nearest_come_first_and_what_is_farther_than_200_metres_does_not(report: Any) -> None:
    away = {
        metres: report(lon=HERE[0], lat=HERE[1] + degrees_north(metres))["case"] for metres in (150, 20, 195, 205, 900)
    }
    corner = degrees_north(170)  # in the square around the circle, not in the circle
    report(lon=HERE[0] + corner / math.cos(math.radians(HERE[1])), lat=HERE[1] + corner)
    found = asked().json()
    assert [one["number"] for one in found["cases"]] == [away[20], away[150], away[195]]
    assert [one["metres"] for one in found["cases"]] == [20, 150, 195]
    assert (found["radius"], found["total"]) == (200, 3)
    assert set(found["cases"][0]) == {"number", "category_name", "metres", "light"}


def test_what_has_ended_is_not_listed(report: Any, act: Any, actor: Any) -> None:
    number = report(lon=HERE[0], lat=HERE[1])["case"]
    assert asked().json()["total"] == 1
    act(number, "reject", actor("leader"), reason="no matter of ours")
    assert asked().json()["cases"] == []


def test_of_many_the_nearest_are_listed_and_all_are_counted(report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST", 2)
    for metres in (30, 10, 20):
        report(lon=HERE[0], lat=HERE[1] + degrees_north(metres))
    found = asked().json()
    assert [one["metres"] for one in found["cases"]] == [10, 20]
    assert found["total"] == 3


@pytest.mark.parametrize(
    ("lon", "lat"), [("", "31"), ("east", "31"), ("nan", "31"), ("120", "inf"), ("181", "31"), ("120", "90")]
)
def test_what_is_no_point_is_told_what_would_be(mini: str, lon: str, lat: str) -> None:
    answer = asked(lon, lat)
    assert answer.status_code == 400
    assert answer.json() == {"error": "Give lon and lat in degrees."}


def test_how_many_there_are_costs_no_more_queries(report: Any) -> None:
    counts = []
    for metres in (10, 20):
        report(lon=HERE[0], lat=HERE[1] + degrees_north(metres))
        asked()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            asked()
        counts.append(len(queries))
    assert counts[0] == counts[1]
