"""`yiwang plan site` from files to figures, and what it says of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from yiwang.cli.main import main

PLACES = """id,lon,lat,weight,candidate,fixed,capacity
a,120.30,31.50,100,1,,150
b,120.31,31.50,50,1,1,150
c,120.35,31.52,80,1,,150
d,120.40,31.55,40,,,
e,120.32,31.49,60,1,,150
"""
ROADS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": line}}
        for line in (
            [[120.28, 31.50], [120.36, 31.50]],
            [[120.35, 31.48], [120.35, 31.56], [120.41, 31.56]],
            [[120.32, 31.49], [120.32, 31.51]],
        )
    ],
}  # fmt: skip


@pytest.fixture
def places(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PLACES, encoding="utf-8")
    return path


def plan(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["plan", "site", *map(str, arguments)])


@pytest.mark.parametrize(
    ("options", "sites", "objective"),
    [
        (("--model", "pmedian", "--p", "2"), ["b", "c"], 414291.522),
        (("--model", "pcenter", "--p", "2"), ["b", "c"], 5795.095516),
        (("--model", "mclp", "--p", "2", "--radius", "2000"), ["b", "c"], 290),
        (("--model", "capacitated", "--p", "3"), ["a", "b", "c"], 319482.1306),
        (("--model", "capacitated", "--p", "2", "--radius", "3000"), ["b", "c"], 230),
    ],
)
def test_a_plan_keeps_what_exists_and_is_proven(
    places: Path, options: tuple[str, ...], sites: list[str], objective: float
) -> None:
    told = json.loads(plan(places, *options, "--json").stdout)
    assert told["sites"] == sites
    assert told["objective"] == pytest.approx(objective)
    assert told["bound"] == pytest.approx(objective)
    assert (told["gap"], told["proven"]) == (0, True)
    assert told["peak_mb"] > 1


def test_ways_go_along_roads_and_pairs_can_be_forbidden(places: Path, tmp_path: Path) -> None:
    roads, forbid, drawn = tmp_path / "roads.geojson", tmp_path / "forbid.csv", tmp_path / "plan.geojson"
    roads.write_text(json.dumps(ROADS), encoding="utf-8")
    straight = json.loads(plan(places, "--model", "pmedian", "--p", "2", "--json").stdout)
    along = json.loads(
        plan(places, "--model", "pmedian", "--p", "2", "--roads", roads, "--geojson", drawn, "--json").stdout
    )
    assert along["objective"] > straight["objective"]
    features = json.loads(drawn.read_text(encoding="utf-8"))["features"]
    assert {one["properties"]["id"]: one["properties"]["exists"] for one in features} == {"a": False, "b": True}
    assert sum(one["properties"]["demand"] for one in features) == 330
    forbid.write_text("id,candidate\nd,c\nd,a\n", encoding="utf-8")
    barred = json.loads(plan(places, "--model", "pmedian", "--p", "2", "--forbid", forbid, "--json").stdout)
    assert barred["objective"] > straight["objective"]


def test_every_fault_of_a_file_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,lon,lat,weight,fixed\na,200,31,1,\na,120,31,-3,maybe\n", encoding="utf-8")
    found = plan(path, "--model", "pmedian", "--p", "1")
    assert found.exit_code == 1
    for words in (
        "people.csv:2 [lon]",
        "people.csv:3 [id]: 'a' stands in row 2 already",
        "people.csv:3 [weight]",
        "people.csv:3 [fixed]: 'maybe' is neither yes nor no",
    ):
        assert words in found.stderr
    path.write_text("id,lon,lat\n", encoding="utf-8")
    assert "The column weight is missing" in plan(path, "--model", "pmedian", "--p", "1").stderr
    graph = tmp_path / "graph.txt"
    graph.write_text("3 2 1\n1 2 5\n", encoding="utf-8")
    assert "There are 6 numbers in all; 9 were expected" in plan(graph, "--model", "pmedian").stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "mclp", "--p", "2"), "mclp needs --radius"),
        (("--model", "pmedian", "--p", "2", "--radius", "5"), "pmedian has no radius"),
        (("--model", "pmedian"), "A csv needs --p"),
    ],
)
def test_options_that_do_not_go_together_are_misuse(places: Path, options: tuple[str, ...], words: str) -> None:
    found = plan(places, *options)
    assert found.exit_code == 2
    assert words in found.stderr


def test_too_little_room_is_said(places: Path) -> None:
    found = plan(places, "--model", "capacitated", "--p", "2")
    assert found.exit_code == 1
    assert "the demand is 330, and the 2 largest sites have room for 300" in found.stderr
