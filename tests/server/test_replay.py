"""Replaying a city's records: every row is accounted for, later exports are followed, nothing is wiped in silence."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mapbox_vector_tile
import pytest

from yiwang.core.cases import decide
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import Case, Event, Report
from yiwang.server.cases.reading import map_points
from yiwang.server.cases.storage import numbering
from yiwang.server.imports.replay import replay_file
from yiwang.server.verification import ledger

pytestmark = pytest.mark.django_db
PACKS = Path(__file__).resolve().parents[2] / "packs"
HEADER = (
    "case_enquiry_id,open_dt,target_dt,closed_dt,case_status,closure_reason,type,queue,pwd_district,latitude,longitude"
)
OPENED, DUE, CLOSED = "2011-10-03 10:05:23", "2011-10-05 10:05:23", "2011-10-04 09:00:00"


@pytest.fixture
def boston(db: None) -> Iterator[str]:
    """The city, installed, without cases."""
    from yiwang.server.cities import queries
    from yiwang.server.provision.operations import install_pack

    queries.forget()
    numbering.forget()
    install_pack(PACKS / "boston")
    yield "boston"
    queries.forget()
    numbering.forget()


def row(number: str = "9001", **cells: str) -> str:
    values = {
        "case_enquiry_id": number, "open_dt": OPENED, "target_dt": DUE, "closed_dt": "", "case_status": "Open",
        "closure_reason": "", "type": "Graffiti Removal", "queue": "PROP_GRAF_GraffitiRemoval", "pwd_district": "09",
        "latitude": "42.3349", "longitude": "-71.0451",
    } | cells  # fmt: skip
    return ",".join(values.values())


def closed(number: str = "9001", **cells: str) -> str:
    told = {"closed_dt": CLOSED, "case_status": "Closed", "closure_reason": "Case Resolved."}
    return row(number, **(told | cells))


def replayed(folder: Path, *lines: str, header: str = HEADER, **options: Any) -> dict[str, Any]:
    path = folder / "file.csv"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    found = replay_file(city="boston", path=path, **options)
    assert found["rows"] == found["taken"] + found["known"] + found["updated"] + found["left_out"]
    return found


def verbs() -> list[str]:
    return list(Event.objects.order_by("case_id", "seq").values_list("verb", flat=True))


# --- every row is accounted for -----------------------------------------------------------------------------------


def test_a_row_that_cannot_be_taken_is_named_and_stops_nothing(boston: str, tmp_path: Path) -> None:
    found = replayed(
        tmp_path,
        row("1"),
        row("2", open_dt="1969-12-31 10:00:00"),
        row("3", target_dt="9999-12-31 23:59:59"),
        closed("4", target_dt="2250-01-01 00:00:00"),
        row("5"),
    )
    assert (found["rows"], found["taken"], found["left_out"]) == (5, 2, 3)
    told = "\n".join(found["problems"])
    assert all(f"file.csv, row {number}, column " in told for number in (3, 4)), told
    assert "(and 1 more like it)" in told


def test_a_record_that_the_loop_refuses_is_left_out_whole(
    boston: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yiwang.core.kernel.refusals import NotPossible
    from yiwang.server.imports import lifecycles

    def advance(state: Any, command: Any, **rest: Any) -> Any:
        if command.verb == "close" and state.text == "stubborn":
            raise NotPossible(Text("不行。", "It cannot be."))
        return decide.advance(state, command, **rest)

    monkeypatch.setattr(lifecycles, "advance", advance)
    header = HEADER + ",case_title"
    found = replayed(tmp_path, closed("1") + ",easy", closed("2") + ",stubborn", header=header)
    assert (found["taken"], found["left_out"], found["open"]) == (1, 1, 0)
    assert "row 3: The record '2' cannot be taken: It cannot be." in found["problems"][-1]
    assert Case.objects.count() == 1


def test_rows_add_up_on_spoilt_files(boston: str, tmp_path: Path) -> None:
    for seed in range(200):
        replayed(tmp_path, *spoilt(random.Random(seed)))
    assert ledger.verify(city="boston").faults == []


def spoilt(chance: random.Random) -> list[str]:
    """Rows, some of which are spoilt; numbers come again from file to file."""
    ways: list[Callable[[str], str]] = [
        row,
        closed,
        lambda number: row(""),
        lambda number: row("1.01E+11"),
        lambda number: row(number, open_dt="9999-12-31"),
        lambda number: closed(number, target_dt="2250-01-01 00:00:00"),
        lambda number: row(number, target_dt=""),
        lambda number: closed(number, closed_dt="soon"),
        lambda number: closed(number, closure_reason='"never closed'),
        lambda number: closed(number, closure_reason="duplicate of 101000000001"),
        lambda number: row(number, latitude="42.3594", longitude="-71.0587"),
        lambda number: row(number) + ",more",
        lambda number: closed(number, queue="GRAF_Nobody"),
    ]
    return [chance.choice(ways)(f"10100000{chance.randint(1, 400):04}") for _ in range(chance.randint(1, 8))]


def test_what_pack_and_mapping_do_not_know_is_told(boston: str, tmp_path: Path) -> None:
    found = replayed(
        tmp_path, row("1", type="Dragons") + ",Telepathy", row("2", type="Dragons") + ",", header=HEADER + ",source"
    )
    assert (found["unknown"]["categories"], found["unknown"]["sources"]) == ({"Dragons": 2}, {"Telepathy": 1})
    assert any("'Dragons' (2)" in line for line in found["problems"])
    assert any("no column for flag" in line for line in found["problems"])


def test_the_background_job_says_how_many_rows_were_left_out(boston: str, tmp_path: Path) -> None:
    from yiwang.server.common.models import Job
    from yiwang.server.provision.tasks import run_job

    path = tmp_path / "file.csv"
    path.write_text("\n".join([HEADER, row("1"), row("2", open_dt="soon"), ""]), encoding="utf-8")
    job = Job.objects.create(kind="replay", city="boston", parameters={"path": str(path)})
    run_job.call(job.pk)
    job.refresh_from_db()
    assert (job.message, job.message_en) == ("1 件案卷，1 行未采用", "1 cases, 1 rows left out")


# --- later exports ------------------------------------------------------------------------------------------------


def test_a_later_export_closes_what_was_open(boston: str, tmp_path: Path) -> None:
    assert replayed(tmp_path, row())["open"] == 1
    found = replayed(tmp_path, closed())
    assert (found["taken"], found["known"], found["updated"], found["closed"]) == (0, 0, 1, 1)
    case = Case.objects.get()
    assert case.closed_at is not None
    assert (case.closed_at.isoformat(), case.next_due, case.overdue) == ("2011-10-04T13:00:00+00:00", None, False)
    told = verbs()
    again = replayed(tmp_path, closed())
    assert (again["known"], again["updated"], again["events"]) == (1, 0, 0)
    earlier = replayed(tmp_path, row())
    assert (earlier["known"], earlier["updated"]) == (1, 0)
    assert verbs() == told
    assert Report.objects.count() == 1
    assert ledger.verify(city="boston").faults == []


def test_what_two_exports_tell_is_what_the_last_one_tells(boston: str, tmp_path: Path) -> None:
    replayed(tmp_path, row("1"))
    replayed(tmp_path, closed("1"))
    replayed(tmp_path, closed("2"))
    stories = [
        list(Event.objects.filter(case=case).order_by("seq").values_list("verb", "at", "holder"))
        for case in Case.objects.order_by("id")
    ]
    assert stories[0] == stories[1]


def test_a_later_export_hands_over_to_the_unit_that_had_it_in_the_end(boston: str, tmp_path: Path) -> None:
    replayed(tmp_path, row(queue="PWDx_District 09: East Boston"))
    replayed(tmp_path, closed(queue="PWDx_District 10A: Roxbury"))
    assert "pass" in verbs()
    assert "YARD-BO10A" in set(Event.objects.values_list("holder", flat=True))
    assert Case.objects.get().closed_at is not None


def test_a_later_export_opens_again(boston: str, tmp_path: Path) -> None:
    replayed(tmp_path, closed())
    later = replayed(tmp_path, row(), row("2", open_dt="2011-10-09 10:00:00", target_dt=""))
    assert (later["taken"], later["updated"]) == (1, 1)
    assert Case.objects.exclude(closed_at=None).count() == 0
    told = verbs()
    assert replayed(tmp_path, closed())["known"] == 1  # the earlier export turns nothing back
    assert verbs() == told


# --- limits -------------------------------------------------------------------------------------------------------


def test_a_mapping_without_deadlines_leaves_the_limits_to_the_pack(
    boston: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yiwang.server.cities.queries import runtime

    pack = runtime("boston").pack
    mapping = pack.replay
    assert mapping is not None
    columns = {name: aliases for name, aliases in mapping.columns.items() if name != "deadline"}
    monkeypatch.setattr("yiwang.server.imports.replay._mapping", lambda place: replace(mapping, columns=columns))
    found = replayed(tmp_path, row())
    assert Case.objects.get().deadline is not None
    assert found["deadline_agreement"] is None


def test_without_limits_no_deadline_is_compared(boston: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from yiwang.server.cities.queries import runtime

    place = runtime("boston")
    monkeypatch.setitem(place.pack.tables, "limits", SimpleNamespace(rows=()))
    found = replayed(tmp_path, row(target_dt=""))
    assert (found["deadline_agreement"], found["compared"]["deadline"]) == (None, 0)


# --- facts --------------------------------------------------------------------------------------------------------


def facts(number: str) -> dict[str, Any]:
    from yiwang.core.facts.case_rows import fact_row
    from yiwang.server.cases.storage.rows import event_of
    from yiwang.server.cities.queries import runtime
    from yiwang.server.facts.sources import context_of

    case = Case.objects.get(reports__external=number)
    place = runtime("boston")
    events = [event_of(row, number=case.number) for row in Event.objects.filter(case=case).order_by("seq").values()]
    return fact_row(events, context=context_of(place), calendar=place.calendar)


def test_a_case_without_a_limit_was_dispatched_and_has_its_unit(boston: str, tmp_path: Path) -> None:
    cells = {"target_dt": "", "type": "Highway Maintenance", "queue": "PWDx_District 09: East Boston"}
    replayed(tmp_path, closed("1", **cells), row("2", **cells))
    for number in ("1", "2"):
        found = facts(number)
        assert found["dispatched_at"] == found["opened_at"]
        assert found["dispatches"] == 1
        assert found["unit"] not in ("", found["centre"])
        assert found["unit"] == found["department"] == "YARD-BO009"
        assert found["limit_s"] == 0


def test_the_default_point_is_no_place(boston: str, tmp_path: Path) -> None:
    cells = {"latitude": "42.3594", "longitude": "-71.0587", "pwd_district": ""}
    replayed(tmp_path, closed("1", **cells), closed("2", **cells))
    found = facts("1")
    assert (found["flag"], found["located"]) == ("default_point", False)
    assert set(Case.objects.values_list("flag", flat=True)) == {"default_point"}


def test_the_default_point_is_not_drawn_and_never_a_hot_spot(boston: str, tmp_path: Path) -> None:
    from yiwang.server.centre import centre_figures, map_tiles
    from yiwang.server.centre.board import forget
    from yiwang.server.cities.queries import runtime

    forget()
    nowhere = {"latitude": "42.3594", "longitude": "-71.0587", "pwd_district": ""}
    replayed(tmp_path, *(row(str(number), **nowhere) for number in range(5)), *(row(str(n)) for n in (11, 12, 13)))
    at = datetime(2011, 10, 3, 20, tzinfo=UTC)
    assert {case["lat"] for case in map_points.map_cases(city="boston")} == {42.3349}
    figures = centre_figures.figures(place=runtime("boston"), region="", at=at, past=True)
    assert figures["now"]["cases"] == 8
    assert [spot["cases"] for spot in figures["spots"]] == [3]
    shown = map_tiles.CaseFilter(at=at, past=True, state="all")
    tile = mapbox_vector_tile.decode(map_tiles.tile(city="boston", zoom=0, column=0, row=0, shown=shown))
    assert len(tile["cases"]["features"]) == 3
    forget()


# --- the pages of a replayed city ---------------------------------------------------------------------------------


def test_a_replayed_city_opens_at_its_last_recorded_day(boston: str, tmp_path: Path) -> None:
    from django.test import Client

    from yiwang.server.cases.reading.city_moment import stands_at
    from yiwang.server.centre.board import forget
    from yiwang.server.facts.operations import refresh
    from yiwang.server.scores.views import card_of

    forget()
    assert stands_at(city="boston") is None  # no cases
    late, early = "2011-11-09 10:00:00", "2011-10-05 10:05:23"
    replayed(tmp_path, row("1", target_dt=early), row("2", open_dt="2011-10-31 22:00:00", target_dt=late))
    at = stands_at(city="boston")
    assert at is not None
    assert at.isoformat() == "2011-10-31T23:55:00-04:00"
    assert stands_at(city="boston", now=datetime(2011, 11, 2, tzinfo=UTC)) is None  # records of yesterday: it lives
    overview = Client().get("/boston/", headers={"Accept-Language": "en"})
    assert overview.context["figures"]["overdue"] == 1
    assert "2011-10-31" in overview.content.decode()
    centre = Client().get("/boston/centre")
    assert centre.context["script"]["begins"] == "2011-10-31"
    refresh(city="boston")
    score = Client().get("/boston/score", headers={"Accept-Language": "en"})
    assert score.status_code == 200
    assert score.context["asked"].month == "2011-10"
    assert card_of(score.context["asked"]).wish.as_of == at
    assert "2011-10" in score.content.decode()
    forget()


def test_a_file_without_any_deadline_agrees_with_nothing(boston: str, tmp_path: Path) -> None:
    """One record for which nothing was promised, by a type for which nothing is: no deadline was compared."""
    header = "case_enquiry_id,open_dt,target_dt,closed_dt,case_status,type"
    lines = [f"{n},2011-11-01 10:00:00,,2011-11-02 10:00:00,Closed,Highway Maintenance" for n in (1, 2)]
    told = replayed(tmp_path, *lines, header=header)
    assert told["taken"] == 2
    assert told["deadline_agreement"] is None
