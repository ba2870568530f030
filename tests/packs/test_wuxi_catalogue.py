"""The data of the Wuxi pack: counts, references, templates. Reads the files themselves, as a spreadsheet would."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

PACK = Path(__file__).parents[2] / "packs" / "wuxi"
OLD, NEW = "gbt30428.2-2013", "gbt47678.5-2026"
UNITS_OF_TIME = {"urgent_hours", "work_hours", "work_days", "calendar_days"}
CHANNELS = {"public", "hotline", "inspector", "sensor", "leader", "video", "transfer"}


def rows(name: str) -> list[dict[str, str]]:
    with (PACK / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((PACK / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def categories() -> list[dict[str, str]]:
    return rows("categories.csv")


@pytest.fixture(scope="module")
def current(categories: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in categories if row["scheme"] == NEW}


def is_extension(row: dict[str, str]) -> bool:
    return row["source"].startswith("local extension")


# --- schemes ------------------------------------------------------------------------------------------------------


def test_the_2026_list_has_153_components_and_97_matters(current: dict[str, dict[str, str]]) -> None:
    national = [row for row in current.values() if not is_extension(row)]
    assert Counter(row["kind"] for row in national) == {"component": 153, "event": 97}
    by_major = Counter(row["major"] for row in national)
    assert by_major == {
        "01": 76, "02": 44, "03": 16, "04": 14, "05": 3, "06": 51, "07": 7, "08": 16, "09": 21, "10": 2
    }  # fmt: skip


def test_the_2013_list_has_its_reconstructed_counts(categories: list[dict[str, str]]) -> None:
    old = [row for row in categories if row["scheme"] == OLD]
    by_major = Counter(row["code"][:3] for row in old if row["kind"] == "component")
    assert by_major == {"C01": 57, "C02": 31, "C03": 13, "C04": 10, "C05": 10}
    assert Counter(row["code"][:3] for row in old if row["kind"] == "event")["E01"] == 38
    assert not any(row["confidence"] == "high" for row in old), "nothing of it was checked against the standard"


def test_codes_have_their_width_and_begin_with_their_major(categories: list[dict[str, str]]) -> None:
    for row in categories:
        pattern = r"\d{5}" if row["scheme"] == NEW else r"[CE]\d{4}"
        assert re.fullmatch(pattern, row["code"]), row
        assert row["code"].lstrip("CE").startswith(row["major"]), row
        assert row["scheme"] == NEW or row["code"][0] == {"component": "C", "event": "E"}[row["kind"]], row
        assert all(row[column] for column in ("name", "name_en", "major_name", "major_name_en", "source")), row
    codes = [(row["scheme"], row["code"]) for row in categories]
    assert len(set(codes)) == len(codes)


def test_extensions_are_counted_back_from_999(current: dict[str, dict[str, str]]) -> None:
    for major in {code[:2] for code in current}:
        numbers = sorted(
            (int(code[2:]) for code, row in current.items() if code[:2] == major and is_extension(row)), reverse=True
        )
        assert numbers == list(range(999, 999 - len(numbers), -1))


def test_mappings_lead_from_every_old_code_to_a_known_one(
    categories: list[dict[str, str]], current: dict[str, dict[str, str]]
) -> None:
    old = {row["code"]: row for row in categories if row["scheme"] == OLD}
    found = rows("category_mappings.csv")
    assert {row["from_code"] for row in found} == set(old)
    for row in found:
        assert (row["to_code"] == "") == (row["relation"] == "dropped"), row
        assert not row["to_code"] or row["to_code"] in current, row
        assert (
            row["relation"] != "exact"
            or current[row["to_code"]]["name"].removesuffix("异常") == old[row["from_code"]]["name"]
        )
    relation = {(row["from_code"], row["to_code"]): row["relation"] for row in found}
    # standards.md §2.3
    for old_code, new_code in (
        ("C0101", "01001"), ("C0124", "01024"), ("C0203", "02003"), ("E0104", "06004"), ("E0119", "06019"),
        ("E0123", "06023"), ("E0124", "06024"), ("E0128", "06028"), ("E0136", "06036"), ("E0404", "09004"),
    ):  # fmt: skip
        assert relation[old_code, new_code] == "renamed"
    for dropped in ("E0131", "E0205", "E0407", "E0501", "E0502", "E0503", "E0504", "E0505", "E0506"):
        assert relation[dropped, ""] == "dropped"
    for old_code, new_code in (("C0506", "01069"), ("C0507", "01070"), ("C0508", "01071")):
        assert (old_code, new_code) in relation


# --- conditions and limits ----------------------------------------------------------------------------------------


def test_every_condition_of_the_reference_is_restated_in_both_languages(current: dict[str, dict[str, str]]) -> None:
    found = rows("conditions.csv")
    # 519 of the reference table, one of which belongs to two categories, and 15 from elsewhere
    assert len(found) == 520
    assert len({row["source"] for row in found}) == 519
    assert len(rows("comparison.csv")) == 15
    assert len({(row["category"], row["condition"]) for row in found}) == len(found)
    for row in found:
        assert row["category"] in current, row
        assert re.search(r"[一-鿿]", row["text"]), row
        assert re.search(r"[一-鿿]", row["closing"]), row
        for column in ("text_en", "closing_en"):
            assert row[column], row
            assert not re.search(r"[一-鿿]", row[column]), row


def test_every_limit_names_something_known_and_a_length(current: dict[str, dict[str, str]]) -> None:
    conditions = {(row["category"], row["condition"]) for row in rows("conditions.csv")}
    stated = set()
    for row in rows("limits.csv"):
        assert any(code.startswith(row["category"]) for code in current), row
        assert row["unit"] in UNITS_OF_TIME, row
        assert float(row["amount"]) > 0, row
        assert row["source"], row
        assert row["confidence"].startswith(("reference default", "demonstration")), row
        if row["condition"]:
            assert (row["category"], row["condition"]) in conditions, row
            if not row["region"] and not row["priority"]:
                stated.add((row["category"], row["condition"]))
    assert stated == conditions


def test_a_category_with_conditions_has_a_limit_for_none_stated() -> None:
    found = rows("limits.csv")
    plain = {row["category"] for row in found if not (row["condition"] or row["region"] or row["priority"])}
    assert {row["category"] for row in rows("conditions.csv")} <= plain
    assert "" in plain, "the catch-all"


def test_the_three_conflicting_rows_say_so() -> None:
    marked = [row for row in rows("limits.csv") if "CONFLICT" in row["note"]]
    assert [(row["category"], row["condition"]) for row in marked] == [("01010", "2"), ("01011", "2"), ("01014", "2")]
    assert all((row["amount"], row["unit"]) == ("1", "work_days") for row in marked)
    assert all("conflict" in row["confidence"] for row in marked)


def test_whatever_triage_calls_urgent_gets_urgent_hours(current: dict[str, dict[str, str]]) -> None:
    limits = [row for row in rows("limits.csv") if not row["region"]]

    def decide(category: str, condition: str, priority: str) -> dict[str, str]:
        matching = [
            row
            for row in limits
            if category.startswith(row["category"])
            and row["condition"] in ("", condition)
            and row["priority"] in ("", priority)
        ]
        return max(matching, key=lambda row: (len(row["category"]), bool(row["condition"]), bool(row["priority"])))

    for row in rows("triage.csv"):
        if row["priority"] != "urgent":
            continue
        for code in (code for code in current if code.startswith(row["category"])):
            if code == "01013":
                continue  # no cover: it has rows of its own
            for condition in row["condition"].split("|"):
                assert decide(code, condition, "urgent")["unit"] == "urgent_hours", (code, row)


# --- triage, routing, units ---------------------------------------------------------------------------------------


def test_units_are_there_for_every_region_and_hang_together() -> None:
    units = {row["code"]: row for row in rows("units.csv")}
    regions = {row["code"]: row for row in rows("regions.csv")}
    kinds = Counter((row["kind"], row["level"]) for row in units.values())
    assert kinds["centre", "city"] == 1
    assert kinds["centre", "district"] == 7
    assert kinds["centre", "street"] == 88
    assert kinds["community", "community"] == 1254
    for row in units.values():
        assert row["region"] in regions, row
        assert regions[row["region"]]["level"] == row["level"], row
        assert all(row[column] for column in ("name", "name_en", "function")), row
        assert row["crews"].isdigit(), row
        assert not re.search(r"[一-鿿]", row["name_en"]), row
        assert (row["parent"] in units) != (row["code"] == "ZX-3202"), row
        # a case that goes up stays above the place where it is
        assert not row["parent"] or row["region"].startswith(units[row["parent"]]["region"]), row


def test_unit_templates_expand_to_units_that_exist_everywhere() -> None:
    units = {row["code"] for row in rows("units.csv")}
    regions = rows("regions.csv")
    width = {level["id"]: level["width"] for level in toml("pack.toml")["level"]}
    templates = {(row["unit"], row["region"]) for row in rows("routing.csv")}
    templates |= {(row["centre"], "") for row in rows("triage.csv")}
    for template, region in templates:
        levels = re.findall(r"\{(\w+)\}", template)
        if not levels:
            assert template in units, template
        for level in levels:
            for row in regions:
                if row["level"] == level and (row["code"].startswith(region) or region.startswith(row["code"])):
                    expanded = template.replace(f"{{{level}}}", row["code"][: width[level]])
                    assert expanded in units, expanded


def test_rules_name_known_categories_regions_channels_and_steps(current: dict[str, dict[str, str]]) -> None:
    regions = {row["code"] for row in rows("regions.csv")}
    steps = {step["id"] for step in toml("workflow.toml")["step"]}
    for name in ("triage", "routing", "limits"):
        found = rows(f"{name}.csv")
        assert len({row["row"] for row in found}) == len(found)
        for row in found:
            assert any(code.startswith(row["category"]) for code in current), row
            assert not row.get("region") or row["region"] in regions, row
    for row in rows("triage.csv"):
        assert set(filter(None, row["channel"].split("|"))) <= CHANNELS, row
        assert row["auto"] in {"", *steps}, row
        assert row["verify"] in {"yes", "no"}, row
        assert row["priority"] in {"normal", "urgent"}, row


def test_small_matters_stay_low_and_some_places_have_rows_of_their_own() -> None:
    found = rows("routing.csv")
    unit = {(row["category"], row["region"], row["priority"]): row["unit"] for row in found}
    assert unit["06010", "", ""] == "HW-{street}"
    assert unit["06007", "", ""] == "SQ-{community}"
    assert unit["01001", "", ""] == "GS-3202"
    assert unit["01001", "320281", ""] == "GS-320281"
    assert unit["06025", "320211", ""] == "LZ-3202"


# --- simulation and the rest --------------------------------------------------------------------------------------


def test_the_simulation_speaks_of_known_things_in_two_languages(current: dict[str, dict[str, str]]) -> None:
    data = toml("simulation.toml")
    conditions = {(row["category"], row["condition"]) for row in rows("conditions.csv")}
    workflow = toml("workflow.toml")
    verbs = {verb["id"]: verb for verb in workflow["verb"]}
    assert set(data["arrivals"]["sources"]) <= CHANNELS
    assert len(data["arrivals"]["hours"]) == 24
    assert len(data["arrivals"]["weekdays"]) == 7
    regions = {row["code"] for row in rows("regions.csv")}
    assert set(data["places"]) <= regions
    for row in data["behaviour"]:
        assert row["minutes"] == sorted(row["minutes"]), row
        if row["verb"]:
            verb = verbs[row["verb"]]
            assert row["step"] in verb["from"], row
            assert row["role"] in verb["roles"], row
            assert set(verb.get("requires", ())) - {"category", "region"} <= set(row.get("payload", {})), row
    assert sum(len(row["texts"]) for row in data["trouble"]) >= 30
    for row in data["trouble"]:
        assert row["category"] in current, row
        assert not row["condition"] or (row["category"], row["condition"]) in conditions, row
        assert len(row["texts"]) == len(row["texts_en"]), row
        assert len(row.get("months", [1] * 12)) == 12, row


def test_the_pack_says_that_it_is_simulated_in_both_languages() -> None:
    info = toml("pack.toml")
    assert info["simulated"] is True
    assert "模拟" in info["notice"]
    assert "simulated" in info["notice_en"]
    assert any("WTFPL" in line["text"] and "WTFPL" in line["text_en"] for line in info["attribution"])
    assert any("MIT" in line["text"] and "MIT" in line["text_en"] for line in info["attribution"])
    assert "reference default" in info["notice_en"]


def test_the_pack_checks_without_a_fault_and_its_examples_hold() -> None:
    from yiwang.packs import check_pack

    report = check_pack(PACK)
    assert [str(problem) for problem in report.problems] == []
    assert report.examples >= 12
