"""Red and black lists 红榜、黑榜: who stands out so far that chance does not explain it, by a rule that is published beforehand.

A unit enters only where its set of places (`ranking.places`) lies wholly among the first or the last so many: with the confidence of
those sets it truly belongs there. So a list may be shorter than its rule allows, and is empty where the figures cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from yiwang.core.indicators.ranking import Place
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text

PERIODS = {"month": 1, "quarter": 3, "year": 12}


class Colour(StrEnum):
    """Which list."""

    RED = "red"
    BLACK = "black"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRule:
    """How a pair of lists is made.

    Attributes:
        evaluation: Whose composite score ranks.
        level: Who is ranked: a level of regions, or ``department``.
        period: ``month``, ``quarter`` or ``year``.
        red, black: At most so many on each.
        caseload: Indicator whose figure must reach ``least`` for a unit to be ranked at all.
        objection_days: Days after the notice within which a unit may object, the day of the notice not counted.
    """

    id: str
    name: Text
    evaluation: str
    level: str
    period: str
    red: int
    black: int
    caseload: str
    least: float
    objection_days: int
    source: str
    source_en: str = ""
    confidence: str
    validity: Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A unit that is ranked.

    Attributes:
        key: Code.
        score: Composite, 0 to 100.
        place: Where it may truly stand; None where its score has no interval.
    """

    key: str
    score: float
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A unit on a list."""

    colour: Colour
    unit: Ranked


def listed(units: Sequence[Ranked], rule: ListRule) -> list[Listed]:
    """Who enters: red ones by score from the best, then black ones from the worst.

    Args:
        units: All that are ranked. A unit without a place enters none.
        rule: The rule.
    """
    count = len(units)
    known = [(one, one.place) for one in units if one.place is not None]
    red = sorted((one for one, place in known if place.worst <= rule.red), key=lambda one: (-one.score, one.key))
    black = sorted(
        (one for one, place in known if place.best > count - rule.black and place.worst > rule.red),
        key=lambda one: (one.score, one.key),
    )
    return [
        *(Listed(colour=Colour.RED, unit=one) for one in red[: rule.red]),
        *(Listed(colour=Colour.BLACK, unit=one) for one in black[: rule.black]),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period of a list.

    Attributes:
        name: ``2026-03``, ``2026-Q1`` or ``2026``.
        first, after: Its first day, and the day after its last.
    """

    name: str
    first: date
    after: date


def period_of(name: str, kind: str) -> Period:
    """A period by its name.

    Raises:
        ValueError: When it is no name of this kind.
    """
    year, _, part = name.partition("-")
    if len(year) != 4 or not year.isascii() or not year.isdigit():
        raise ValueError(name)
    number = {
        "month": part if len(part) == 2 else "",
        "quarter": part.removeprefix("Q") if part[:1] == "Q" else "",
        "year": "1",
    }[kind]
    months = PERIODS[kind]
    if (
        (kind == "year") != (part == "")
        or not number.isascii()
        or not number.isdigit()
        or not 1 <= int(number) <= 12 // months
    ):
        raise ValueError(name)
    first = date(int(year), (int(number) - 1) * months + 1, 1)
    return Period(name=name, first=first, after=_months_later(first, months))


def last_period(kind: str, *, today: date) -> Period:
    """The last period that has ended."""
    months = PERIODS[kind]
    began = date(today.year, (today.month - 1) // months * months + 1, 1)
    before = began - timedelta(days=1)
    number = (before.month - 1) // months + 1
    name = {
        "month": f"{before.year:04}-{before.month:02}",
        "quarter": f"{before.year:04}-Q{number}",
        "year": f"{before.year:04}",
    }
    return period_of(name[kind], kind)


def _months_later(day: date, months: int) -> date:
    total = day.month - 1 + months
    return date(day.year + total // 12, total % 12 + 1, 1)
