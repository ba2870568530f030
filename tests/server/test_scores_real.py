"""The score of a real city: 3,000 requests that ship with the pack, and all 41,827 where ../shared is there."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from yiwang.core.indicators.scorecard import ScoreRow

ROOT = Path(__file__).resolve().parents[2]
EXTRACT = ROOT / "packs" / "boston" / "demo" / "requests.csv.gz"
ALL = ROOT.parent / "shared" / "data" / "boston311" / "boston_311_2011_jul_oct.csv.gz"
FILES = [
    pytest.param(EXTRACT, id="extract", marks=pytest.mark.slow),
    pytest.param(
        ALL,
        id="all",
        marks=[
            pytest.mark.slow,
            pytest.mark.real_data,
            pytest.mark.first_run_only(reason="fourteen times the requests of the extract, which is repeated"),
            pytest.mark.skipif(not ALL.is_file(), reason="needs ../shared/data/boston311"),
        ],
    ),
]


@pytest.fixture(scope="module", params=FILES)
def boston(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    """The city, replayed and counted once for all tests of a file; the database is emptied afterwards."""
    from django.core.management import call_command

    from yiwang.server.cases.storage import numbering
    from yiwang.server.cities import queries as places
    from yiwang.server.facts import operations
    from yiwang.server.imports.replay import replay_file
    from yiwang.server.provision.operations import install_pack

    with django_db_blocker.unblock():
        places.forget()
        numbering.forget()
        install_pack(ROOT / "packs" / "boston")
        replay_file(city="boston", path=request.param)
        operations.refresh(city="boston")
        yield request.param
        call_command("flush", interactive=False, verbosity=0)
        places.forget()
        numbering.forget()


def counted(engine: str, *by: str, groupings: Any = ()) -> list[ScoreRow]:
    from yiwang.server.cities.queries import runtime
    from yiwang.server.scores.queries import scorecard

    return scorecard(place=runtime("boston"), by=by, engine_name=engine, groupings=groupings).rows


def test_every_month_and_district_is_the_same_on_three_engines(
    boston: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    sets = [(level,) for level in ("city", "district", "ward", "precinct")] + [("district", "department")]
    with django_db_blocker.unblock():
        quick = counted("duckdb", "month", groupings=sets)
        assert quick == counted("memory", "month", groupings=sets)
        if boston == ALL:
            return  # Spark counts the extract: for what it adds, fourteen times the requests are two minutes
        if shutil.which("java") is None:
            pytest.skip("Spark needs Java, which is not here")
        assert quick == counted("spark", "month", groupings=sets)


def test_what_was_reported_in_a_month_is_what_the_records_say(boston: Path, django_db_blocker: DjangoDbBlocker) -> None:
    """Counted from the file itself, without any of our code."""
    with gzip.open(boston, "rt", encoding="utf-8", newline="") as file:
        said = Counter(row["open_dt"][:7] for row in csv.DictReader(file))
    with django_db_blocker.unblock():
        rows = counted("duckdb", "month")
    assert {row.keys["month"]: row.cells["intake"].numerator for row in rows} == said


def test_districts_add_up_to_the_city(boston: Path, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        districts, city = counted("duckdb", "district", "month"), counted("duckdb", "month")
    for whole in city:
        parts = [row for row in districts if row.keys["month"] == whole.keys["month"]]
        for name, cell in whole.cells.items():
            assert sum(row.cells[name].numerator for row in parts) == cell.numerator
            if cell.denominator is not None:
                assert sum(row.cells[name].denominator or 0 for row in parts) == cell.denominator


def test_nobody_rated_so_satisfaction_is_no_data(boston: Path, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        rows = counted("duckdb", "district")
    assert {row.cells["satisfaction_rate"].value for row in rows} == {None}
    assert all(row.cells["closing_rate"].value is not None for row in rows if row.keys["district"])
