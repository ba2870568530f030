"""Maps of a service in a real browser: an HTTP server stands for it, and what it gives is what is drawn."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.browser.sites import running_site
from tests.browser.test_basemap import PREPARE, SIZES
from tests.browser.test_basemap_chosen import AT
from tests.toy_city import MINI

from yiwang.core.space.crs import from_wgs84

PURPLE = (160, 32, 200)
CREDIT = """
[[map.credit]]
text = "某市测绘底图 · 审图号 GS(2025)0000号"
text_en = "City surveyors, GS(2025)0000"
url = "https://maps.example/"
"""
SAID = {"zh-CN": "底图服务没有返回内容", "en-US": "The base map's service gives nothing"}
# How many pixels of the whole map have nearly this colour, of a hundred.
SHARE = """async ([red, green, blue]) => {
  const map = document.querySelector("city-map").canvas;
  return await new Promise((done) => {
    map.once("render", () => {
      const gl = map.getCanvas().getContext("webgl2");
      const pixels = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
      gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      let same = 0;
      for (let i = 0; i < pixels.length; i += 4)
        same += Math.abs(pixels[i] - red) + Math.abs(pixels[i + 1] - green) + Math.abs(pixels[i + 2] - blue) < 12;
      done((400 * same) / pixels.length);
    });
    map.triggerRepaint();
  });
}"""


class Service:
    """A map service: a style with vector tiles, images, and addresses that give nothing. Keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.works = True
        service = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.path, self.headers.get("Referer", "")))
                kind, content = service.answer(self.path)
                self.send_response(200 if content else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the tests look at what was asked."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> tuple[str, bytes]:
        if not self.works:
            return "text/plain", b""
        if path.startswith("/style.json"):
            return "application/json", json.dumps(self._style()).encode()
        if path.startswith("/vector/"):
            square = "POLYGON ((0 0, 4096 0, 4096 4096, 0 4096, 0 0))"
            layer = {"name": "land", "features": [{"geometry": square, "properties": {}}]}
            return "application/vnd.mapbox-vector-tile", mapbox_vector_tile.encode([layer])
        if path.startswith("/images/"):
            found = io.BytesIO()
            Image.new("RGB", (256, 256), PURPLE).save(found, "PNG")
            return "image/png", found.getvalue()
        return "text/plain", b""

    def _style(self) -> dict[str, Any]:
        tiles = [f"{self.base}/vector/{{z}}/{{x}}/{{y}}.pbf"]
        paint = {"fill-color": f"rgb{PURPLE}", "fill-antialias": False}
        return {
            "version": 8,
            "sources": {"city": {"type": "vector", "tiles": tiles, "maxzoom": 14}},
            "layers": [{"id": "land", "type": "fill", "source": "city", "source-layer": "land", "paint": paint}],
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    found = Service()
    yield found
    found.close()


@contextmanager
def site_with(home: Path, table: str) -> Iterator[str]:
    """The toy city on the map that a file describes."""
    (home / "maps.toml").write_text(f"[[map]]\n{table}\n{CREDIT}", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YIWANG_BASEMAPS", str(home / "maps.toml"))
        with running_site(home, prepare=PREPARE.format(pack=str(MINI))) as base:
            yield base


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[str]:
    """A site with a MapLibre style of a service."""
    table = f'style = "{service.base}/style.json?key={{key}}"\nkey = "k1"\ncrs = "wgs84"'
    with site_with(tmp_path_factory.mktemp("styled"), table) as base:
        yield base


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[str]:
    """A site with images in GCJ-02 of a service."""
    table = f'tiles = ["{service.base}/images/{{z}}/{{x}}/{{y}}.png?tk={{key}}"]\nkey = "k2"\ncrs = "gcj02"'
    with site_with(tmp_path_factory.mktemp("images"), table) as base:
        yield base


@pytest.fixture(autouse=True)
def fresh(service: Service) -> None:
    service.asked.clear()
    service.works = True


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    """Opens a page of a site at a size in a language."""

    def open_(address: str, *, language: str = "zh-CN", size: str = "desk") -> Page:
        page = browser.new_context(viewport=SIZES[size], locale=language).new_page()
        page.goto(address)
        return page

    yield open_
    for context in browser.contexts:
        context.close()


def share(page: Page) -> float:
    """How much of the map has the service's colour, once the map is at rest and its regions are hidden, of a hundred."""
    page.wait_for_selector("city-map[data-ready=yes][data-basemap=yes]")
    page.evaluate("""() => new Promise((done) => {
      const map = document.querySelector("city-map").canvas;
      map.setPaintProperty("regions", "fill-opacity", 0);
      map.once("idle", done);
    })""")
    found: float = page.evaluate(SHARE, list(PURPLE))
    return found


@pytest.mark.parametrize("kind", ["styled", "images"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_map_is_drawn_from_the_service_with_its_credit(
    kind: str, size: str, opened: Any, service: Service, request: pytest.FixtureRequest
) -> None:
    site = request.getfixturevalue(kind)
    page = opened(f"{site}/mini/map", size=size)
    assert share(page) > 80
    expect(page.get_by_role("link", name="审图号 GS(2025)0000号")).to_be_visible()
    expect(page.get_by_text(SAID["zh-CN"])).to_be_hidden()
    paths = [path for path, _ in service.asked]
    wanted = "/vector/" if kind == "styled" else "/images/"
    assert any(path.startswith(wanted) for path in paths)
    assert any(path.endswith("key=k1" if kind == "styled" else "tk=k2") for path in paths)
    assert {referrer for _, referrer in service.asked} == {f"{site}/"}  # the site, and nothing of the page


def test_every_page_with_a_map_draws_from_it(opened: Any, images: str, service: Service) -> None:
    for path in ("/mini/", "/mini/report", "/mini/portal/map", "/mini/centre"):
        service.asked.clear()
        page = opened(images + path, language="en-US")
        expect(page.locator(".map-credit")).to_contain_text("City surveyors, GS(2025)0000")
        page.wait_for_selector("city-map[data-ready=yes], [data-part=map][data-idle=yes]")
        assert any(asked.startswith("/images/") for asked, _ in service.asked), path


def test_points_and_outlines_are_moved_onto_images_in_gcj02_and_onto_no_others(
    opened: Any, images: str, styled: str
) -> None:
    middle = "document.querySelector('city-map').canvas.getCenter().toArray()"
    for site, at in ((images, from_wgs84(*AT, "gcj02")), (styled, AT)):
        page = opened(f"{site}/mini/map")
        page.wait_for_selector("city-map[data-ready=yes]")
        assert page.evaluate(middle) == pytest.approx(at, abs=2e-4)


def test_pages_may_ask_just_this_service(opened: Any, styled: str, service: Service) -> None:
    other = Service()
    try:
        page = opened(f"{styled}/mini/map")
        page.wait_for_selector("city-map[data-ready=yes]")
        ask = "(url) => fetch(url).then((answer) => answer.status, () => 'refused')"
        assert page.evaluate(ask, f"{service.base}/style.json") == 200
        assert page.evaluate(ask, f"{other.base}/style.json") == "refused"
        assert other.asked == []
    finally:
        other.close()


@pytest.mark.parametrize("kind", ["styled", "images"])
@pytest.mark.parametrize("language", list(SAID))
def test_a_service_that_gives_nothing_is_said_and_regions_are_drawn_all_the_same(
    kind: str, language: str, opened: Any, service: Service, request: pytest.FixtureRequest
) -> None:
    service.works = False
    page = opened(f"{request.getfixturevalue(kind)}/mini/map", language=language, size="phone")
    expect(page.get_by_text(SAID[language])).to_be_visible()
    page.wait_for_function(
        "document.querySelector('city-map').canvas.queryRenderedFeatures({layers: ['regions']}).length > 0"
    )
    if kind == "images":  # it comes back: the notice goes with the next tile
        service.works = True
        page.evaluate("document.querySelector('city-map').canvas.setZoom(15)")
        expect(page.get_by_text(SAID[language])).to_be_hidden()
