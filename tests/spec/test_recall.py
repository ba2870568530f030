"""Recall (撤回): what has just been handed on comes back within minutes, while nobody has touched it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.case_driver import Drive, actor, mini, rules_with

from yiwang.core.cases.decide import permitted
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import NotAllowed, NotPossible

MINUTE = timedelta(minutes=1)


@pytest.fixture
def sent() -> Drive:
    """A case that the centre's dispatcher has just sent to a unit."""
    drive = Drive().report()
    for verb, role in (("file", "leader"), ("dispatch", "dispatcher")):
        drive.do(verb, role)
    assert drive.now.step == "dispatched"
    return drive


def recall(drive: Drive, after: timedelta = 10 * MINUTE, unit: str = "CTR-90") -> Drive:
    return drive.do("recall", "dispatcher", desk=unit, after=after)


def test_it_is_as_if_it_had_not_been_sent(sent: Drive) -> None:
    centre = sent.now.centre
    unit = sent.now.holder
    recall(sent)
    assert (sent.now.step, sent.now.holder) == ("filed", centre)
    assert sent.now.count("return") == 0, "a recall is no return"
    assert sent.now.returned_from == ""
    assert sent.now.clocks["disposal"].status.value == "stopped"
    assert sent.now.deadline_clock == "dispatching"
    assert [link.unit for link in sent.now.custody] == [centre, unit, centre]
    sent.do("dispatch", "dispatcher")
    assert sent.now.step == "dispatched"
    assert sent.now.clocks["disposal"].limit_seconds > 0


@pytest.mark.parametrize(("after", "possible"), [(15 * MINUTE, True), (15 * MINUTE + timedelta(seconds=1), False)])
def test_a_quarter_of_an_hour_and_no_longer(sent: Drive, after: timedelta, possible: bool) -> None:
    _, rules, _ = mini()
    offered = {
        choice.verb: choice
        for choice in permitted(sent.now, actor("dispatcher", unit="CTR-90"), rules=rules, at=sent.at + after)
    }
    assert offered["recall"].allowed is possible, "the button says what the command would"
    if possible:
        recall(sent, after)
    else:
        with pytest.raises(NotPossible, match="15 minutes"):
            recall(sent, after)


def test_what_the_receiver_has_taken_is_no_longer_the_senders(sent: Drive) -> None:
    sent.do("note", "handler", after=MINUTE)
    with pytest.raises(NotPossible, match="Something has been done"):
        recall(sent, MINUTE)
    sent.do("take", "handler", after=MINUTE)
    with pytest.raises(NotPossible):
        recall(sent, MINUTE)


def test_only_who_is_above_the_receiver(sent: Drive) -> None:
    with pytest.raises(NotAllowed):
        recall(sent, unit="CTR-9001-OTHER")
    with pytest.raises(NotAllowed):
        sent.do("recall", "handler")


def test_the_pack_says_for_how_long_and_gives_the_case_back() -> None:
    with pytest.raises(BadInput, match="within_minutes"):
        rules_with(("within_minutes = 15\n", ""))
    with pytest.raises(BadInput, match="does not give the case back"):
        rules_with(('moves = "back"\noptional = ["reason"]\nstop', 'moves = "centre"\noptional = ["reason"]\nstop'))


def test_a_hint_stands_in_both_languages() -> None:
    with pytest.raises(BadInput, match="hint_en"):
        rules_with(('hint_en = "Just sent and not touched yet: takes it back; counts as no return"\n', ""))
    _, rules, _ = mini()
    assert rules.workflow.verbs["recall"].hint.en.startswith("Just sent")
    assert rules.workflow.verbs["dispatch"].hint.zh == ""
