"""Conditions of alarms as data: what must hold of a stream's readings, how badly, and for how long.

Times are seconds; values are in the stream's unit. `yiwang.core.observations.declared` reads conditions from tables,
`detecting` judges reading by reading, `series` a whole recorded series by the same definitions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from math import inf, nextafter

from yiwang.core.kernel.text import NO_TEXT, Text


class Severity(IntEnum):
    """How bad: the terms of the Common Alerting Protocol 1.2, which Chinese warnings give as four colours 蓝黄橙红."""

    MINOR = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4

    @property
    def text(self) -> Text:
        return _SEVERITIES[self]


_SEVERITIES = {
    Severity.MINOR: Text("蓝色", "minor"),
    Severity.MODERATE: Text("黄色", "moderate"),
    Severity.SEVERE: Text("橙色", "severe"),
    Severity.EXTREME: Text("红色", "extreme"),
}


class Direction(StrEnum):
    """On which side of its limit a value is a fault; ``EITHER`` takes the amount without its sign."""

    ABOVE = "above"
    BELOW = "below"
    EITHER = "either"


class Confidence(StrEnum):
    """How far a number was read in a standard: only ``HIGH`` was read in the text itself."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a condition.

    Attributes:
        severity: How bad it is.
        at: Reached when the value is at or beyond it.
        clear: Left when the value is at or on the good side of it (hysteresis); None: when the value is no longer at ``at``.
    """

    severity: Severity
    at: float
    clear: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What all conditions have.

    Attributes:
        id: Key.
        name: For people.
        unit: Of the levels, for people.
        levels: The mildest first.
        source, confidence: Who says so.
    """

    id: str
    name: Text
    unit: str = ""
    levels: tuple[Level, ...]
    source: Text = NO_TEXT
    confidence: Confidence = Confidence.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Condition):
    """A condition of a figure that each reading gives.

    Attributes:
        direction: On which side of a level the figure is a fault.
        hold: Seconds for which each reading must reach a level before it counts (key ``for``).
        count: Readings in a row that must reach it.
        clear_for: Seconds for which each reading must be clear of a level before it is left.
        ends_after: Seconds of silence after which an alarm ends and runs begin anew; infinite: silence changes nothing.
    """

    direction: Direction = Direction.ABOVE
    hold: float = 0.0
    count: int = 1
    clear_for: float = 0.0
    ends_after: float = inf

    @property
    def sign(self) -> float:
        """What a figure is multiplied by so that greater is worse."""
        return -1.0 if self.direction is Direction.BELOW else 1.0

    def bounds(self) -> list[tuple[float, float]]:
        """For each level, with greater being worse: reached from the first number up, clear from the second down."""
        found = []
        for level in self.levels:
            at = self.sign * level.at
            found.append((at, nextafter(at, -inf) if level.clear is None else self.sign * level.clear))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Measured):
    """The value itself against its levels; ordered levels such as 0 empty, 1 half, 2 full are values too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Measured):
    """The change since the reading before, ``(v₁ − v₀) ÷ (t₁ − t₀) × per``, where no silence of ``ends_after`` lies between.

    Attributes:
        per: Seconds for which the change is stated: 3600 for a change per hour.
    """

    per: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(Measured):
    """How far the value is from what is usual at that hour of the week, in robust standard deviations; see `baseline`.

    Attributes:
        weeks: Weeks before the present from which the usual is taken.
        least: Readings of that hour of the week without which it is not judged.
        min_spread: The least standard deviation that is assumed, on the scale.
        min_share: The same as a share of the median, on the scale.
        logarithmic: Judge ln(1 + v), for counts and concentrations, whose spread grows with their size.
    """

    weeks: int = 8
    least: int = 4
    min_spread: float = 0.0
    min_share: float = 0.0
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Condition):
    """Nothing has been heard of the stream for longer than a level says, in seconds; the next reading clears it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A part of a combination: an alarm of a stream, at least as bad as a severity.

    Attributes:
        stream: Pattern of the streams' keys: ``*`` and ``?`` as in file names, ``{name}`` for a part of the key that all members
            have in common. Any one stream that fits will do.
        condition: Id of its condition.
        severity: The mildest that counts.
    """

    stream: str
    condition: str
    severity: Severity = Severity.MINOR

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts in braces, in alphabetical order."""
        return tuple(sorted(_compiled(self.stream).groupindex))

    def group_of(self, stream: str) -> str | None:
        """What the parts in braces are in a stream's key: ``road=3``, empty where there are none; None for a key that does not fit."""
        found = _compiled(self.stream).fullmatch(stream)
        return None if found is None else "&".join(f"{name}={found[name]}" for name in self.parts)


PART = re.compile(r"\{([a-z]{1,20})\}")  # a part of a key in a member's pattern


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a member's pattern. A part that stands twice is the same both times."""
    made, known = "", set[str]()
    for number, piece in enumerate(PART.split(pattern)):
        if number % 2:
            made += f"(?P={piece})" if piece in known else f"(?P<{piece}>.+?)"
            known.add(piece)
        else:
            made += re.escape(piece).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(made, re.DOTALL)


class Mode(StrEnum):
    """Which members must hold."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Alarms of several streams that hold at once.

    Attributes:
        id, name: Key and name.
        of: The members; one holds while its alarm stands and for ``within`` seconds afterwards.
        by_thing: It is judged for each thing by itself, of the thing's own streams (key ``per``).
        mode: Whether all must hold, or any one.
        within: Seconds by which the members may miss one another.
        severity: Of the alarm that it gives.
        source, confidence: Who says so.
    """

    id: str
    name: Text
    of: tuple[Member, ...]
    by_thing: bool = False
    mode: Mode = Mode.ALL
    within: float = 0.0
    severity: Severity = Severity.MODERATE
    source: Text = NO_TEXT
    confidence: Confidence = Confidence.LOW
