"""A report before it is one: what every entrance fills in, whoever reports and by whatever way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from yiwang.core.cases.fields import ReportFields


@dataclass(frozen=True, kw_only=True)
class ReportDraft(ReportFields):
    """What somebody, or something, says. Nothing is checked yet; `cases.intake` does that.

    Attributes:
        text, category, condition, address, lon, lat …: What `ReportFields` declares; lon and lat in degrees of ``crs``, both or
            neither; ``region`` may be the code of a unit grid.
        crs: ``wgs84``, ``cgcs2000``, ``gcj02`` or ``bd09``; empty is what the city's pack says.
        contact: How to reach whoever reports.
        channel: How it came: ``hotline``, ``inspector``, ``sensor`` …; empty is the channel of the reporter's role.
        photos: Pictures, as bytes or open files.
        origin, external: The system that it came from, and its number there.
        priority: What our own machinery knows of it, e.g. by the severity of an alarm; of everybody else triage says it.
    """

    crs: str = ""
    contact: str = ""
    channel: str = ""
    photos: Sequence[Any] = ()
    origin: str = ""
    external: str = ""
    priority: str = ""

    def words(self) -> Mapping[str, Any]:
        """Everything but the pictures, by name: what an idempotency key is remembered with."""
        return {name: getattr(self, name) for name in _WORDS}


_WORDS = tuple(item.name for item in fields(ReportDraft) if item.name != "photos")
