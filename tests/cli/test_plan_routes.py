"""`yiwang plan routes`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
CSV = """id,lon,lat,demand,service_minutes,open,close,depot
lab,120.30,31.57,0,0,,,1
a,120.32,31.58,4,5,08:30,10:00,
b,120.28,31.55,4,5,08:00,09:30,
"""
ALIKE = ("--vehicles", "2", "--capacity", "8", "--shift", "08:00-12:00", "--iterations", "50")


@pytest.fixture
def stops(tmp_path: Path) -> Path:
    path = tmp_path / "stops.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_a_plan_with_its_bound(run: Run, stops: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "routes.geojson"
    first = run("plan", "routes", stops, *ALIKE, "--geojson", drawn, "--json")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert 0 < told["bound"] <= told["cost"]
    assert told["gap"] >= 0
    assert sorted(stop for route in told["routes"] for stop in route["stops"]) == ["a", "b"]
    assert told["vehicles"] == len(told["routes"])
    assert json.loads(drawn.read_text(encoding="utf-8"))["type"] == "FeatureCollection"
    again = json.loads(run("plan", "routes", stops, *ALIKE, "--json").stdout)
    assert again | {"seconds": 0} == told | {"seconds": 0}
    table = run("plan", "routes", stops, *ALIKE)
    assert "route\tvehicle\tleaves" in table.stdout
    assert "no plan costs less than" in table.stderr
    timed = run("plan", "routes", stops, *ALIKE, "--seconds", "1")
    assert timed.exit_code == 0
    assert "depends on how fast" in timed.stderr


def test_the_best_known_cost_beside_the_file_is_compared(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "t.vrp"
    head = "TYPE : CVRP\nDIMENSION : 2\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 5\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n"
    path.write_text(head + "DEMAND_SECTION\n1 0\n2 5\nEOF\n", encoding="utf-8")
    path.with_suffix(".sol").write_text("Route #1: 1\nCost 10\n", encoding="utf-8")
    told = json.loads(run("plan", "routes", path, "--iterations", "10", "--json").stdout)
    assert (told["cost"], told["best_known"], told["proven"]) == (10, 10, True)


def test_wrong_calls_and_files_say_what_would_be_right(run: Run, stops: Path, tmp_path: Path) -> None:
    assert run("plan", "routes", stops).exit_code == 2
    assert "--vehicles, --capacity, --shift" in run("plan", "routes", stops).stderr
    assert run("plan", "routes", stops, *ALIKE[:4], "--shift", "8-9").exit_code == 2
    assert run("plan", "routes", stops, *ALIKE, "--fleet", stops).exit_code == 2
    nameless = tmp_path / "stops"
    nameless.write_text(CSV, encoding="utf-8")
    assert "one of vrplib, solomon, csv" in run("plan", "routes", nameless).stderr
    assert run("plan", "routes", nameless, "--format", "vrplib", "--vehicles", "2").exit_code == 2
    stops.write_text(CSV.replace("08:30", "half past eight"), encoding="utf-8")
    refused = run("plan", "routes", stops, *ALIKE)
    assert refused.exit_code == 1
    assert "stops.csv:3 [open]: 'half past eight' is no time of day. It must be HH:MM" in refused.stderr
    stops.write_bytes(CSV.replace("a,", "甲,").encode("gbk"))
    assert "UTF-8" in run("plan", "routes", stops, *ALIKE).stderr
    stops.write_text(CSV.replace("a,120.32,31.58,4", "a,120.32,31.58,40"), encoding="utf-8")
    assert "'a' cannot be served: its demand of 40" in run("plan", "routes", stops, *ALIKE).stderr
