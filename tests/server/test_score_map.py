"""The map of scores: every region once, shaded by where it stands, down to the regions below."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from shapely import from_wkt
from tests.server.test_scores import MONDAY, lived, refresh, scored

from yiwang.core.kernel.text import Text
from yiwang.core.space import Region
from yiwang.server.cities.queries import runtime
from yiwang.server.scores import queries
from yiwang.server.scores.map_views import _bounds, _class
from yiwang.server.scores.outlines import draw

__all__ = ["lived", "scored"]
MONTH = f"{MONDAY:%Y-%m}"


def region(code: str, wkt: str | None) -> Region:
    return Region(code=code, name=Text(code, code), level="street", geometry=from_wkt(wkt) if wkt else None)


def test_outlines_lie_side_by_side_with_the_north_up() -> None:
    drawing = draw(
        [
            region("sw", "POLYGON((120 31, 121 31, 121 32, 120 32, 120 31))"),
            region("ne", "POLYGON((121 32, 122 32, 122 33, 121 33, 121 32), (121.4 32.4, 121.6 32.4, 121.6 32.6, 121.4 32.4))"),
            region("nowhere", None),
        ]
    )  # fmt: skip
    assert drawing is not None
    assert set(drawing.paths) == {"sw", "ne"}
    assert drawing.width == 1000
    # two degrees by two degrees, narrower by the cosine of 32 degrees
    assert drawing.height == pytest.approx(1000 / 0.848, rel=0.001)
    tops = {
        code: min(float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)) for code, path in drawing.paths.items()
    }
    assert tops["ne"] == 0
    assert tops["sw"] == pytest.approx(drawing.height / 2, abs=0.2)
    assert drawing.paths["ne"].count("M") == 2, "a hole is a hole"
    assert draw([region("nowhere", None)]) is None


@pytest.mark.parametrize(
    ("values", "bounds"), [([], ()), ([5.0], ()), ([5.0] * 9, ()), ([1.0, 2.0], (2.0,)), ([1.0, 2.0, 3.0, 4.0], (2.0, 3.0, 4.0))]
)  # fmt: skip
def test_classes_are_quarters_and_fewer_where_many_are_alike(values: list[float], bounds: tuple[float, ...]) -> None:
    assert _bounds(values) == bounds


def test_the_darkest_is_the_worst() -> None:
    bounds = (2.0, 3.0, 4.0)
    assert [_class(value, bounds, "up") for value in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert [_class(value, bounds, "down") for value in (1, 2, 3, 4)] == [4, 3, 2, 1]
    assert _class(None, bounds, "up") == 0


@pytest.mark.django_db(transaction=True)
def test_the_map_says_what_the_scorecard_says(scored: str, client: Client, lived: Callable[..., str]) -> None:
    lived(at=MONDAY - timedelta(days=10))
    refresh()
    query = {"month": MONTH, "of": "closing_on_time"}
    answer = client.get("/mini/score/map", query, headers={"accept-language": "en"})
    assert answer.status_code == 200
    place = runtime("mini")
    card = queries.scorecard(place=place, by=("street", "month"), indicators=("closing_on_time",))
    values = {row.keys["street"]: row.cells["closing_on_time"].value for row in card.rows if row.keys["month"] == MONTH}
    rows = {row["code"]: row for row in answer.context["rows"]}
    assert set(rows) == {one.code for one in place.regions.children(place.regions.roots[0].code)}
    for code, row in rows.items():
        value = values.get(code)
        assert row["figure"] == ("no data" if value is None else f"{value:.1f}%"), code
        assert (row["shade"] == 0) == (value is None)
    text = answer.content.decode()
    assert text.count('<path class="s') >= len([row for row in rows.values() if row["path"]])
    links = re.findall(r'href="(\?within=[^"]+|/mini/score/[^"]+)"', text)
    assert links
    for link in links:
        address = link if link.startswith("/") else f"/mini/score/map{link}"
        assert client.get(address.replace("&amp;", "&")).status_code == 200, link
    assert "2026-02" in answer.context["earlier_url"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("of", ["score-region", "score-index", "intake", "nonsense", ""])
def test_it_is_coloured_by_anything_that_is_measured(scored: str, client: Client, of: str) -> None:
    answer = client.get("/mini/score/map", {"month": MONTH, "of": of})
    assert answer.status_code == 200
    assert answer.context["shade"].key == (of if of not in ("nonsense", "") else "score-region")


@pytest.mark.django_db(transaction=True)
def test_what_there_is_not(mini: str, client: Client) -> None:
    assert client.get("/mini/score/map?within=nowhere").status_code == 404
    assert client.get("/mini/score/map?month=soon").status_code == 404
    assert "还没有统计" in client.get("/mini/score/map").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_region_without_others_below_says_so(scored: str, client: Client) -> None:
    leaf = next(one.code for one in runtime("mini").regions if not runtime("mini").regions.children(one.code))
    assert "下面没有区域" in client.get("/mini/score/map", {"within": leaf}).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_page_needs_few_queries(scored: str, client: Client, django_assert_max_num_queries: Any) -> None:
    client.get("/mini/score/map", {"month": MONTH})
    with django_assert_max_num_queries(10):
        client.get("/mini/score/map", {"month": MONTH})
