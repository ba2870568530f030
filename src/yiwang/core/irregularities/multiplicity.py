"""Which leads of a run are kept, when some hundred tests are made and chance alone would make some of them small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from yiwang.core.irregularities.leads import Lead

FALSE_DISCOVERIES = 0.05


def surviving(leads: Sequence[Lead], *, rate: float = FALSE_DISCOVERIES) -> list[Lead]:
    """The leads of one run that are kept, each with its ``q_value``; those without a chance are kept as they are.

    Y. Benjamini and Y. Hochberg (Journal of the Royal Statistical Society B 57, 1995): of the leads kept, at most the
    share ``rate`` are false alarms on average, as long as the tests are independent or positively dependent.

    Args:
        leads: All of a run's, whatever their chance: those left out beforehand would make the others look rarer.
        rate: The share of false alarms that is accepted among what is kept.
    """
    tested = [one for one in leads if one.p_value is not None]
    if not tested:
        return list(leads)
    from scipy.stats import false_discovery_control  # slow to import; most processes never need it

    adjusted = iter(false_discovery_control([one.p_value for one in tested], method="bh"))
    kept = []
    for one in leads:
        q_value = None if one.p_value is None else float(next(adjusted))
        if q_value is None or q_value <= rate:
            kept.append(replace(one, q_value=q_value))
    return kept
