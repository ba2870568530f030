"""Cases as anybody may read them: people's words as moderated, whoever asks without an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import publishing

BEFORE = "before"


def texts(originals: Mapping[tuple[str, str], str], *, place: CityRuntime) -> dict[tuple[str, str], str]:
    """What everybody may read of texts, by kind and key, as the city moderates; empty where nothing is shown."""
    found = publishing.of_kinds(originals, released_only=place.pack.portal.moderation == BEFORE)
    return {key: text or "" for key, text in found.items()}


def public_rows(rows: Iterable[Mapping[str, Any]], *, place: CityRuntime) -> list[dict[str, Any]]:
    """Rows of a list with public words."""
    rows = list(rows)
    kinds = {"text": publishing.CASE, "address": publishing.PLACE}
    said = texts({(kind, row["number"]): row[name] for row in rows for name, kind in kinds.items()}, place=place)
    return [{**row, **{name: said[kind, row["number"]] for name, kind in kinds.items()}} for row in rows]
