"""How often something happens in one unit, compared with all the others.

Units differ honestly: one has the old quarter, another the motorway. So a count is not compared with a binomial
distribution of the city's rate, under which every unlike unit would stand out, but with a beta-binomial one that is as wide as
the units are found to differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

TRIMMED = 0.1
OUTLYING = 0.005
ROUNDS = 6
# mean square of a standard normal variable that is winsorised at its tenth and ninetieth percentiles: without it units
# that differ would always seem to differ less
_END = NormalDist().inv_cdf(1 - TRIMMED)
_KEPT = 1 - 2 * TRIMMED - 2 * _END * NormalDist().pdf(_END) + 2 * TRIMMED * _END**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A unit against the others.

    Attributes:
        observed, trials: Its counts.
        rate: The others' rate.
        expected: Its trials times that rate.
        p_value: Chance of ``observed`` or more.
    """

    observed: int
    trials: int
    rate: float
    expected: float
    p_value: float


def dispersion(counts: Mapping[str, tuple[int, int]]) -> float:
    """How far units differ beyond chance, as the correlation of two trials in one unit, 0 to 1.

    The moment estimate of the beta-binomial's correlation: the variance of a unit's standardised difference from the city
    is 1 + (n − 1)ρ. The differences are winsorised at a tenth of each end before they are squared, as D. J. Spiegelhalter
    does for overdispersed indicators of institutions (Quality and Safety in Health Care 14, 2005), so that the few that
    are sought do not hide themselves by widening what counts as usual; what that takes from the variance of a normal
    variable is given back.

    Args:
        counts: By unit: how many, of how many.
    """
    held = [(k, n) for k, n in counts.values() if n > 1]
    done, tried = sum(k for k, _ in held), sum(n for _, n in held)
    if len(held) < 3 or not 0 < done < tried:
        return 0.0
    n = np.array([n for _, n in held], dtype=float)
    rate = done / tried
    z = (np.array([k for k, _ in held]) - n * rate) / np.sqrt(n * rate * (1 - rate))
    z = np.clip(z, *np.quantile(z, [TRIMMED, 1 - TRIMMED]))
    return float(np.clip((np.sum(z * z) / _KEPT - len(held)) / np.sum(n - 1), 0.0, 0.99))


def against_others(
    counts: Mapping[str, tuple[int, int]], *, least: int = 1, floor: float = 0.0
) -> dict[str, Comparison]:
    """Each unit with enough trials against all the others together.

    The chance is that of a beta-binomial distribution. Its mean is the others' rate; its variance has two parts, how far
    units differ (`dispersion`) and how well the others' rate is known (a beta posterior with Jeffreys' prior), so few
    others give a wide one. Units that stand out (a chance below `OUTLYING`) are then taken from the others, and all are
    compared anew, until no further one stands out: three that cheat in one way would hide each other.

    Args:
        counts: By unit: how many, of how many.
        least: Units with fewer trials are not judged, but count among the others.
        floor: A rate that is usual by what is known beforehand; a lower one of the others is replaced by it.
    """
    usual = dict(counts)
    for _ in range(ROUNDS):
        found = _compared(counts, usual, least=max(1, least), floor=floor)
        outlying = {unit for unit in usual if unit in found and found[unit].p_value < OUTLYING}
        if not outlying or len(usual) - len(outlying) < max(2, len(counts) / 2):
            break
        usual = {unit: count for unit, count in usual.items() if unit not in outlying}
    return found


def _compared(
    counts: Mapping[str, tuple[int, int]], usual: Mapping[str, tuple[int, int]], *, least: int, floor: float
) -> dict[str, Comparison]:
    from scipy.stats import betabinom  # slow to import; most processes never need it

    done, tried = sum(k for k, _ in usual.values()), sum(n for _, n in usual.values())
    judged = [unit for unit, (_, n) in counts.items() if n >= least and tried > usual.get(unit, (0, 0))[1]]
    if not judged:
        return {}
    k, n = np.array([counts[unit] for unit in judged]).T
    own_k, own_n = np.array([usual.get(unit, (0, 0)) for unit in judged]).T
    others = tried - own_n
    rate = np.clip((done - own_k + 0.5) / (others + 1), floor, 1 - 1e-9)
    size = 1 / np.minimum(dispersion(usual) + 1 / (others + 2), 0.999) - 1
    chance = np.where(k > 0, betabinom.sf(k - 1, n, rate * size, (1 - rate) * size), 1.0)
    return {
        unit: Comparison(
            observed=int(k[place]),
            trials=int(n[place]),
            rate=float(rate[place]),
            expected=float(n[place] * rate[place]),
            p_value=float(np.clip(chance[place], 0.0, 1.0)),
        )
        for place, unit in enumerate(judged)
    }
