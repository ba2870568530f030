"""What other apps may ask of red and black lists."""

from __future__ import annotations

from dataclasses import dataclass

from yiwang.core.indicators.lists import Colour
from yiwang.server.lists.models import Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class RedList:
    """Who stands on the red side of the newest published edition of a list, the best first.

    Attributes:
        period: Of the edition.
        level: Of the units: a level of regions, or ``department``.
        units: Code → the best and the worst place that it may have.
    """

    period: str
    level: str
    units: dict[str, tuple[int, int]]


def newest_red_list(*, city: str, rule: str) -> RedList | None:
    """The newest published red list by a rule; None before the first."""
    edition = Edition.objects.filter(city=city, rule=rule, step=Edition.Step.PUBLISHED).order_by("-ended_at").first()
    if edition is None:
        return None
    entries = edition.entries.filter(colour=Colour.RED.value).exclude(upheld=True).order_by("best", "worst", "unit")
    units = {one.unit: (one.best, one.worst) for one in entries}
    return RedList(period=edition.period, level=edition.terms["level"], units=units)
