"""Every detector over the rows of one period, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from yiwang.core.irregularities.bunching import bulk_closings, bunching
from yiwang.core.irregularities.clocks import clocks
from yiwang.core.irregularities.leads import Lead
from yiwang.core.irregularities.multiplicity import FALSE_DISCOVERIES, surviving
from yiwang.core.irregularities.photos import photos
from yiwang.core.irregularities.reopened import reopened
from yiwang.core.irregularities.reporting import reporting
from yiwang.core.irregularities.rows import (
    ClockReading,
    Closing,
    Filing,
    Opening,
    PhotoPrint,
    Reclassification,
    Suspension,
    Verification,
)
from yiwang.core.irregularities.shifting import shifting
from yiwang.core.irregularities.suspending import suspending
from yiwang.core.irregularities.verifying import same_person, verified_inside


@dataclass(kw_only=True)
class Rows:
    """All rows of a period of a city.

    Attributes:
        persons: Key of the person by account, where it is known; see `verifying.same_person`.
    """

    closings: list[Closing] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    suspensions: list[Suspension] = field(default_factory=list)
    filings: list[Filing] = field(default_factory=list)
    reclassifications: list[Reclassification] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    clock_readings: list[ClockReading] = field(default_factory=list)
    photo_prints: list[PhotoPrint] = field(default_factory=list)
    persons: Mapping[str, str] = field(default_factory=dict)


def all_findings(rows: Rows, *, city: str, period: str, zone: tzinfo) -> list[Lead]:
    """The findings of every detector, kept or not: what `multiplicity.surviving` is given.

    Args:
        rows: Of the period.
        city, zone: Which city, and its time zone.
        period: ``2026-11``.
    """
    return [
        *bunching(rows.closings, period=period),
        *bulk_closings(rows.closings, period=period),
        *reopened(rows.closings, rows.openings, period=period),
        *suspending(rows.suspensions, period=period, zone=zone),
        *photos(rows.photo_prints, city=city, period=period),
        *same_person(rows.verifications, persons=rows.persons, period=period),
        *verified_inside(rows.verifications, period=period),
        *clocks(rows.clock_readings, period=period),
        *reporting(rows.filings, period=period),
        *shifting(rows.reclassifications, period=period),
    ]


def look(
    rows: Rows, *, city: str, period: str, zone: tzinfo, rate: float = FALSE_DISCOVERIES
) -> tuple[list[Lead], int]:
    """The leads of a period, and how many tests were made to find them.

    Args:
        rows, city, period, zone: See `all_findings`.
        rate: Share of false alarms that is accepted among the leads that have a chance.
    """
    found = all_findings(rows, city=city, period=period, zone=zone)
    return surviving(found, rate=rate), sum(one.p_value is not None for one in found)
