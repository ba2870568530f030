"""Measuring on the map and the cases near a point, with a pointer and without."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.basemaps import mini_with_basemap
from tests.browser.sites import AXE, running_site, serious
from tests.browser.test_basemap import PREPARE, Visits

MIDDLE = (120.01, 31.01)


@pytest.fixture(scope="module")
def near_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The toy city with two cases near its middle."""
    pack = mini_with_basemap(tmp_path_factory.mktemp("near"))
    with running_site(tmp_path_factory.mktemp("home"), prepare=PREPARE.format(pack=str(pack))) as base:
        for lat in (31.0101, 31.0112):
            said = {"text": "垃圾", "category": "02001", "lon": MIDDLE[0], "lat": lat, "source": "public"}
            answer = httpx.post(f"{base}/api/v1/cities/mini/reports", json=said)
            assert answer.status_code == 201, answer.text
        yield base


@pytest.fixture
def visits(browser: Browser, near_site: str) -> Iterator[Visits]:
    found = Visits(browser, near_site)
    yield found
    for context in browser.contexts:
        context.close()
    assert found.elsewhere == []
    assert found.faults == []


def opened(visits: Visits, *, size: str = "desk", language: str = "en-US", path: str = "/mini/map") -> Page:
    page = visits.open(path, size=size, language=language)
    page.wait_for_selector("city-map[data-ready=yes]")
    page.evaluate(f"document.querySelector('city-map').canvas.jumpTo({{center: {list(MIDDLE)}, zoom: 15}})")
    return page


def tap(page: Page, lon: float, lat: float) -> None:
    at = page.evaluate(f"(({{x, y}}) => [x, y])(document.querySelector('city-map').canvas.project([{lon}, {lat}]))")
    page.locator(".maplibregl-canvas").click(position={"x": at[0], "y": at[1]})


def test_a_line_and_an_area_are_measured_and_clicks_open_nothing(visits: Visits) -> None:
    page = opened(visits)
    status = page.locator(".map-tools [role=status]")
    page.get_by_role("button", name="Distance").click()
    expect(status).to_have_text("Click points on the map to measure along them.")
    tap(page, 120.005, 31.01)
    tap(page, 120.015, 31.01)
    length = re.fullmatch(r"Length (\d+) m", status.inner_text())
    assert length is not None
    assert abs(int(length[1]) - 953) < 12  # a pixel is 2 m
    page.get_by_role("button", name="Area").click()
    for point in ((120.005, 31.008), (120.015, 31.008), (120.015, 31.012)):
        tap(page, *point)
    expect(status).to_contain_text("km²")
    page.get_by_role("button", name="Undo").click()
    expect(status).to_contain_text("at least three points")
    page.keyboard.press("Escape")
    expect(status).to_be_hidden()
    assert page.url.endswith("/mini/map")


def test_cases_near_a_place_are_listed_with_links_without_a_pointer_too(visits: Visits) -> None:
    page = opened(visits, language="zh-CN")
    page.get_by_role("button", name="附近案卷").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="取地图中心").press("Enter")
    expect(page.locator(".map-tools [role=status]")).to_have_text("200 米内在办案卷：2 件")
    items = page.locator(".map-tools li")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("11 米")
    items.first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/mini/cases/\S+"))


def test_a_place_without_cases_and_a_lost_connection_are_said(visits: Visits) -> None:
    page = opened(visits)
    status = page.locator(".map-tools [role=status]")
    page.get_by_role("button", name="Cases near by").click()
    tap(page, 120.005, 31.006)
    expect(status).to_have_text("There are no open cases within 200 m.")
    page.context.set_offline(True)
    tap(page, *MIDDLE)
    expect(status).to_have_text("The map data did not arrive; please reload.")
    page.context.set_offline(False)
    visits.faults = [fault for fault in visits.faults if "ERR_INTERNET_DISCONNECTED" not in fault]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
def test_on_a_phone_the_tools_stay_inside_and_axe_finds_nothing(visits: Visits) -> None:
    page = opened(visits, size="phone", path="/mini/portal/map")
    page.get_by_role("button", name="Cases near by").click()
    page.get_by_role("button", name="Map centre").click()
    expect(page.locator(".map-tools li")).to_have_count(2)
    inside, box = page.locator("city-map").bounding_box(), page.locator(".map-tools").bounding_box()
    assert inside is not None
    assert box is not None
    assert box["x"] + box["width"] <= inside["x"] + inside["width"]
    assert box["y"] + box["height"] <= inside["y"] + inside["height"]
    assert serious(page) == []
