"""The simulation: against theory, against ciw, against a list of events, and against every schedule there is."""

from __future__ import annotations

from itertools import product

import ciw  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.queues.alarm import forecast_spill_back
from yiwang.core.planning.queues.erlang import SteadyQueue
from yiwang.core.planning.queues.fluid import fluid_queue
from yiwang.core.planning.queues.simulation import Days, Kind, draw_days, proportion, queue_peaks, run, starts_of
from yiwang.core.planning.queues.staffing import Requirements, find_schedule, shares_of
from yiwang.core.planning.queues.verifying import differences, played


def kind(*arrivals: float, mean: float = 2.0, scv: float = 1.0, queue: int = 0) -> Kind:
    return Kind(id="a", queue=queue, mean=mean, scv=scv, arrivals=arrivals)


TWO = (
    kind(30, 50, 20, 40, mean=3, scv=0.4),
    Kind(id="b", queue=0, mean=9, scv=2, arrivals=(6, 3, 9, 1)),
    Kind(id="c", queue=1, mean=20, scv=0, arrivals=(4, 4, 0, 4)),
)


@pytest.mark.parametrize(("servers", "scv"), [(1, 1.0), (4, 1.0), (1, 0.0), (1, 2.0)])
def test_the_steady_state_is_that_of_the_formulas(servers: int, scv: float) -> None:
    """Where they are exact: exponential service, and one server of any."""
    rate = 0.75 * servers * 30
    days = draw_days([kind(*(rate,) * 60, scv=scv)], seed=4, replications=150)
    steady = SteadyQueue(rate=rate, service=2, servers=servers, scv=scv)
    found = run(days, np.full((1, 60), servers), limit=5, share=0.9).by_hour[0][40:]  # long after the empty start
    assert np.mean([one.mean_wait.value for one in found]) == pytest.approx(steady.mean_wait, rel=0.06)
    if scv == 1:
        within = np.mean([one.within.value for one in found])
        assert within == pytest.approx(1 - steady.wait_exceeds(5), abs=0.012)


def test_lee_and_longton_are_near_with_several_servers() -> None:
    rate = 0.8 * 5 * 30
    days = draw_days([kind(*(rate,) * 60, scv=0.3)], seed=4, replications=150)
    found = run(days, np.full((1, 60), 5), limit=5, share=0.9).by_hour[0][30:]
    steady = SteadyQueue(rate=rate, service=2, servers=5, scv=0.3)
    assert np.mean([one.mean_wait.value for one in found]) == pytest.approx(steady.mean_wait, rel=0.1)


def test_overload_is_that_of_the_fluid() -> None:
    arrivals, servers = (600.0, 1500.0, 300.0, 300.0), 30
    days = draw_days([kind(*arrivals, scv=0.5)], seed=1, replications=40)
    found = run(days, np.full((1, 4), servers), limit=30, share=0.9)
    fluid = fluid_queue(arrivals, (servers * 30.0,) * 4)
    for hour in (1, 2):
        assert found.by_hour[0][hour].mean_wait.value == pytest.approx(fluid[hour].mean_wait, rel=0.05)
    assert found.by_hour[0][1].longest_queue.value == pytest.approx(fluid[1].longest_queue, rel=0.05)


def test_ciw_lets_the_same_customers_begin_at_the_same_times() -> None:
    days = draw_days([kind(100, 100, 100, mean=1.6, scv=0.7)], seed=3, replications=1)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*np.diff(days.at, prepend=0).tolist(), 1e9])],
        service_distributions=[ciw.dists.Sequential(days.service.tolist())],
        number_of_servers=[3],
    )
    other = ciw.Simulation(network)
    other.simulate_until_max_customers(len(days.at), method="Finish")
    theirs = sorted((one.arrival_date, one.service_start_date) for one in other.get_all_records())
    ours = starts_of(days, np.full((1, 3), 3))
    assert np.array([start for _, start in theirs]) == pytest.approx(ours)


tables = st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), min_size=2, max_size=2)


@settings(max_examples=40, deadline=None)
@given(tables, st.integers(0, 99), st.integers(0, 1), st.integers(0, 3))
def test_a_server_more_makes_nobody_begin_later(table: list[list[int]], seed: int, queue: int, hour: int) -> None:
    days = draw_days(TWO, seed=seed, replications=3)
    few = np.array(table)
    more = few.copy()
    more[queue, hour] += 1
    before, after = starts_of(days, few), starts_of(days, more)
    assert (after <= before + 1e-9).all()
    assert (queue_peaks(days, after) <= queue_peaks(days, before)).all()
    assert differences(days, few, before) == differences(days, more, after) == 0


def test_a_server_that_closes_finishes_and_the_last_hour_goes_on() -> None:
    # two at work at minute 60, one server from then on: the third begins when both have ended
    assert played([0, 0, 1], [70, 100, 5], [2, 1]) == [0, 0, 100]
    assert played([0, 1], [90, 5], [1]) == [0, 90]
    assert played([0.0], [1.0], [0, 1]) == [60]
    assert played([0, 1], [60, 5], [1, 0, 1]) == [0, 120]  # free as the hour turns, but closed
    assert played([0.0], [1.0], [0]) == [float("inf")]


def peaks_by_looking(days: Days, starts: np.ndarray) -> list[int]:
    """How many wait at each arrival, and just before each hour turns."""
    at, begun = days.at[: days.first[1]], starts[: days.first[1]]
    best = [0] * days.hours
    for one in at:
        hour = min(int(one // 60), days.hours - 1)
        best[hour] = max(best[hour], int(((at <= one) & (begun > one)).sum()))
    for hour in range(1, days.hours):
        best[hour] = max(best[hour], int(((at < hour * 60) & (begun >= hour * 60)).sum()))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_the_longest_queue_is_what_looking_finds(seed: int) -> None:
    days = draw_days(TWO, seed=seed, replications=2)
    starts = starts_of(days, np.array([[2, 1, 3, 2], [1, 0, 2, 1]]))
    assert queue_peaks(days, starts)[0].tolist() == peaks_by_looking(days, starts)


def test_days_follow_from_the_seed_and_a_kind_from_itself() -> None:
    one, again, other = (draw_days(TWO, seed=seed, replications=2) for seed in (1, 1, 2))
    assert one.at.tobytes() == again.at.tobytes()
    assert one.service.tobytes() == again.service.tobytes()
    assert len(one.at) != len(other.at) or not np.allclose(one.at, other.at)
    alone = draw_days(TWO[:2], seed=1, replications=2)
    assert np.array_equal(alone.at, one.at[one.queue == 0])


def test_wilson() -> None:
    assert proportion(0, 100).low == 0
    assert proportion(0, 100).high == pytest.approx(0.0370, abs=1e-4)
    assert proportion(50, 100).low == pytest.approx(0.4038, abs=1e-4)


def test_kinds_that_cannot_be_are_all_said() -> None:
    with pytest.raises(BadInput) as refused:
        draw_days([kind(1, 2), kind(-1, mean=0)], seed=1, replications=0)
    assert len(refused.value.problems) == 4
    with pytest.raises(BadInput) as many:
        draw_days([kind(1e9)], seed=1, replications=2)
    assert "too many" in str(many.value)


# --- the fewest servers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("places", [None, 8])
def test_no_schedule_at_all_has_fewer(seed: int, places: int | None) -> None:
    kinds = [kind(30, 70, 20, mean=2.5, scv=0.6)]
    wanted = Requirements(wait=6, probability=0.9, places=places, spill=0.1)
    found = find_schedule(kinds, first=np.array([[2, 3, 1]]), requirements=wanted, most=6, seed=seed, replications=20)
    days = draw_days(kinds, seed=2 * seed, replications=20)
    good = [
        all_of for all_of in product(range(7), repeat=3) if shares_of(days, np.array([all_of]), wanted).keeps(wanted)
    ]
    best = min(sum(one) for one in good)
    assert found.standing is not None
    assert found.servers[0] in good
    assert found.standing.bound <= best <= found.standing.objective
    assert all(least == min(one[hour] for one in good) for hour, least in enumerate(found.least[0]))
    for hour in range(3):
        one_less = [count - (place == hour) for place, count in enumerate(found.servers[0])]
        assert tuple(one_less) not in good
        assert found.one_less[0][hour]
    assert found.checked > 0


def test_what_cannot_be_kept_is_said_in_words() -> None:
    wanted = Requirements(wait=1, probability=0.9, places=3, spill=0.05)
    with pytest.raises(BadInput) as refused:
        find_schedule([kind(100)], first=np.array([[1]]), requirements=wanted, most=2, seed=1, replications=5)
    waits, spills = refused.value.problems
    assert "even with 2 servers in every hour only" in waits.message.en
    assert "more than 3 wait" in spills.message.en
    with pytest.raises(BadInput) as wrong:
        Requirements(wait=-1, probability=1, places=-1, spill=0)
    assert len(wrong.value.problems) == 4


# --- the alarm --------------------------------------------------------------------------------------------------------


def alarm(**given: float) -> object:
    figures = {"queue": 10, "arrived": 30, "minutes": 15, "lanes": 3, "mean": 2, "scv": 0.6, "places": 30}
    return forecast_spill_back(**(figures | given))  # type: ignore[arg-type]


def test_the_alarm_is_near_the_fluid_where_overload_is_great() -> None:
    found = forecast_spill_back(queue=100, arrived=900, minutes=15, lanes=40, mean=1, scv=0.5, places=400)
    assert found.fluid_in == pytest.approx(15)
    assert found.likely_in == pytest.approx(15, abs=1)
    assert found.probability.value > 0.99


def test_the_alarm_says_when_and_how_likely() -> None:
    quiet = forecast_spill_back(queue=0, arrived=3, minutes=15, lanes=3, mean=2, scv=0.6, places=30)
    assert (quiet.probability.value, quiet.likely_in, quiet.fluid_in) == (0, None, float("inf"))
    over = forecast_spill_back(queue=31, arrived=3, minutes=15, lanes=3, mean=2, scv=0.6, places=30)
    assert (over.probability.value, over.likely_in, over.fluid_in) == (1, 0, 0)
    shares = list(
        forecast_spill_back(queue=10, arrived=30, minutes=15, lanes=3, mean=2, scv=0, places=20).by_minute.values()
    )
    assert shares == sorted(shares)
    assert alarm() == alarm()
    with pytest.raises(BadInput) as refused:
        alarm(queue=-1, minutes=0, mean=0)
    assert len(refused.value.problems) == 3


def test_a_closed_hour_after_the_one_that_fails_is_opened() -> None:
    # nobody comes in the second hour, but those of the first are still there
    wanted = Requirements(wait=30, probability=0.95)
    found = find_schedule(
        [kind(100, 0, mean=2)], first=np.array([[1, 0]]), requirements=wanted, most=4, seed=1, replications=20
    )
    assert found.servers[0][0] >= 3
    assert found.outcome.by_hour[0][0].within.high >= 0.95
