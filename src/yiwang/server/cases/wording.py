"""The words of an event, as one text: what a moderator decides about and a reader sees."""

from __future__ import annotations

from yiwang.core.cases.events import Event

SPOKEN = ("note", "opinion", "result")


def event_words(event: Event) -> str:
    """Reason first, then what else was said, a line each; empty for an event without words."""
    lines = [event.reason, *(str(event.payload.get(name) or "") for name in SPOKEN)]
    return "\n".join(line for line in dict.fromkeys(lines) if line)


def event_key(event: Event) -> str:
    """The key under which `common.publishing` knows the words of an event."""
    return f"{event.number}/{event.seq}"
