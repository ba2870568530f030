"""The Boston pack on all 41,827 real requests: what docs/reference/boston-replay.md says, held with thresholds.

October 2011 is the test: nothing in the pack was derived from it. Needs ../shared/data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "boston311"
FILE = DATA / "boston_311_2011_jul_oct.csv.gz"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.is_file(), reason="needs ../shared/data/boston311"),
]


@pytest.fixture(scope="module")
def scripts() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "packs" / "boston" / "provenance"))
    try:
        import boston_measure

        yield boston_measure
    finally:
        sys.path.remove(str(ROOT / "packs" / "boston" / "provenance"))


@pytest.fixture(scope="module")
def october(scripts: ModuleType) -> dict[str, Any]:
    return dict(scripts.measure(FILE, since="2011-10-01", until="2011-11-01"))


@pytest.fixture(scope="module")
def all_four(scripts: ModuleType) -> dict[str, Any]:
    return dict(scripts.measure(FILE, since="2011-07-01", until="2011-11-01"))


def test_no_row_is_lost(all_four: dict[str, Any]) -> None:
    assert all_four["rows"] == all_four["requests"] == 41_827
    assert all_four["skipped"] == 0


def test_every_flag_that_the_city_gave_is_reproduced(all_four: dict[str, Any], october: dict[str, Any]) -> None:
    assert all_four["flags"] == {
        "agree": 41_713,
        "differ": 0,
        "unmarked": 114,
        "share": pytest.approx(0.99727, abs=1e-5),
    }
    assert october["flags"]["differ"] == 0
    assert october["flags"]["share"] >= 0.995


def test_deadlines_of_the_unseen_month(october: dict[str, Any]) -> None:
    assert october["requests"] == 9_999
    assert october["deadlines"]["share_of_dated"] >= 0.99
    assert october["deadlines"]["share"] >= 0.99


def test_routing_of_the_unseen_month(october: dict[str, Any]) -> None:
    assert october["routing"]["unit_share"] >= 0.88
    assert october["routing"]["department_share"] >= 0.955


def test_places(october: dict[str, Any]) -> None:
    places = october["places"]
    assert places["unlocated"] / october["requests"] <= 0.06
    assert places["same district"] >= 0.99
    assert places["same precinct"] >= 0.9


def test_duplicates(all_four: dict[str, Any]) -> None:
    found = all_four["duplicates"]
    assert found["says so"] >= 2_200
    assert found["number"] + found["place"] >= 1_850


def test_the_derived_files_are_what_the_scripts_write(
    scripts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The committed tables come from the committed scripts, from July to September alone."""
    import boston_catalogue
    import boston_data
    import boston_rules

    written: dict[str, list[dict[str, str]]] = {}

    def keep(name: str, columns: Any, lines: Any) -> int:
        written[name] = [{column: str(line.get(column, "")) for column in columns} for line in lines]
        return len(written[name])

    monkeypatch.setattr(boston_catalogue, "write_csv", keep)
    monkeypatch.setattr(boston_rules, "write_csv", keep)
    monkeypatch.setattr(sys, "argv", ["boston_rules.py"])
    boston_catalogue.main()
    boston_rules.main()
    import csv

    for name, lines in written.items():
        with (boston_data.PACK / name).open(encoding="utf-8", newline="") as stream:
            committed = list(csv.DictReader(stream))
        assert committed == lines, (
            f"{name}: run packs/boston/provenance/boston_catalogue.py and packs/boston/provenance/boston_rules.py"
        )


VARIANTS = {
    "upper case": lambda header: header.upper(),
    "later names": lambda header: (
        header.replace("ontime", "on_time")
        .replace("submittedphoto", "submitted_photo")
        .replace("target_dt", "sla_target_dt")
    ),
    "more columns": lambda header: "_id," + header,
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_headers(scripts: ModuleType, tmp_path: Path, variant: str) -> None:
    import gzip

    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as stream:
        lines = [next(stream) for _ in range(300)]
    extra = "1," if variant == "more columns" else ""
    path = tmp_path / "other.csv"
    path.write_text(VARIANTS[variant](lines[0]) + "".join(extra + line for line in lines[1:]), encoding="utf-8")
    plain = tmp_path / "plain.csv"
    plain.write_text("".join(lines), encoding="utf-8")
    assert list(scripts.reader(path)) == list(scripts.reader(plain))
