"""A region that is replaced keeps its open cases in sight: in lists, counts and filters, and near a point."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.toy_city import MINI, WEST

from yiwang.server.cases.models import Case
from yiwang.server.cases.reading import access, map_points, nearby, queries
from yiwang.server.centre import board
from yiwang.server.centre.centre_figures import by_region
from yiwang.server.cities.queries import runtime
from yiwang.server.provision.operations import install_pack
from yiwang.server.scrutiny.reading import chosen_cases

pytestmark = pytest.mark.django_db


@pytest.fixture
def replaced(report: Any, tmp_path: Path) -> str:
    """A case of community 900101, which has since become 900203 of the other street, with the same outline."""
    number: str = report()["case"]
    today = datetime.now(UTC).date() - timedelta(days=1)
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    file = folder / "regions.csv"
    text = file.read_text(encoding="utf-8")
    old = "900101,西南社区,South-West,community,9001,900001001000,,,,invented,test"
    assert old in text
    text = text.replace(old, old.replace("001000,,,,", f"001000,,{today},,"))
    text += f"900203,新社区,New,community,9002,900002003000,{today},,900101,invented,test\n"
    file.write_text(text, encoding="utf-8")
    install_pack(folder)
    return number


def test_lists_counts_and_filters_of_a_region_take_in_what_it_replaced(replaced: str, report: Any) -> None:
    place = runtime("mini")
    assert place.regions.lineage("900203") == ("900203", "900101")
    assert place.regions.lineage("9002") == ("9002", "900101")
    assert place.regions.lineage("9001") == ("9001",)
    for region in ("900203", "9002"):
        found = queries.list_cases(city="mini", filters=queries.CaseFilters(region=region)).items
        assert [row["number"] for row in found] == [replaced]
        assert queries.figures(city="mini", region=region)["open"] == 1
        assert [row["number"] for row in map_points.map_cases(city="mini", region=region)] == [replaced]
    assert queries.figures_below(city="mini", region="9002", width=6) == {
        "900203": {"cases": 1, "open": 1, "overdue": 0}
    }
    assert queries.list_cases(city="mini", filters=queries.CaseFilters(region="900202")).items == []


def test_the_centre_and_the_flow_of_a_region_take_in_what_it_replaced(replaced: str, client: Any) -> None:
    board.forget()
    now = datetime.now(UTC)
    case = Case.objects.get(number=replaced).pk
    for region, many in (("900203", 1), ("9002", 1), ("900202", 0), ("90", 1)):
        found, _ = chosen_cases(city="mini", start=None, end=None, region=region)
        assert found.tolist() == [case] * many, region
        for at in ({}, {"at": (now + timedelta(minutes=1)).isoformat()}):
            asked = {"region": region, **at}
            assert client.get("/api/v1/cities/mini/centre", asked).json()["now"]["cases"] == many, asked
            world = client.get("/api/v1/cities/mini/map/cases/0/0/0.mvt", asked).content
            assert bool(world) == bool(many), asked
    then = by_region(place=runtime("mini"), region="9002", width=6, at=now + timedelta(minutes=1))
    assert then == {"900203": {"cases": 1, "open": 1, "overdue": 0}}
    board.forget()


def test_near_asks_by_the_point_whatever_the_region_was_called(replaced: str) -> None:
    found = nearby.open_near(place=runtime("mini"), lon=WEST["lon"], lat=WEST["lat"])
    assert [(row["number"], row["distance_m"]) for row in found] == [(replaced, 0)]


def test_staff_of_the_new_region_read_its_old_cases(replaced: str, actor: Any) -> None:
    place = runtime("mini")
    detail = queries.get_case(city="mini", number=replaced)
    assert detail is not None

    class Somebody:
        is_authenticated = True

    def staff(region: str) -> bool:
        clerk = actor("intake", unit="", region=region)
        return access.readers_as([clerk], user=Somebody(), place=place).of_state(detail.state).staff

    assert [staff(region) for region in ("900203", "9002", "900202")] == [True, True, False]
