"""Packs made to harm: they are refused with words, and nothing outside their folder is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from yiwang.packs import check_pack
from yiwang.packs.info import RESERVED_IDS

MINI = Path(__file__).parent / "fixtures" / "mini"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MINI, tmp_path / "pack"))


def changed(pack: Path, file: str, old: str, new: str) -> list[str]:
    """What the check says of the pack with a change."""
    path = pack / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return [f"{problem.file} {problem.column}: {problem.message!s}" for problem in check_pack(pack).problems]


def first_parts(patterns: list[URLPattern | URLResolver]) -> set[str]:
    """The first parts of all addresses that are words of the site itself."""
    found: set[str] = set()
    for pattern in patterns:
        route = str(pattern.pattern)
        if not route and isinstance(pattern, URLResolver):
            found |= first_parts(pattern.url_patterns)
        elif route and not route.startswith("<"):
            found.add(route.split("/")[0])
    return found


def test_every_first_part_of_an_address_is_reserved() -> None:
    assert first_parts(get_resolver().url_patterns) | {"static"} == RESERVED_IDS


@pytest.mark.parametrize("name", sorted(RESERVED_IDS))
def test_a_city_cannot_take_an_address_of_the_site(pack: Path, name: str) -> None:
    assert any("address of the site itself" in said for said in changed(pack, "pack.toml", '"mini"', f'"{name}"'))


@pytest.mark.parametrize("key", ["case_number", "report_number"])
@pytest.mark.parametrize(
    "pattern",
    [
        "{serial.__class__}{serial}", "{serial:0999999999}", "{serial:0999999999d}", "{serial!r}", "{date.year.__class__}{serial}",
        "{date:%c}{serial}", "{date:%Y%999999999d}{serial}", "{serial:{serial}}", "{serial[0]}",
    ],
)  # fmt: skip
def test_a_pattern_that_asks_for_more_than_a_number_is_not_even_filled(pack: Path, key: str, pattern: str) -> None:
    old = {"case_number": "MN{date:%Y%m%d}{serial:05d}", "report_number": "MNR{date:%Y%m%d}{serial:05d}"}[key]
    said = changed(pack, "pack.toml", f'"{old}"', f'"X{pattern}"')
    assert any(key in line and "asks for more than a number" in line for line in said), said


@pytest.mark.parametrize(
    "pattern", ["X{serial}", "X{date:%y%j}-{serial:d}", "X{date:%Y-%m-%d}.{serial:020d}", "X{date}{serial:6}"]
)
def test_ordinary_patterns_are_taken(pack: Path, pattern: str) -> None:
    said = changed(pack, "pack.toml", '"MN{date:%Y%m%d}{serial:05d}"', f'"{pattern}"')
    assert not any("asks for more" in line for line in said)


@pytest.mark.parametrize("what", ["file", "folder", "extra", "table"])
def test_a_link_out_of_the_folder_is_refused_and_not_read(pack: Path, tmp_path: Path, what: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.toml").write_text("secret = 'do not tell'")
    if what == "file":
        (pack / "calendar.toml").unlink()
        (pack / "calendar.toml").symlink_to(outside / "secret.toml")
    elif what == "folder":
        shutil.rmtree(pack / "examples")
        (pack / "examples").symlink_to(outside)
    elif what == "table":
        shutil.move(pack / "limits.csv", outside / "limits.csv")
        (pack / "limits.csv").symlink_to(outside / "limits.csv")
    else:
        (pack / "note.txt").symlink_to(outside / "secret.toml")
    problems = check_pack(pack).problems
    assert any("link out of the pack's folder" in str(problem.message) for problem in problems)
    assert not any("do not tell" in f"{problem.message!s}{problem.hint!s}" for problem in problems)


@pytest.mark.parametrize("depth", [25, 5_000, 200_000])
@pytest.mark.parametrize("file", ["pack.toml", "workflow.toml", "indicators.toml", "examples/litter.toml"])
def test_deep_nesting_is_a_fault_and_no_crash(pack: Path, depth: int, file: str) -> None:
    path = pack / file
    path.write_text(f"deep = {'[' * depth}{']' * depth}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    said = [str(problem.message) for problem in check_pack(pack).problems if problem.file == file]
    assert any("lie within one another" in message for message in said)


@pytest.mark.parametrize("number", ["9" * 5_000, "0x" + "f" * 5_000, "9223372036854775808"])
@pytest.mark.parametrize("file", ["pack.toml", "workflow.toml", "indicators.toml", "examples/litter.toml"])
def test_an_integer_beyond_64_bits_is_a_fault_and_no_crash(pack: Path, number: str, file: str) -> None:
    path = pack / file
    path.write_text(f"large = {number}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    said = [str(problem) for problem in check_pack(pack).problems if problem.file == file]
    assert any("more than 64 bits" in line for line in said)
