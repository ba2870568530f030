"""Simulated sensors: the same whoever asks and in whichever pieces, within bounds, with faults, and obedient."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from yiwang.core.observations.dice import dice, episodes
from yiwang.core.observations.simulating import FLOOD, KINDS, PUMP, Faults, Order, SimulatedStream, due, simulate

START = 1_780_000_000  # in May 2026
DAY = 86_400
EVERY = {"water_level": 30, "rain": 60, "air_pm25": 3600, "air_ozone": 3600, "battery": 3600}
FAULTY = Faults(stuck=0.3, gap=0.3, drift=0.3, spike=0.01)
FLOODED = Order(kind=FLOOD, site="s", at=START + 3600, minutes=20, rain=60)


def stream(kind: str, key: str = "k", *, faults: Faults = FAULTY, seed: int = 7) -> SimulatedStream:
    return SimulatedStream(
        kind=kind, key=key, site="s", seed=seed, every=EVERY.get(kind, 300), lon=120.3, lat=31.5, faults=faults
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_reading_does_not_depend_on_which_others_are_asked_for(kind: str) -> None:
    one = stream(kind)
    times = due(one, after=START, until=START + 3 * DAY)
    whole = simulate(one, times, [FLOODED])
    parts = [simulate(one, part, [FLOODED]) for part in np.array_split(times, 7)]
    assert np.array_equal(whole, np.concatenate(parts), equal_nan=True)
    picked = times[:: len(times) // 20]
    alone = np.concatenate([simulate(one, times[times == moment], [FLOODED]) for moment in picked])
    assert np.array_equal(whole[:: len(times) // 20], alone, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
def test_values_lie_within_the_instrument_and_move(kind: str) -> None:
    bounds = KINDS[kind]
    values = np.concatenate(
        [simulate(one, due(one, after=START, until=START + 30 * DAY)) for one in (stream(kind, f"k{n}") for n in range(3))]
    )  # fmt: skip
    said = values[~np.isnan(values)]
    assert len(said) > len(values) / 4
    assert bounds.low <= said.min() < said.max() <= bounds.high
    assert np.allclose(said / bounds.step, np.round(said / bounds.step))


def test_another_seed_and_another_key_say_something_else() -> None:
    times = due(stream("air_pm25"), after=START, until=START + 5 * DAY)
    found = [simulate(stream("air_pm25", key, seed=seed), times) for key, seed in (("k", 7), ("k", 8), ("l", 7))]
    assert not np.array_equal(found[0], found[1], equal_nan=True)
    assert not np.array_equal(found[0], found[2], equal_nan=True)


def test_each_moment_is_due_once() -> None:
    one = stream("tilt")
    moments = [START, START + 1, START + 299, START + 300, START + 301, START + 5000]
    parts = [due(one, after=a, until=b) for a, b in pairwise(moments)]
    whole = due(one, after=moments[0], until=moments[-1])
    assert np.concatenate(parts).tolist() == whole.tolist()
    assert set(np.diff(whole)) == {300}
    assert due(one, after=START, until=START).size == 0


def test_a_flood_rises_until_the_pump_works_again() -> None:
    one = stream("water_level", faults=Faults())
    repaired = Order(kind=PUMP, site="s", at=FLOODED.until + 1800)
    times = np.arange(FLOODED.at - 600, repaired.at + 1800, 30)
    depth = dict(zip(times.tolist(), simulate(one, times, [FLOODED, repaired]).tolist(), strict=True))
    usual = dict(zip(times.tolist(), simulate(one, times).tolist(), strict=True))
    assert depth[FLOODED.at - 30] == usual[FLOODED.at - 30] < 1
    assert depth[FLOODED.at + 300] > 15
    assert depth[FLOODED.until] > 80
    assert depth[repaired.at] > 70, "without the pump it stays"
    assert depth[repaired.at + 1770] == usual[repaired.at + 1770] < 1
    elsewhere = replace(one, site="t")
    assert np.array_equal(simulate(elsewhere, times, [FLOODED]), simulate(elsewhere, times))


def test_without_an_order_the_pump_works_again_six_hours_after_the_rain() -> None:
    one = stream("water_level", faults=Faults())
    after = np.array([FLOODED.until + 5 * 3600, FLOODED.until + 7 * 3600])
    still, gone = simulate(one, after, [FLOODED])
    assert still > 15 > 5 > gone


def test_the_rain_gauge_sees_the_rain_that_was_ordered() -> None:
    one = stream("rain", faults=Faults())
    times = np.array([FLOODED.at - 1, FLOODED.at, FLOODED.until - 1, FLOODED.until])
    more = simulate(one, times, [FLOODED]) - simulate(one, times)
    assert more.tolist() == pytest.approx([0, 60, 60, 0])


def test_lamps_say_nothing_by_day_and_burn_longer_in_winter() -> None:
    lit = []
    for start in (1_781_913_600, 1_797_724_800):  # 20 June and 20 December 2026
        one = stream("lamp_current", faults=Faults())
        times = due(one, after=start, until=start + DAY)
        values = simulate(one, times)
        noon = np.abs((times + 240 * 120.3) % DAY - DAY / 2) < 3600
        assert np.isnan(values[noon]).all()
        lit.append(float(np.mean(~np.isnan(values))) * 24)
    assert lit == pytest.approx([9.9, 14.1], abs=0.3)


def test_bins_fill_and_are_emptied_each_day() -> None:
    one = stream("bin_fill", faults=Faults())
    values = simulate(one, due(one, after=START, until=START + 20 * DAY))
    assert np.sum(np.diff(values) < -25) in range(19, 21)
    assert 40 < values.max() < 95


@pytest.mark.parametrize(
    ("faults", "share"),
    [(Faults(gap=1.0, hours=24), (0.3, 0.9)), (Faults(gap=0.1), (0.002, 0.1)), (Faults(), (0.0, 0.0))],
)
def test_gaps_are_as_frequent_as_is_said(faults: Faults, share: tuple[float, float]) -> None:
    one = stream("tilt", faults=faults)
    values = simulate(one, due(one, after=START, until=START + 60 * DAY))
    assert share[0] <= np.mean(np.isnan(values)) <= share[1]


def test_a_stuck_instrument_repeats_one_value_and_a_spike_is_a_single_one() -> None:
    sound = stream("ammonia", faults=Faults())
    times = due(sound, after=START, until=START + 40 * DAY)
    stuck = simulate(replace(sound, faults=Faults(stuck=1.0)), times)
    longest = max(len(run) for run in np.split(stuck, np.flatnonzero(np.diff(stuck)) + 1))
    assert longest > 24, "two hours at one value"
    spiked = simulate(replace(sound, faults=Faults(spike=0.002)), times) - simulate(sound, times)
    high = np.flatnonzero(spiked > 1)
    assert 10 < len(high) < 50
    assert np.allclose(spiked[np.setdiff1d(np.arange(len(times)), high)], 0)


def test_episodes_have_their_chance_and_length() -> None:
    times = np.arange(START, START + 1000 * DAY, 600)
    found = episodes(1, "x", times=times, block=DAY, chance=0.2, least=3600, most=7200)
    numbers = np.unique(found.number[found.inside])
    assert 150 < len(numbers) < 250
    lengths = np.unique((found.end - found.start)[found.inside])
    assert 3600 <= lengths.min() < lengths.max() <= 7200
    assert ((found.elapsed(times) >= 0) & (found.elapsed(times) < 1)).all()


def test_draws_are_even_normal_and_those_of_every_machine() -> None:
    draws = dice(1, "a").uniform(np.arange(-50_000, 50_000))
    assert np.histogram(draws, bins=10, range=(0, 1))[0] == pytest.approx(10_000, abs=400)
    normal = dice(1, "a").normal(np.arange(100_000))
    assert (normal.mean(), normal.std()) == pytest.approx((0, 1), abs=0.02)
    assert dice(7, "a").uniform(np.arange(2)).tolist() == pytest.approx(
        [0.9992586842292602, 0.7058876275205674], abs=1e-15
    )
