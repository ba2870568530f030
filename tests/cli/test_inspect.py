"""`yiwang inspect`, from the plan to the score."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]
SEED = "00112233445566778899aabbccddeeff"


def test_from_plan_to_score(run: Run, pack_folder: Path, tmp_path: Path) -> None:
    plan, visits, results = tmp_path / "plan.json", tmp_path / "visits.json", tmp_path / "results.csv"
    levels = ("--level", "community", "--strata", "street", "--total", "4")
    made = run("inspect", "plan", pack_folder, *levels, "--inspector", "a", "--inspector", "b", "--inspector", "c")
    assert made.exit_code == 0, made.output
    plan.write_text(made.stdout)
    published = run("inspect", "commit", plan, "--seed", SEED).stdout.strip()
    visits.write_text(run("inspect", "draw", plan, "--seed", SEED, "--json").stdout)
    check = ("inspect", "verify", plan, visits, "--seed", SEED, "--published")
    assert run(*check, published).exit_code == 0
    assert run(*check, "0" * 64).exit_code == 1

    drawn = json.loads(visits.read_text())
    rows = [f"{visit['place']},{80 + number}" for number, visit in enumerate(drawn)]
    results.write_text("\n".join(["place,score", *rows]))
    scored = json.loads(run("inspect", "score", plan, visits, results, "--json").stdout)
    assert scored[0]["stratum"] == "all"
    assert scored[0]["visits"] == len(drawn)
    assert scored[0]["low"] <= scored[0]["score"] <= scored[0]["high"]

    results.write_text("\n".join(["place,score", *rows[1:], "nowhere,5"]))
    refused = run("inspect", "score", plan, visits, results)
    assert refused.exit_code == 1
    assert f"{drawn[0]['place']} has no result" in refused.stderr
    assert "'nowhere' was not drawn" in refused.stderr


def test_wrong_calls_say_what_would_be_right(run: Run, pack_folder: Path, tmp_path: Path) -> None:
    wrong = run(
        "inspect", "plan", pack_folder, "--level", "galaxy", "--strata", "street", "--total", "4", "--inspector", "a"
    )
    assert wrong.exit_code == 2
    assert "community" in wrong.stderr
    broken = tmp_path / "plan.json"
    broken.write_text("[]")
    assert "Not a plan" in run("inspect", "commit", broken, "--seed", SEED).stderr
