"""Where people live: counted, or an even share of what was counted above."""

from __future__ import annotations

import pytest
from shapely import Point, box

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.planning.people import people_at
from yiwang.core.planning.values import PeopleCount
from yiwang.core.space import Region, RegionTree
from yiwang.core.space.regions import Level

LEVELS = [Level(id="city", width=1), Level(id="district", width=2), Level(id="street", width=3)]


def tree() -> RegionTree:
    codes = ["1", "11", "12", "111", "112", "121", "122"]
    names = {1: "city", 2: "district", 3: "street"}
    regions = [
        Region(
            code=code, name=Text(code, code), level=names[len(code)], parent=code[:-1], geometry=box(at, 0, at + 1, 1)
        )
        for at, code in enumerate(codes)
    ]
    return RegionTree(regions=regions, levels=LEVELS)


def counts(**people: float) -> list[PeopleCount]:
    source = Text("虚构", "invented")
    return [
        PeopleCount(region=code[1:], people=n, year=2020, source=source, confidence="test")
        for code, n in people.items()
    ]


def test_a_region_has_its_own_count_or_an_even_share_of_the_nearest_above() -> None:
    found = {
        one.region: (one.people, one.estimate) for one in people_at(counts(r1=100, r11=60, r111=50), tree(), "street")
    }
    assert found == {"111": (50, False), "112": (10, True), "121": (50, True), "122": (50, True)}


def test_the_points_lie_inside() -> None:
    one = next(people_at(counts(r11=60), tree(), "street"))
    assert box(3, 0, 4, 1).contains_properly(Point(one.lon, one.lat))


def test_without_counts_it_is_said_what_to_write() -> None:
    with pytest.raises(BadInput, match="no counts of people"):
        list(people_at([], tree(), "street"))
