"""Figures that plans are made with: each says where it comes from, and between which it can lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from yiwang.core.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningValue:
    """One figure of a city's `planning.toml`.

    Attributes:
        id: By which plans ask for it.
        name: What it is.
        value: With what is planned.
        low, high: Between these it can reasonably lie; ``low`` ≤ ``value`` ≤ ``high``.
        unit: In which it is measured; empty for a share.
        source: Where it comes from.
        confidence: How far it is trusted, e.g. ``reference default``.
    """

    id: str
    name: Text
    value: float
    low: float
    high: float
    unit: str
    source: Text
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleCount:
    """How many people live in a region.

    Attributes:
        region: Its code.
        people: How many.
        year: Of the count.
        source: Where it comes from.
        confidence: How far it is trusted, e.g. ``census`` or ``estimate``.
    """

    region: str
    people: float
    year: int
    source: Text
    confidence: str


def by_id(values: Iterable[PlanningValue]) -> Mapping[str, PlanningValue]:
    """The values under their ids."""
    return {one.id: one for one in values}
