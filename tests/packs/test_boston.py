"""The Boston pack by itself, without the data it was derived from: sound, readable, and true to its own extract."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from yiwang.core.cases.decide import decide
from yiwang.core.cases.events import Actor, Command
from yiwang.core.cases.evolve import evolve, fold
from yiwang.packs import check_pack, read_pack
from yiwang.packs.pack import Pack
from yiwang.packs.records.duplicates import link_duplicates
from yiwang.packs.records.reading import SourceRecord, Vocabulary, as_of, deadline_agrees, expected_flag, read_records

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "packs" / "boston"
DEMO = PACK / "demo" / "requests.csv.gz"


@pytest.fixture(scope="module")
def pack() -> Pack:
    return read_pack(PACK)


@pytest.fixture(scope="module")
def vocabulary(pack: Pack) -> Vocabulary:
    return Vocabulary.of(
        categories={code: category.name.zh for code, category in pack.categories.items()},
        units={unit.code: unit.name.zh for unit in pack.units},
        regions=pack.regions.codes,
    )


@pytest.fixture(scope="module")
def demo(pack: Pack, vocabulary: Vocabulary) -> list[SourceRecord]:
    assert pack.replay is not None
    reader = read_records(path=DEMO, mapping=pack.replay, vocabulary=vocabulary)
    records = list(reader)
    assert reader.counts.skipped == reader.counts.repeated == 0
    return records


def rows(name: str) -> list[dict[str, str]]:
    with (PACK / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_pack_is_sound() -> None:
    report = check_pack(PACK)
    assert not report.problems, "\n".join(map(str, report.problems))
    assert len(read_pack(PACK).examples) >= 8


def test_nothing_was_learned_from_october() -> None:
    """Every derived row names its requests; none of them can be more than July to September had."""
    for name in ("limits.csv", "routing.csv"):
        for row in rows(name):
            assert "Oct" not in row["source"], row
            assert row["source"]
            assert row["confidence"]
    seen = sum(int(row["source"].split()[0]) for row in rows("categories.csv") if row["source"][0].isdigit())
    assert seen == 31_828


def test_the_tree_has_four_levels_that_nest_by_prefix(pack: Pack) -> None:
    assert [level.width for level in pack.info.levels] == [2, 5, 7, 9]
    sizes = [len(list(pack.regions.at_level(level.id))) for level in pack.info.levels]
    assert sizes == [1, 13, 45, 286]
    for region in pack.regions.at_level("precinct"):
        assert region.code.startswith(region.parent)
        assert region.code.endswith(region.official_code)


def test_only_the_citys_outline_is_no_approximation(pack: Pack) -> None:
    exact = [code for code in pack.regions.codes if not pack.regions[code].approximate]
    assert exact == ["BO"]


def test_every_district_has_its_yard(pack: Pack) -> None:
    for region in pack.regions.at_level("district"):
        unit = pack.units.get(f"YARD-{region.code}")
        assert unit is not None
        assert (unit.region, unit.parent, unit.level) == (region.code, "PWD", "district")


@pytest.mark.parametrize(
    ("lon", "lat", "district"),
    [
        (-71.0655, 42.3550, "BO01C"),  # Boston Common
        (-71.0603, 42.3736, "BO01A"),  # Charlestown
        (-71.0330, 42.3750, "BO009"),  # East Boston
        (-71.1240, 42.2560, "BO008"),  # Hyde Park
        (-71.1500, 42.3500, "BO004"),  # Brighton
    ],
)
def test_points_are_located(pack: Pack, lon: float, lat: float, district: str) -> None:
    found = pack.locator(on=date(2011, 10, 1)).locate(lon, lat)
    assert found.code.startswith(district)
    assert len(found.code) == 9


def test_the_default_point_is_flagged(pack: Pack) -> None:
    locator = pack.locator(on=date(2011, 10, 1))
    assert locator.locate(-71.0587, 42.3594).flag == "default_point"
    assert locator.locate(-71.0586, 42.3594).flag == ""  # eight metres off: a real place
    assert locator.locate(-70.0, 42.0).flag == "outside"


def test_the_rules_stay_readable(pack: Pack) -> None:
    assert len(rows("routing.csv")) <= 220
    assert len(rows("limits.csv")) <= 180
    templates = [row for row in rows("routing.csv") if "{district}" in row["unit"]]
    assert len(templates) >= 10, "a yard is one row, not thirteen"


def test_a_request_goes_through_the_whole_loop(pack: Pack) -> None:
    """As the replay does it: the recorded unit and deadline hold, and the rules' own answers stand beside them."""
    rules = pack.rulebook()
    replay = Actor(id="replay", name="Replay", roles=frozenset({"system"}), unit="", region="")
    payload = {
        "number": "BOS2011100300001", "city": "boston", "text": "pothole", "category": "P0306", "region": "BO01C0509",
        "source": "app", "unit": "PWD-HIGHWAY-CONSTRUCTION", "deadline": "2011-10-05T13:00:00+00:00",
    }  # fmt: skip
    opened, closed = datetime(2011, 10, 3, 13, tzinfo=UTC), datetime(2011, 10, 6, 13, tzinfo=UTC)
    events = decide(
        None, Command(verb="report", actor=replay, payload=payload), rules=rules, calendar=pack.calendar, at=opened
    )
    state = fold(events)
    assert [event.verb for event in events] == ["report", "file", "dispatch"]
    assert (state.step, state.holder) == ("dispatched", "PWD-HIGHWAY-CONSTRUCTION")
    assert state.deadline == datetime(2011, 10, 5, 13, tzinfo=UTC)
    for verb in ("finish", "check", "close"):
        command = Command(verb=verb, actor=replay, payload={})
        for event in decide(state, command, rules=rules, calendar=pack.calendar, at=closed):
            state = evolve(state, event)
    assert state.step == "closed"
    assert state.closed_at == closed
    assert state.overdue


def test_the_extract_reads_and_its_flags_come_out(pack: Pack, demo: list[SourceRecord]) -> None:
    assert len(demo) == 3000
    assert pack.replay is not None
    rule = pack.replay.flag
    assert rule is not None
    latest = max(record.closed_at or record.opened_at for record in demo)
    drawn = as_of(rule=rule, mapping=pack.replay, latest=latest)
    flagged = [record for record in demo if record.flag]
    assert len(flagged) >= 2990
    for record in flagged:
        expected = expected_flag(deadline=record.deadline, closed_at=record.closed_at, as_of=drawn, rule=rule)
        assert expected == record.flag, record.external_id


def test_the_rules_foretell_the_extract(pack: Pack, demo: list[SourceRecord]) -> None:
    rules, zone = pack.rulebook(), pack.info.zone
    deadlines = units = 0
    for record in demo:
        facts = {
            "category": record.category, "condition": record.condition, "region": record.region,
            "channel": record.source, "priority": "normal",
        }  # fmt: skip
        on = record.opened_at.astimezone(zone).date()
        limit, _ = rules.limit_for(facts, on)
        predicted = pack.calendar.add(start=record.opened_at, limit=limit) if limit else None
        deadlines += deadline_agrees(recorded=record.deadline, predicted=predicted)
        ruled = rules.unit_for(facts, on)
        units += ruled is not None and ruled.value == record.unit
    assert deadlines / len(demo) >= 0.99
    assert units / len(demo) >= 0.87


def test_duplicates_of_the_extract_are_linked(pack: Pack, demo: list[SourceRecord]) -> None:
    assert pack.replay is not None
    assert pack.replay.duplicates is not None
    links = link_duplicates(demo, rule=pack.replay.duplicates, default_points=pack.info.default_points)
    assert len(links) >= 170
    assert sum(link.is_usable for link in links.values()) >= 110
