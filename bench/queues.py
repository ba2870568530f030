"""Queues: the formulas and the simulation against ciw, which simulates them event by event in Python.

    python -m bench queues

Each queue runs for 400 hours, ten times, in both; figures are of the time after the first 40 hours. The speed is that of one process, in
customers a second, without the compilation of the first call. Where the formula is exact (exponential service, or one server), it is the
truth that both simulations are held against; elsewhere it is Lee and Longton's approximation.
"""

from __future__ import annotations

import time
from typing import Any

import ciw  # type: ignore[import-untyped]
import numpy as np

from yiwang.core.planning.queues.erlang import SteadyQueue
from yiwang.core.planning.queues.simulation import Kind, draw_days, starts_of

HOURS, WARM, RUNS = 400, 40, 10
CASES = (
    SteadyQueue(rate=20, service=2.25, servers=1),
    SteadyQueue(rate=100, service=2, servers=4),
    SteadyQueue(rate=300, service=3, servers=18),
    SteadyQueue(rate=20, service=2.25, servers=1, scv=0.25),
    SteadyQueue(rate=100, service=2, servers=4, scv=0.25),
)


def ours(queue: SteadyQueue) -> tuple[float, float]:
    """Mean wait in minutes, and customers a second."""
    kind = Kind(id="a", queue=0, mean=queue.service, scv=queue.scv, arrivals=(queue.rate,) * HOURS)
    servers = np.full((1, HOURS), queue.servers)
    began = time.perf_counter()
    days = draw_days([kind], seed=1, replications=RUNS)
    waits = starts_of(days, servers) - days.at
    seconds = time.perf_counter() - began
    return float(waits[days.at >= WARM * 60].mean()), len(days.at) / seconds


def theirs(queue: SteadyQueue) -> tuple[float, float]:
    """The same by ciw."""
    shape = 1 / queue.scv
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(queue.rate / 60)],
        service_distributions=[ciw.dists.Gamma(shape, queue.service / shape)],
        number_of_servers=[queue.servers],
    )
    waits: list[float] = []
    customers, seconds = 0, 0.0
    for seed in range(RUNS):
        ciw.seed(seed)
        run = ciw.Simulation(network)
        began = time.perf_counter()
        run.simulate_until_max_time(HOURS * 60)
        seconds += time.perf_counter() - began
        records = run.get_all_records()
        customers += len(records)
        waits += [one.waiting_time for one in records if one.arrival_date >= WARM * 60]
    return float(np.mean(waits)), customers / seconds


def name_of(queue: SteadyQueue) -> str:
    kind = "M" if queue.scv == 1 else f"G (scv {queue.scv:g})"
    return f"M/{kind}/{queue.servers} at {queue.utilisation:.0%}"


def run() -> list[dict[str, Any]]:
    """How far each mean wait is off, and how much faster we are."""
    ours(CASES[0])  # compiles
    rows = []
    for queue in CASES:
        wait, speed = ours(queue)
        their_wait, their_speed = theirs(queue)
        truth = queue.mean_wait
        rows += [
            {
                "name": f"{name_of(queue)}: mean wait, simulated",
                "value": wait,
                "unit": "min",
                "peer": f"formula {truth:.3f} min ({wait / truth - 1:+.1%}), ciw {their_wait:.3f} ({their_wait / truth - 1:+.1%})",
                "ratio": None,
            },
            {
                "name": f"{name_of(queue)}: customers a second",
                "value": speed,
                "unit": "/s",
                "peer": f"ciw {their_speed:,.0f} /s",
                "ratio": speed / their_speed,
            },
        ]
    return rows
