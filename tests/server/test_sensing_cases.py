"""Alarms become cases: one for one cause, joined to what people reported, each alarm once; nothing closes by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from tests.outsiders import CITIZEN
from tests.server.sensing_city import LAT, LON, at, read, turns, underpass

from yiwang.server.cases.api import Case, Event, Report, ReportDraft, join_case
from yiwang.server.sensing import causes, linking, raising
from yiwang.server.sensing.api import Alarm, Cause, Datastream, maintain, raise_cases

pytestmark = pytest.mark.django_db
METRE = 1 / 111_320
Close = Callable[[str], None]


def cases() -> list[Case]:
    return list(Case.objects.order_by("id"))


def only_case() -> Case:
    (case,) = cases()
    return case


def payloads(case: Case, verb: str) -> list[dict[str, Any]]:
    return [json.loads(one.payload) for one in Event.objects.filter(case=case, verb=verb).order_by("seq")]


def notes(case: Case) -> list[str]:
    return [one["note"] for one in payloads(case, "sensed")]


def flood(stream: Datastream, minute: float = 0, value: float = 20) -> None:
    read(stream, minute, value)
    raise_cases(at=at(minute))


def test_an_alarm_opens_a_case_with_its_evidence(mini: str) -> None:
    flood(underpass(component="C-1"))
    case = only_case()
    assert (case.category, case.source, case.component) == ("03001", "sensor", "C-1")
    assert case.text == "下穿通道 1：下穿通道积水：读数 20 cm，不低于限值 15 cm，触发黄色报警。"
    first = json.loads(Event.objects.filter(case=case).order_by("seq").first().payload)  # type: ignore[union-attr]
    evidence = {"datastream": "underpass-1", "value": 20.0, "unit": "cm", "at": at(0).isoformat()}
    assert first["set"]["evidence"] == {"observation": evidence}
    assert turns() == [("underpass_water", "raised", 2, "opened")]


def test_a_mild_alarm_opens_none_and_one_that_worsens_does(mini: str) -> None:
    stream = underpass()
    flood(stream, 0, 6)
    assert cases() == []
    assert turns()[0][3] == "nothing"
    flood(stream, 1, 16)
    assert len(cases()) == 1


def test_severity_gives_the_priority_and_worsening_raises_it(mini: str) -> None:
    stream = underpass()
    flood(stream, 0, 20)
    assert only_case().priority == "normal"
    flood(stream, 1, 30)
    case = only_case()
    assert case.priority == "urgent"
    assert "升级为橙色报警" in notes(case)[0]
    assert payloads(case, "sensed")[0]["evidence"]["observation"]["value"] == 30


def test_a_severe_alarm_is_urgent_from_the_beginning(mini: str) -> None:
    flood(underpass(), 0, 40)
    assert only_case().priority == "urgent"


def test_back_to_normal_proposes_to_close_and_closes_nothing(mini: str) -> None:
    stream = underpass()
    flood(stream, 0, 20)
    flood(stream, 90, 1)
    case = only_case()
    assert case.closed_at is None
    assert "期间最严重 20" in notes(case)[-1]
    assert "历时 90 分钟" in notes(case)[-1]
    assert "建议结案" in notes(case)[-1]


def test_one_case_for_one_cause_while_it_is_open(mini: str, close: Close) -> None:
    stream = underpass()
    for minute, value in ((0, 20), (1, 1), (2, 20), (3, 1), (4, 20)):
        flood(stream, minute, value)
    case = only_case()
    assert len(notes(case)) == 4
    close(case.number)
    flood(stream, 5, 1)
    flood(stream, 6, 20)
    assert len(cases()) == 2
    assert [one[3] for one in turns()] == ["opened", "noted", "noted", "noted", "noted", "nothing", "opened"]


def test_two_streams_of_one_component_are_one_cause(mini: str) -> None:
    flood(underpass("1", component="C-1"))
    flood(underpass("2", component="C-1"), 1)
    assert len(notes(only_case())) == 1


def test_two_things_are_two_causes(mini: str) -> None:
    flood(underpass("1"))
    flood(underpass("2"), 1)
    assert len(cases()) == 2


@pytest.mark.parametrize(("metres", "joined"), [(40, True), (80, False)])
def test_what_people_reported_near_by_is_joined(mini: str, report: Any, metres: float, joined: bool) -> None:
    theirs = report(category="03001", lon=LON, lat=LAT + metres * METRE)["case"]
    flood(underpass())
    case = Case.objects.get(number=theirs)
    assert len(cases()) == (1 if joined else 2)
    if joined:
        assert turns()[0][3] == "joined"
        assert "读数 20 cm" in notes(case)[0]
        ours = Report.objects.get(case=case, origin="sensing")
        assert (ours.source, ours.external) == ("sensor", str(Alarm.objects.get().pk))


def test_of_another_category_nothing_is_joined(mini: str, report: Any) -> None:
    report(category="02001", lon=LON, lat=LAT)
    flood(underpass())
    assert len(cases()) == 2


def test_people_join_the_case_of_a_sensor(mini: str) -> None:
    flood(underpass())
    join_case(city=mini, number=only_case().number, draft=ReportDraft(text="水很深"), actor=CITIZEN)
    assert Report.objects.filter(case=only_case()).count() == 2


# --- maintenance --------------------------------------------------------------------------------------------------------


def test_maintenance_keeps_alarms_and_opens_no_case(mini: str) -> None:
    stream = underpass()
    maintain(thing=stream.thing_id, start=at(-10), end=at(60), by="user:1", reason="清淤")
    flood(stream, 0, 20)
    flood(stream, 10, 1)
    assert raise_cases(at=at(61)) == 1
    assert cases() == []
    assert [one[3] for one in turns()] == ["maintenance", "nothing"]


def test_an_alarm_that_stands_when_the_work_is_done_opens_its_case_then(mini: str) -> None:
    stream = underpass()
    maintain(thing=stream.thing_id, start=at(-10), end=at(60), by="user:1", reason="清淤")
    flood(stream, 50, 20)
    raise_cases(at=at(59))
    assert cases() == []
    raise_cases(at=at(60))
    assert len(cases()) == 1


# --- storms -------------------------------------------------------------------------------------------------------------


def test_many_alarms_at_once_are_one_incident(mini: str) -> None:
    streams = [underpass(str(number)) for number in range(8)]
    for number, stream in enumerate(streams):
        read(stream, number / 10, 20)
    raise_cases(at=at(2))
    case = only_case()
    assert all(f"下穿通道 {number}" in case.text for number in range(8))
    assert "8 路报警" in case.text
    assert {one[3] for one in turns()} == {"opened"}
    assert set(Alarm.objects.values_list("case", flat=True)) == {case.number}
    for number, stream in enumerate(streams):
        flood(stream, 30 + number, 1)
    assert len(notes(case)) == 1
    assert "建议结案" in notes(case)[0]


def test_alarms_that_begin_mild_and_worsen_are_a_storm_too(mini: str) -> None:
    for number in range(6):
        stream = underpass(str(number))
        read(stream, number / 10, 6)
        read(stream, number / 10 + 0.05, 20)
    raise_cases(at=at(2))
    assert "6 路报警" in only_case().text


def test_a_storm_grows_after_the_first_cases(mini: str) -> None:
    for number in range(7):
        flood(underpass(str(number)), number / 10, 20)
    found = cases()
    assert len(found) == 5  # four that stood alone, and the incident with what came after
    storm = found[-1]
    assert len(notes(storm)) == 2
    assert [one.merged_into for one in found[:-1]] == [storm.number] * 4
    for number in range(7):
        flood(underpass(str(number)), 30 + number, 1)
    last = notes(storm)[2:]
    assert len(last) == 1, "only the last alarm of the incident, whichever case it opened, is worth a note"
    assert "建议结案" in last[0]


def test_an_early_case_that_somebody_has_in_hand_stays_and_says_what_it_belongs_to(
    mini: str, act: Any, actor: Any
) -> None:
    for number in range(4):
        flood(underpass(str(number)), number / 10, 20)
    mine = cases()[0]
    act(mine.number, "note", actor("leader"), note="已派人")
    for number in range(4, 7):
        flood(underpass(str(number)), number / 10, 20)
    found = cases()
    storm = found[-1]
    assert [one.merged_into for one in found[:-1]] == ["", *[storm.number] * 3]
    assert [one for one in notes(found[0]) if storm.number in one] == notes(found[0])[-1:]
    assert len([one for one in notes(storm) if mine.number in one]) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["link_early", "_merge", "_act"])
def test_a_kill_while_early_cases_are_linked_leaves_one_incident(mini: str, name: str, after: bool) -> None:
    for number in range(4):
        flood(underpass(str(number)), number / 10, 20)
    read(underpass("4"), 0.4, 20)
    with killed_in(linking, name, after=after):
        raise_cases(at=at(0.4))
    raise_cases(at=at(0.5))
    found = cases()
    assert [one.merged_into for one in found] == [*[found[-1].number] * 4, ""]
    assert {one[3] for one in turns()} == {"opened"}


def test_as_many_over_a_long_time_are_no_storm(mini: str) -> None:
    for number in range(8):
        read(underpass(str(number)), number * 5, 20)
    raise_cases(at=at(60))
    assert len(cases()) == 8


# --- kills --------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_in(module: Any, name: str, *, after: bool) -> Iterator[None]:
    """The process is killed before or after a function has done its work."""
    real = getattr(module, name)

    def die(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        raise Killed

    with patch.object(module, name, die), pytest.raises(Killed):
        yield


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("module", "name"), [(raising, "report_case"), (causes, "plan"), (causes, "settle"), (raising, "finish")]
)
def test_a_kill_at_any_step_leaves_one_case(mini: str, module: Any, name: str, after: bool) -> None:
    stream = underpass()
    read(stream, 0, 20)
    with killed_in(module, name, after=after):
        raise_cases(at=at(0))
    read(stream, 1, 30)
    raise_cases(at=at(1))
    case = only_case()
    assert len(notes(case)) == 1
    assert case.priority == "urgent"
    assert [one[3] for one in turns()] == ["opened", "noted"]
    assert Report.objects.count() == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["join_case", "act_on_case"])
def test_a_kill_while_joining_leaves_one_report_and_one_note(mini: str, report: Any, name: str, after: bool) -> None:
    theirs = report(category="03001", lon=LON, lat=LAT)["case"]
    read(underpass(), 0, 40)
    with killed_in(raising, name, after=after):
        raise_cases(at=at(0))
    raise_cases(at=at(0) + timedelta(seconds=5))
    case = only_case()
    assert case.number == theirs
    assert len(notes(case)) == 1
    assert case.priority == "urgent"
    assert Report.objects.filter(origin="sensing").count() == 1


def test_two_workers_with_the_same_alarm_in_hand_write_one_case_and_no_note(mini: str) -> None:
    read(underpass(), 0, 20)
    in_hand = Alarm.objects.get()
    place = _place()
    raise_cases(at=at(0))
    assert raising._stands(in_hand, place.pack.sensing.alarms[in_hand.condition], place, at(0))
    assert notes(only_case()) == []
    assert turns()[0][3] == "opened"


def test_an_alarm_whose_case_cannot_be_opened_says_why_and_holds_up_nobody(mini: str) -> None:
    stream = underpass()
    read(stream, 0, 20)
    bad = patch.object(causes, "spot_of", lambda alarm, rule, place: _unknown_category(alarm, rule, place))
    with bad:
        raise_cases(at=at(0))
    alarm = Alarm.objects.get()
    assert alarm.outcome == "failed"
    assert alarm.problem is not None
    assert "99999" in alarm.problem["zh"]
    flood(underpass("2"), 1)
    assert len(cases()) == 1


_real_spot = causes.spot_of


def _unknown_category(alarm: Alarm, rule: Any, place: Any) -> causes.Spot:
    from dataclasses import replace

    return replace(_real_spot(alarm, rule, place), category="99999")


def test_a_failed_opener_is_followed_by_the_next(mini: str) -> None:
    stream = underpass()
    read(stream, 0, 20)
    key = causes.spot_of(Alarm.objects.get(), None, _place()).cause
    Cause.objects.create(city=mini, key=f"{key}03001", opener=12345)
    raise_cases(at=at(0))
    assert len(cases()) == 1


def _place() -> Any:
    from yiwang.server.cities.queries import runtime

    return runtime("mini")
