"""Explaining a report: answers, deciding rows and runners-up, in both languages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Required, TypedDict

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.packs import Explainer, read_pack

MINI = Path(__file__).parent / "fixtures" / "mini"
FRIDAY = datetime.fromisoformat("2026-03-06T17:00:00+08:00")


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(read_pack(MINI))


def test_a_report_with_coordinates(explainer: Explainer) -> None:
    found = explainer.explain(category="02001", lon=120.005, lat=31.005, source="citizen", at=FRIDAY)
    assert found.answers() == {
        "region": "900101",
        "grid": "900101055",
        "priority": "normal",
        "auto": "accepted",
        "verify": "yes",
        "centre": "CTR-9001",
        "triage_row": "T004",
        "unit": "SWEEP-9001",
        "routing_row": "R003",
        "limit": "4 work_hours",
        "limits_row": "L006",
        "deadline": "2026-03-09T11:00:00+08:00",
    }
    assert [region.name.en for region in found.chain] == ["Mini", "West Street", "South-West"]
    assert found.holder is not None
    assert found.holder.name.en == "West Street sweepers"


def test_the_reasons_name_the_runner_up_in_both_languages(explainer: Explainer) -> None:
    found = explainer.explain(category="02001", region="900201", source="citizen", at=FRIDAY)
    limits = found.decisions["limits"]
    assert limits is not None
    assert (limits.row_id, limits.runner_up) == ("L007", "L006")
    assert "L006" in limits.why()[0].into("en")
    assert "区域 9002" in limits.why()[0].into("zh")
    data = found.to_dict()
    assert data["why"]["limits"]["row"] == "L007"
    assert data["why"]["limits"]["runner_up"] == "L006"


def test_the_row_in_force_on_the_citys_day_decides(explainer: Explainer) -> None:
    # 16:30 UTC on New Year's Eve is already the new year in the city.
    late = explainer.explain(category="01002", region="90", at=datetime.fromisoformat("2025-12-31T16:30:00+00:00"))
    early = explainer.explain(category="01002", region="90", at=datetime.fromisoformat("2025-12-31T15:30:00+00:00"))
    assert (early.answers()["limits_row"], late.answers()["limits_row"]) == ("L004", "L005")


def test_a_unit_that_cannot_be_told_falls_back_to_the_next_row(explainer: Explainer) -> None:
    found = explainer.explain(category="02001", region="90", at=FRIDAY)
    assert (found.answers()["unit"], found.answers()["routing_row"]) == ("CTR-90", "R001")


def test_an_unknown_place_goes_to_the_city(explainer: Explainer) -> None:
    found = explainer.explain(category="01001", at=FRIDAY)
    assert found.region == ""
    assert found.answers()["unit"] == "DEPT-WORKS"


def test_a_unit_grid_stands_for_its_community(explainer: Explainer) -> None:
    found = explainer.explain(category="02002", region="900201001", at=FRIDAY)
    assert (found.region, found.grid, found.answers()["unit"]) == ("900201", "900201001", "COM-900201")


def test_other_coordinate_systems(explainer: Explainer) -> None:
    shifted = explainer.explain(category="02001", lon=120.005, lat=31.005, crs="gcj02", at=FRIDAY)
    assert shifted.grid != "900101055"


def test_a_deadline_beyond_the_known_years_says_so(explainer: Explainer) -> None:
    found = explainer.explain(category="01002", region="90", at=datetime.fromisoformat("2026-12-31T17:00:00+08:00"))
    assert found.deadline is None
    assert "2027" in str(found.deadline_fault)


class Question(TypedDict, total=False):
    """What `Explainer.explain` is asked, but for the moment."""

    category: Required[str]
    condition: str
    region: str
    lon: float
    lat: float
    crs: str


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"category": "1001"}, "leading zeros"),
        ({"category": "01001", "condition": "7"}, "It has 1, 2"),
        ({"category": "01001", "region": "77"}, "Unknown region '77'"),
        ({"category": "01001", "lon": 1.0, "lat": 1.0, "crs": "utm"}, "coordinate system"),
    ],
)
def test_what_is_not_known_is_named(explainer: Explainer, asked: Question, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        explainer.explain(at=FRIDAY, **asked)
    assert words in str(caught.value)


def test_times_need_an_offset(explainer: Explainer) -> None:
    with pytest.raises(BadInput, match="no offset"):
        explainer.explain(category="01001", at=datetime(2026, 3, 6))
