"""A simulated city in which nobody cheats, and one in which some units do, each in one known way: to measure the detectors.

The honest city is not a tidy one. Units differ (their rates are drawn from beta distributions), people hurry before
deadlines, enter several cases in one go in the evening, suspend more towards a month's end, report what they see, mistake categories,
and have phones whose clocks are wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from yiwang.core.irregularities.leads import Kind
from yiwang.core.irregularities.looking import Rows
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

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 30
HOUR, DAY = 3600.0, 86400.0
LIMITS = (4 * HOUR, DAY, 3 * DAY, 7 * DAY)
SQUARE_M = 8000.0
CATEGORIES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCity:
    """How large, and how unlike its units are.

    Attributes:
        units: How many.
        cases: Mean cases of a unit in the month; units differ (gamma with shape 4).
        unlike: Concentration of the beta distributions of units' rates: 40 lets a rate of 10 % vary by about 5 points.
        photos: Share of cases with a photo of the work.
    """

    units: int = 40
    cases: int = 150
    unlike: float = 40.0
    photos: float = 0.3


def simulated_rows(
    *,
    seed: int,
    city: SimulatedCity | None = None,
    fraud: Mapping[Kind, Collection[int]] | None = None,
    strength: float = 0.3,
) -> Rows:
    """A month of a city.

    Args:
        seed: The same seed gives the same month. The honest part differs between frauds only where they act.
        city: Its size.
        fraud: Which units, by their number, cheat in which way.
        strength: The share of a unit's cases, or suspensions, to which its fraud is done.

    Returns:
        Rows as the detectors take them; units are called ``u0``, ``u1`` …
    """
    city = city or SimulatedCity()
    rng, rows = np.random.default_rng(seed), Rows()
    rows.persons = {
        f"{role}{unit}": f"person-{role}{unit}" for unit in range(city.units) for role in ("verifier", "crew")
    }
    cheats = {kind: set(units) for kind, units in (fraud or {}).items()}
    for unit in range(city.units):
        done = {kind for kind, units in cheats.items() if unit in units}
        _Unit(unit, rng, rows, city, done, strength).live()
    return rows


class _Unit:
    """One unit's month."""

    def __init__(
        self, number: int, rng: np.random.Generator, rows: Rows, city: SimulatedCity, fraud: Collection[Kind],
        strength: float,
    ) -> None:  # fmt: skip
        self.number, self.name, self.rng, self.rows, self.city = number, f"u{number}", rng, rows, city
        self.fraud, self.strength = fraud, strength

    def rate(self, mean: float) -> float:
        return float(self.rng.beta(mean * self.city.unlike, (1 - mean) * self.city.unlike))

    def cheats(self, kind: Kind) -> bool:
        return kind in self.fraud and self.rng.random() < self.strength

    def live(self) -> None:
        rng = self.rng
        rates = {name: self.rate(mean) for name, mean in (
            ("again", 0.06), ("inside", 0.08), ("own", 0.10), ("changed", 0.05), ("late", 0.12), ("clock", 0.03), ("batch", 0.25),
        )}  # fmt: skip
        closings = [self.case(place, rates) for place in range(int(rng.gamma(4, self.city.cases / 4)) + 5)]
        self.rows.closings += self.entered_together(closings, rates["batch"])
        self.suspend()

    def case(self, place: int, rates: Mapping[str, float]) -> Closing:
        rng, rows = self.rng, self.rows
        case = f"{self.name}-{place}"
        limit = LIMITS[int(rng.integers(len(LIMITS)))]
        opened = BEGIN + timedelta(seconds=float(rng.uniform(0, DAYS * DAY)))
        # most is done long before; some near the deadline, where people hurry, some late: smooth across it
        share = rng.gamma(2.2, 0.23) if rng.random() > rates["late"] else rng.normal(1.0, 0.12)
        left = limit * (1 - max(0.01, float(share)))
        if self.cheats(Kind.BUNCHING):
            left = float(rng.uniform(0, HOUR))
        at = opened + timedelta(seconds=limit - left)
        category = f"c{int(rng.integers(CATEGORIES))}"
        x, y = (float(value) for value in rng.uniform(0, SQUARE_M, 2))
        rows.openings.append(Opening(case=case, category=category, at=opened, x_m=x, y_m=y))
        closing = Closing(
            case=case, unit=self.name, category=category, at=at, left_s=left, actor=f"crew{self.number}",
            closed_at=at + timedelta(hours=float(rng.uniform(1, 20))), x_m=x, y_m=y,
        )  # fmt: skip
        if rng.random() < rates["again"] or self.cheats(Kind.REOPENED):
            self.again(closing)
        self.checked(case, at, opened, limit, rates)
        return closing

    def again(self, closing: Closing) -> None:
        assert closing.closed_at is not None
        assert closing.x_m is not None
        assert closing.y_m is not None
        later = closing.closed_at + timedelta(days=float(self.rng.uniform(0.1, 25)))
        x, y = (float(value) for value in self.rng.uniform(-30, 30, 2))
        self.rows.openings.append(
            Opening(case=f"{closing.case}-again", category=closing.category, at=later, x_m=closing.x_m + x, y_m=closing.y_m + y)
        )  # fmt: skip

    def checked(self, case: str, at: datetime, opened: datetime, limit: float, rates: Mapping[str, float]) -> None:
        rng, rows, unit = self.rng, self.rows, self.name
        inside = rng.random() < rates["inside"] or self.cheats(Kind.VERIFYING)
        verifier = f"verifier{int(rng.integers(self.city.units))}"
        if self.cheats(Kind.SAME_PERSON):
            verifier = f"second{self.number}"
            rows.persons = {**rows.persons, verifier: f"person-crew{self.number}"}
        rows.verifications.append(
            Verification(
                case=case, unit=unit, handlers=frozenset({f"crew{self.number}"}), verifier=verifier, inside=inside
            )
        )
        own = rng.random() < rates["own"] or self.cheats(Kind.REPORTING)
        rows.filings.append(Filing(case=case, unit=unit, own=own))
        after = LIMITS[int(rng.integers(len(LIMITS)))] if rng.random() < rates["changed"] else limit
        if self.cheats(Kind.SHIFTING) and limit < LIMITS[-1]:
            after = LIMITS[LIMITS.index(limit) + 1]
        rows.reclassifications.append(Reclassification(case=case, unit=unit, before_s=limit, after_s=after))
        wrong = rng.normal(0, 2 * DAY) if rng.random() < rates["clock"] else rng.normal(0, 60)
        claimed = at + timedelta(seconds=float(wrong) - 120)
        if self.cheats(Kind.CLOCKS):
            claimed = opened - timedelta(hours=float(rng.uniform(2, 100)))
        rows.clock_readings.append(ClockReading(case=case, unit=unit, claimed=claimed, received=at, not_before=opened))
        if rng.random() < self.city.photos:
            self.photo(case, at)

    def photo(self, case: str, at: datetime) -> None:
        """Hashes of a photo like no other: bits at random, as different photos have them. One that is used again has some
        bits changed, as editing does (tests measure how many on pictures)."""
        rng = self.rng
        phash, dhash = (int(value) for value in rng.integers(0, 2**64, 2, dtype=np.uint64))
        before = [one for one in self.rows.photo_prints[-200:] if one.unit == self.name]
        if before and self.cheats(Kind.PHOTOS):
            model = before[int(rng.integers(len(before)))]
            phash, dhash = (
                _flip(model.phash, int(rng.integers(0, 7)), rng),
                _flip(model.dhash, int(rng.integers(0, 9)), rng),
            )
        self.rows.photo_prints.append(
            PhotoPrint(
                id=case, city="simulated", case=case, unit=self.name, at=at, after=True, seq=4, phash=phash, dhash=dhash
            )
        )

    def entered_together(self, closings: list[Closing], batch: float) -> list[Closing]:
        """Two or three cases are entered one after the other, now and then; who cheats enters a heap before the deadlines."""
        rng = self.rng
        kept = sorted(closings, key=lambda one: one.at)
        for place in range(1, len(kept)):
            if rng.random() < batch:
                kept[place] = _moved(kept[place], kept[place - 1].at + timedelta(seconds=float(rng.uniform(30, 200))))
        if Kind.BULK in self.fraud:
            chosen = rng.permutation(len(kept))[: int(self.strength * len(kept))]
            for heap in np.array_split(chosen, max(1, len(chosen) // 8)):
                start = BEGIN + timedelta(seconds=float(rng.uniform(DAY, DAYS * DAY)))
                for order, place in enumerate(heap):
                    kept[place] = replace(
                        kept[place],
                        at=start + timedelta(seconds=40.0 * order),
                        left_s=float(rng.uniform(HOUR / 2, 4 * HOUR)),
                    )
        return kept

    def suspend(self) -> None:
        rng = self.rng
        weights = np.ones(DAYS)
        weights[-5:] = rng.uniform(1.0, 2.0)  # what was put off is tidied up, everywhere
        weights /= weights.sum()
        for place in range(int(rng.poisson(25))):
            day = int(rng.choice(DAYS, p=weights))
            if self.cheats(Kind.SUSPENDING):
                day = DAYS - 1 - int(rng.integers(3))
            at = BEGIN + timedelta(days=day, hours=float(rng.uniform(8, 18)))
            self.rows.suspensions.append(Suspension(case=f"{self.name}-{place}", unit=self.name, at=at))


def _moved(closing: Closing, at: datetime) -> Closing:
    """Entered at another moment: what was left then moves with it."""
    assert closing.left_s is not None
    return replace(closing, at=at, left_s=closing.left_s + (closing.at - at).total_seconds())


def _flip(code: int, bits: int, rng: np.random.Generator) -> int:
    for bit in rng.permutation(64)[:bits]:
        code ^= 1 << int(bit)
    return code
