"""Formulas of queues: published and closed-form values, and what must hold of them."""

from __future__ import annotations

from math import exp, factorial, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.queues.erlang import (
    ImpatientQueue,
    SteadyQueue,
    erlang_b,
    erlang_c,
    offered_load,
    servers_needed,
)
from yiwang.core.planning.queues.fluid import FluidHour, fluid_queue
from yiwang.core.planning.queues.load import modified_loads, servers_by_hour, thinned

loads = st.floats(0.01, 60)


def summed_b(load: float, servers: int) -> float:
    """Erlang B as the books write it, by the sum; fine for small figures."""
    terms = [load**k / factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


def test_published_values() -> None:
    # 100 calls in half an hour of 180 s each, 14 agents: 17.4 % wait, 88.8 % are answered within 20 s, on average after 7.8 s
    calls = SteadyQueue(rate=200, service=3, servers=14)
    assert calls.load == 10
    assert calls.delayed == pytest.approx(0.174, abs=5e-4)
    assert 1 - calls.wait_exceeds(20 / 60) == pytest.approx(0.888, abs=5e-4)
    assert calls.mean_wait * 60 == pytest.approx(7.8, abs=0.05)
    assert servers_needed(200, 3, within=20 / 60, probability=0.8) == 14
    assert erlang_c(2, 3) == pytest.approx(4 / 9)
    assert erlang_b(2, 3) == pytest.approx(4 / 19)


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (3, 2), (8, 10), (20, 25), (40, 30)])
def test_the_recursion_is_the_sum(load: float, servers: int) -> None:
    assert erlang_b(load, servers) == pytest.approx(summed_b(load, servers), rel=1e-12)


def test_many_servers_are_no_trouble() -> None:
    assert 0 < erlang_b(10_000, 10_000) < 0.01
    assert erlang_b(1e-3, 400) == 0
    assert ImpatientQueue(rate=0.001, service=1, patience=1, servers=400).delayed == 0


@given(st.floats(0.05, 0.95), st.floats(0.1, 30), st.floats(0.01, 60))
def test_one_exponential_server_is_the_closed_form(utilisation: float, service: float, minutes: float) -> None:
    queue = SteadyQueue(rate=utilisation * 60 / service, service=service, servers=1)
    assert queue.mean_wait == pytest.approx(utilisation * service / (1 - utilisation))
    assert queue.wait_exceeds(minutes) == pytest.approx(utilisation * exp(-(1 - utilisation) * minutes / service))
    assert queue.mean_queue == pytest.approx(utilisation**2 / (1 - utilisation))
    assert queue.queue_exceeds(3) == pytest.approx(utilisation**5)


def test_one_server_of_any_service_is_pollaczek_khinchine() -> None:
    constant = SteadyQueue(rate=30, service=1.6, servers=1, scv=0)
    assert constant.mean_wait == pytest.approx(0.8 * 1.6 / (2 * 0.2))


@given(loads, st.integers(1, 60), st.floats(0, 3), st.floats(0.01, 30))
def test_a_server_more_never_makes_it_worse(load: float, servers: int, scv: float, minutes: float) -> None:
    few = SteadyQueue(rate=load * 60, service=1, servers=servers, scv=scv)
    more = SteadyQueue(rate=load * 60, service=1, servers=servers + 1, scv=scv)
    assert more.delayed <= few.delayed + 1e-12
    assert more.wait_exceeds(minutes) <= few.wait_exceeds(minutes) + 1e-12
    assert more.mean_wait <= few.mean_wait + 1e-12
    assert more.queue_exceeds(5) <= few.queue_exceeds(5) + 1e-12


@given(st.floats(1, 900), st.floats(0.2, 20), st.floats(0, 15), st.floats(0.5, 0.99), st.floats(0, 2))
def test_servers_needed_is_what_trying_all_finds(
    rate: float, service: float, within: float, probability: float, scv: float
) -> None:
    found = servers_needed(rate, service, within=within, probability=probability, scv=scv)
    tried = next(
        count
        for count in range(1, 2000)
        if SteadyQueue(rate=rate, service=service, servers=count, scv=scv).wait_exceeds(within) <= 1 - probability
    )
    assert found == tried


@given(loads, st.integers(1, 60), st.floats(0.5, 0.999))
def test_a_quantile_is_exceeded_by_the_rest(load: float, servers: int, share: float) -> None:
    queue = SteadyQueue(rate=load * 60, service=1, servers=servers)
    quantile = queue.wait_quantile(share)
    if not queue.stable:
        assert quantile == inf
    elif quantile:
        assert queue.wait_exceeds(quantile) == pytest.approx(1 - share)
    else:
        assert queue.delayed <= 1 - share


def test_patience_as_long_as_service_makes_everybody_leave_alike() -> None:
    # each of n present leaves at the same rate, waiting or not, so n is Poisson
    load, servers = 4.0, 5
    queue = ImpatientQueue(rate=load * 60 / 2, service=2, patience=2, servers=servers)
    below = sum(exp(-load) * load**n / factorial(n) for n in range(servers))
    assert queue.delayed == pytest.approx(1 - below)
    waiting = sum((n - servers) * exp(-load) * load**n / factorial(n) for n in range(servers, 80))
    assert queue.mean_queue == pytest.approx(waiting)
    assert queue.abandoned == pytest.approx(waiting / load)


def test_endless_patience_is_erlang_c() -> None:
    patient = ImpatientQueue(rate=200, service=3, patience=1e7, servers=14)
    assert patient.delayed == pytest.approx(erlang_c(10, 14), rel=1e-4)
    overloaded = ImpatientQueue(rate=200, service=3, patience=5, servers=4)
    assert overloaded.utilisation == pytest.approx(1, abs=0.01)
    assert overloaded.abandoned == pytest.approx(0.6, abs=0.01)  # what four cannot serve


def test_figures_that_cannot_be_are_all_said() -> None:
    with pytest.raises(BadInput) as refused:
        SteadyQueue(rate=-1, service=0, servers=3)
    assert len(refused.value.problems) == 2
    assert refused.value.problems[1].text.zh
    with pytest.raises(BadInput):
        servers_needed(10, 1, within=1, probability=1)
    with pytest.raises(BadInput):
        ImpatientQueue(rate=1, service=1, patience=1, servers=0)
    assert servers_needed(0, 1, within=1, probability=0.9) == 0


# --- the load by hour -------------------------------------------------------------------------------------------------


def test_short_service_leaves_each_hour_to_itself_and_long_service_lags() -> None:
    arrivals = (60, 120, 0, 0)
    assert modified_loads(arrivals, 0.5) == pytest.approx([offered_load(one, 0.5) for one in arrivals], abs=0.02)
    slow = modified_loads(arrivals, 120)
    assert slow[2] > slow[0] > 0
    # people-hours are kept: what the four hours do not serve is what they leave behind
    assert sum(modified_loads((*arrivals, *(0,) * 60), 120)) == pytest.approx(sum(arrivals) * 2)
    assert servers_by_hour(arrivals, 0.5, within=1, probability=0.9)[2] <= 1


def test_who_stays_away_is_no_load() -> None:
    assert thinned((100, 0), 0.2) == (80, 0)
    with pytest.raises(BadInput):
        thinned((1,), 1)


# --- the fluid --------------------------------------------------------------------------------------------------------


def test_a_fluid_by_hand() -> None:
    first, second, third = fluid_queue((100, 50, 0), (60, 60, 60))
    assert first == FluidHour(queue_at_start=0, queue_at_end=40, longest_queue=40, mean_wait=20, longest_wait=40)
    assert (second.queue_at_end, second.mean_wait, second.longest_wait) == pytest.approx((30, 35, 40))
    assert (third.queue_at_end, third.mean_wait) == (0, 0)


def test_who_comes_while_nobody_serves_waits_until_somebody_does() -> None:
    closed, opened = fluid_queue((30, 0), (0, 60))
    assert closed.longest_wait == 60
    assert closed.mean_wait == pytest.approx(30 + 15)  # until the hour turns, then behind those before
    assert opened.queue_at_end == 0
    (never,) = fluid_queue((30,), (0,))
    assert never.mean_wait == inf


hours = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 90)), min_size=1, max_size=6)


@given(hours)
def test_the_fluid_is_what_small_steps_come_to(given_hours: list[tuple[int, int]]) -> None:
    arrivals, capacities = zip(*given_hours, strict=True)
    found = fluid_queue(arrivals, capacities)
    steps, queue, waits = 600, 0.0, 0.0
    for hour, (coming, capacity) in enumerate(given_hours):
        area = 0.0
        for _ in range(steps):
            area += queue + coming / steps / 2
            queue = max(0.0, queue + (coming - capacity) / steps)
        waits += area / steps  # customer-hours in the queue
        assert found[hour].queue_at_end == pytest.approx(queue, abs=0.2)
    while queue > 1e-9:  # after the last hour
        left = min(queue, capacities[-1] / steps)
        waits += (queue - left / 2) / steps
        queue -= left
    said = sum(one.mean_wait * coming / 60 for one, coming in zip(found, arrivals, strict=True))
    assert said == pytest.approx(waits, abs=0.6)
