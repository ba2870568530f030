"""The base map as vector tiles: what is on them, who gets them, and that they are made once, whole and small."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from django.conf import settings
from django.test import Client
from tests.basemaps import LAYERS, feature, mini_with_basemap, write_layer

from yiwang.core.kernel.errors import BadInput
from yiwang.core.space.crs import from_wgs84
from yiwang.packs import read_pack
from yiwang.packs.basemap import Layer, read_layers
from yiwang.packs.files import PackFiles
from yiwang.server.basemap import archives, tiling
from yiwang.server.cities import queries
from yiwang.server.cities.models import PackVersion
from yiwang.server.provision.operations import install_pack

PACKS = Path(__file__).resolve().parents[2] / "packs"
MOST_BYTES = 500_000
NEAREST = (13, 6826, 3353)  # the tile of zoom 13 that the toy city's lake lies in

pytestmark = pytest.mark.usefixtures("fresh_cities")
Tiles = dict[tuple[int, int, int], dict[str, Any]]


def layers_of(pack: Path) -> dict[str, Layer]:
    basemap = read_pack(pack).basemap
    assert basemap is not None
    return read_layers(PackFiles(pack), basemap)


def decoded(layers: dict[str, Layer], *, crs: str = "wgs84", max_zoom: int = 13) -> Tiles:
    """Every tile, decoded."""
    options = {"y_coord_down": True}
    return {
        tile: mapbox_vector_tile.decode(data, default_options=options)
        for tile, data in tiling.tiles(layers, crs=crs, max_zoom=max_zoom)
    }


def said(tile: dict[str, Any], layer: str) -> list[dict[str, Any]]:
    """Properties of a layer's features."""
    return [one["properties"] for one in tile.get(layer, {"features": []})["features"]]


def test_a_tile_has_the_layers_with_their_attributes(tmp_path: Path) -> None:
    tiles = decoded(layers_of(mini_with_basemap(tmp_path)))
    near = tiles[NEAREST]
    assert set(near) == {"water", "roads", "labels", "places"}
    assert said(near, "water") == [{"kind": "lake"}]
    assert {"name": "长街", "name_en": "Long Street", "kind": "trunk", "rank": 2} in said(near, "roads")
    assert said(near, "labels") == [{"name": "东湖", "name_en": "East Lake", "class": "water", "kind": "lake"}]
    assert [place["name"] for place in said(near, "places")] == ["老城"]  # schools are too many to be shown


def test_what_is_small_or_of_low_rank_waits_for_a_nearer_zoom(tmp_path: Path) -> None:
    tiles = decoded(layers_of(mini_with_basemap(tmp_path)))
    ranks = {
        zoom: {road["rank"] for at, tile in tiles.items() if at[0] == zoom for road in said(tile, "roads")}
        for zoom in range(6, 14)
    }
    assert ranks[6] == set()
    assert ranks[7] == ranks[12] == {2}
    assert ranks[13] == {2, 6}
    assert not any("labels" in tile for at, tile in tiles.items() if at[0] < 9)
    assert not any("name" in road for at, tile in tiles.items() if at[0] < 11 for road in said(tile, "roads"))


def test_a_point_is_in_one_tile_only_of_each_zoom(tmp_path: Path) -> None:
    layers = layers_of(mini_with_basemap(tmp_path))
    edge = 180 / 2**12  # the corner of four tiles of zoom 13, and of fewer farther out
    pack = mini_with_basemap(tmp_path / "edge", layers={"places": [feature("Point", [edge, 0.0], name="x", rank=1)]})
    for given, name in ((layers, "老城"), (layers_of(pack), "x")):
        tiles = decoded(given)
        for zoom in range(10, 14):
            found = [
                at
                for at, tile in tiles.items()
                if at[0] == zoom
                for place in said(tile, "places")
                if place["name"] == name
            ]
            assert len(found) == 1


def test_other_coordinate_systems_come_to_the_same_place(tmp_path: Path) -> None:
    lon, lat = (float(value) for value in from_wgs84(120.005, 31.015, crs="gcj02"))
    moved = mini_with_basemap(tmp_path, layers={"places": [feature("Point", [lon, lat], name="老城", rank=1)]})
    plain = mini_with_basemap(
        tmp_path / "plain", layers={"places": [feature("Point", [120.005, 31.015], name="老城", rank=1)]}
    )
    assert decoded(layers_of(moved), crs="gcj02") == decoded(layers_of(plain))


@pytest.mark.parametrize("city", ["wuxi", "boston"])
def test_shipped_tiles_are_small(city: str) -> None:
    pack = read_pack(PACKS / city)
    assert pack.basemap is not None
    layers = read_layers(PackFiles(pack.root), pack.basemap)
    tiles = dict(tiling.tiles(layers, crs=pack.basemap.crs, max_zoom=pack.basemap.max_zoom))
    assert max(map(len, tiles.values())) < MOST_BYTES
    assert {zoom for zoom, _, _ in tiles} == set(range(tiling.FIRST_ZOOM, tiling.last_zoom(pack.basemap.max_zoom) + 1))


@pytest.fixture
def drawn(db: None, tmp_path: Path) -> Iterator[Path]:
    """The toy city, installed with a base map: the pack's folder."""
    shutil.rmtree(Path(settings.YIWANG_HOME, archives.FOLDER), ignore_errors=True)
    queries.forget()
    pack = mini_with_basemap(tmp_path)
    install_pack(pack)
    yield pack
    queries.forget()


def kept() -> list[str]:
    return sorted(path.name for path in Path(settings.YIWANG_HOME, archives.FOLDER, "mini").glob("*.pmtiles*"))


def test_the_map_s_description_and_tiles_are_public_as_the_map_is(drawn: Path, client: Client) -> None:
    assert client.get("/mini/map/regions.json").status_code == 200
    found = client.get("/mini/basemap.json", headers={"Accept-Language": "en"}).json()
    assert found["overview"] == {"max_zoom": 13, "note": "The base map is an overview"}
    assert found["credits"][0]["text"] == "© OpenStreetMap contributors (ODbL)"
    assert found["bounds"] == pytest.approx([119.9, 31.0, 120.1, 31.013])
    zoom, column, row = NEAREST
    path = found["tiles"][0].format(z=zoom, x=column, y=row)
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert "roads" in mapbox_vector_tile.decode(answer.content)
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == answer.content


def test_a_tile_is_kept_for_a_year_under_its_version_and_asked_for_again_otherwise(drawn: Path, client: Client) -> None:
    path = client.get("/mini/basemap.json").json()["tiles"][0].format(z=13, x=NEAREST[1], y=NEAREST[2])
    answer = client.get(path)
    assert "immutable" in answer["Cache-Control"]
    assert client.get(path.split("?")[0])["Cache-Control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    assert client.get(path, headers={"If-None-Match": 'W/"another"'}).status_code == 200


def test_a_tile_with_nothing_on_it_is_empty_and_one_that_cannot_be_is_not_found(drawn: Path, client: Client) -> None:
    assert client.get("/mini/basemap/13/0/0.mvt").content == b""
    for path in ("14/0/0", "5/0/0", "6/64/0", "6/0/64"):
        assert client.get(f"/mini/basemap/{path}.mvt").status_code == 404


def test_pages_name_it_only_where_there_is_one(drawn: Path, client: Client) -> None:
    assert b'<meta name="yiwang-basemap" content="/mini/basemap.json?v=' in client.get("/mini/map").content
    queries.forget()
    shutil.rmtree(drawn / "basemap")
    install_pack(drawn)
    assert b"yiwang-basemap" not in client.get("/mini/map").content
    assert client.get("/mini/basemap.json").status_code == 404
    assert client.get("/mini/basemap/6/0/0.mvt").status_code == 404


def test_a_pack_whose_layers_have_faults_is_not_installed(drawn: Path) -> None:
    write_layer(drawn, "roads", [feature("Point", [1, 2])])
    with pytest.raises(BadInput, match="Feature 1 has the geometry 'Point'"):
        install_pack(drawn)
    assert PackVersion.objects.filter(city_id="mini").count() == 1
    assert len(kept()) == 1


def test_a_lost_archive_is_made_again_and_what_the_killed_left_goes(drawn: Path, client: Client) -> None:
    (name,) = kept()
    folder = Path(settings.YIWANG_HOME, archives.FOLDER, "mini")
    before = (folder / name).read_bytes()
    (folder / name).unlink()
    (folder / f"{name}.0123").write_bytes(before[:100])
    archives.forget()
    assert client.get("/mini/basemap.json").status_code == 200
    assert kept() == [name]
    assert (folder / name).read_bytes() == before


def test_an_upgrade_has_new_tiles_under_new_addresses(drawn: Path, client: Client) -> None:
    before = client.get("/mini/basemap.json").json()["tiles"]
    write_layer(drawn, "places", LAYERS["places"][:0])
    install_pack(drawn)
    queries.forget()
    found = client.get("/mini/basemap.json").json()
    assert found["tiles"] != before
    tile = client.get(found["tiles"][0].format(z=13, x=NEAREST[1], y=NEAREST[2])).content
    assert "places" not in mapbox_vector_tile.decode(tile)
    assert len(kept()) == 1


MAKE = """
import sys
import django; django.setup()
from yiwang.packs import read_pack
from yiwang.server.basemap import grounds
pack = read_pack(sys.argv[1])
ground = grounds.ground_of(pack)
assert ground is not None
print(len(ground.archive().tile(13, int(sys.argv[2]), int(sys.argv[3]))))
"""


def test_two_processes_that_make_it_at_once_leave_one_whole_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = mini_with_basemap(tmp_path)
    home = tmp_path / "home"
    monkeypatch.setenv("YIWANG_HOME", str(home))
    command = [sys.executable, "-c", MAKE, str(pack), *map(str, NEAREST[1:])]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    sizes = [process.communicate(timeout=120)[0].strip() for process in started]
    assert sizes[0] == sizes[1] != "0"
    assert len(list((home / archives.FOLDER / "mini").glob("*.pmtiles*"))) == 1


def test_who_is_killed_at_it_leaves_nothing_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = mini_with_basemap(tmp_path)
    home = tmp_path / "home"
    folder = home / archives.FOLDER / "mini"
    monkeypatch.setenv("YIWANG_HOME", str(home))
    slow = MAKE.replace("pack = read_pack", "import time, os; os.fsync = lambda _: time.sleep(600)\npack = read_pack")
    command = [sys.executable, "-c", slow, str(pack), *map(str, NEAREST[1:])]
    killed = subprocess.Popen(command)
    until = time.monotonic() + 60
    while not list(folder.glob("*.pmtiles.*")) and time.monotonic() < until:
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    assert list(folder.glob("*.pmtiles")) == []
    command[2] = MAKE
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() != "0"
    assert len(list(folder.glob("*.pmtiles*"))) == 1
