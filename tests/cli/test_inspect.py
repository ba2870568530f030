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


MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
RATE = ("inspect", "rate", MINI, "streets")


def answers(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["place,item,value,photos", *rows]) + "\n", encoding="utf-8")
    return path


def test_visits_are_scored_by_a_checklist(run: Run, tmp_path: Path) -> None:
    first = answers(
        tmp_path / "first.csv",
        "p1,dust,10,", "p1,litter,2,1", "p1,stalls,1,",
        "p2,dust,,", "p2,litter,0,", "p2,stalls,0,",
        "p3,,refused,",
    )  # fmt: skip
    second = answers(tmp_path / "second.csv", "p1,dust,4,", "p1,litter,3,1", "p1,stalls,1,")
    said = run(*RATE, first, "--second", second, "--on", "2026-06-01", "--json")
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert [(one["place"], one["outcome"], one["score"]) for one in told["visits"]] == [
        ("p1", "done", 70.0), ("p2", "done", 100 * 40 / 60), ("p3", "refused", None)
    ]  # fmt: skip
    assert told["visits"][0]["failed"] == ["dust", "litter"]
    assert told["visits"][1]["groups"] == {
        "clean": {"points": 40.0, "of": 40.0},
        "orderly": {"points": 0.0, "of": 20.0},
    }
    assert (told["agreement"]["items"], told["agreement"]["alike"]) == (3, 2 / 3)
    assert "3 items rated by both, 67% alike, kappa 0.40" in run(*RATE, first, "--second", second).stderr


def test_answers_that_cannot_be_taken_are_said_by_row_and_item(run: Run, tmp_path: Path) -> None:
    wrong = answers(
        tmp_path / "wrong.csv",
        "p1,dust,much,", "p1,litter,2,", "p1,stalls,1,", "p1,stalls,1,", "p2,,vanished,", "p3,dust,1,", "p3,,missing,"
    )  # fmt: skip
    said = run(*RATE, wrong)
    assert said.exit_code == 1
    for words in (
        "wrong.csv:2", "'much' is no number", "wrong.csv:5", "has an answer to stalls already", "'vanished' is no outcome",
        "p1: Visible litter (spots): It needs a photo.", "p1: Dust: It is not answered.", "p3: It was not inspected and has answers.",
    ):  # fmt: skip
        assert words in said.stderr
    (tmp_path / "heads.csv").write_text("place,item\n")
    assert "The column value is missing" in run(*RATE, tmp_path / "heads.csv").stderr
    none = run("inspect", "rate", MINI, "roofs", wrong)
    assert none.exit_code == 2
    assert "streets" in none.stderr


def test_checklists_are_those_of_the_day(run: Run) -> None:
    told = json.loads(run("inspect", "checklists", MINI, "--on", "2025-06-01", "--json").stdout)
    assert [(one["id"], one["version"], len(one["items"])) for one in told] == [("streets", "2025", 1)]
    assert "up to 5 g/m2, none from 15" in run("inspect", "checklists", MINI, "--on", "2026-06-01").stdout
    assert run("inspect", "checklists", MINI, "--on", "someday").exit_code == 2
