"""`yiwang basemap build`: an operator's own layers under the maps of a city instead of those of its pack."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import mapbox_vector_tile
import pytest
from click.testing import CliRunner, Result
from django.conf import settings
from django.test import Client
from tests.basemaps import mini_with_basemap
from tests.osm_files import write_coast, write_extract

from yiwang.cli import main
from yiwang.server.basemap import archives, grounds
from yiwang.server.basemap.gazetteer import gazetteer
from yiwang.server.cities import queries
from yiwang.server.provision.operations import install_pack

pytestmark = pytest.mark.usefixtures("fresh_cities")
Build = Callable[..., Result]
OLD, NEW = "13/6826/3353", "14/13653/6706"


@pytest.fixture
def drawn(db: None, tmp_path: Path) -> Iterator[Path]:
    """The toy city, installed with a base map of its pack; the folder of the test."""

    def clear() -> None:
        for name in (archives.FOLDER, grounds.OWN):
            shutil.rmtree(Path(settings.YIWANG_HOME, name), ignore_errors=True)
        queries.forget()

    clear()
    install_pack(mini_with_basemap(tmp_path))
    yield tmp_path
    clear()


def build(file: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["basemap", "build", str(file), str(file.parent / "mini"), *more])


def names(client: Client, tile: str) -> set[str]:
    data = client.get(f"/mini/basemap/{tile}.mvt").content
    return {
        one["properties"].get("name", "")
        for layer in mapbox_vector_tile.decode(data).values()
        for one in layer["features"]
    }


def everything() -> dict[str, bytes]:
    root = Path(settings.YIWANG_HOME)
    files = [path for name in (archives.FOLDER, grounds.OWN) for path in (root / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_the_maps_show_it_with_its_source_and_day(drawn: Path, client: Client) -> None:
    before = client.get("/mini/basemap.json").json()
    result = build(write_extract(drawn / "toy.osm.pbf"))
    assert result.exit_code == 0, result.output
    assert "mini has a base map from OpenStreetMap of 2026-11-01" in result.output
    after = client.get("/mini/basemap.json", headers={"Accept-Language": "zh-hans"}).json()
    assert after["tiles"] != before["tiles"]
    assert (after["maxzoom"], after["overview"]["note"]) == (14, "")
    assert [one["text"] for one in after["credits"]] == ["© OpenStreetMap 贡献者（ODbL，2026-11-01）"]
    assert {"长街", "运河", "东湖"} <= names(client, NEW)
    assert after["tiles"][0].split("?v=")[1] in client.get("/mini/map").content.decode()


def test_its_names_are_found(drawn: Path) -> None:
    place = queries.runtime("mini")
    assert not gazetteer(place).find("运河")
    build(write_extract(drawn / "toy.osm.pbf"))
    assert [str(one.name) for one in gazetteer(place).find("运河")] == ["运河"]


def test_the_same_file_twice_changes_no_byte(drawn: Path) -> None:
    file = write_extract(drawn / "toy.osm.pbf")
    build(file)
    before = everything()
    assert build(file).exit_code == 0
    assert everything() == before


def test_a_truncated_file_leaves_the_map_that_was(drawn: Path, client: Client) -> None:
    file = write_extract(drawn / "toy.osm.pbf")
    build(file)
    before = everything()
    file.write_bytes(file.read_bytes()[:-40])
    result = build(file)
    assert result.exit_code == 1
    assert "cannot be read to its end" in result.output
    assert "The map in force stays" in result.output
    assert everything() == before
    assert "长街" in names(client, NEW)


def test_a_newer_file_replaces_it_and_the_next_but_one_removes_it(drawn: Path, client: Client) -> None:
    for street in ("一街", "二街", "三街"):
        assert build(write_extract(drawn / "toy.osm.pbf", street=street)).exit_code == 0
        assert street in names(client, NEW)
    kept = [path for path in Path(settings.YIWANG_HOME, grounds.OWN, "mini").iterdir() if path.is_dir()]
    assert len(kept) == 2


def test_removing_it_shows_the_pack_s_map_again(drawn: Path, client: Client) -> None:
    before = client.get("/mini/basemap.json").json()
    build(write_extract(drawn / "toy.osm.pbf"))
    assert CliRunner().invoke(main, ["basemap", "remove", str(drawn / "mini")]).exit_code == 0
    assert client.get("/mini/basemap.json").json() == before
    assert "长街" in names(client, OLD)


def test_an_upgrade_of_the_pack_leaves_it(drawn: Path, client: Client) -> None:
    build(write_extract(drawn / "toy.osm.pbf"))
    before = client.get("/mini/basemap.json").json()
    shutil.rmtree(drawn / "mini" / "basemap")
    install_pack(drawn / "mini")
    queries.forget()
    assert client.get("/mini/basemap.json").json() == before


def test_a_coast_with_a_gap_is_said_in_both_languages_and_the_rest_is_drawn(drawn: Path) -> None:
    done = build(write_coast(drawn / "coast.osm.pbf", gap=True))
    assert done.exit_code == 0, done.output
    assert "海岸线" in done.output
    assert "no sea is drawn" in done.output
    again = json.loads(build(drawn / "coast.osm.pbf", "--json").stdout)
    assert [set(one) for one in again["warnings"]] == [{"zh", "en"}]
    assert "water" not in again["features"]


def test_the_sea_is_in_the_tiles(drawn: Path, client: Client) -> None:
    done = build(write_coast(drawn / "coast.osm.pbf"), "--json")
    assert json.loads(done.stdout)["warnings"] == []
    layers = mapbox_vector_tile.decode(client.get(f"/mini/basemap/{NEW}.mvt").content)
    assert [one["properties"]["kind"] for one in layers["water"]["features"]] == ["sea"]
