"""What everybody may read of the scoreboard over the API: published results, and nothing before it is published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from tests.server.test_honours import banner, inspected, proposed
from tests.server.test_inspections import city, drawn
from tests.server.test_lists import edition
from tests.server.test_scores import MONDAY, lived, scored

from yiwang.server.cities.queries import runtime
from yiwang.server.honours import operations as honours
from yiwang.server.inspections.models import Campaign
from yiwang.server.inspections.planning import end_campaign
from yiwang.server.lists.models import Edition
from yiwang.server.scores import queries as scores

__all__ = ["city", "drawn", "edition", "lived", "scored"]


def read(path: str, status: int = 200) -> Any:
    answer = Client().get(f"/api/v1/cities/{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_an_inspection_tells_its_draw_and_results_when_it_has_ended(drawn: Campaign) -> None:
    (listed,) = read("mini/inspections")["items"]
    assert (listed["key"], listed["step"], listed["drawn"]) == ("march", "drawn", drawn.visits.count())
    before = read("mini/inspections/march")
    assert (before["seed"], before["visits"], before["results"]) == ("", [], [])
    assert before["commitment"] == drawn.commitment
    drawn.visits.filter(turn=1).update(outcome="done", score=80, recorded_at=datetime.now(UTC))
    end_campaign(drawn, by="ann")
    after = read("mini/inspections/march")
    assert after["seed"] == drawn.seed
    assert len(after["visits"]) == drawn.visits.count()
    assert {code for one in after["visits"] for code in one["inspectors"]} <= {"I01", "I02", "I03"}, "codes, no names"
    assert (after["results"][0]["stratum"], after["results"][0]["score"]) == ("", 80)
    assert read("mini/inspections/none", 404)["status"] == 404
    assert read("nowhere/inspections", 404)["status"] == 404


@pytest.mark.django_db
def test_lists_are_told_when_they_are_published(edition: Edition) -> None:
    assert read("mini/lists")["items"] == []
    Edition.objects.update(step="published", ended_at=datetime.now(UTC))
    edition.entries.filter(colour="black").update(objection="no", upheld=True)
    (found,) = read("mini/lists")["items"]
    assert (found["rule"], found["period"], found["left_out"]) == ("monthly", "2026-03", ["9003"])
    assert [(one["colour"], one["unit"], one["off"]) for one in found["entries"]] == [
        ("red", "9001", False),
        ("black", "9002", True),
    ]


def test_honours_are_told_when_they_are_given(city: str) -> None:
    inspected("one", 85)
    made = proposed(inspected("two", 90))
    assert read("mini/honours")["items"] == []
    honours.decide(made, granted=True, text="", by="bob")
    (found,) = read("mini/honours")["items"]
    assert (found["rule"], found["held"], found["holder"]) == ("model_street", True, made.holder)
    assert [row[2] for row in found["basis"]["inspections"]] == [90, 85]


@pytest.mark.django_db
def test_a_banner_that_has_moved_on_is_told_too(edition: Edition) -> None:
    Edition.objects.update(step="published", ended_at=datetime.now(UTC))
    banner("9001")
    edition.entries.filter(unit="9002").update(colour="red", best=1, worst=1)
    banner("9002")
    assert [(one["holder"], one["held"]) for one in read("mini/honours")["items"]] == [("9002", True), ("9001", False)]


@pytest.mark.django_db
@pytest.mark.parametrize(("year", "status"), [("2026", 200), ("1", 404), ("99999999999", 404), ("soon", 422)])
def test_targets_of_a_year(mini: str, year: str, status: int) -> None:
    found = read(f"mini/targets/{year}", status)
    assert status != 200 or found == {"as_of": None, "items": []}


@pytest.mark.django_db(transaction=True)
def test_scores_are_those_of_the_command_line(scored: str, lived: Callable[..., str]) -> None:
    month = f"{MONDAY:%Y-%m}"
    found = read(f"mini/scores?level=street&month={month}")
    card = scores.scorecard(place=runtime("mini"), by=("street", "month"))
    rows = {row.keys["street"]: row for row in card.rows if row.keys["month"] == month}
    assert {row["street"] for row in found["rows"]} == set(rows)
    for row in found["rows"]:
        own = rows[row["street"]]
        assert row["values"]["intake"]["value"] == own.cells["intake"].value
        if "index" in row["scores"]:
            assert row["scores"]["index"]["aspects"] == dict(own.composites["index"].aspects)
    assert read("mini/scores?level=planet", 404)["status"] == 404
    assert read("mini/scores?month=soon", 404)["status"] == 404
    assert read("mini/scores?colour=red", 422)["status"] == 422


@pytest.mark.django_db
def test_scores_before_anything_is_counted(mini: str) -> None:
    assert read("mini/scores")["rows"] == []
