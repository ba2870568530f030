"""Formulas of queues whose arrivals and servers do not change: rates per hour, times in minutes.

The load is the arrivals per hour times the mean service in hours: the mean number of servers that would be busy if nobody had to
wait (erlangs). With no more servers than the load, a queue in which nobody gives up grows without end.

- Erlang B, blocked customers leave, by the recursion B(0) = 1, B(c) = a·B(c−1) / (c + a·B(c−1)).
- Erlang C, blocked customers wait: C = B / (1 − ρ·(1 − B)), with ρ = a / c.
- Erlang A, those who wait give up after an exponential patience (C. Palm, 1957; notation of O. Garnett, A. Mandelbaum and M. Reiman,
  Designing a Call Center with Impatient Customers, *MSOM* 4, 2002).
- Service that is not exponential: the mean wait of M/M/c times (1 + scv) / 2, by A. M. Lee and P. A. Longton (1959). For Poisson arrivals
  this is the formula of Allen and Cunneen, (ca² + cs²) / 2 with ca² = 1. It is exact for one server (Pollaczek and Khinchine) and for
  exponential service; otherwise it is an approximation, best under heavy traffic.

The squared coefficient of variation, ``scv``, is the variance of a service time over its squared mean: 0 when all take equally
long, 1 for the exponential distribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, floor, inf, isfinite, log

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

MOST_SERVERS = 1_000_000
HOUR = 60.0


def offered_load(rate: float, service: float) -> float:
    """Arrivals per hour times mean service in minutes, as a mean number of busy servers (erlangs)."""
    return rate * service / HOUR


def erlang_b(load: float, servers: int) -> float:
    """The probability that all servers are busy when those who find them so leave (M/G/c/c).

    Raises:
        BadInput: The load is negative or not finite, or there are fewer than 0 servers.
    """
    _check(load=load, servers=servers)
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = _next_b(blocked, load, count)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """The probability of having to wait in M/M/c; 1 where the load is not below the servers.

    Raises:
        BadInput: As `erlang_b`.
    """
    return _delayed(erlang_b(load, servers), load, servers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyQueue:
    """An M/G/c queue, first come first served, in its steady state.

    Attributes:
        rate: Arrivals per hour, Poisson.
        service: Mean service in minutes.
        servers: How many serve.
        scv: Squared coefficient of variation of a service time. The figures are exact at 1; else see the module.

    Raises:
        BadInput: One of them is negative or not finite, or the service takes no time.
    """

    rate: float
    service: float
    servers: int
    scv: float = 1.0

    def __post_init__(self) -> None:
        _check(rate=self.rate, service=self.service, servers=self.servers, scv=self.scv)

    @property
    def load(self) -> float:
        return offered_load(self.rate, self.service)

    @property
    def utilisation(self) -> float:
        """The share of the time that a server is busy; 1 in overload."""
        return min(1.0, self.load / self.servers) if self.servers else 1.0

    @property
    def stable(self) -> bool:
        """Whether there is a steady state."""
        return self.load < self.servers

    @property
    def delayed(self) -> float:
        """The probability of having to wait, by Erlang C."""
        return erlang_c(self.load, self.servers)

    @property
    def mean_wait(self) -> float:
        """Minutes from arrival to the start of service, over all; infinite in overload."""
        if not self.stable:
            return inf
        return self.delayed * self._mean_wait_of_delayed

    @property
    def mean_queue(self) -> float:
        """The mean number waiting, without those in service (Little's law)."""
        return self.rate / HOUR * self.mean_wait if self.rate else 0.0

    def wait_exceeds(self, minutes: float) -> float:
        """P(W > t): exponential for those who wait at all, which is exact for M/M/c."""
        if not self.stable:
            return 1.0
        return self.delayed * exp(-minutes / self._mean_wait_of_delayed) if minutes >= 0 else 1.0

    def wait_quantile(self, share: float) -> float:
        """The minutes within which the share of arrivals ``share`` begins to be served; 0 where so many need not wait."""
        _check_share(share)
        if not self.stable:
            return inf
        delayed = self.delayed
        return self._mean_wait_of_delayed * log(delayed / (1 - share)) if delayed > 1 - share else 0.0

    def queue_exceeds(self, places: int) -> float:
        """P(more than ``places`` wait) at any one moment, which is also the chance for an arrival (Poisson arrivals see time averages).

        Geometric for M/M/c: C·ρ^(n+1). For other service the geometric distribution with the mean of `mean_queue`.
        """
        if not self.stable or places < 0:
            return 1.0
        if not self.delayed:
            return 0.0
        while_delayed = self.mean_queue / self.delayed
        return self.delayed * (while_delayed / (1 + while_delayed)) ** (places + 1)

    @property
    def _mean_wait_of_delayed(self) -> float:
        return (1 + self.scv) / 2 * self.service / (self.servers - self.load)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpatientQueue:
    """Erlang A, M/M/c+M: as M/M/c, but whoever waits gives up after an exponential time. It always has a steady state.

    Attributes:
        rate: Arrivals per hour, Poisson.
        service, patience: Means in minutes.
        servers: How many serve; at least one.

    Raises:
        BadInput: One of them is negative or not finite, or a time or the servers are 0.
    """

    rate: float
    service: float
    patience: float
    servers: int

    def __post_init__(self) -> None:
        _check(rate=self.rate, service=self.service, patience=self.patience, servers=self.servers)
        if self.servers < 1:
            raise BadInput(Text("至少需要一个服务台。", "There must be at least one server."))

    @property
    def delayed(self) -> float:
        """The probability that all servers are busy on arrival."""
        return self._weights()[0]

    @property
    def mean_queue(self) -> float:
        """The mean number waiting."""
        return self._weights()[1]

    @property
    def mean_wait(self) -> float:
        """Minutes in the queue, over all: of those who are served and those who give up (Little's law)."""
        return self.mean_queue * HOUR / self.rate if self.rate else 0.0

    @property
    def abandoned(self) -> float:
        """The share that gives up: the mean wait over the mean patience."""
        return self.mean_wait / self.patience

    @property
    def utilisation(self) -> float:
        return offered_load(self.rate, self.service) * (1 - self.abandoned) / self.servers

    def _weights(self) -> tuple[float, float]:
        """P(all busy) and the mean queue, from the birth-death chain above c, relative to the state in which c are busy and none waits.

        The states below weigh 1/B − 1 together, by Erlang B.
        """
        load = offered_load(self.rate, self.service)
        blocked = erlang_b(load, self.servers)
        if not blocked:
            return 0.0, 0.0
        weight, total, queue, waiting = 1.0, 1.0, 0.0, 0
        while weight > 1e-17 * total:
            waiting += 1
            weight *= self.rate / HOUR / (self.servers / self.service + waiting / self.patience)
            total += weight
            queue += waiting * weight
        every = 1 / blocked - 1 + total
        return total / every, queue / every


def servers_needed(rate: float, service: float, *, within: float, probability: float, scv: float = 1.0) -> int:
    """The fewest servers with which the share ``probability`` of arrivals waits at most ``within`` minutes.

    One server less fails: the probability of a longer wait falls with each server, and they are tried from the fewest that carry the load.

    Args:
        rate: Arrivals per hour.
        service: Mean service in minutes.
        within: Minutes, 0 or more.
        probability: Between 0 and 1.
        scv: As of `SteadyQueue`.

    Returns:
        0 without arrivals.

    Raises:
        BadInput: An argument is out of its range, or more than `MOST_SERVERS` would be needed.
    """
    _check(rate=rate, service=service, within=within, scv=scv)
    _check_share(probability)
    load = offered_load(rate, service)
    if not rate:
        return 0
    for servers, delayed in _delays(load):
        if servers > load and delayed * exp(-within * (servers - load) * 2 / (1 + scv) / service) <= 1 - probability:
            return servers
    message = Text("需要的服务台超过 {most} 个。", "More than {most} servers would be needed.", most=MOST_SERVERS)
    raise BadInput(message)


def _delays(load: float) -> Iterator[tuple[int, float]]:
    """Erlang C for 1, 2, 3 … servers, each from the one before."""
    blocked = 1.0
    for servers in range(1, floor(min(load, MOST_SERVERS)) + MOST_SERVERS):
        blocked = _next_b(blocked, load, servers)
        yield servers, _delayed(blocked, load, servers)


def _next_b(blocked: float, load: float, servers: int) -> float:
    return load * blocked / (servers + load * blocked)


def _delayed(blocked: float, load: float, servers: int) -> float:
    return blocked / (1 - load / servers * (1 - blocked)) if load < servers else 1.0


_NAMES = {
    "load": Text("负荷", "The load"),
    "rate": Text("每小时到达数", "The arrivals per hour"),
    "service": Text("平均服务时间（分钟）", "The mean service in minutes"),
    "patience": Text("平均耐心时间（分钟）", "The mean patience in minutes"),
    "servers": Text("服务台数", "The number of servers"),
    "scv": Text("服务时间的变异系数平方", "The squared coefficient of variation"),
    "within": Text("等候时限（分钟）", "The limit of the wait in minutes"),
}


def _check(**given: float) -> None:
    problems = []
    for name, value in given.items():
        least = Text("必须大于 0", "above 0") if name in ("service", "patience") else Text("不得小于 0", "0 or more")
        if not isfinite(value) or value < 0 or (value == 0 and name in ("service", "patience")):
            message = Text("{name}为 {value}。", "{name} is {value}.", name=_NAMES[name], value=value)
            problems.append(Problem(message, Text("{least}。", "It must be {least}.", least=least)))
    if problems:
        raise BadInput(problems)


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        message = Text(
            "概率 {share} 不在 0 与 1 之间。", "A probability of {share} is not between 0 and 1.", share=share
        )
        raise BadInput(Problem(message, Text("例如 0.9。", "Say 0.9, for example.")))
