"""Leads of all kinds that are a share of a unit's cases: one way to count, compare and tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from yiwang.core.irregularities.base_rates import against_others
from yiwang.core.irregularities.leads import Kind, Lead

LEAST = 10
MOST_CASES = 500


def share_leads(
    kind: Kind,
    marks: Iterable[tuple[str, str, bool]],
    *,
    period: str,
    least: int = LEAST,
    floor: float = 0.0,
    explain: Callable[[str], Mapping[str, Any]] | None = None,
) -> list[Lead]:
    """A lead for each unit that can be judged, whatever its chance: which of them survive says `multiplicity.surviving`.

    Args:
        kind: Of the leads.
        marks: Unit, case, whether it is so.
        period: Of the leads.
        least: Units with fewer trials are not judged.
        floor: See `base_rates.against_others`.
        explain: Further data of a unit's lead.
    """
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    cases: defaultdict[str, list[str]] = defaultdict(list)
    for unit, case, is_so in marks:
        counts[unit][0] += is_so
        counts[unit][1] += 1
        if is_so and len(cases[unit]) < MOST_CASES:
            cases[unit].append(case)
    compared = against_others({unit: (k, n) for unit, (k, n) in counts.items()}, least=least, floor=floor)
    return [
        Lead(
            kind=kind,
            unit=unit,
            period=period,
            cases=tuple(cases[unit]),
            observed=one.observed,
            trials=one.trials,
            expected=one.expected,
            rate=one.rate,
            p_value=one.p_value,
            data=explain(unit) if explain else {},
        )
        for unit, one in sorted(compared.items())
    ]
