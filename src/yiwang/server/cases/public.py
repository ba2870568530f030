"""Cases as anybody may read them: people's words as moderated, whoever asks without an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.server.cases.wording import event_key, event_words
from yiwang.server.common import publishing
from yiwang.server.places.queries import Runtime

BEFORE = "before"
# what people write freely, wherever it stands in an event
WORDS = frozenset({"reason", "note", "opinion", "result", "text", "place", "parts"})


def texts(originals: Mapping[tuple[str, str], str], *, place: Runtime) -> dict[tuple[str, str], str]:
    """What everybody may read of texts, by kind and key, as the city moderates; empty where nothing is shown."""
    found = publishing.of_kinds(originals, released_only=place.pack.portal.moderation == BEFORE)
    return {key: text or "" for key, text in found.items()}


def listed(rows: Iterable[Mapping[str, Any]], *, place: Runtime, sought: str = "") -> list[dict[str, Any]]:
    """Rows of a list with public words. Those that were found by words which are not public are left out."""
    rows = list(rows)
    kinds = {"text": publishing.CASE, "place": publishing.PLACE}
    said = texts({(kind, row["number"]): row[name] for row in rows for name, kind in kinds.items()}, place=place)
    shown = [{**row, **{name: said[kind, row["number"]] for name, kind in kinds.items()}} for row in rows]
    return [row for row in shown if _has(row, sought)]


def _has(row: Mapping[str, Any], sought: str) -> bool:
    public = f"{row['text']}\n{row['place']}".lower()
    return all(word.lower() in public or row["number"].startswith(word) for word in sought.split()[:5])


def events(items: Sequence[dict[str, Any]], *, of: Sequence[Event], place: Runtime) -> list[dict[str, Any]]:
    """Events for programs that have not said who they are: what was written stands in ``reason``, as moderated."""
    keys = [(publishing.EVENT, event_key(event)) for event in of]
    said = texts({key: event_words(event) for key, event in zip(keys, of, strict=True)}, place=place)
    return [
        {**item, "reason": said[key], "payload": _without_words(item["payload"])}
        for item, key in zip(items, keys, strict=True)
    ]


def _without_words(payload: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in payload.items() if name not in WORDS}
    if isinstance(fields := kept.get("set"), Mapping):
        kept["set"] = {name: value for name, value in fields.items() if name not in WORDS}
    return kept
