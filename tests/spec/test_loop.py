"""The loop by worked examples, on the toy city: what each operation does, and what it refuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.case_driver import MONDAY, Drive, actor, deciding_row, holders, mini

from yiwang.core.cases.deadlines import due, next_due
from yiwang.core.cases.decide import permitted
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import Conflict, Invalid, Missing, NotAllowed, NotPossible, Refusal, Unknown

DAY = timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


# --- intake -------------------------------------------------------------------------------------------------------

INTAKE = [
    # category, source, region → step, holder, triage row
    ("02001", "public", "900101", "accepted", "CTR-9001", "T004"),
    ("02001", "inspector", "900101", "filed", "CTR-9001", "T005"),
    ("03001", "public", "900201", "filed", "CTR-90", "T003"),
    ("01001", "public", "900201", "accepted", "CTR-90", "T001"),
    ("02001", "inspector", "", "filed", "CTR-90", "T002"),  # nobody knows where: no {street}, the next best row
    ("", "public", "900101", "accepted", "CTR-90", "T001"),  # nobody knows what
]


@pytest.mark.parametrize(("category", "source", "region", "step", "holder", "row"), INTAKE)
def test_a_report_starts_as_triage_says(
    category: str, source: str, region: str, step: str, holder: str, row: str
) -> None:
    drive = Drive().report(category=category, source=source, region=region)
    assert (drive.now.step, drive.now.holder) == (step, holder)
    assert deciding_row(drive.events[0].payload, "triage") == row
    assert [event.seq for event in drive.events] == list(range(1, len(drive.events) + 1))


ROUTES = [
    # category, region → unit, row; the limit's row and the deadline when dispatched on Monday 09:05
    ("02001", "900101", "SWEEP-9001", "R003", "L006", "2026-03-02T15:05"),
    ("02001", "900201", "SWEEP-9002", "R003", "L007", "2026-03-02T11:05"),
    ("02002", "900201", "COM-900201", "R005", "L007", "2026-03-02T11:05"),
    ("01002", "900101", "DEPT-WORKS", "R002", "L005", "2026-03-04T09:05"),
    ("03001", "900101", "DEPT-WATER", "R006", "L008", "2026-03-02T10:05"),
]


@pytest.mark.parametrize(("category", "region", "unit", "route", "limit", "deadline"), ROUTES)
def test_dispatch_goes_where_routing_says_with_the_limit_of_the_table(
    category: str, region: str, unit: str, route: str, limit: str, deadline: str
) -> None:
    drive = Drive().to_dispatch(category=category, region=region)
    assert drive.now.holder == unit
    assert deciding_row(drive.events[-1].payload, "routing") == route
    assert deciding_row(drive.events[-1].payload, "limits") == limit
    assert drive.now.deadline == local(deadline)


def test_a_recorded_deadline_holds_and_the_tables_own_is_kept_beside_it() -> None:
    drive = Drive().report(category="03001", source="replay", deadline="2026-03-09T12:00:00+08:00")
    drive.do("dispatch", "dispatcher")
    assert drive.now.step == "dispatched"
    assert drive.now.deadline_clock == "disposal"


def test_a_dispatcher_may_choose_another_unit_and_an_unknown_one_is_refused() -> None:
    drive = Drive().report("inspector", source="inspector")
    with pytest.raises(Unknown) as refused:
        drive.do("dispatch", "dispatcher", unit="NOBODY")
    assert refused.value.field == "unit"
    drive.do("dispatch", "dispatcher", unit="COM-900102")
    assert drive.now.holder == "COM-900102"
    assert drive.events[-1].payload["why"]["routing"]["value"] == "SWEEP-9001", "what the table would have said is kept"


# --- the whole way, and custody -----------------------------------------------------------------------------------


def test_the_whole_way_from_report_to_closing() -> None:
    state = Drive().to_close().now
    assert state.step == "closed"
    assert state.closed_at is not None
    assert not state.overdue
    assert holders(state) == ["CTR-9001", "SWEEP-9001"]
    assert all(clock.resumed_at is None for clock in state.clocks.values())
    assert state.deadline == local("2026-03-02T15:05"), "what the deadline was stays to be seen"


def test_custody_goes_down_up_across_and_back_and_forgets_nothing() -> None:
    drive = Drive().to_handling(category="02001")
    drive.do("hand_up", "handler", reason="做不了")
    assert drive.now.holder == "CTR-9001"
    drive.do("dispatch", "dispatcher")
    drive.do("return", "handler", reason="不归我管")
    assert drive.now.holder == "CTR-9001"
    chain = drive.now.custody
    assert [link.unit for link in chain] == ["CTR-9001", "SWEEP-9001", "CTR-9001", "SWEEP-9001", "CTR-9001"]
    assert all(before.until == after.since for before, after in pairwise(chain))
    assert chain[-1].until is None
    assert drive.events[-1].reason == "不归我管"


def test_across_is_for_siblings_only() -> None:
    drive = Drive().to_dispatch()
    with pytest.raises(NotPossible, match="same level"):
        drive.do("pass", "dispatcher", desk="CTR-90", unit="DEPT-WORKS", reason="r")
    drive.do("pass", "dispatcher", desk="CTR-90", unit="SWEEP-9002", reason="r")
    assert drive.now.holder == "SWEEP-9002"
    with pytest.raises(NotPossible, match="has the case already"):
        drive.do("pass", "dispatcher", desk="CTR-90", unit="SWEEP-9002", reason="r")


def test_nobody_is_above_the_city_centre() -> None:
    drive = Drive().to_dispatch(category="01001")
    drive.do("hand_up", "handler", reason="r")
    assert drive.now.holder == "CTR-90"
    drive.do("dispatch", "dispatcher")
    assert drive.now.holder == "DEPT-WORKS"


# --- clocks -------------------------------------------------------------------------------------------------------


def test_rework_goes_on_with_the_time_that_was_left() -> None:
    drive = Drive().to_feedback()  # dispatched 09:05 with 4 working hours, finished 09:15
    drive.do("rework", "inspector", after=timedelta(hours=1), reason="没干净")
    assert drive.now.step == "dispatched"
    assert drive.now.deadline == local("2026-03-02T16:05"), "the hour at the check did not count"
    assert drive.now.count("rework") == 1


def test_lateness_is_recorded_when_the_disposal_clock_stops() -> None:
    drive = Drive().to_handling()
    drive.do("finish", "handler", after=DAY)
    assert drive.now.overdue


def test_finished_exactly_at_the_deadline_is_on_time() -> None:
    drive = Drive().to_handling()
    assert drive.now.deadline is not None
    drive.do("finish", "handler", after=drive.now.deadline - drive.at)
    assert not drive.now.overdue


def test_extension_adds_one_original_limit_twice_at_most_and_only_before_the_deadline() -> None:
    drive = Drive().to_handling()
    deadlines = []
    for _ in range(2):
        drive.do("ask_extension", "handler", reason="缺件")
        with pytest.raises(NotPossible, match="already waiting"):
            drive.do("ask_extension", "handler", reason="又")
        drive.do("grant_extension", "dispatcher", desk="CTR-9001")
        deadlines.append(drive.now.deadline)
    # 15:05 and four working hours: to 18:00, and the rest next morning; then four more
    assert deadlines == [local("2026-03-03T09:05"), local("2026-03-03T15:05")]
    with pytest.raises(NotPossible, match="2 times at most"):
        drive.do("ask_extension", "handler", reason="第三次")
    late = Drive().to_handling()
    with pytest.raises(NotPossible, match="deadline has passed"):
        late.do("ask_extension", "handler", after=DAY, reason="晚了")


def test_a_refused_extension_is_not_counted() -> None:
    drive = Drive().to_handling()
    before = drive.now.deadline
    for _ in range(3):
        drive.do("ask_extension", "handler", reason="r", after=timedelta(minutes=1))
        drive.do("refuse", "dispatcher", desk="CTR-9001", reason="不行", after=timedelta(minutes=1))
    assert drive.now.deadline == before
    assert drive.now.pending is None


def test_suspension_pauses_once_and_ends_by_itself() -> None:
    drive = Drive().to_handling()
    drive.do("ask_suspension", "handler", reason="等雨停", until="2026-03-10")
    drive.do("suspend", "dispatcher", desk="CTR-9001")
    _, rules, calendar = mini()
    assert drive.now.step == "suspended"
    assert drive.now.deadline is None or drive.now.deadline_clock != "disposal"
    with pytest.raises(NotPossible):
        drive.do("finish", "handler")
    assert next_due(drive.now, rules=rules, calendar=calendar) == local("2026-03-10T00:00")
    (command,) = due(drive.now, rules=rules, calendar=calendar, at=local("2026-03-10T00:00"))
    drive.at = local("2026-03-10T00:00")
    drive.take(command)
    assert (drive.now.step, drive.events[-1].actor) == ("handling", "system")
    with pytest.raises(NotPossible, match="1 times at most"):
        drive.do("ask_suspension", "handler", reason="再挂", until="2026-03-20")


@pytest.mark.parametrize("until", ["2026-03-01", "2027-03-10", "soon", ""])
def test_a_suspension_ends_after_today_and_within_a_year(until: str) -> None:
    with pytest.raises((Invalid, Missing)) as refused:
        Drive().to_handling().do("ask_suspension", "handler", reason="r", until=until)
    assert refused.value.field == "until"


def test_time_running_out_escalates_once_at_each_mark() -> None:
    drive = Drive().to_handling()
    _, rules, calendar = mini()
    first = next_due(drive.now, rules=rules, calendar=calendar)
    assert first == local("2026-03-02T14:17"), "80 % of four working hours from 09:05"
    drive.at = local("2026-03-02T15:05")
    commands = due(drive.now, rules=rules, calendar=calendar, at=drive.at)
    assert len(commands) == 2
    for command in commands:
        drive.take(command)
    assert drive.now.count("escalate") == 2
    assert due(drive.now, rules=rules, calendar=calendar, at=drive.at + DAY) == []
    assert next_due(drive.now, rules=rules, calendar=calendar) is None


# --- who may ------------------------------------------------------------------------------------------------------


def test_nobody_closes_what_they_handled() -> None:
    drive = Drive().report("inspector", source="inspector").do("on_the_spot", "inspector")
    drive.do("ask_check", "intake")
    with pytest.raises(NotAllowed, match="Who handled"):
        drive.do("check", "inspector")
    drive.do("check", "inspector", who="2").do("close", "leader")
    assert drive.now.step == "closed"


def test_the_wrong_role_is_told_who_may() -> None:
    with pytest.raises(NotAllowed) as refused:
        Drive().report().do("file", "handler")
    assert "leader" in refused.value.role
    assert "值班长" in refused.value.text.zh
    assert "Shift leader" in refused.value.text.en


def test_only_the_holder_handles_and_only_within_ones_region() -> None:
    with pytest.raises(NotAllowed, match="does not hold"):
        Drive().to_dispatch().do("take", "handler", desk="SWEEP-9002")
    drive = Drive().report()
    stranger = actor("leader", region="9002")
    _, rules, _ = mini()
    choices = {choice.verb: choice for choice in permitted(drive.now, stranger, rules=rules, at=MONDAY)}
    assert not choices["file"].allowed
    assert "区域" in choices["file"].why.zh


def test_what_is_permitted_is_what_decide_takes() -> None:
    drive = Drive().to_handling()
    _, rules, _ = mini()
    handler = actor("handler", unit=drive.now.holder)
    allowed = {choice.verb for choice in permitted(drive.now, handler, rules=rules, at=drive.at) if choice.allowed}
    assert allowed == {
        "hand_down",
        "hand_up",
        "return",
        "finish",
        "ask_extension",
        "ask_suspension",
        "note",
        "to_person",
    }


# --- the rest of practice -----------------------------------------------------------------------------------------


def test_joint_handling_waits_for_the_others_or_says_why_not() -> None:
    drive = Drive().to_handling()
    drive.do("ask_assistance", "dispatcher", desk="CTR-9001", units=["DEPT-WATER"])
    with pytest.raises(Missing, match="Assisting units"):
        drive.do("finish", "handler")
    drive.do("assisted", "handler", desk="DEPT-WATER").do("finish", "handler")
    assert drive.now.assisting == {"DEPT-WATER": "done"}


def test_appeal_lifts_the_penalty_never_the_fact() -> None:
    drive = Drive().to_handling()
    drive.do("finish", "handler", after=DAY).do("ask_check", "intake").do("check", "inspector").do("close", "leader")
    drive.do("appeal", "handler", desk="SWEEP-9001", reason="停水").do("grant_appeal", "leader", opinion="属实")
    assert drive.now.overdue
    assert drive.now.penalty_lifted
    with pytest.raises(NotPossible):
        drive.do("appeal", "handler", desk="SWEEP-9001", reason="再来")
    with pytest.raises(NotPossible, match="not late"):
        Drive().to_close().do("appeal", "handler", desk="SWEEP-9001", reason="r")


def test_reopening_starts_over_with_a_new_clock_and_rating_comes_once() -> None:
    drive = Drive().to_close(reporter="user:citizen")
    with pytest.raises(NotAllowed, match="person who reported it"):
        drive.do("rate", "citizen", who="else", stars=1)
    drive.do("rate", "citizen", stars=2)
    with pytest.raises(NotPossible):
        drive.do("rate", "citizen", stars=5)
    drive.do("reopen", "citizen", reason="又脏了")
    assert (drive.now.step, drive.now.closed_at, drive.now.rating) == ("filed", None, 0)
    drive.do("dispatch", "dispatcher", desk="CTR-9001")
    assert drive.now.clocks["disposal"].used_seconds == 0
    with pytest.raises(Invalid):
        Drive().to_close(reporter="user:citizen").do("rate", "citizen", stars=6)


def test_merging_ends_one_case_and_the_other_knows_of_it() -> None:
    one = Drive().report(number="MN1")
    two = Drive().report(number="MN2").do("merge", "intake", into="MN1")
    one.do("absorb", "system", number="MN2")
    assert (two.now.step, two.now.merged_into) == ("merged", "MN1")
    assert one.now.duplicates == ("MN2",)
    with pytest.raises(NotPossible, match="itself"):
        one.do("merge", "intake", into="MN1")


def test_a_corrected_category_is_triaged_anew() -> None:
    drive = Drive().report().do("correct", "intake", category="03001")
    assert (drive.now.category, drive.now.priority) == ("03001", "urgent")


def test_supervision_needs_an_opinion_and_changes_nothing_else() -> None:
    drive = Drive().to_handling()
    before = drive.now
    with pytest.raises(Missing):
        drive.do("supervise", "leader")
    drive.do("supervise", "leader", opinion="今天办完")
    assert (drive.now.step, drive.now.holder, drive.now.deadline) == (before.step, before.holder, before.deadline)


# --- concurrency and form -----------------------------------------------------------------------------------------


def test_acting_on_what_is_no_longer_so_is_a_conflict() -> None:
    drive = Drive().report()
    with pytest.raises(Conflict) as refused:
        drive.do("file", "leader", seq=drive.now.seq - 1)
    assert refused.value.code == "conflict"
    drive.do("file", "leader", seq=drive.now.seq)


def test_refusals_speak_both_languages() -> None:
    with pytest.raises(Refusal) as refused:
        Drive().report().do("close", "leader")
    assert "不能" in refused.value.text.zh
    assert "cannot" in refused.value.text.en


@pytest.mark.parametrize("station", ["report", "to_dispatch", "to_handling", "to_feedback", "to_close"])
def test_state_survives_being_stored(station: str) -> None:
    state = getattr(Drive(), station)().now
    assert CaseState.from_dict(state.to_dict()) == state
