"""What practice needs of the loop, by worked examples: custody and its times, returning, recorded facts, time-outs, appeals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.case_driver import MONDAY, Drive, actor, holders, mini, rules_with
from tests.narrowing import present
from tests.spec.test_loop import local

from yiwang.core.cases.custody import by_level, custody_spans
from yiwang.core.cases.deadlines import due, next_due
from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import SYSTEM_ACTOR, Command
from yiwang.core.kernel.refusals import Invalid, Missing, NotAllowed, NotPossible, Unknown, Unruled

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NO_LIMIT = [{"amount": "", "unit": ""}]


# --- custody ------------------------------------------------------------------------------------------------------


def test_time_is_measured_per_holder_and_level() -> None:
    drive = Drive().to_dispatch()  # 09:00 reported, 09:05 dispatched
    drive.do("hand_up", "handler", reason="r", after=5 * HOUR)  # 14:05; lunch from 12 to 14
    drive.do("dispatch", "dispatcher", after=HOUR)  # 15:05
    _, _, calendar = mini()
    held = custody_spans(drive.now, calendar=calendar, at=local("2026-03-02T16:05"))
    assert [(link.unit, link.seconds / 60) for link in held] == [
        ("CTR-9001", 5), ("SWEEP-9001", 180), ("CTR-9001", 60), ("SWEEP-9001", 60),
    ]  # fmt: skip
    assert by_level(held) == {"street": 305 * 60}


def test_the_last_holder_stops_counting_when_the_case_ends_and_counts_anew_when_it_is_reopened() -> None:
    drive = Drive().to_close(reporter="user:citizen")
    assert drive.now.custody[-1].until == drive.now.closed_at
    drive.do("reopen", "citizen", reason="r", after=DAY)
    assert (drive.now.custody[-1].since, drive.now.custody[-1].until) == (drive.now.updated_at, None)


def test_passing_across_tells_both_centres() -> None:
    drive = Drive().to_dispatch().do("pass", "dispatcher", desk="CTR-90", unit="SWEEP-9002", reason="r")
    assert drive.events[-1].payload["notices"] == ["CTR-9001", "CTR-9002"]


def test_whoever_holds_a_case_may_act_though_it_lies_in_another_region() -> None:
    drive = Drive().to_dispatch().do("pass", "dispatcher", desk="CTR-90", unit="SWEEP-9002", reason="r")
    taker = actor("handler", unit="SWEEP-9002", region="9002")
    drive.take(Command(verb="take", actor=taker))
    assert drive.now.step == "handling"


@pytest.mark.parametrize("unit", ["CTR-90", "CTR-9001", "DEPT-WORKS"])
def test_down_never_goes_to_a_unit_above(unit: str) -> None:
    drive = Drive().to_dispatch()
    with pytest.raises(NotPossible, match="use up"):
        drive.do("hand_down", "handler", unit=unit)


# --- returning ----------------------------------------------------------------------------------------------------


def test_after_a_return_one_may_correct_or_send_again_but_not_jump_ahead() -> None:
    drive = Drive().to_handling().do("return", "handler", reason="不归我管")
    assert (drive.now.step, drive.now.returned_from) == ("filed", "handling")
    with pytest.raises(NotPossible, match="jump ahead"):
        drive.do("on_the_spot", "inspector")
    _, rules, _ = mini()
    choices = {choice.verb: choice for choice in permitted(drive.now, actor("inspector"), rules=rules, at=drive.at)}
    assert "回退" in choices["on_the_spot"].why.zh
    drive.do("correct", "intake", place="东门").do("dispatch", "dispatcher", unit="COM-900101").do("take", "handler")
    assert drive.now.returned_from == ""
    assert drive.now.count("return") == 1


def test_what_was_returned_can_still_be_made_void() -> None:
    drive = Drive().to_dispatch().do("return", "handler", reason="r").do("cancel", "leader", reason="重复")
    assert (drive.now.step, drive.now.returned_from) == ("void", "")


def test_rework_goes_to_the_unit_that_answered_for_the_deadline() -> None:
    rules = rules_with(
        ('stop = ["disposal"]\nstart = ["closing"]', 'moves = "centre"\nstop = ["disposal"]\nstart = ["closing"]')
    )
    drive = Drive(rules=rules).to_feedback()
    assert (drive.now.holder, drive.now.main_unit) == ("CTR-9001", "SWEEP-9001")
    finished = drive.now.finished_at
    drive.do("rework", "leader", reason="没干净")
    assert drive.now.holder == "SWEEP-9001"
    assert finished is not None
    assert drive.now.finished_at is None


# --- what the case is ---------------------------------------------------------------------------------------------


def test_a_corrected_place_takes_the_case_to_its_new_centre_and_from_there_by_the_rules() -> None:
    drive = Drive().report().do("correct", "intake", region="900202")
    assert (drive.now.region, drive.now.centre, drive.now.holder) == ("900202", "CTR-9002", "CTR-9002")
    assert drive.events[-1].payload["was"] == {"region": "900101"}
    drive.do("file", "leader").do("dispatch", "dispatcher")
    assert drive.now.holder == "SWEEP-9002"
    assert drive.events[-1].payload["why"]["limits"]["row"] == "L007"


def test_a_place_corrected_after_dispatch_leaves_the_case_with_its_unit_and_says_so() -> None:
    rules = rules_with(
        ('from = ["reported", "accepted", "filed"]\nto = "="', 'from = ["accepted", "filed", "dispatched"]\nto = "="')
    )
    drive = Drive(rules=rules).report().do("file", "leader").do("dispatch", "dispatcher")
    assert drive.now.holder == "SWEEP-9001"
    drive.do("correct", "intake", desk="CTR-9001", region="900202")
    assert (drive.now.region, drive.now.holder) == ("900202", "SWEEP-9001")
    assert drive.events[-1].payload["kept"] == {"unit": "SWEEP-9001", "ruled": "SWEEP-9002"}


def test_a_corrected_place_is_replaced_whole() -> None:
    drive = Drive().report(lon=120.003, lat=31.003, grid="900101001").do("correct", "intake", region="900202")
    assert (drive.now.grid, drive.now.lon, drive.now.lat) == ("", None, None)
    drive.do("correct", "intake", region="900101", lon=120.003, lat=31.003)
    assert (drive.now.region, drive.now.lon) == ("900101", 120.003)
    with pytest.raises(Missing, match="lat"):
        drive.do("correct", "intake", lon=120.004)


def test_a_verb_that_carries_a_category_sets_it() -> None:
    drive = Drive().report(category="", region="900101")
    assert drive.now.step == "accepted"
    drive.do("correct", "intake", category="03001")
    assert (drive.now.category, drive.now.priority) == ("03001", "urgent")
    with pytest.raises(Missing, match="corrected"):
        drive.do("correct", "intake")


def test_a_region_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Unknown) as refused:
        Drive().report(region="777777")
    assert refused.value.field == "region"


def test_contact_data_never_enters_history() -> None:
    drive = Drive().report(contact="13800000000", phone="1").do("file", "leader", contact="13800000000")
    assert "13800000000" not in repr(drive.events)


def test_splitting_makes_complete_reports_for_the_parts() -> None:
    drive = Drive().report(lon=120.001, lat=31.001)
    parts = [{"text": "井盖", "category": "01001"}, {"text": "垃圾", "region": "900202"}]
    with pytest.raises(Missing) as refused:
        drive.do("split", "leader", parts=parts)
    assert refused.value.field == "numbers"
    drive.do("split", "leader", parts=parts, numbers=["MN2", "MN3"])
    assert drive.now.parts == ("MN2", "MN3")
    first, second = drive.events[-1].payload["parts"]
    assert first == {
        "number": "MN2", "part_of": "MN1", "city": "mini", "text": "井盖", "category": "01001", "region": "900101",
        "lon": 120.001, "lat": 31.001, "source": "public",
    }  # fmt: skip
    assert (second["region"], second["category"], "lon" in second) == ("900202", "02001", False)
    part = Drive().report("system", **first)
    assert part.now.part_of == "MN1"


def test_merging_brings_along_the_duplicates_of_the_duplicate() -> None:
    drive = Drive().report().do("absorb", "system", number="MN2", numbers=["MN3", "MN1"])
    assert drive.now.duplicates == ("MN2", "MN3")
    with pytest.raises(Missing):
        drive.do("absorb", "system")


# --- recorded facts (replay) --------------------------------------------------------------------------------------


def replayed(rules: Any = None, **payload: Any) -> Drive:
    drive = Drive(rules=rules).report("system", source="replay")
    return drive.take(Command(verb="dispatch", actor=SYSTEM_ACTOR, payload=payload))


def test_a_recorded_deadline_holds_and_the_prediction_is_kept() -> None:
    drive = replayed(deadline="2026-03-09T12:00:00+08:00")
    assert drive.now.deadline == local("2026-03-09T12:00")
    why = drive.events[-1].payload["why"]
    assert why["limits"]["row"] == "L006"
    assert local("2026-03-02T15:00").isoformat() != why["predicted_deadline"] == "2026-03-02T07:00:00+00:00"
    drive.take(Command(verb="take", actor=SYSTEM_ACTOR))
    drive.at = local("2026-03-09T12:00")
    drive.take(Command(verb="finish", actor=SYSTEM_ACTOR))
    assert not drive.now.overdue


def test_it_can_be_recorded_that_there_was_no_deadline() -> None:
    drive = replayed(deadline=None)
    assert (drive.now.deadline, "disposal" in drive.now.clocks) == (None, False)
    assert drive.events[-1].payload["why"]["predicted_deadline"] == "2026-03-02T07:00:00+00:00"


def test_a_recorded_unit_holds_and_the_tables_own_is_kept() -> None:
    drive = replayed(unit="DEPT-WATER")
    assert drive.now.holder == "DEPT-WATER"
    assert drive.events[-1].payload["why"]["routing"]["value"] == "SWEEP-9001"


def test_the_system_takes_a_record_all_the_way_at_intake_or_not_at_all() -> None:
    rules = rules_with(triage=[{"priority": "normal", "auto": "dispatched", "centre": "CTR-90"}])
    drive = Drive(rules=rules).report("system", unit="DEPT-WATER", deadline="2026-03-09T12:00:00+08:00")
    assert [event.verb for event in drive.events] == ["report", "accept", "file", "dispatch"]
    assert (drive.now.holder, drive.now.deadline) == ("DEPT-WATER", local("2026-03-09T12:00"))
    with pytest.raises(Unknown):
        Drive(rules=rules).report("system", unit="NOBODY")
    with pytest.raises(Invalid):
        Drive(rules=rules).report("system", deadline="soon")


def test_only_the_system_may_say_what_was_recorded() -> None:
    drive = Drive().report("inspector", source="inspector")
    drive.do("dispatch", "dispatcher", deadline="2030-01-01T00:00:00+08:00")
    assert drive.now.deadline == local("2026-03-02T15:05")


def test_a_blank_limit_means_that_there_is_none() -> None:
    drive = Drive(rules=rules_with(limits=NO_LIMIT)).to_handling()
    assert (drive.now.deadline, drive.now.deadline_clock) == (None, "")
    drive.do("finish", "handler", after=30 * DAY)
    assert not drive.now.overdue
    assert Drive(rules=rules_with(limits=[])).to_handling().now.deadline is None


def test_rules_that_cannot_answer_refuse_instead_of_breaking() -> None:
    with pytest.raises(Unruled, match="no limit"):
        Drive(rules=rules_with(limits=[{"amount": "soon", "unit": "work_hours"}])).to_handling()


def test_where_no_unit_is_known_the_system_leaves_the_case_to_people() -> None:
    rules = rules_with(triage=[{"auto": "dispatched", "centre": "CTR-90"}], routing=[{"unit": "NOBODY"}])
    drive = Drive(rules=rules).report()
    assert (drive.now.step, drive.now.holder) == ("filed", "CTR-90")


def test_a_cases_time_never_runs_backwards() -> None:
    drive = Drive().report().do("file", "leader", after=-HOUR)
    assert drive.events[-1].at == MONDAY


# --- time running out ---------------------------------------------------------------------------------------------

MARKS = [
    # at, moment, for a case dispatched on Monday 09:05 with 4 working hours (due 15:05)
    ("80%", "2026-03-02T14:17"),
    ("100%", "2026-03-02T15:05"),
    ("200%", "2026-03-03T09:05"),
    ("+1 urgent_hours", "2026-03-02T16:05"),
    ("+4 work_hours", "2026-03-03T09:05"),
    ("+2 work_days", "2026-03-04T15:05"),
    ("-1 work_hours", "2026-03-02T14:05"),
    ("-30 urgent_hours", "2026-03-01T09:05"),
]


@pytest.mark.parametrize(("at", "moment"), MARKS)
def test_the_system_acts_at_a_share_of_the_limit_or_before_or_after_the_deadline(at: str, moment: str) -> None:
    second = '\n[[escalation]]\nclock = "disposal"\nat = "100%"\nverb = "escalate"'
    rules = rules_with((second, ""), ('at = "80%"', f'at = "{at}"'))
    drive = Drive(rules=rules).to_handling()
    _, _, calendar = mini()
    assert next_due(drive.now, rules=rules, calendar=calendar) == local(moment)
    (command,) = due(drive.now, rules=rules, calendar=calendar, at=local(moment))
    drive.take(command)
    assert next_due(drive.now, rules=rules, calendar=calendar) is None


CLOCK = '[[clock]]\nid = "verification"\nname = "核实"\nname_en = "Verification"\nlimit = "24 urgent_hours"\n\n'
RULE = '[[escalation]]\nclock = "verification"\nat = "100%"\nverb = "accept"\n\n'
FIRST, ASK = '[[escalation]]\nclock = "disposal"\nat = "80%"', 'to = "verifying"\nroles = ["intake", "system"]'
VERIFICATION = (
    ('[[verb]]\nid = "report"', CLOCK + '[[verb]]\nid = "report"'),
    (ASK, ASK + '\nstart = ["verification"]'),
    ('who = "any"\nrequires = ["note"]\n', 'requires = ["note"]\nstop = ["verification"]\n'),
    ('optional = ["category"]', 'optional = ["category"]\nstop = ["verification"]'),
    (FIRST, RULE + FIRST),
)


def test_a_verification_that_nobody_answers_times_out() -> None:
    rules = rules_with(*VERIFICATION, triage=[{"auto": "reported", "centre": "CTR-90"}])
    drive = Drive(rules=rules).report().do("ask_verify", "intake")
    _, _, calendar = mini()
    assert next_due(drive.now, rules=rules, calendar=calendar) == local("2026-03-03T09:05")
    (command,) = due(drive.now, rules=rules, calendar=calendar, at=local("2026-03-03T09:05"))
    drive.take(command)
    assert (drive.now.step, drive.events[-1].actor) == ("accepted", "system")


def test_an_extended_clock_warns_again_at_its_new_moments() -> None:
    drive = Drive().to_handling()
    _, rules, calendar = mini()
    drive.do("ask_extension", "handler", reason="r")
    drive.at = local("2026-03-02T14:20")
    for command in due(drive.now, rules=rules, calendar=calendar, at=drive.at):
        drive.take(command)
    assert drive.now.count("escalate") == 1
    drive.do("grant_extension", "dispatcher", desk="CTR-9001")
    assert next_due(drive.now, rules=rules, calendar=calendar) == local("2026-03-02T17:29"), "80 % of eight hours"


def test_a_request_that_nobody_can_answer_any_more_lapses() -> None:
    drive = Drive().to_handling().do("ask_extension", "handler", reason="r").do("finish", "handler")
    assert drive.now.pending is None
    assert drive.events[-1].payload["lapsed"] == "extend"
    kept = Drive().to_dispatch().do("ask_extension", "handler", reason="r").do("take", "handler")
    assert kept.now.pending is not None


def test_lateness_is_recorded_though_the_clock_is_then_paused() -> None:
    drive = Drive().to_handling().do("ask_suspension", "handler", reason="r", until="2026-03-20")
    drive.do("suspend", "dispatcher", desk="CTR-9001", after=DAY)
    assert drive.now.overdue


def test_a_suspended_case_cannot_be_handled_and_says_so() -> None:
    drive = (
        Drive()
        .to_handling()
        .do("ask_suspension", "handler", reason="r", until="2026-03-20")
        .do("suspend", "dispatcher")
    )
    with pytest.raises(NotPossible, match="suspended"):
        drive.do("finish", "handler")
    drive.do("resume", "handler")
    assert (drive.now.step, drive.now.resume_at) == ("handling", None)


# --- joint handling, appeals --------------------------------------------------------------------------------------


ANYBODY_ASSISTS = rules_with(('who = "assisting"', 'who = "any"'))


def test_a_unit_says_for_itself_or_for_one_below_that_it_has_assisted() -> None:
    drive = Drive(rules=ANYBODY_ASSISTS).to_handling()
    drive.do("ask_assistance", "dispatcher", desk="CTR-9001", units=["DEPT-WATER", "COM-900101"])
    assert drive.events[-1].payload["notices"] == ["DEPT-WATER", "COM-900101"]
    with pytest.raises(NotAllowed, match="your own unit"):
        drive.do("assisted", "handler", desk="DEPT-WORKS", unit="DEPT-WATER")
    with pytest.raises(NotPossible, match="not asked"):
        drive.do("assisted", "handler", desk="DEPT-WORKS")
    drive.do("assisted", "handler", desk="CTR-90", unit="DEPT-WATER").do("assisted", "handler", desk="COM-900101")
    assert set(drive.now.assisting.values()) == {"done"}
    assert drive.now.main_unit == "SWEEP-9001"


def test_a_workflow_may_leave_it_to_those_who_were_asked() -> None:
    drive = Drive().to_handling().do("ask_assistance", "dispatcher", desk="CTR-9001", units=["DEPT-WATER"])
    for desk in ("DEPT-WORKS", "CTR-90"):
        with pytest.raises(NotAllowed, match="not asked to assist"):
            drive.do("assisted", "handler", desk=desk, unit="DEPT-WATER")
    drive.do("assisted", "handler", desk="DEPT-WATER")
    assert set(drive.now.assisting.values()) == {"done"}


def test_the_main_unit_may_go_on_without_the_others_with_a_reason() -> None:
    drive = Drive().to_handling().do("ask_assistance", "dispatcher", desk="CTR-9001", units=["DEPT-WATER"])
    drive.do("finish", "handler", reason="已无需排水")
    assert drive.now.step == "feedback"


ENDORSED = (
    '[[verb]]\nid = "grant_appeal"',
    '[[verb]]\nid = "endorse"\nname = "初审"\nname_en = "Endorse"\nfrom = ["closed"]\nto = "="\nroles = ["dispatcher"]\n'
    'effect = "appeal_endorse"\n\n[[verb]]\nid = "grant_appeal"',
)


def closed_late(rules: Any = None) -> Drive:
    drive = (
        Drive(rules=rules)
        .to_handling(reporter="user:citizen")
        .do("finish", "handler", after=DAY)
        .do("ask_check", "intake")
    )
    return drive.do("check", "inspector").do("close", "leader")


def test_an_appeal_may_need_two_to_agree() -> None:
    drive = closed_late(rules_with(ENDORSED)).do("appeal", "handler", reason="停水")
    with pytest.raises(NotPossible, match="not been endorsed"):
        drive.do("grant_appeal", "leader", opinion="o")
    drive.do("endorse", "dispatcher").do("grant_appeal", "leader", opinion="o")
    assert (drive.now.appeal, drive.now.penalty_lifted, drive.now.overdue) == ("granted", True, True)


def test_a_refused_appeal_cannot_be_made_again() -> None:
    drive = closed_late().do("appeal", "handler", reason="r").do("refuse_appeal", "leader", opinion="不成立")
    assert (drive.now.appeal, drive.now.penalty_lifted) == ("refused", False)
    with pytest.raises(NotPossible):
        drive.do("appeal", "handler", reason="再来")


def test_lateness_after_a_forgiven_lateness_counts_again() -> None:
    drive = closed_late().do("appeal", "handler", reason="r").do("grant_appeal", "leader", opinion="o")
    drive.do("reopen", "citizen", reason="又脏了").do("dispatch", "dispatcher", desk="CTR-9001").do("take", "handler")
    drive.do("finish", "handler", after=DAY)
    assert (drive.now.overdue, drive.now.penalty_lifted) == (True, False)


def test_an_ended_case_shows_by_when_it_should_have_been_done() -> None:
    state = Drive().to_close().now
    assert (state.deadline, state.deadline_clock) == (local("2026-03-02T15:05"), "disposal")
    assert state.finished_at == local("2026-03-02T09:15")
    assert holders(state) == ["CTR-9001", "SWEEP-9001"]


# --- returned and sent again --------------------------------------------------------------------------------------

ANEW = ('main_clock = "disposal"', 'main_clock = "disposal"\nsame_unit = "anew"')
STOPS = (
    'moves = "back"\nrequires = ["reason"]\neffect = "return"',
    'moves = "back"\nrequires = ["reason"]\nstop = ["disposal"]\neffect = "return"',
)
TWO_DAYS = [{"amount": "2", "unit": "work_days"}]
HOURS_8 = 8 * 3600


@pytest.mark.parametrize(
    ("changes", "used"),
    [((STOPS,), 1), ((), 2), ((STOPS, ANEW), 0), ((ANEW,), 0)],
    ids=["goes on, stopped meanwhile", "goes on, running meanwhile", "anew, stopped", "anew, running"],
)
def test_the_same_unit_goes_on_with_its_time_and_another_begins_anew(changes: tuple[Any, ...], used: int) -> None:
    """Monday 09:05 dispatched, returned after one working hour, sent again an hour later."""
    _, _, calendar = mini()

    def sent_again(unit: str) -> Any:
        drive = Drive(rules=rules_with(*changes, limits=TWO_DAYS)).to_dispatch()
        drive.do("return", "handler", reason="不归我管", after=HOUR)
        return drive.do("dispatch", "dispatcher", unit=unit, after=HOUR).now

    same, other = sent_again("SWEEP-9001"), sent_again("COM-900101")
    assert (same.main_unit, other.main_unit) == ("SWEEP-9001", "COM-900101")
    clock = same.clocks["disposal"]
    assert clock.elapsed_seconds(calendar=calendar, at=same.updated_at) == used * 3600
    assert clock.remaining_seconds(calendar=calendar, at=same.updated_at) == 2 * HOURS_8 - used * 3600
    assert same.deadline == clock.deadline(calendar=calendar)
    assert other.clocks["disposal"].elapsed_seconds(calendar=calendar, at=other.updated_at) == 0


def test_another_limit_takes_over_what_was_used_and_lateness_is_not_forgotten() -> None:
    _, _, calendar = mini()
    hour = [{"amount": "1", "unit": "urgent_hours"}]
    drive = Drive(rules=rules_with(STOPS, limits=hour)).to_dispatch()
    drive.do("return", "handler", reason="r", after=2 * HOUR)  # an hour too late
    assert drive.now.overdue
    drive.rules = rules_with(STOPS, limits=[{"amount": "5", "unit": "urgent_hours"}])
    drive.do("dispatch", "dispatcher", unit="SWEEP-9001", after=DAY)
    clock = drive.now.clocks["disposal"]
    at = present(drive.now.updated_at)
    assert clock.elapsed_seconds(calendar=calendar, at=at) == 2 * 3600
    assert clock.remaining_seconds(calendar=calendar, at=at) == 3 * 3600
    assert drive.now.overdue


def test_once_sent_again_the_return_is_over() -> None:
    drive = Drive(rules=rules_with(STOPS)).to_dispatch()
    drive.do("return", "handler", reason="r", after=HOUR).do("dispatch", "dispatcher", unit="SWEEP-9001")
    assert drive.now.returned_from == ""


def test_same_unit_is_one_of_two_words() -> None:
    from yiwang.core.kernel.errors import BadInput

    with pytest.raises(BadInput, match="same_unit"):
        rules_with(('main_clock = "disposal"', 'main_clock = "disposal"\nsame_unit = "perhaps"'))
