"""Closings that heap up just before the deadline: of a unit's cases, and of one person within minutes.

Where work ends by itself, the density of the time left at the end is smooth at the deadline. Where the end is entered to
meet the deadline, what belongs behind it is found just before (J. McCrary, Journal of Econometrics 142, 2008, tests such a
jump of a density). For counts in bins B. R. Frandsen (Advances in Econometrics 38, 2017) gives an exact test: among the cases of
three neighbouring bins the middle one has a third where the density is linear, and at most (1 + k)/(3 + k) where it departs
from the mean of its neighbours by no more than the share k.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import share_leads
from yiwang.core.irregularities.rows import Closing

BIN_S = 3600.0
CURVATURE = 0.2
BINS = 12
LEAST = 12
BURST = timedelta(minutes=10)
MANY = 5


def smooth_chance(middle: int, both_neighbours: int, *, curvature: float = CURVATURE) -> float:
    """Chance of so many or more in the middle of three bins, where the density there is at most ``curvature`` (a share)
    above the mean of its neighbours. One-sided: too few is no sign of anything here.

    Args:
        middle: Cases in the bin just before the deadline.
        both_neighbours: Cases in the bins before and behind it together.
        curvature: k of Frandsen's test; 0 is a locally linear density.
    """
    total = middle + both_neighbours
    if not total:
        return 1.0
    from scipy.stats import binom  # slow to import; most processes never need it

    return float(binom.sf(middle - 1, total, (1 + curvature) / (3 + curvature)))


def bunching(
    closings: Iterable[Closing], *, period: str, bin_s: float = BIN_S, curvature: float = CURVATURE
) -> list[Lead]:
    """For each unit: do its closings heap up in the last bin before the deadline?

    Two things must hold, so the larger of two chances counts: more than a smooth density allows (`smooth_chance`), and
    more than in the other units of the city, among the closings near the deadline. People everywhere hurry before a deadline;
    that is what it is for.

    Args:
        closings: Of the period. Those without a deadline are passed over.
        period: Its name.
        bin_s: Width of the bins in seconds.
        curvature: See `smooth_chance`.

    Returns:
        A lead for each unit that can be judged. ``data["bins"]`` are counts of closings by whole bins before the deadline,
        from −`BINS` (late) to `BINS` − 1; ``data["bin_s"]`` their width.
    """
    bins: defaultdict[str, Counter[int]] = defaultdict(Counter)
    near: list[tuple[str, str, bool]] = []
    for one in closings:
        if one.left_s is None:
            continue
        place = int(one.left_s // bin_s)
        if -BINS <= place < BINS:
            bins[one.unit][place] += 1
        if place in (-1, 0, 1):
            near.append((one.unit, one.case, place == 0))
    found = []
    for lead in share_leads(Kind.BUNCHING, near, period=period, least=LEAST, floor=1 / 3):
        smooth = smooth_chance(lead.observed, lead.trials - lead.observed, curvature=curvature)
        data = {
            "bin_s": bin_s,
            "bins": [bins[lead.unit][place] for place in range(-BINS, BINS)],
            "smooth": smooth,
            "others": lead.p_value,
        }
        found.append(replace(lead, p_value=max(smooth, lead.p_value or 0.0), data=data))
    return found


def bursts(times: Sequence[Closing], *, within: timedelta = BURST, many: int = MANY) -> list[list[Closing]]:
    """Stretches in which at least ``many`` closings each follow within ``within`` of the first, without overlap.

    Args:
        times: Closings of one person.
        within: Length of the window.
        many: How many make a burst.
    """
    ordered = sorted(times, key=lambda one: one.at)
    found: list[list[Closing]] = []
    begin = 0
    while begin < len(ordered):
        end = begin
        while end < len(ordered) and ordered[end].at - ordered[begin].at <= within:
            end += 1
        if end - begin >= many:
            found.append(ordered[begin:end])
            begin = end
        else:
            begin += 1
    return found


def bulk_closings(
    closings: Iterable[Closing],
    *,
    period: str,
    near_s: float = 4 * BIN_S,
    within: timedelta = BURST,
    many: int = MANY,
) -> list[Lead]:
    """For each unit: how often did one person report many cases done within minutes, all of them shortly before their deadlines?

    Bursts are counted, not the closings in them: those of one burst do not come independently of each other. Entering a
    day's work in the evening is usual, so it is compared with the other units.

    Args:
        closings: Of the period.
        period: Its name.
        near_s: So many seconds before the deadline at most.
        within, many: See `bursts`.

    Returns:
        A lead for each unit that can be judged; trials are its closings near a deadline. ``data["bursts"]``: for each one
        the moment of the first, seconds to the last, and how many.
    """
    by_actor: defaultdict[tuple[str, str], list[Closing]] = defaultdict(list)
    trials: Counter[str] = Counter()
    for one in closings:
        if one.left_s is not None and 0 <= one.left_s < near_s:
            by_actor[one.unit, one.actor].append(one)
            trials[one.unit] += 1
    found: defaultdict[str, list[list[Closing]]] = defaultdict(list)
    for (unit, _), own in by_actor.items():
        found[unit] += bursts(own, within=within, many=many)
    marks = [(unit, "", place < len(found[unit])) for unit, count in trials.items() for place in range(count)]
    leads = []
    for lead in share_leads(Kind.BULK, marks, period=period, least=LEAST):
        own_bursts = sorted(found[lead.unit], key=lambda burst: burst[0].at)
        told = [
            [burst[0].at.isoformat(), round((burst[-1].at - burst[0].at).total_seconds()), len(burst)]
            for burst in own_bursts
        ]
        cases = tuple(one.case for burst in own_bursts for one in burst)
        leads.append(replace(lead, cases=cases, data={"bursts": told}))
    return leads


def jump(bins: Sequence[int]) -> float | None:
    """The last bin before the deadline against the mean of its neighbours, as a ratio; None where both are empty.

    Args:
        bins: As in ``data["bins"]`` of `bunching`.
    """
    middle = len(bins) // 2
    beside = bins[middle - 1] + bins[middle + 1]
    return 2 * bins[middle] / beside if beside else None
