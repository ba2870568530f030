"""`yiwang plan flow`, `plan reserves` and `plan roster`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]
NETWORK = """kind,place,to,good,amount,cost
lot,north,,rice,10,
need,mill,,rice,14,
link,north,mill,,,3
"""
ITEMS = """
[[item]]
id = "tents"
stock = 0
mean = 0
lead = 7
surge = 10
surge_days = 5
"""
ROSTER = """
first = 2026-06-01
days = 3
[[person]]
id = "Lin"
skills = ["nurse"]
hours = 16
[[shift]]
id = "day"
start = "08:00"
hours = 8
need = { nurse = 1 }
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_flow(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "n.csv", NETWORK)
    made = json.loads(run("plan", "flow", path, "--json").stdout)
    assert (made["cost"], made["bound"], made["gap"], made["proven"]) == (30.0, 30.0, 0.0, True)
    assert made["flows"] == [{"from": "north", "to": "mill", "good": "rice", "period": 1, "amount": 10}]
    assert made["short"] == [{"place": "mill", "good": "rice", "period": 1, "amount": 4}]
    assert "短缺" in made["why"][0]["zh"]
    said = run("plan", "flow", path)
    assert said.exit_code == 0
    assert said.stdout.splitlines() == ["from\tto\tgood\tperiod\tamount", "north\tmill\trice\t1\t10"]
    assert "mill is short of 4 of rice" in said.stderr
    wrong = run("plan", "flow", written(tmp_path, "w.csv", NETWORK.replace("14", "many")))
    assert wrong.exit_code == 1
    assert "w.csv:3 [amount]: 'many'" in wrong.stderr


def test_reserves(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "r.toml", ITEMS)
    (made,) = json.loads(run("plan", "reserves", path, "--json").stdout)
    assert (made["days"], made["level"], made["keep"], made["order"], made["contracts"]) == (None, 0, 50, 50, [])
    said = run("plan", "reserves", path)
    assert said.exit_code == 0
    assert "50 are missing" in said.stderr
    wrong = run("plan", "reserves", written(tmp_path, "w.toml", ITEMS.replace("lead = 7", "")))
    assert (wrong.exit_code, "item.lead" in wrong.stderr) == (1, True)


def test_roster(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "s.toml", ROSTER)
    first = json.loads(run("plan", "roster", path, "--seconds", "5", "--seed", "1", "--json").stdout)
    assert first["uncovered"]["objective"] == first["uncovered"]["bound"] == 1
    assert first["gaps"][0]["why"]["en"].endswith("held off by: hours a week 1).")
    assert first["without"]["hours"]["objective"] == 0
    said = run("plan", "roster", path, "--seconds", "5")
    assert said.exit_code == 0
    assert "Without the rule 'hours a week' 0 would be lacking." in said.stderr
    wrong = run("plan", "roster", written(tmp_path, "w.toml", ROSTER.replace('["nurse"]', '"nurse"')))
    assert (wrong.exit_code, "person.skills" in wrong.stderr) == (1, True)
