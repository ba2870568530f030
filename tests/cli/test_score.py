"""`yiwang score` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from click.testing import Result
from tests.toy_city import MINI

MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+08:00")
Run = Callable[..., Result]


@pytest.fixture
def city(db: None) -> Any:
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.storage import numbering
    from yiwang.server.cases.writing import operations
    from yiwang.server.cases.writing.drafts import ReportDraft
    from yiwang.server.cities import queries
    from yiwang.server.provision.operations import install_pack

    queries.forget()
    numbering.forget()
    install_pack(MINI)
    operations.report(
        city="mini", draft=ReportDraft(text="垃圾", category="02001", lon=120.003, lat=31.003), actor=CITIZEN, at=MONDAY
    )
    yield "mini"
    queries.forget()
    numbering.forget()


def test_it_counts_first_and_shows_what_the_pack_shows(city: str, run: Run) -> None:
    said = run("score", city)
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines()[0].split("\t")[:4] == ["street", "month", "street_name", "intake"]
    assert "无数据 no data" in said.stdout
    assert "1 cases" in said.stderr


def test_json_has_every_figure_with_what_it_was_divided_from(city: str, run: Run) -> None:
    said = run("score", city, "--by", "city", "--json")
    row = json.loads(said.stdout)["rows"][0]
    assert row["city"] == "90"
    assert row["names"] == {"city": ["小城", "Mini"]}
    intake = row["values"]["intake"]
    assert (intake["numerator"], intake["denominator"], intake["value"]) == (1, None, 1.0)
    assert intake["low"] < 1 < intake["high"]
    none = dict.fromkeys(("value", "low", "high", "best_place", "worst_place"))
    assert row["values"]["satisfaction_rate"] == {"numerator": 0, "denominator": 0, **none}
    assert row["scores"]["region"]["score"] is None


def test_csv_leaves_no_data_empty(city: str, run: Run) -> None:
    lines = run(
        "score",
        city,
        "--by",
        "street",
        "--indicator",
        "filing_rate",
        "--indicator",
        "satisfaction_rate",
        "--format",
        "csv",
    ).stdout.splitlines()
    assert lines[0].startswith(
        "street,street_name,filing_rate,filing_rate_numerator,filing_rate_denominator,filing_rate_low,filing_rate_high"
    )
    assert lines[1].startswith("9001,西街道,0.0,0,1,0.0,79.345069,,0,0,,")  # Wilson: none of one says little


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--by", "planet"], 1, "Nothing can be counted by 'planet'"),
        (["--indicator", "luck"], 1, "no indicator 'luck'"),
        (["--engine", "abacus"], 2, "abacus"),
        (["--since", "soon"], 2, "no day"),
        (["--only", "street"], 2, "DIMENSION=VALUE"),
        (["--as-of", "later"], 2, "no moment"),
    ],
)
def test_a_wrong_call_is_a_sentence(city: str, run: Run, arguments: list[str], code: int, words: str) -> None:
    said = run("score", city, *arguments)
    assert (said.exit_code, words in said.output) == (code, True), said.output


def test_a_city_that_is_not_installed(db: None, run: Run) -> None:
    from yiwang.server.cities import queries

    queries.forget()
    assert run("score", "atlantis").exit_code == 2
