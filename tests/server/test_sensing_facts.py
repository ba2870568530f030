"""The table of facts ``alarms``: kept up to date and counted anew are the same, and what packs can say with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.server.sensing_city import at, forget, read, underpass

from yiwang.core.facts.table import Row
from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import runtime
from yiwang.server.facts import files, operations, tasks
from yiwang.server.provision.operations import install_pack
from yiwang.server.scores import queries
from yiwang.server.sensing.api import Alarm, maintain, raise_cases, tick_silences

pytestmark = pytest.mark.django_db(transaction=True)
INDICATORS = """
[[indicator]]
id = "sensor_availability"
table = "alarms"
name = "监测设备可用率"
name_en = "Availability of sensors"
meaning = "中断过的监测流中，正常上报时间占全部时间的份额"
meaning_en = "Of streams that have fallen silent: share of the time in which they were heard"
numerator = "sum(quiet_s)"
denominator = "sum(quiet_s + lasted_s)"
filter = "rule == 'underpass_silent' and cleared_at is not None"
unit = "percent"
direction = "up"
basis = "cleared"
source = "invented"
confidence = "test"

[[indicator]]
id = "alarm_to_case"
table = "alarms"
name = "报警转案卷时长"
name_en = "From alarm to case"
meaning = "从读数到立案或并入案卷的平均时长"
meaning_en = "Mean time from the reading to the case that it opened or joined"
numerator = "sum(case_s, owns_case)"
denominator = "owns_case"
unit = "hours"
direction = "down"
basis = "raised"
source = "invented"
confidence = "test"

[[indicator]]
id = "alarm_to_case_in_time"
table = "alarms"
name = "五分钟内立案率"
name_en = "Cases within five minutes"
meaning = "读数后五分钟内立案或并入案卷的份额"
meaning_en = "Share of cases opened or joined within five minutes of the reading"
numerator = "owns_case and case_s <= 300"
denominator = "owns_case"
unit = "percent"
direction = "up"
basis = "raised"
source = "invented"
confidence = "test"

[[indicator]]
id = "false_alarms"
table = "alarms"
name = "误报率"
name_en = "False alarms"
meaning = "报警立案后，查无问题而不予立案或作废的份额"
meaning_en = "Share of the cases of alarms that ended because there was nothing"
numerator = "case_end in ('rejected', 'void')"
denominator = "case_closed_at is not None"
filter = "owns_case"
unit = "percent"
direction = "down"
basis = "raised"
source = "invented"
confidence = "test"
"""


@pytest.fixture
def city(pack_copy: Path, mini: str, tmp_path: Path, settings: Any) -> Iterator[str]:
    settings.YIWANG_HOME = tmp_path / "home"
    path = pack_copy / "indicators.toml"
    path.write_text(path.read_text(encoding="utf-8") + INDICATORS, encoding="utf-8")
    install_pack(pack_copy)
    forget()
    yield "mini"
    forget()


@pytest.fixture
def void(act: Any, actor: Any) -> Callable[[str], None]:
    """End a case because there is nothing."""

    def do(number: str) -> None:
        waits = Case.objects.get(number=number).step in ("reported", "accepted")
        act(number, "reject" if waits else "cancel", actor("leader"), reason="现场无积水")

    return do


def rows_kept(city: str) -> dict[str, Row]:
    place = runtime(city)
    store, shelf = queries.store_of(place, "alarms"), operations.shelf_of(place, "alarms")
    with files.workshop(shelf) as connection:
        relation = shelf.facts(base=store.base, delta=store.delta) + " as facts"
        found = files.rows_of(connection, relation, table=shelf.table)
    rows = {row["key"]: row for row in found}
    assert len(rows) == len(found), "a row stands twice"
    return rows


def refreshed(city: str, minute: float) -> dict[str, Row]:
    """The rows as they are kept, which are those counted anew."""
    said = operations.refresh(city=city, table="alarms", at=at(minute))
    assert (said["rebuilt"], said["complete"]) == ("", True)
    kept = rows_kept(city)
    operations.rebuild(city=city, table="alarms", at=at(minute))
    assert rows_kept(city) == kept
    return kept


def flood(name: str, minute: float, value: float = 20, *, dealt: float = 0) -> None:
    read(underpass(name), minute, value)
    raise_cases(at=at(minute + dealt))


def test_a_row_follows_its_alarm_and_its_case(city: str, close: Callable[[str], None]) -> None:
    operations.rebuild(city=city, table="alarms", at=at(-60))
    flood("1", 0, 6)  # mild: it opens no case
    (row,) = refreshed(city, 1).values()
    assert (row["stream"], row["observed"], row["rule"], row["severity"]) == (
        "underpass-1", "water level", "underpass_water", 1,
    )  # fmt: skip
    assert (row["thing"], row["outcome"], row["case"], row["owns_case"]) == ("tunnel-1", "nothing", "", False)
    assert (row["raised_at"], row["cleared_at"], row["lasted_s"]) == (at(0), None, 0)
    assert row["region_street"].startswith("90")
    flood("1", 10, 20, dealt=2)
    (row,) = refreshed(city, 20).values()
    number = Alarm.objects.get(turn="worsened").case
    assert (row["severity"], row["outcome"], row["case"], row["owns_case"]) == (2, "opened", number, True)
    assert (row["case_s"], row["case_at"], row["case_end"]) == (120, at(12), "")
    flood("1", 40, 1)
    (row,) = refreshed(city, 50).values()
    assert (row["cleared_at"], row["lasted_s"], row["peak"]) == (at(40), 2400, 20)
    close(number)
    (row,) = refreshed(city, 60).values()
    assert row["case_end"] == "closed"
    assert row["case_closed_at"] is not None


def test_the_three_figures(city: str, close: Callable[[str], None], void: Callable[[str], None]) -> None:
    for number, (minute, dealt) in enumerate([(0, 1), (30, 2), (60, 15)]):
        flood(str(number), minute, dealt=dealt)
    first, second, third = (one.case for one in Alarm.objects.filter(outcome="opened").order_by("id"))
    assert len({first, second, third}) == 3
    close(first)
    void(second)
    tick_silences(at=at(200))
    for number in range(3):
        read(underpass(str(number)), 300, 1)
    raise_cases(at=at(300))
    tasks.refresh_all()
    names = ("sensor_availability", "alarm_to_case", "alarm_to_case_in_time", "false_alarms")
    cards = [
        queries.scorecard(place=runtime(city), by=("street",), indicators=names, engine_name=name)
        for name in ("duckdb", "memory")
    ]
    assert cards[0].rows == cards[1].rows
    (row,) = cards[0].rows
    found = [row.cells[name].value for name in names]
    # silent an hour after 0, 30 and 60 min, until 300 min: 240, 210, 180 min; heard for an hour each before
    assert found[0] == pytest.approx(100 * 180 / (180 + 240 + 210 + 180))
    assert found[1] == pytest.approx((1 + 2 + 15) / 3 / 60)
    assert found[2] == pytest.approx(100 * 2 / 3)
    assert found[3] == pytest.approx(50)


def test_what_was_written_under_an_older_mark_is_found_too(city: str) -> None:
    """An alarm is dealt with after its id has been seen, and its case goes on after that."""
    flood("1", 0)
    operations.rebuild(city=city, table="alarms", at=at(1))
    read(underpass("2"), 2, 20)
    assert operations.refresh(city=city, table="alarms", at=at(3))["changed"] == 1
    waiting = max(rows_kept(city).values(), key=lambda row: row["raised_at"])
    assert waiting["outcome"] == ""
    raise_cases(at=at(4))
    assert operations.refresh(city=city, table="alarms", at=at(5))["changed"] == 1
    assert operations.refresh(city=city, table="alarms", at=at(6))["changed"] == 0
    row = max(refreshed(city, 7).values(), key=lambda row: row["raised_at"])
    assert (row["outcome"], row["case_s"]) == ("opened", 120)


def test_a_maintained_alarm_and_one_that_only_is_noted(city: str) -> None:
    stream = underpass("1")
    flood("1", 0)
    flood("1", 5, 1)
    flood("1", 9)
    other = underpass("2")
    maintain(thing=other.thing_id, start=at(0), end=at(60), by="user:1", reason="清淤")
    read(other, 10, 20)
    read(other, 11, 1)
    raise_cases(at=at(70))
    operations.rebuild(city=city, table="alarms", at=at(80))
    rows = sorted(rows_kept(city).values(), key=lambda row: row["raised_at"])
    assert [(row["outcome"], row["owns_case"]) for row in rows] == [
        ("opened", True), ("noted", False), ("maintenance", False),
    ]  # fmt: skip
    assert rows[0]["case"] == rows[1]["case"] != ""
    assert [row["quiet_s"] for row in rows[:2]] == [0, 240]
    assert stream.key == rows[0]["stream"]
    assert rows[1]["raised_at"] - rows[0]["cleared_at"] == timedelta(minutes=4)
