"""What of people's words may be shown to everybody: as a moderator left it, else with personal data masked.

Every public page asks here, whatever app it belongs to; the original is never changed (`PublicText`).
"""

from __future__ import annotations

from collections.abc import Mapping

from yiwang.server.common.masking import mask
from yiwang.server.common.models import PublicText

CASE, PLACE, EVENT, REPORT = "case", "place", "event", "report"
IDEA, COMMENT, ANSWER = "idea", "comment", "answer"


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
    kinds, keys = {kind for kind, _ in wanted}, {key for _, key in wanted}
    rows = (
        PublicText.objects.filter(kind__in=kinds, key__in=keys).values_list(
            "kind", "key", "original", "published", "state"
        )
        if wanted
        else ()
    )
    decided = {(kind, key): decision for kind, key, *decision in rows}
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


def public_text(*, kind: str, key: str, original: str, released_only: bool = False) -> str | None:
    """The public version of one text; see `public_texts`."""
    return public_texts(kind=kind, originals={key: original}, released_only=released_only)[key]
