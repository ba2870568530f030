"""`yiwang plan queue` and `yiwang plan screening`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from yiwang.core.planning.queues.screening import ScreeningRules

Run = Callable[..., Result]
VALUES = {
    "people_per_point": 2500, "people_per_table": 700, "people_per_sampler": 360, "samplers_per_table": 2,
    "registrars_per_table": 1, "people_per_sampler_hour": 60, "service_scv": 0.5, "no_show": 0.1, "walk_minutes": 15,
    "queue_minutes": 30, "queue_probability": 0.9, "pooling": 10,
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    arrivals, service = tmp_path / "arrivals.csv", tmp_path / "service.csv"
    arrivals.write_text("hour,class,arrivals\n0,car,40\n1,car,90\n0,truck,5\n")
    service.write_text("class,mean_seconds,scv\ncar,72,0.6\ntruck,240,0.8\n")
    return arrivals, service


def test_lanes_are_found_or_judged(run: Run, files: tuple[Path, Path]) -> None:
    arrivals, service = files
    call = ("plan", "queue", "--arrivals", arrivals, "--service", service, "--replications", "40", "--buffer", "20")
    found = run(*call, "--lanes", "auto", "--json")
    assert found.exit_code == 0, found.output
    plan = json.loads(found.stdout)
    assert plan["proven"] is True
    assert plan["objective"] == sum(one["lanes"] for one in plan["hours"])
    assert all(one["one_less"]["zh"] and one["one_less"]["en"] for one in plan["hours"])
    assert plan["whole"]["shared"]["wait_low"] <= plan["whole"]["shared"]["wait"]
    assert run(*call, "--lanes", "auto", "--json").stdout == found.stdout
    judged = json.loads(run(*call, "--lanes", "2", "--json").stdout)
    assert judged["bound"] is None
    assert [one["lanes"] for one in judged["hours"]] == [2, 2]
    table = run(*call, "--lanes", "2")
    assert table.stdout.startswith("group\thour\tlanes")


def test_wrong_calls_and_files_say_what_would_be_right(run: Run, files: tuple[Path, Path]) -> None:
    arrivals, service = files
    call = ("plan", "queue", "--arrivals", arrivals, "--service", service)
    assert run(*call, "--lanes", "few").exit_code == 2
    impossible = run(*call, "--lanes", "auto", "--most", "1", "--wait", "1", "--replications", "5")
    assert impossible.exit_code == 1
    assert "even with 1 servers" in impossible.stderr
    arrivals.write_text("hour,class,arrivals\n0,tram,40\n")
    unknown = run(*call, "--lanes", "2")
    assert unknown.exit_code == 1
    assert "Class 'tram' has no service time" in unknown.stderr
    arrivals.write_bytes("小时".encode("gbk"))
    assert run(*call, "--lanes", "2").exit_code == 1


def test_sites_are_planned_by_the_values_that_are_given(run: Run, tmp_path: Path) -> None:
    sites = tmp_path / "sites.csv"
    sites.write_text("id,people,opens,closes,walk_minutes\nA,1500,8,11,20\n")
    assert set(VALUES) == set(ScreeningRules.__slots__)
    given = [part for name, value in VALUES.items() for part in ("--set", f"{name}={value}")]
    call = ("plan", "screening", sites, "--replications", "20", "--lab-capacity", "1000", "--tube-cost", "30")
    found = run(*call, *given, "--json")
    assert found.exit_code == 0, found.output
    plan = json.loads(found.stdout)
    assert plan["bound"] <= plan["objective"]
    assert (
        plan["tubes"] == sum(plan["tubes_by_hour"].values()) == sum(one["tubes"] for one in plan["sites"][0]["hours"])
    )
    assert plan["cost"] == plan["tubes"] * 30
    assert plan["laboratory"][0]["last_result"] > plan["laboratory"][0]["last_in"] > 11
    assert "The walk takes 20" in found.stderr
    assert run(*call, *given).stdout.startswith("site\thour")
    lacking = run(*call, *given[:-2])
    assert lacking.exit_code == 2
    assert "pooling" in lacking.stderr
    assert run(*call, "--set", "pool=3").exit_code == 2
    assert run(*call, "--set", "pooling=many").exit_code == 2
