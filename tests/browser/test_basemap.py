"""The base map in a real browser that reaches nothing but the site: streets and names are drawn, the sources are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect
from tests.basemaps import mini_with_basemap
from tests.browser.sites import AXE, running_site, serious

PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from yiwang.server.provision.operations import install_pack
install_pack({pack!r})
"""
SIZES: dict[str, ViewportSize] = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
DRAWN = """(layer) => {
  const map = document.querySelector("city-map").canvas;
  return map.queryRenderedFeatures({ layers: [layer] }).map((feature) => feature.properties);
}"""
# Pixels of a label's ink around a place of the map: what a font really drew.
INK = """async ([lon, lat]) => {
  const map = document.querySelector("city-map").canvas;
  return await new Promise((done) => {
    map.once("render", () => {
      const gl = map.getCanvas().getContext("webgl2");
      const ratio = devicePixelRatio, at = map.project([lon, lat]), half = 24 * ratio;
      const pixels = new Uint8Array(4 * (2 * half) ** 2);
      const left = at.x * ratio - half, bottom = gl.drawingBufferHeight - at.y * ratio - half;
      gl.readPixels(left, bottom, 2 * half, 2 * half, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      let dark = 0;
      for (let i = 0; i < pixels.length; i += 4) if (pixels[i] + pixels[i + 1] + pixels[i + 2] < 300) dark++;
      done(dark);
    });
    map.triggerRepaint();
  });
}"""


@pytest.fixture(scope="module")
def drawn_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose one city has a base map."""
    folder = tmp_path_factory.mktemp("drawn")
    pack = mini_with_basemap(folder)
    with running_site(tmp_path_factory.mktemp("home"), prepare=PREPARE.format(pack=str(pack))) as base:
        yield base


class Visits:
    """Opens pages with everything cut off but the site, and keeps what was asked for elsewhere."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser, self.site = browser, site
        self.elsewhere: list[str] = []
        self.faults: list[str] = []

    def open(self, path: str, *, language: str = "zh-CN", size: str = "desk", dark: bool = False) -> Page:
        context = self.browser.new_context(
            viewport=SIZES[size], locale=language, color_scheme="dark" if dark else "light"
        )
        context.route("**/*", self._hold)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.goto(self.site + path)
        return page

    def _hold(self, route: Route) -> None:
        if route.request.url.startswith((self.site, "data:", "blob:")):
            route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            route.abort()


@pytest.fixture
def visits(browser: Browser, drawn_site: str) -> Iterator[Visits]:
    found = Visits(browser, drawn_site)
    yield found
    for context in browser.contexts:
        context.close()
    assert found.elsewhere == []
    assert found.faults == []


def drawn(page: Page, layer: str) -> list[dict[str, Any]]:
    """What is drawn of a layer, once something is."""
    page.wait_for_selector("city-map[data-basemap=yes]")
    page.wait_for_function(f"(layer) => ({DRAWN})(layer).length > 0", arg=layer)
    found: list[dict[str, Any]] = page.evaluate(DRAWN, layer)
    return found


@pytest.mark.parametrize(
    ("language", "lake", "region"), [("zh-CN", "东湖", "西街道"), ("en-US", "East Lake", "West Street")]
)
def test_streets_and_names_are_drawn_without_internet(visits: Visits, language: str, lake: str, region: str) -> None:
    page = visits.open("/mini/map", language=language)
    assert {road["rank"] for road in drawn(page, "base-major")} == {2}
    assert lake in {one["name" if language == "zh-CN" else "name_en"] for one in drawn(page, "base-water-names")}
    assert region in {one["name"] for one in drawn(page, "region-names")}
    assert page.evaluate(INK, [120.005, 31.01]) > 30  # letters of the street's name, from a font of this machine


@pytest.mark.parametrize("path", ["/mini/", "/mini/map", "/mini/report", "/mini/portal/map"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_sources_are_always_to_be_seen(visits: Visits, path: str, size: str) -> None:
    page = visits.open(path, size=size, language="en-US")
    credit = page.locator("city-map .map-credit")
    credit.scroll_into_view_if_needed()
    expect(credit.get_by_role("link", name="© OpenStreetMap contributors (ODbL)")).to_be_visible()
    inside = page.locator("city-map").bounding_box()
    box = credit.bounding_box()
    assert inside is not None
    assert box is not None
    assert inside["x"] <= box["x"]
    assert box["y"] + box["height"] <= inside["y"] + inside["height"] + 1


def test_closer_than_it_is_honest_the_map_says_so(visits: Visits) -> None:
    page = visits.open("/mini/map", language="en-US")
    page.wait_for_selector("city-map[data-basemap=yes]")
    note = page.get_by_text("The base map is an overview")
    page.evaluate("document.querySelector('city-map').canvas.setZoom(12.5)")
    expect(note).to_be_hidden()
    page.evaluate("document.querySelector('city-map').canvas.setZoom(15)")
    expect(note).to_be_visible()
    assert drawn(page, "base-major")  # enlarged


def test_the_command_centre_draws_it_too(visits: Visits) -> None:
    page = visits.open("/mini/centre", dark=True)
    expect(page.locator(".stage .map-credit")).to_contain_text("© OpenStreetMap 贡献者（ODbL）")
    page.wait_for_selector("[data-part=map][data-idle=yes]")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious_on_a_map_with_credits(visits: Visits, dark: bool) -> None:
    page = visits.open("/mini/map", dark=dark)
    page.wait_for_selector("city-map[data-basemap=yes]")
    assert serious(page) == []
