"""Validity periods: half-open spans of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Validity:
    """Days on which something is in force: from ``valid_from`` (included) to ``valid_to`` (excluded); None is open."""

    valid_from: date | None = None
    valid_to: date | None = None

    def contains(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    def overlaps(self, other: Validity) -> bool:
        starts_before_other_ends = self.valid_from is None or other.valid_to is None or self.valid_from < other.valid_to
        other_starts_before_end = other.valid_from is None or self.valid_to is None or other.valid_from < self.valid_to
        return starts_before_other_ends and other_starts_before_end
