"""Questionnaires, and what a drawn sample of answers says: weights, response rates, intervals that hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.indicators.sampling import allocate
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.surveys.estimating import Disposition, Sampled, adjusted_weights, estimate, hidden_strata
from yiwang.core.surveys.questionnaires import (
    Choice,
    Counts,
    FreeWords,
    Measure,
    Option,
    Question,
    Questionnaire,
    Scale,
    YesNo,
    check_answers,
    in_force,
    measured,
)

NAME = Text("名称", "Name")
ASKED = Questionnaire(
    id="closing",
    version="1",
    name=NAME,
    questions=(
        Question(id="called", name=NAME, kind=YesNo(), measures=Measure.RESPONDED),
        Question(
            id="settled",
            name=NAME,
            measures=Measure.RESOLVED,
            kind=Choice(
                (
                    Option(id="all", name=NAME, counts=Counts.YES),
                    Option(id="part", name=NAME),
                    Option(id="unknown", name=NAME, counts=Counts.NEITHER),
                )
            ),
        ),
        Question(id="content", name=NAME, kind=Scale(4), measures=Measure.SATISFIED),
        Question(id="words", name=NAME, kind=FreeWords(), required=False),
    ),
)
FULL: dict[str, str | int] = {"called": "yes", "settled": "all", "content": 4}


def test_answers_say_what_they_count_as() -> None:
    check_answers(ASKED, FULL)
    assert measured(ASKED, FULL) == dict.fromkeys(Measure, True)
    assert measured(ASKED, {"called": "no", "settled": "part", "content": 3}) == dict.fromkeys(Measure, False)
    assert Measure.RESOLVED not in measured(ASKED, FULL | {"settled": "unknown"})
    assert measured(ASKED, {}) == {}


@pytest.mark.parametrize(
    ("answers", "column"),
    [
        ({"called": "maybe"}, "called"),
        ({"settled": "none"}, "settled"),
        ({"content": 0}, "content"),
        ({"content": 6}, "content"),
        ({"content": "4"}, "content"),
        ({"words": "x" * 1001}, "words"),
        ({"words": ""}, "words"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_answer_is_refused(answers: dict[str, str | int], column: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_answers(ASKED, {**FULL, **answers})
    assert [problem.column for problem in caught.value.problems] == [column]


def test_what_is_required_must_be_answered() -> None:
    with pytest.raises(BadInput) as caught:
        check_answers(ASKED, {})
    assert [problem.column for problem in caught.value.problems] == ["called", "settled", "content"]


def test_the_digest_is_of_what_is_asked_and_what_counts() -> None:
    digests = {
        ASKED.digest(),
        replace(ASKED, version="2").digest(),
        replace(ASKED, sources=frozenset({"hotline"})).digest(),
        replace(ASKED, questions=ASKED.questions[:3]).digest(),
        replace(ASKED, questions=(*ASKED.questions[:2], replace(ASKED.questions[2], kind=Scale(3)))).digest(),
        replace(ASKED, least_response=0.1).digest(),
    }
    assert len(digests) == 6
    assert replace(ASKED, source=NAME).digest() == ASKED.digest()
    assert in_force([ASKED], on=date(2026, 1, 1)) == {"closing": ASKED}


def sampled(
    stratum: str, weight: float, answered: int, yes: int, refused: int = 0, lost: int = 0, waiting: int = 0
) -> list[Sampled]:
    ends = [Disposition.REFUSED] * refused + [Disposition.NOT_REACHED] * lost + [Disposition.WAITING] * waiting
    return [
        Sampled(
            stratum=stratum, weight=weight, disposition=Disposition.ANSWERED, says={Measure.SATISFIED: number < yes}
        )
        for number in range(answered)
    ] + [Sampled(stratum=stratum, weight=weight, disposition=end) for end in ends]


def test_rates_have_their_numerators_denominators_and_weights() -> None:
    # a: 100 cases, 10 drawn, 5 answered (4 yes) → each stands for 20; b: 40 cases, 4 drawn, 4 answered (1 yes) → each for 10
    sample = sampled("a", 10, 5, 4, refused=2, lost=2, waiting=1) + sampled("b", 10, 4, 1)
    everything, a, b = estimate(sample, sizes={"a": 100, "b": 40}, least_response=0.6)
    assert (everything.frame, everything.drawn, everything.answered, everything.response) == (140, 14, 9, 9 / 14)
    assert (a.response, a.weak, b.response, b.weak) == (0.5, True, 1.0, False)
    rate = everything.rates[Measure.SATISFIED]
    assert (rate.yes, rate.asked, rate.weighted_yes, rate.weighted_asked) == (5, 9, 90, 140)
    assert rate.estimate is not None
    assert rate.estimate.value == pytest.approx(90 / 140)
    assert rate.estimate.interval is not None
    assert rate.estimate.value in rate.estimate.interval
    nothing = everything.rates[Measure.RESOLVED]
    assert (nothing.yes, nothing.asked, nothing.estimate) == (0, 0, None)
    assert a.dispositions == {"answered": 5, "refused": 2, "not_reached": 2, "": 1}


def test_a_stratum_without_answers_is_said_and_guessed_by_nobody() -> None:
    sample = sampled("a", 5, 2, 1) + sampled("b", 5, 0, 0, refused=2)
    everything, _, b = estimate(sample, sizes={"a": 10, "b": 10}, least_response=0.5)
    assert (everything.silent, b.weak, b.response) == (1, True, 0.0)
    assert everything.rates[Measure.SATISFIED].weighted_asked == 10
    assert b.rates[Measure.SATISFIED].estimate is None


def test_everybody_asked_and_answering_leaves_no_doubt() -> None:
    everything = estimate(sampled("a", 1, 4, 3), sizes={"a": 4})[0]
    found = everything.rates[Measure.SATISFIED].estimate
    assert found is not None
    assert found.interval is not None
    assert (found.value, found.interval.low, found.interval.high) == (0.75, 0.75, 0.75)


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60)),
        min_size=1,
    )
)
def test_weights_sum_to_the_frame(strata: dict[str, tuple[int, int, int]]) -> None:
    sample, sizes = [], {}
    for name, (size, drawn, answered) in strata.items():
        drawn, answered = min(size, drawn), min(size, drawn, answered)
        sizes[name] = size
        sample += sampled(name, size / drawn, answered, 0, refused=drawn - answered)
    weights = adjusted_weights(sample)
    assert sum(weights) == pytest.approx(sum(sizes.values()))
    assert all((weight > 0) == one.answered for one, weight in zip(sample, weights, strict=True))


@given(st.dictionaries(st.text("ab", min_size=1, max_size=3), st.integers(0, 12)), st.integers(2, 8))
def test_what_is_hidden_cannot_be_told_from_the_rest(answered: dict[str, int], least: int) -> None:
    hidden = hidden_strata(answered, least=least)
    shown = {stratum for stratum, count in answered.items() if count} - hidden
    assert all(answered[stratum] >= least for stratum in shown)
    assert not hidden or not shown or sum(answered[stratum] for stratum in hidden) >= least
    assert all(answered[stratum] for stratum in hidden)


def test_the_true_rates_are_inside_the_intervals_about_as_often_as_said() -> None:
    """A city of 3,000 closed cases in five strata that differ in size, in satisfaction and in how many answer."""
    strata = {
        "a": (1200, 0.9, 0.8),
        "b": (800, 0.75, 0.6),
        "c": (500, 0.6, 0.5),
        "d": (300, 0.5, 0.4),
        "e": (200, 0.95, 0.7),
    }
    population = Random(7)
    cases = {
        name: [
            {
                Measure.RESPONDED: population.random() < 0.97,
                Measure.RESOLVED: population.random() < satisfied - 0.05,
                Measure.SATISFIED: population.random() < satisfied,
            }
            for _ in range(size)
        ]
        for name, (size, satisfied, _) in strata.items()
    }
    sizes = {name: len(rows) for name, rows in cases.items()}
    truth = {
        measure: sum(row[measure] for rows in cases.values() for row in rows) / sum(sizes.values())
        for measure in Measure
    }
    wanted = allocate(sizes=sizes, total=300)
    inside = dict.fromkeys(Measure, 0)
    seeds = 1000
    for seed in range(seeds):
        chance = Random(seed)
        sample = [
            Sampled(stratum=name, weight=sizes[name] / wanted[name], disposition=Disposition.ANSWERED, says=row)
            if chance.random() < strata[name][2]
            else Sampled(stratum=name, weight=sizes[name] / wanted[name], disposition=Disposition.NOT_REACHED)
            for name, rows in cases.items()
            for row in chance.sample(rows, wanted[name])
        ]
        for measure, rate in estimate(sample, sizes=sizes)[0].rates.items():
            assert rate.estimate is not None
            assert rate.estimate.interval is not None
            inside[measure] += truth[measure] in rate.estimate.interval
    # 95 % of 1,000 seeds, give or take three standard errors of that share
    assert all(0.93 <= count / seeds <= 0.98 for count in inside.values()), inside
