"""A map of others in a real browser: images in GCJ-02 below, everything drawn moved onto them, and clicks brought back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from tests.browser.sites import running_site
from tests.browser.test_basemap import PREPARE, Visits
from tests.toy_city import MINI

from yiwang.core.space.crs import from_wgs84, to_wgs84
from yiwang.core.space.tiles import to_map

FILE = """
[[map]]
pmtiles = "own.pmtiles"
crs = "gcj02"

[[map.credit]]
text = "测试底图"
text_en = "A map for tests"
"""
AT = (120.01, 31.01)


@pytest.fixture(scope="module")
def shifted_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose city lies on images in GCJ-02."""
    home = tmp_path_factory.mktemp("shifted")
    _draw(home / "own.pmtiles")
    (home / "maps.toml").write_text(FILE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YIWANG_BASEMAPS", str(home / "maps.toml"))
        with running_site(home, prepare=PREPARE.format(pack=str(MINI))) as base:
            yield base


def _draw(path: Path) -> None:
    """Images of zoom 14 around the toy city, each with its frame."""
    image = Image.new("RGB", (256, 256), "#dfe8d8")
    ImageDraw.Draw(image).rectangle((0, 0, 255, 255), outline="#b04020")
    image.save(path.with_suffix(".png"))
    data = path.with_suffix(".png").read_bytes()
    x, y = (int(one) >> (32 - 14) for one in to_map(*AT))
    numbers = sorted(zxy_to_tileid(14, x + east, y + south) for east in range(-3, 4) for south in range(-3, 4))
    with path.open("wb") as file:
        writer = Writer(file)
        for number in numbers:
            writer.write_tile(number, data)
        header = {
            "tile_type": TileType.PNG, "tile_compression": Compression.NONE, "min_lon_e7": 0, "min_lat_e7": 0,
            "max_lon_e7": 1, "max_lat_e7": 1, "center_zoom": 14, "center_lon_e7": 0, "center_lat_e7": 0,
        }  # fmt: skip
        writer.finalize(header, {})


@pytest.fixture
def visits(browser: Browser, shifted_site: str) -> Iterator[Visits]:
    found = Visits(browser, shifted_site)
    yield found
    for context in browser.contexts:
        context.close()
    assert found.elsewhere == []


def canvas_of(page: Page, code: str) -> Any:
    page.wait_for_selector("city-map[data-ready=yes][data-basemap=yes]")
    return page.evaluate(f"() => {{ const map = document.querySelector('city-map').canvas; return {code}; }}")


def test_images_are_drawn_with_their_credit_and_outlines_are_moved_onto_them(visits: Visits) -> None:
    page = visits.open("/mini/map", language="en-US")
    expect(page.locator("city-map .map-credit")).to_contain_text("A map for tests")
    assert canvas_of(page, "map.getLayer('chosen-0').type") == "raster"
    middle = canvas_of(page, "map.getCenter().toArray()")
    assert middle == pytest.approx(
        from_wgs84(*AT, "gcj02"), abs=2e-4
    )  # the toy city's middle, some 450 m to the south-east
    assert visits.faults == [] or all("404" in fault for fault in visits.faults)


def test_a_click_is_brought_back_and_a_typed_place_is_moved(visits: Visits) -> None:
    page = visits.open("/mini/report")
    middle = canvas_of(page, "map.getCenter().toArray()")
    page.locator(".maplibregl-canvas").click()
    lon, lat = (float(page.locator(f"[name={name}]").input_value()) for name in ("lon", "lat"))
    there = to_wgs84(float(middle[0]), float(middle[1]), "gcj02")
    assert (lon, lat) == pytest.approx(there, abs=1e-4)
    pin = page.evaluate("document.querySelector('city-map').marker.getLngLat().toArray()")
    assert pin == pytest.approx(from_wgs84(lon, lat, "gcj02"), abs=1e-5)
