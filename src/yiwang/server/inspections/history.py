"""What happened in campaigns, as the ledger seals it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.server.inspections.models import Campaign, InspectionEvent
from yiwang.server.ledger.api import add_event, first_broken, stream_of_events

NAME = "inspections"
STREAM = stream_of_events(InspectionEvent, name=NAME, title=Text("检查考评", "inspections"))


def write_event(campaign: Campaign, kind: str, said: Mapping[str, Any], *, by: str) -> InspectionEvent:
    """Add an event of a campaign to its city's chain, within the transaction of what it tells of."""
    return add_event(
        InspectionEvent, stream=NAME, city=campaign.city, subject=campaign.key, kind=kind, said=said, by=by
    )


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(InspectionEvent, stream=NAME, city=city)
