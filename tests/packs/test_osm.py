"""From an extract of OpenStreetMap to the layers of a base map."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import shapely
from tests.osm_files import write_extract

from yiwang.core.kernel.errors import BadInput
from yiwang.packs.basemap import read_basemap, read_layers
from yiwang.packs.files import PackFiles
from yiwang.packs.osm import Extract, read_extract, write_folder

CITY = shapely.box(120.0, 31.0, 120.02, 31.02)


def said(extract: Extract, layer: str) -> list[dict[str, Any]]:
    return [one["properties"] for one in extract.layers[layer]]


def test_tags_become_kinds_ranks_and_names(tmp_path: Path) -> None:
    found = read_extract(write_extract(tmp_path / "toy.osm.pbf"), CITY)
    assert set(found.layers) == {"water", "waterways", "roads", "railways", "green", "places"}
    assert said(found, "water") == [{"kind": "lake", "rank": 3, "name": "东湖", "name_en": "East Lake"}]
    assert {"kind": "trunk", "rank": 2, "name": "长街"} in said(found, "roads")
    assert {"kind": "minor", "rank": 6} in said(found, "roads")
    assert len(said(found, "roads")) == 3  # no footpaths
    assert said(found, "railways") == [{"kind": "rail", "rank": 3}]  # of a yard
    assert said(found, "waterways") == [{"kind": "canal", "rank": 2, "name": "运河"}]
    assert said(found, "green") == [{"kind": "wood", "rank": 4, "name": "Wood"}]
    assert {"kind": "town", "rank": 2, "name": "老城", "name_en": "Old Town"} in said(found, "places")
    assert {one["name"] for one in said(found, "places")} == {"老城", "小学"}


def test_a_lake_keeps_its_island(tmp_path: Path) -> None:
    found = read_extract(write_extract(tmp_path / "toy.osm.pbf"), CITY)
    pond = shapely.geometry.shape(found.layers["water"][0]["geometry"])
    assert pond.geom_type == "Polygon"
    assert len(pond.interiors) == 1


def test_a_way_that_lacks_a_node_is_drawn_in_pieces(tmp_path: Path) -> None:
    found = read_extract(write_extract(tmp_path / "toy.osm.pbf"), CITY)
    road = next(one for one in found.layers["roads"] if one["properties"].get("name") == "断路")
    assert sorted(road["geometry"]["coordinates"]) == [
        [[120.004, 31.014], [120.005, 31.014]],
        [[120.007, 31.014], [120.008, 31.014]],
    ]


def test_what_leaves_the_city_is_cut_at_the_margin(tmp_path: Path) -> None:
    path = write_extract(tmp_path / "toy.osm.pbf")
    for metres, west in ((0.0, 120.0), (2000.0, 120.0 - 2000 / 111_195 / 0.857)):
        found = read_extract(path, CITY, margin=metres)
        street = next(one for one in found.layers["roads"] if one["properties"]["kind"] == "trunk")
        assert shapely.geometry.shape(street["geometry"]).bounds[0] == pytest.approx(west, abs=1e-4)


def test_the_day_is_the_extract_s_or_that_of_its_newest_object(tmp_path: Path) -> None:
    assert read_extract(write_extract(tmp_path / "toy.osm.pbf"), CITY).day == "2026-11-01"
    assert read_extract(write_extract(tmp_path / "toy.osm.pbf", stamp=""), CITY).day == "2026-10-03"


def test_the_same_file_gives_the_same_bytes_and_reads_as_a_pack_s_map(tmp_path: Path) -> None:
    path = write_extract(tmp_path / "toy.osm.pbf")
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name / "basemap"
        folder.mkdir(parents=True)
        write_folder(folder, read_extract(path, CITY))
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]
    files = PackFiles(tmp_path / "one")
    basemap = read_basemap(files)
    assert basemap is not None
    assert len(read_layers(files, basemap)) == 6
    assert files.problems == []
    assert str(basemap.credits[0].text) == "© OpenStreetMap contributors (ODbL, 2026-11-01)"


@pytest.mark.parametrize("content", [b"", b"no map at all", b"\x00\x00\x00\x0d\x0a\x09OSMHeader"])
def test_a_file_that_is_none_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.osm.pbf").write_bytes(content)
    with pytest.raises(BadInput, match=r"bad\.osm\.pbf' (cannot be read to its end|has nothing)|Nothing in") as found:
        read_extract(tmp_path / "bad.osm.pbf", CITY)
    assert "bad.osm.pbf" in found.value.problems[0].message.zh


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = write_extract(tmp_path / "toy.osm.pbf")
    whole = path.read_bytes()
    for kept in range(1, len(whole) - 1, max(1, len(whole) // 25)):
        path.write_bytes(whole[:kept])
        with pytest.raises(BadInput):
            read_extract(path, CITY)


def test_an_extract_of_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Nothing in .* lies in this city"):
        read_extract(write_extract(tmp_path / "toy.osm.pbf"), shapely.box(10, 10, 10.1, 10.1))


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_extract(tmp_path / "toy.osm.pbf")
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(BadInput, match=r'pip install "yiwang\[basemap\]"'):
        read_extract(path, CITY)
