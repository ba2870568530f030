"""Servers by hour where arrivals change: the load of each hour, and how many servers it needs.

Where service takes minutes, each hour stands for itself: the stationary independent period by period approach (SIPP). Where it takes long,
those who came earlier are still being served and the load lags behind the arrivals. Both are covered by the load of a system in which
nobody waits, M(t)/M/∞, whose mean m obeys m' = λ − m/s: the modified offered load of O. B. Jennings, A. Mandelbaum, W. A. Massey and
W. Whitt, Server Staffing to Meet Time-Varying Demand, *Management Science* 42 (1996). L. V. Green, P. J. Kolesar and W. Whitt, Coping with
Time-Varying Demand When Setting Staffing Requirements for a Service System, *Production and Operations Management* 16 (2007), say when
each approach holds. None of them knows of a queue that is left over from the hour before; the simulation does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.erlang import HOUR, offered_load, servers_needed


def thinned(arrivals: Sequence[float], no_show: float) -> tuple[float, ...]:
    """Those who come of those who were called: a Poisson stream of which each stays away independently is Poisson again.

    Raises:
        BadInput: The share that stays away is not from 0 up to, but not including, 1.
    """
    if not 0 <= no_show < 1:
        message = Text("未到比例 {share} 无效。", "A no-show share of {share} is not possible.", share=no_show)
        raise BadInput(Problem(message, Text("应不小于 0 且小于 1，例如 0.05。", "From 0 to below 1, e.g. 0.05.")))
    return tuple(one * (1 - no_show) for one in arrivals)


def modified_loads(arrivals: Sequence[float], service: float) -> list[float]:
    """The mean load within each hour, in busy servers, of a system that is empty at the start.

    Within an hour of constant arrivals m goes exponentially from where it was to the hour's own load.

    Args:
        arrivals: In each hour.
        service: Mean service in minutes.
    """
    found, mean, kept = [], 0.0, exp(-HOUR / service)
    for rate in arrivals:
        own = offered_load(rate, service)
        after = own + (mean - own) * kept
        found.append(own + (mean - own) * (1 - kept) * service / HOUR)
        mean = after
    return found


def servers_by_hour(
    arrivals: Sequence[float], service: float, *, within: float, probability: float, scv: float = 1.0
) -> list[int]:
    """The fewest servers in each hour by `servers_needed`, at the modified offered load.

    Args:
        arrivals: In each hour.
        service: Mean service in minutes.
        within, probability, scv: As of `servers_needed`.
    """
    return [
        servers_needed(load * HOUR / service, service, within=within, probability=probability, scv=scv)
        for load in modified_loads(arrivals, service)
    ]
