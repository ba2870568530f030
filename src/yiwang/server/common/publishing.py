"""What of people's words may be shown to everybody: as a moderator left it, else with personal data masked.

Every public page asks here, whatever app it belongs to; the original is never changed (`PublicText`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from yiwang.server.common.masking import mask
from yiwang.server.common.models import PublicText
from yiwang.server.common.selecting import select

CASE, PLACE, EVENT, REPORT = "case", "place", "event", "report"
IDEA, COMMENT, ANSWER = "idea", "comment", "answer"
_DECISION = ("kind", "key", "original", "published", "state")


def public_texts(*, kind: str, originals: Mapping[str, str], released_only: bool = False) -> dict[str, str | None]:
    """The public version of texts of one kind, by key: one query however many there are.

    Args:
        kind: ``case`` (key: its number), ``place`` (number), ``event`` (number/seq), ``report``, ``idea``, ``comment``, ``answer``.
        originals: What was written, by key.
        released_only: Nothing is shown before a moderator has released it (`portal.toml`, ``moderation = "before"``).

    Returns:
        For each key the text to show, or None where there is none to be shown (withheld, or not released yet).
    """
    kinds = {(kind, key): text for key, text in originals.items()}
    return {key: text for (_, key), text in of_kinds(kinds, released_only=released_only).items()}


def of_kinds(
    originals: Mapping[tuple[str, str], str], *, released_only: bool = False
) -> dict[tuple[str, str], str | None]:
    """The same for texts of several kinds, by kind and key, still one query."""
    wanted = {place: text for place, text in originals.items() if text}
    decided = _decisions(wanted) if wanted else {}
    found: dict[tuple[str, str], str | None] = dict.fromkeys(originals, "")
    for place, text in wanted.items():
        original, published, state = decided.get(place, (text, "", PublicText.State.WAITING))
        if original != text:  # it was written anew since the decision
            state = PublicText.State.WAITING
        if state == PublicText.State.WITHHELD or (released_only and state == PublicText.State.WAITING):
            found[place] = None
        else:
            found[place] = mask(text) if state == PublicText.State.WAITING else published
    return found


def _decisions(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """What moderators have decided: the original they saw, the text to publish and the state, by kind and key."""
    kinds, keys = ({place[part] for place in wanted} for part in (0, 1))
    tail = f'WHERE "kind" IN ({_marks(kinds)}) AND "key" IN ({_marks(keys)})'
    found = select(PublicText, _DECISION, tail, [*kinds, *keys])
    return {(kind, key): decision for kind, key, *decision in found}


def _marks(values: Collection[str]) -> str:
    return ", ".join(["%s"] * len(values))


def public_text(*, kind: str, key: str, original: str, released_only: bool = False) -> str | None:
    """The public version of one text; see `public_texts`."""
    return public_texts(kind=kind, originals={key: original}, released_only=released_only)[key]
