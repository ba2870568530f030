"""`basemap/`: none without the folder, and every fault named with its file and feature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.basemaps import LAYERS, MINI, POND, TOML, feature, mini_with_basemap, write_layer

from yiwang.core.kernel.errors import BadInput
from yiwang.packs import read_pack
from yiwang.packs.basemap import MOST_FAULTS, read_basemap, read_layers
from yiwang.packs.check import check_pack
from yiwang.packs.files import PackFiles

PACKS = Path(__file__).resolve().parents[2] / "packs"


def faults_of(pack: Path) -> list[str]:
    """What a check says of the base map."""
    return [str(problem) for problem in check_pack(pack, with_examples=False).problems]


def test_a_pack_without_the_folder_has_none() -> None:
    assert read_pack(MINI).basemap is None


def test_what_is_read(tmp_path: Path) -> None:
    pack = read_pack(mini_with_basemap(tmp_path))
    assert pack.basemap is not None
    assert pack.basemap.max_zoom == 13
    assert pack.basemap.note.into("en") == "The base map is an overview"
    assert [credit.text.into("en") for credit in pack.basemap.credits] == ["© OpenStreetMap contributors (ODbL)"]
    layers = read_layers(PackFiles(pack.root), pack.basemap)
    assert {name: len(layer.shapes) for name, layer in layers.items()} == {"water": 1, "roads": 2, "places": 2}
    assert layers["roads"].properties[1] == {"kind": "minor", "rank": 6}


def test_the_digest_follows_the_layers(tmp_path: Path) -> None:
    pack = mini_with_basemap(tmp_path)
    first = read_pack(pack).basemap
    write_layer(pack, "places", LAYERS["places"][:1])
    second = read_pack(pack).basemap
    assert first is not None
    assert second is not None
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("max_zoom = 13", "max_zoom = 3"), "3 is no zoom"),
        (("max_zoom = 13", "max_zoom = 12.5"), "12.5 is no zoom"),
        (("max_zoom = 13", 'max_zoom = "13"'), "no number"),
        (("max_zoom = 13", ""), "key is missing"),
        (("max_zoom = 13", 'max_zoom = 13\ncrs = "gcj-02"'), "no coordinate system"),
        (('note_en = "The base map is an overview"', ""), "missing or empty"),
        (("[[credit]]", "[[credits]]"), "Nobody is credited"),
        (("https://www", "http://www"), "no address"),
        (('text_en = "© OpenStreetMap contributors (ODbL)"', ""), "missing or empty"),
    ],
)
def test_faults_of_the_toml_are_named(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    pack = mini_with_basemap(tmp_path, toml=TOML.replace(*change))
    with pytest.raises(BadInput, match=fault) as caught:
        read_pack(pack)
    assert {problem.file for problem in caught.value.problems} == {"basemap/basemap.toml"}


def test_layers_without_the_toml_are_a_fault(tmp_path: Path) -> None:
    pack = mini_with_basemap(tmp_path)
    (pack / "basemap" / "basemap.toml").unlink()
    assert faults_of(pack) == ["basemap/basemap.toml: The file is missing. Every pack needs it."]


def test_files_that_are_no_layer_are_named_and_licences_are_not(tmp_path: Path) -> None:
    pack = mini_with_basemap(tmp_path)
    (pack / "basemap" / "LICENCE.md").write_text("ODbL", encoding="utf-8")
    assert faults_of(pack) == []
    (pack / "basemap" / "road.geojson.gz").write_bytes(b"")
    (pack / "basemap" / "roads.geojson").write_text("{}", encoding="utf-8")
    said = " ".join(faults_of(pack))
    assert "Did you mean 'roads.geojson.gz'?" in said
    assert "two files of the layer 'roads'" in said


@pytest.mark.parametrize(
    ("layer", "broken", "fault"),
    [
        ("roads", 7, "Feature 2 is no GeoJSON feature"),
        ("roads", {"type": "Feature", "geometry": None, "properties": {}}, "Feature 2 has the geometry 'None'"),
        ("roads", feature("Point", [120, 31]), "Feature 2 has the geometry 'Point'"),
        ("roads", feature("LineString", [["a", "b"], [1, 2]]), "coordinates of feature 2 cannot be read"),
        ("roads", feature("LineString", []), "coordinates of feature 2 cannot be read"),
        ("roads", feature("LineString", [[31, 120], [31.1, 120.1]]), "Feature 2 is not on the map"),
        ("roads", feature("LineString", [[120, 31], [120, 31.1]], rank="first"), "Feature 2 has 'first' for its rank"),
        ("roads", feature("LineString", [[120, 31], [120, 31.1]], rank=True), "Feature 2 has 'True' for its rank"),
        ("roads", feature("LineString", [[120, 31], [120, 31.1]], kind="A Road"), "'A Road' for its kind"),
        ("roads", feature("LineString", [[120, 31], [120, 31.1]], name=["x"]), "for its name"),
        ("water", feature("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]), "geometry of feature 2 is not valid"),
    ],
)
def test_faults_of_a_layer_name_file_and_feature(tmp_path: Path, layer: str, broken: Any, fault: str) -> None:
    pack = mini_with_basemap(tmp_path)
    write_layer(pack, layer, [LAYERS[layer][0], broken])
    (said,) = faults_of(pack)
    assert said.startswith(f"basemap/{layer}.geojson.gz: ")
    assert fault in said


def test_a_file_that_is_wrong_throughout_says_so_shortly(tmp_path: Path) -> None:
    pack = mini_with_basemap(tmp_path)
    write_layer(pack, "water", [feature("Point", [1, 2])] * 500)
    said = faults_of(pack)
    assert len(said) == MOST_FAULTS + 1
    assert said[-1].endswith(f"And {500 - MOST_FAULTS} more faults.")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(-400, 400) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "geometry", "coordinates", "properties", "rank", "name", "kind"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(given=st.lists(JSON, max_size=4), coordinates=JSON)
def test_whatever_is_in_a_layer_nothing_is_raised(tmp_path: Path, given: list[Any], coordinates: Any) -> None:
    pack = tmp_path / "mini"
    if not pack.exists():
        mini_with_basemap(tmp_path)
    basemap = read_basemap(PackFiles(pack))
    write_layer(pack, "water", [*given, feature("Polygon", coordinates), feature("Polygon", POND)])
    files = PackFiles(pack)
    assert basemap is not None
    layers = read_layers(files, basemap)
    assert len(layers["water"].shapes) >= 1
    assert {problem.file for problem in files.problems} <= {"basemap/water.geojson.gz"}


@pytest.mark.parametrize("city", ["wuxi", "boston"])
def test_the_shipped_base_maps_are_sound_and_credit_openstreetmap(city: str) -> None:
    pack = read_pack(PACKS / city)
    assert pack.basemap is not None
    files = PackFiles(pack.root)
    layers = read_layers(files, pack.basemap)
    assert files.problems == []
    assert set(layers) == {"water", "waterways", "roads", "railways", "green", "places"}
    assert any(
        "OpenStreetMap" in credit.text.into("en") and "ODbL" in credit.text.into("en")
        for credit in pack.basemap.credits
    )
    assert (pack.root / "basemap" / "LICENCE.md").is_file()
