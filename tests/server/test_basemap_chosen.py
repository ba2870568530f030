"""Maps of others that an operator names in a file: read strictly, drawn where they say, their key in no message and no log."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from tests.basemaps import mini_with_basemap

from yiwang.core.space.crs import from_wgs84, to_wgs84
from yiwang.core.space.tiles import tile_box, tiles_below
from yiwang.server.basemap.chosen import ChosenMap, chosen_for, read_maps
from yiwang.server.cities import queries
from yiwang.server.common import environment
from yiwang.server.common.middleware import policy
from yiwang.server.provision.operations import install_pack

KEY = "s3cret-key"
CREDIT = '\n[[map.credit]]\ntext = "天地图"\ntext_en = "Tianditu"\nurl = "https://www.tianditu.gov.cn/"\n'
WMTS = (
    "https://t0.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILECOL={x}&TILEROW={y}&tk={key}"
)
IMAGES = f'[[map]]\ntiles = ["{WMTS}"]\nkey = "{KEY}"\ncrs = "cgcs2000"\n{CREDIT}'
Maps = Callable[[str], tuple[ChosenMap, ...]]


@pytest.fixture
def maps(tmp_path: Path) -> Maps:
    def read(text: str) -> tuple[ChosenMap, ...]:
        (tmp_path / "maps.toml").write_text(text, encoding="utf-8")
        return read_maps("YIWANG_BASEMAPS", str(tmp_path / "maps.toml"))

    return read


@pytest.fixture
def city(db: None, fresh_cities: None, tmp_path: Path) -> Iterator[Path]:
    """The toy city, whose pack has a base map."""
    queries.forget()
    pack = mini_with_basemap(tmp_path)
    install_pack(pack)
    yield pack
    queries.forget()


def archive(path: Path, *, kind: TileType, layers: list[str], data: bytes) -> None:
    """An archive of one tile, that of zoom 0."""
    with path.open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(0, 0, 0), data)
        header = {
            "tile_type": kind, "min_lon_e7": 0, "min_lat_e7": 0, "max_lon_e7": 1, "max_lat_e7": 1, "center_zoom": 0,
            "center_lon_e7": 0, "center_lat_e7": 0,
            "tile_compression": Compression.GZIP if kind == TileType.MVT else Compression.NONE,
        }  # fmt: skip
        writer.finalize(header, {"vector_layers": [{"id": name, "fields": {}} for name in layers]})


def test_images_of_a_service_are_described_with_the_key_and_credited(maps: Maps, city: Path, client: Client) -> None:
    with override_settings(YIWANG_BASEMAPS=maps(IMAGES)):
        found = client.get("/mini/basemap.json", headers={"Accept-Language": "en"}).json()
        page = client.get("/mini/map").content.decode()
    assert found["kind"] == "raster"
    assert found["layers"] == [WMTS.replace("{key}", KEY)]
    assert found["credits"] == [{"text": "Tianditu", "url": "https://www.tianditu.gov.cn/"}]
    assert "yiwang-basemap" in page
    assert "yiwang-map-crs" not in page  # CGCS2000 is WGS 84 within centimetres
    assert KEY not in page


def test_a_map_in_gcj_02_tells_the_pages_to_shift(maps: Maps, city: Path, client: Client) -> None:
    with override_settings(YIWANG_BASEMAPS=maps(IMAGES.replace("cgcs2000", "gcj02"))):
        assert '<meta name="yiwang-map-crs" content="gcj02">' in client.get("/mini/map").content.decode()


def test_a_map_that_names_a_city_goes_before_one_for_all(maps: Maps) -> None:
    found = maps(IMAGES + IMAGES.replace("[[map]]", '[[map]]\ncities = ["mini"]').replace("cgcs2000", "gcj02"))
    assert [getattr(chosen_for(city, found), "crs", "") for city in ("mini", "other")] == ["gcj02", "cgcs2000"]
    assert chosen_for("mini", ()) is None


def test_pages_may_ask_just_the_hosts_that_are_named(maps: Maps) -> None:
    assert maps(IMAGES)[0].hosts == ("https://t0.tianditu.gov.cn",)
    header = policy(maps(IMAGES)[0].hosts)
    assert "img-src 'self' data: blob: https://t0.tianditu.gov.cn;" in header
    assert "connect-src 'self' https://t0.tianditu.gov.cn;" in header
    assert "script-src 'self';" in header
    assert policy(()).count("http") == 0


STYLE: dict[str, Any] = {
    "version": 8,
    "sprite": "https://sprites.example/city",
    "sources": {"own": {"type": "vector", "url": "pmtiles://own"}, "far": {"type": "raster", "tiles": ["https://far.example/{key}"]}},
    "layers": [{"id": "a", "type": "line", "source": "own", "source-layer": "earth"}],
}  # fmt: skip


def test_a_style_file_is_served_with_the_key_and_its_hosts_are_allowed(
    maps: Maps, city: Path, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "style.json").write_text(json.dumps(STYLE), encoding="utf-8")
    found = maps(f'[[map]]\nstyle = "style.json"\nkey = "{KEY}"\ncrs = "wgs84"\n{CREDIT}')
    assert set(found[0].hosts) == {"https://sprites.example", "https://far.example"}
    with override_settings(YIWANG_BASEMAPS=found):
        said = client.get("/mini/basemap.json").json()
        assert said["kind"] == "style"
        assert client.get(said["style"]).json()["sources"]["far"]["tiles"] == [f"https://far.example/{KEY}"]
    assert client.get("/mini/basemap/style.json").status_code == 404


def test_an_archive_is_served_tile_by_tile(maps: Maps, city: Path, client: Client, tmp_path: Path) -> None:
    archive(tmp_path / "own.pmtiles", kind=TileType.MVT, layers=["roads"], data=gzip.compress(b"tile"))
    found = maps(f'[[map]]\npmtiles = "own.pmtiles"\ncrs = "wgs84"\n{CREDIT}')
    with override_settings(YIWANG_BASEMAPS=found):
        said = client.get("/mini/basemap.json").json()
        assert (said["kind"], said["minzoom"], said["maxzoom"]) == ("vector", 0, 0)
        answer = client.get(said["tiles"][0].format(z=0, x=0, y=0))
        assert (answer.content, answer["Content-Type"]) == (b"tile", "application/vnd.mapbox-vector-tile")
        assert "immutable" in answer["Cache-Control"]
        assert client.get("/mini/basemap/3/1/1.mvt").content == b""
        assert client.get("/mini/basemap/3/9/1.mvt").status_code == 404


def test_an_archive_of_images_is_drawn_as_images(maps: Maps, city: Path, client: Client, tmp_path: Path) -> None:
    archive(tmp_path / "own.pmtiles", kind=TileType.PNG, layers=[], data=b"\x89PNG")
    with override_settings(YIWANG_BASEMAPS=maps(f'[[map]]\npmtiles = "own.pmtiles"\ncrs = "gcj02"\n{CREDIT}')):
        said = client.get("/mini/basemap.json").json()
        answer = client.get(said["layers"][0].format(z=0, x=0, y=0))
    assert said["kind"] == "raster"
    assert (answer.content, answer["Content-Type"]) == (b"\x89PNG", "image/png")


def test_an_archive_with_other_layers_needs_a_style(maps: Maps, tmp_path: Path) -> None:
    archive(tmp_path / "own.pmtiles", kind=TileType.MVT, layers=["earth"], data=gzip.compress(b"tile"))
    text = f'[[map]]\npmtiles = "own.pmtiles"\ncrs = "wgs84"\n{CREDIT}'
    with pytest.raises(ImproperlyConfigured, match="Name a style that says how they are drawn"):
        maps(text)
    (tmp_path / "style.json").write_text(json.dumps({**STYLE, "sources": {}}), encoding="utf-8")
    assert maps(text.replace("crs", 'style = "style.json"\ncrs'))[0].pmtiles is not None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("cgcs2000", "bd09", "'bd09' is no coordinate system"),
        ('crs = "cgcs2000"', "", "crs"),
        ("{z}", "{zoom}", "lacks {z}, {x} or {y}"),
        ("{key}", "none", "No address has {key} in it"),
        (f'key = "{KEY}"', "", "there is no key"),
        (f'key = "{KEY}"', "key = 5", "A text is expected"),
        (CREDIT, "", "Nobody is credited"),
        ("https://t0", "ftp://t0", "is no address"),
        ("tiles =", 'pmtiles = "x.pmtiles"\ntiles =', "Name one of tiles, style or pmtiles"),
        ("crs =", 'hosts = ["*.example"]\ncrs =', "'*.example' is no host"),
        ("crs =", "max_zoom = 40\ncrs =", "A whole number from 1 to 22"),
        ("[[map]]", "[[map]]\ncolour = 1", "colour"),
        (IMAGES, IMAGES + IMAGES, "has two maps"),
        ("[[map]]", "[[map", "toml"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_both_languages_without_the_key(
    maps: Maps, before: str, after: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ImproperlyConfigured) as found:
        maps(IMAGES.replace(before, after))
    assert said in str(found.value)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in str(found.value))
    assert KEY not in str(found.value)
    assert KEY not in caplog.text


def test_who_prints_the_settings_does_not_see_the_key(maps: Maps) -> None:
    assert KEY not in repr(maps(IMAGES))


def test_the_setting_before_it_is_refused_and_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWANG_TILES_URL", "https://tiles.example/{z}/{x}/{y}.png")
    with pytest.raises(ImproperlyConfigured, match="Name the service in a file, and the file in YIWANG_BASEMAPS"):
        environment.basemaps()


def test_a_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YIWANG_BASEMAPS", str(tmp_path / "none.toml"))
    with pytest.raises(ImproperlyConfigured, match="There is no such file"):
        environment.basemaps()


@pytest.mark.parametrize("zoom", [3, 8, 11, 12, 14, 18])
def test_of_a_tile_in_gcj_02_no_point_is_missed(zoom: int) -> None:
    places = np.random.default_rng(7).uniform((75, 19), (134, 53), (40, 2))
    for lon, lat in places.tolist():
        column = int((lon / 360 + 0.5) * 2**zoom)
        row = int((0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)) * 2**zoom)
        west, south, east, north = tile_box(zoom=zoom, column=column, row=row)
        around = [tile_box(**one) for one in tiles_below("gcj02", zoom=zoom, column=column, row=row)]
        inside = np.random.default_rng(8).uniform((west, south), (east, north), (200, 2))
        true_lon, true_lat = to_wgs84(inside[:, 0], inside[:, 1], "gcj02")
        covered = np.zeros(len(inside), dtype=bool)
        for left, bottom, right, top in around:
            covered |= (true_lon >= left) & (true_lon <= right) & (true_lat >= bottom) & (true_lat <= top)
        assert covered.all()
        assert len(around) <= 9


def test_the_shift_of_the_toy_city_is_what_the_core_says() -> None:
    lon, lat = from_wgs84(120.01, 31.01, "gcj02")
    assert (lon - 120.01, lat - 31.01) == pytest.approx((0.0043, -0.0022), abs=5e-4)
