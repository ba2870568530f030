"""The double-random draw: reproducible by anybody, uniform, and honest about every change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.indicators.sampling import Inspector, Place, Plan, allocate, commitment, draw, verify
from yiwang.core.kernel.errors import BadInput

SEED = bytes(range(32))


def plan(**changes: Any) -> Plan:
    usual = Plan(
        id="street cleanliness 2026-11",
        places=tuple(Place(id=f"{s}{n}", stratum=s) for s, size in (("north", 12), ("south", 8)) for n in range(size)),
        sample={"north": 3, "south": 2},
        inspectors=tuple(Inspector(id=f"i{n}") for n in range(5)),
    )
    return replace(usual, **changes)


def test_the_same_seed_draws_the_same_whatever_the_order_of_the_lists() -> None:
    usual = plan()
    turned = plan(places=usual.places[::-1], inspectors=usual.inspectors[::-1])
    assert draw(plan=usual, seed=SEED) == draw(plan=turned, seed=SEED)
    assert commitment(plan=usual, seed=SEED) == commitment(plan=turned, seed=SEED)
    assert draw(plan=usual, seed=SEED) != draw(plan=usual, seed=SEED[::-1])


def test_the_draw_is_what_was_published_once_and_for_all() -> None:
    # a published draw must be reproducible by later versions: these are fixed
    assert commitment(plan=plan(), seed=SEED) == "284bf92e0a53e04e73a0f8a04acd50a6d302003f24722aabeb16e809faf711a1"
    assert [visit.place for visit in draw(plan=plan(), seed=SEED)] == [
        "north6",
        "north9",
        "north10",
        "south2",
        "south7",
    ]


def test_numbers_weights_and_loads() -> None:
    visits = draw(plan=plan(), seed=SEED)
    assert Counter(visit.stratum for visit in visits) == {"north": 3, "south": 2}
    assert {visit.stratum: visit.weight for visit in visits} == {"north": 4.0, "south": 4.0}
    assert all(len(set(visit.inspectors)) == 2 for visit in visits)
    assert Counter(one for visit in visits for one in visit.inspectors) == {f"i{n}": 2 for n in range(5)}


def test_nobody_is_sent_where_they_have_an_interest() -> None:
    people = (Inspector(id="a", avoids=frozenset({"north"})), Inspector(id="b"), Inspector(id="c"))
    for seed in range(50):
        for visit in draw(plan=plan(inspectors=people), seed=seed.to_bytes(16)):
            assert visit.stratum == "south" or "a" not in visit.inspectors


def test_places_and_inspectors_are_drawn_uniformly() -> None:
    """Chi-square with fixed seeds; the critical values are those of 0.1 %."""
    places: Counter[str] = Counter()
    people: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    one = plan(sample={"north": 3}, team=1)
    rounds = 4000
    for seed in range(rounds):
        visits = draw(plan=one, seed=seed.to_bytes(16))
        places.update(visit.place for visit in visits)
        people[visits[0].inspectors[0]] += 1
        pairs.update((visit.place, visit.inspectors[0]) for visit in visits)

    def chi_square(counts: Counter[str] | Counter[tuple[str, str]], cells: int) -> float:
        expected = sum(counts.values()) / cells
        return sum((count - expected) ** 2 / expected for count in counts.values())

    assert (len(places), len(people), len(pairs)) == (12, 5, 60)
    assert chi_square(places, 12) < 31.26  # 11 degrees of freedom
    assert chi_square(people, 5) < 18.47  # 4
    assert chi_square(pairs, 60) < 98.32  # 59


def test_a_changed_draw_is_found_out() -> None:
    usual = plan()
    visits, published = draw(plan=usual, seed=SEED), commitment(plan=usual, seed=SEED)
    assert verify(plan=usual, seed=SEED, published=published, visits=visits[::-1]) == ()
    other = next(place.id for place in usual.places if place.id not in {visit.place for visit in visits})
    swapped = (replace(visits[0], place=other), *visits[1:])
    found = [str(p.message) for p in verify(plan=usual, seed=SEED, published=published, visits=swapped)]
    assert sorted(found) == sorted(
        [f"{visits[0].place} was drawn and is not listed.", f"{other} is listed and was not drawn."]
    )
    bribed = (replace(visits[0], inspectors=visits[0].inspectors[::-1]), *visits[1:])
    assert len(verify(plan=usual, seed=SEED, published=published, visits=bribed)) == 1
    smaller = plan(places=tuple(place for place in usual.places if place.id != other))
    assert "commitment" in str(verify(plan=smaller, seed=SEED, published=published, visits=visits)[0])
    assert "twice" in str(verify(plan=usual, seed=SEED, published=published, visits=(*visits, visits[0]))[0])


def test_a_public_number_is_mixed_in_when_it_was_announced() -> None:
    announced = plan(beacon="lottery of 2026-11-24")
    assert draw(plan=announced, seed=SEED, beacon="1") != draw(plan=announced, seed=SEED, beacon="2")
    with pytest.raises(BadInput, match="lottery of 2026-11-24"):
        draw(plan=announced, seed=SEED)
    with pytest.raises(BadInput, match="leave it out"):
        draw(plan=plan(), seed=SEED, beacon="1")


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        plan(
            sample={"north": 13, "west": 1},
            inspectors=(Inspector(id="a"), Inspector(id="a")),
            places=(*plan().places, Place(id="north0", stratum="north")),
            team=3,
        )
    text = str(caught.value)
    assert "'north0' stands 2 times" in text
    assert "'a' is listed 2 times" in text
    assert "1 places cannot be drawn in 'west', which has 0" in text
    assert "Only 2 inspectors may go to 'north'" in text
    with pytest.raises(BadInput, match="can be guessed"):
        commitment(plan=plan(), seed=b"short")


@given(sizes=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40), min_size=1), total=st.integers(0, 100))
def test_allocation_keeps_its_sum_and_its_bounds(sizes: dict[str, int], total: int) -> None:
    numbers = allocate(sizes=sizes, total=total)
    assert all(min(sizes[s], 2) <= numbers[s] <= sizes[s] for s in sizes)
    least = sum(min(size, 2) for size in sizes.values())
    assert sum(numbers.values()) == max(least, min(total, sum(sizes.values())))
