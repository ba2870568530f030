"""A second simulation, by a list of events, that checks the first: slow, short, and sharing no line with it.

It plays one day at a time: arrivals, ends of service and the turn of the hour happen in their order, and after each the customer at
the head of the queue begins if fewer are being served than there are servers. Some days of every plan are checked by it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from math import inf

import numpy as np

from yiwang.core.planning.queues.erlang import HOUR
from yiwang.core.planning.queues.simulation import Days, Floats, Ints

_TURN, _END, _ARRIVAL = range(3)  # at the same moment in this order: an hour begins with its own servers
_TOLERANCE = 1e-9  # minutes; sums in another order


def played(at: Sequence[float], service: Sequence[float], servers: Sequence[int]) -> list[float]:
    """When each customer of one queue begins on one day.

    Args:
        at: Minutes of arrival, rising.
        service: Minutes of service.
        servers: In each hour; the last hour's stay.
    """
    events = [(minute, _ARRIVAL, one) for one, minute in enumerate(at)]
    events += [(hour * HOUR, _TURN, hour) for hour in range(len(servers))]
    heapq.heapify(events)
    starts, waiting, serving, open_now = [inf] * len(at), deque[int](), 0, servers[0]
    while events:
        now, kind, which = heapq.heappop(events)
        if kind == _ARRIVAL:
            waiting.append(which)
        elif kind == _TURN:
            open_now = servers[which]
        else:
            serving -= 1
        while waiting and serving < open_now:
            one = waiting.popleft()
            starts[one] = now
            serving += 1
            heapq.heappush(events, (now + service[one], _END, one))
    return starts


def differences(days: Days, servers: Ints, starts: Floats, *, check: int = 3) -> int:
    """How many customers of the first ``check`` days begin at another time than by the list of events; 0 where the simulation is right."""
    wrong = 0
    for day in range(min(check, days.replications)):
        here = slice(days.first[day], days.first[day + 1])
        for queue in range(days.queues):
            own = days.queue[here] == queue
            at, service = days.at[here][own].tolist(), days.service[here][own].tolist()
            again = np.array(played(at, service, servers[queue].tolist()))
            said = starts[here][own]
            wrong += int((~np.isclose(again, said, rtol=0, atol=_TOLERANCE)).sum())
    return wrong
