"""The map of sensors and the layer of the command centre, as staff use them: signs, popup, what is shown by itself, charts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .sites import AXE, SITE, Opener, run_in, serious

pytestmark = pytest.mark.browser
# the water in an underpass of the toy city, now; with a severity its alarm opens a case
WATER = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from yiwang.core.kernel.instants import to_micros
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import Reading, StreamSaid, find_or_make, raise_cases, write_observations
now = datetime.now(UTC)
for name, lon, depths in {things!r}:
    said = StreamSaid(
        key="underpass-" + name, name="Underpass " + name, observed="water level", unit="cm", lon=lon, lat=31.003,
        thing="tunnel-" + name,
    )
    stream = find_or_make(runtime("mini"), said)[0]
    start = now - timedelta(seconds=len(depths))
    write_observations(
        [Reading(stream.pk, to_micros(start + timedelta(seconds=n)), depth) for n, depth in enumerate(depths)],
        received=to_micros(now),
    )
raise_cases(at=now)
"""
DRY, FLOODED = [0.0, 0.0], [0.0, 20.0, 40.0, 40.0]
DRY_AGAIN = [0.0, 0.0, 0.0]


def water(*things: tuple[str, float, list[float]]) -> None:
    run_in(Path(SITE["YIWANG_HOME"]), WATER.format(things=list(things)))


@pytest.fixture
def flooded(site: str) -> None:
    water(("b1", 120.003, FLOODED), ("b2", 120.013, DRY))


def shown(page: Page) -> Page:
    page.wait_for_selector("city-map[data-ready=yes][data-sensors=live]")
    page.evaluate("document.querySelector('city-map').canvas.jumpTo({center: [120.003, 31.003], zoom: 16})")
    page.wait_for_timeout(800)
    return page


def tap(page: Page, lon: float, lat: float) -> None:
    at = page.evaluate(f"(({{x, y}}) => [x, y])(document.querySelector('city-map').canvas.project([{lon}, {lat}]))")
    page.locator(".maplibregl-canvas").click(position={"x": at[0], "y": at[1]})


@pytest.mark.parametrize(("phone", "language"), [(False, "en-US"), (True, "zh-CN")])
def test_a_sign_says_what_it_stands_for_and_leads_on(
    open_as: Opener, flooded: None, phone: bool, language: str
) -> None:
    page = shown(open_as("/mini/sensors/map", role="dispatcher", phone=phone, language=language))
    assert page.evaluate("document.documentElement.scrollWidth") <= (391 if phone else 1281)
    legend = page.locator("city-map .sensor-states")
    expect(legend).to_contain_text("橙色报警 1" if phone else "severe alarm 1")
    expect(legend).to_contain_text("正常 1" if phone else "in order 1")
    tap(page, 120.003, 31.003)
    popup = page.locator(".map-popup")
    expect(popup).to_contain_text("下穿通道积水" if phone else "Water in an underpass")
    expect(popup.locator('a[href*="/mini/cases/"]')).to_have_count(1)
    popup.locator('a[href*="/mini/sensors/"]').click()
    expect(page.locator("h1")).to_have_text("Underpass b1")
    drawn = json.loads(page.locator("city-chart").get_attribute("data-chart") or "{}")["drawn"]
    assert (len(drawn["limits"]), len(drawn["marks"])) == (3, 1)
    expect(page.locator("city-chart svg")).to_contain_text("橙色 27" if phone else "severe 27")
    assert page.evaluate("document.documentElement.scrollWidth") <= (391 if phone else 1281)


def test_the_map_asks_again_and_draws_anew_only_what_changed(open_as: Opener, site: str, flooded: None) -> None:
    page = open_as("/mini/cases", role="dispatcher")
    page.clock.install()
    page.goto(f"{site}/mini/sensors/map")
    page.wait_for_selector("city-map[data-sensors=live]")
    legend = page.locator("city-map .sensor-states")
    expect(legend).to_contain_text("橙色报警 1")
    # `void`: a function that is a value would be called
    page.evaluate(
        "void (document.querySelector('city-map').canvas.getSource('sensors').setData = () => { window.drawn = true })"
    )

    def asked_again() -> None:
        with page.expect_response(lambda answer: answer.url.endswith("map.json")) as answer:
            page.clock.run_for(16_000)
        answer.value.finished()

    asked_again()
    assert not page.evaluate("window.drawn === true"), "nothing has changed"
    water(("b3", 120.006, FLOODED))
    asked_again()
    expect(legend).to_contain_text("橙色报警 2")
    assert page.evaluate("window.drawn === true")
    water(("b3", 120.006, DRY_AGAIN))


def test_the_command_centre_has_the_layer_and_the_alerts(open_as: Opener, flooded: None) -> None:
    page = open_as("/mini/centre", role="dispatcher", language="en-US")
    page.wait_for_selector(".centre[data-ready]")
    alerts = page.locator("[data-alerts]")
    expect(alerts).to_contain_text("Underpass b1")
    expect(alerts.locator('a[href*="/mini/cases/"]').first).to_be_visible()
    legend = page.locator(".stage .sensor-states")
    expect(legend).to_have_count(0)  # off at first
    page.locator('input[data-layer="sensors"]').check()
    page.wait_for_selector("city-map[data-sensors=live]")
    expect(legend).to_contain_text("severe alarm")
    if AXE.exists():
        assert serious(page) == []
    page.locator('input[data-layer="sensors"]').uncheck()
    expect(legend).to_be_hidden()
    page.fill("input[name=day]", "2020-03-02")
    expect(alerts).to_contain_text("go back to now")
    page.click("[data-now]")
    expect(alerts).to_contain_text("Underpass b1")


def test_the_layer_is_offered_to_staff_and_not_to_strangers(open_as: Opener, flooded: None) -> None:
    page = open_as("/mini/map", role="handler", language="en-US")
    page.wait_for_selector("city-map[data-ready]")
    page.get_by_role("button", name="Layers").click()
    page.get_by_role("checkbox", name="Sensors").check()
    page.wait_for_selector("city-map[data-sensors=live]")
    expect(page.locator("city-map .sensor-states")).to_contain_text("severe alarm")
    stranger = open_as("/mini/map", language="en-US")
    stranger.wait_for_selector("city-map[data-ready]")
    stranger.get_by_role("button", name="Layers").click()
    expect(stranger.get_by_role("checkbox", name="Regions")).to_be_visible()
    expect(stranger.get_by_role("checkbox", name="Sensors")).to_have_count(0)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
@pytest.mark.parametrize("phone", [False, True])
def test_axe_finds_nothing_serious(open_as: Opener, flooded: None, phone: bool) -> None:
    page = shown(open_as("/mini/sensors/map", role="dispatcher", phone=phone))
    tap(page, 120.003, 31.003)
    page.wait_for_selector(".map-popup a")
    assert serious(page) == []
    page.locator('.map-popup a[href*="/mini/sensors/"]').click()
    page.wait_for_selector("city-chart svg")
    assert serious(page) == []
