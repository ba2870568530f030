"""Where the tests' reports come from."""

from __future__ import annotations

from typing import TypedDict


class Spot(TypedDict):
    """A point in degrees (WGS 84), as `ReportDraft` takes it."""

    lon: float
    lat: float
