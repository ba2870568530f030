"""The words of an event: all that was written, and those that everybody may read, as a moderator and the public see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from yiwang.core.cases.definitions import ALWAYS_PUBLIC, WORDS, Workflow
from yiwang.core.cases.events import Event


def texts_of(event: Event) -> dict[str, str]:
    """What was written with an event, by field; fields without words are left out."""
    found = {"reason": event.reason, **{name: str(event.payload.get(name) or "") for name in WORDS if name != "reason"}}
    return {name: text for name, text in found.items() if text}


def event_words(event: Event, *, workflow: Workflow) -> str:
    """What everybody may read of an event's words, before moderation: a line each, empty where there is nothing.

    Which fields are public is the verb's to say (``public`` in `workflow.toml`); a verb that the workflow no longer has
    keeps its words to staff, but for what was written as a reply to the citizen.
    """
    verb = workflow.verbs.get(event.verb)
    return _lines(
        text for name, text in texts_of(event).items() if (verb.reads_publicly(name) if verb else name in ALWAYS_PUBLIC)
    )


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(texts))


def event_key(event: Event) -> str:
    """The key under which `common.publishing` knows the words of an event."""
    return f"{event.number}/{event.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What people wrote about a case, as one reader may read it.

    Attributes:
        text, address: What was reported.
        reasons: Reason of each event, by its sequence number.
        notes: What else was written with each event, a text each.
        in_full: Personal data stands in these words as written, so that reading them must go on record.
    """

    text: str
    address: str
    reasons: Mapping[int, str]
    notes: Mapping[int, tuple[str, ...]]
    in_full: bool = False
