"""`yiwang locate`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_installed_city(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YIWANG_HOME", str(tmp_path / "home"))


def rows_of(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_rows_from_stdin_without_a_header(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, input="120.005,31.005\n120.015,31.015\n")
    assert result.exit_code == 0
    assert rows_of(result) == [
        {
            "lon": "120.005",
            "lat": "31.005",
            "region": "900101",
            "grid": "900101055",
            "flag": "",
            "city": "90",
            "street": "9001",
            "community": "900101",
            "city_name": "小城",
            "street_name": "西街道",
            "community_name": "西南社区",
            "city_name_en": "Mini",
            "street_name_en": "West Street",
            "community_name_en": "South-West",
        },
        {
            "lon": "120.015",
            "lat": "31.015",
            "region": "900202",
            "grid": "900202056",
            "flag": "",
            "city": "90",
            "street": "9002",
            "community": "900202",
            "city_name": "小城",
            "street_name": "东街道",
            "community_name": "东北社区",
            "city_name_en": "Mini",
            "street_name_en": "East Street",
            "community_name_en": "North-East",
        },
    ]


@pytest.mark.parametrize("header", ["id,lat,lon", "id,Latitude,Longitude", "id,y,x", "id,纬度,经度"])
def test_a_file_with_a_header_in_any_order_and_more_columns(
    run: Run, pack_folder: Path, tmp_path: Path, header: str
) -> None:
    file = tmp_path / "points.csv"
    file.write_text(f"{header}\r\n7,31.005,120.005\r\n", encoding="utf-8-sig", newline="")
    result = run("locate", pack_folder, file)
    assert result.exit_code == 0
    assert [(row["id"], row["region"]) for row in rows_of(result)] == [("7", "900101")]


def test_json_lines(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, "--json", "--no-grids", input="120.005,31.005\n121,31\n")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["region"], line["grid"], line["flag"]) for line in lines] == [("900101", "", ""), ("", "", "outside")]


def test_flags(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, input="120.01,31.01\n120.01,31.005\n119,31\n")
    assert [row["flag"] for row in rows_of(result)] == ["default_point", "border", "outside"]


def test_unreadable_rows_are_flagged_named_and_fail(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, input="120.005,31.005\nx,y\nnan,1\n120.005\n")
    assert result.exit_code == 1
    assert [row["flag"] for row in rows_of(result)] == ["", "unreadable", "unreadable", "unreadable"]
    assert "stdin:2: 'x,y' holds no coordinates." in result.stderr
    assert "3 of 4 rows" in result.stderr


def test_other_coordinate_systems(run: Run, pack_folder: Path) -> None:
    plain = rows_of(run("locate", pack_folder, input="120.005,31.005\n"))
    shifted = rows_of(run("locate", pack_folder, "--crs", "gcj02", input="120.005,31.005\n"))
    assert plain[0]["grid"] != shifted[0]["grid"]


def test_a_header_without_coordinates(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, input="a,b\n1,2\n")
    assert result.exit_code == 1
    assert "names no coordinates" in result.stderr


def test_gbk_is_named(run: Run, pack_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes("编号,经度,纬度\n1,120.005,31.005\n".encode("gbk"))
    result = run("locate", pack_folder, file)
    assert result.exit_code == 1
    assert "GBK" in result.stderr
    assert run("locate", pack_folder, input="编号,经度,纬度\n".encode("gbk")).exit_code == 1


def test_nothing_in_nothing_out(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, input="")
    assert result.exit_code == 0
    assert rows_of(result) == []


def test_many_rows_pass_in_pieces(run: Run, pack_folder: Path) -> None:
    result = run("locate", pack_folder, "--no-grids", input="120.005,31.005\n" * 120_001)
    assert result.exit_code == 0
    assert result.stdout.count("900101,,") == 120_001
