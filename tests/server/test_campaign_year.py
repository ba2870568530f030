"""A year of a campaign in one command: signed, inspected, listed, honoured, and the same figures on the page and at the command line."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from click.testing import Result
from django.test import Client
from tests.server.test_simulation import MINI, _forget
from tests.simulated_city import TOML

from yiwang.server.honours.queries import broken as broken_honours
from yiwang.server.inspections.history import broken as broken_inspections
from yiwang.server.inspections.models import Finding, Visit
from yiwang.server.lists.models import Edition, ListEntry
from yiwang.server.lists.queries import broken as broken_lists
from yiwang.server.provision.operations import install_pack
from yiwang.server.targets.models import Letter
from yiwang.server.targets.queries import broken as broken_targets

YEAR = 2025
Command = Callable[..., Result]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(tmp_path: Path, settings: Any) -> Iterator[str]:
    settings.YIWANG_HOME = tmp_path
    pack = Path(copytree(MINI, tmp_path / "mini"))
    # in the second street everything takes days
    (pack / "simulation.toml").write_text(f'{TOML}\n[pace]\n"9002" = 60\n', encoding="utf-8")
    _forget()
    install_pack(pack)
    yield "mini"
    _forget()


def test_a_year_runs_by_one_command_and_its_figures_agree(
    town: str, tmp_path: Path, run: Command, client: Client
) -> None:
    out = tmp_path / "out"
    done = run("campaign", town, "--year", str(YEAR), "--per-day", "3", "--out", str(out), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    letters = Letter.objects.filter(city=town, year=YEAR)
    assert told["cases"] > 900
    assert {one.step for one in letters} == {Letter.Step.IN_FORCE}
    assert told["letters"] == letters.count() > 1
    assert (told["inspections"], told["visits"]) == (12, Visit.objects.count())
    assert {f"{one:%Y}" for one in Visit.objects.values_list("recorded_at", flat=True)} == {f"{YEAR}"}
    assert not Finding.objects.filter(case=None).exists(), "no case of today is opened for that year"
    assert Edition.objects.filter(step=Edition.Step.PUBLISHED).count() == told["editions"] == 12
    assert told["objections_upheld"] == ListEntry.objects.filter(upheld=True).count() == 1
    for broken in (broken_honours, broken_inspections, broken_lists, broken_targets):
        assert broken(town) is None
    _letters_hold(out, told, run)
    _figures_agree(town, out, run, client)
    again = run("campaign", town, "--year", str(YEAR), "--out", str(out))
    assert again.exit_code == 1
    assert "letters of 2025 already" in again.stderr


def _letters_hold(out: Path, told: dict[str, Any], run: Command) -> None:
    assert (out / "bulletin.pdf").read_bytes().startswith(b"%PDF")
    names = [name for name in told["files"] if name.startswith("letter-")]
    assert len(names) == told["letters"]
    assert run("targets", "verify", str(out / names[0])).exit_code == 0


def _figures_agree(town: str, out: Path, run: Command, client: Client) -> None:
    """The file, the command line by two engines and the page say the same of a street in June."""
    month = f"{YEAR}-06"
    lines = list(csv.DictReader((out / "scores.csv").read_text("utf-8-sig").splitlines()))
    filed = next(line for line in lines if line["street"] == "9001" and line["month"] == month)
    for engine in ("duckdb", "memory"):
        said = run(
            "score", town, "--by", "street,month", "--engine", engine, "--no-refresh", "--format", "json",
            "--as-of", f"{YEAR + 1}-01-01T00:00:00+08:00",
        )  # fmt: skip
        assert said.exit_code == 0, said.output
        row = next(one for one in json.loads(said.stdout)["rows"] if (one["street"], one["month"]) == ("9001", month))
        for name, value in row["values"].items():
            assert f"{'' if value['value'] is None else value['value']}" == filed[name], (engine, name)
        assert f"{row['scores']['index']['score']}" == filed["score_index"]
    page = client.get("/mini/score/index", {"key": "9001", "month": month})
    assert page.context["score"] == f"{float(filed['score_index']):.1f}"
    assert all(re.fullmatch(r"\d+\.\d", aspect["score"] or "0.0") for aspect in page.context["aspects"])


@pytest.mark.parametrize(("year", "words"), [("2099", "is not over yet"), ("1999", "2000")])
def test_a_year_that_cannot_be_run_is_refused(town: str, tmp_path: Path, run: Command, year: str, words: str) -> None:
    done = run("campaign", town, "--year", year, "--out", str(tmp_path / "out"))
    assert done.exit_code in (1, 2)
    assert words in done.stderr
