"""A lead 线索: something that a person should look at, with its evidence. It is no proof, and nothing follows from it by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a lead is about."""

    BUNCHING = "bunching"
    BULK = "bulk"
    REOPENED = "reopened"
    SUSPENDING = "suspending"
    PHOTOS = "photos"
    SAME_PERSON = "same_person"
    VERIFYING = "verifying"
    CLOCKS = "clocks"
    REPORTING = "reporting"
    SHIFTING = "shifting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What was found of a unit in a period.

    Attributes:
        kind, unit, period: What, of whom, when (``2026-11``).
        cases: Numbers of the cases behind it, in their order.
        observed, trials: So many, of so many.
        expected: How many there would have been at the rate of the others.
        rate: That rate, 0 to 1: the base rate.
        p_value: Chance of so many or more where nothing is irregular. None where the finding is a fact in itself, such as
            one photo in two cases: no chance is computed for it.
        q_value: The share of false alarms to be expected among leads that are at least as strong (Benjamini and
            Hochberg); None where ``p_value`` is. Filled in by `multiplicity.surviving`.
        data: What explains it further: bins of a histogram, pairs of photos, seconds.
    """

    kind: Kind
    unit: str
    period: str
    cases: tuple[str, ...]
    observed: int
    trials: int
    expected: float
    rate: float
    p_value: float | None
    q_value: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
