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
    wanted = {key: text for key, text in originals.items() if text}
    rows = (
        PublicText.objects.filter(kind=kind, key__in=list(wanted)).values_list("key", "original", "published", "state")
        if wanted
        else ()
    )
    decided = {key: (original, published, state) for key, original, published, state in rows}
    found: dict[str, str | None] = dict.fromkeys(originals, "")
    for key, text in wanted.items():
        original, published, state = decided.get(key, (text, "", PublicText.State.WAITING))
        if original != text:  # it was written anew since the decision
            state = PublicText.State.WAITING
        if state == PublicText.State.WITHHELD or (released_only and state == PublicText.State.WAITING):
            found[key] = None
        else:
            found[key] = mask(text) if state == PublicText.State.WAITING else published
    return found


def public_text(*, kind: str, key: str, original: str, released_only: bool = False) -> str | None:
    """The public version of one text; see `public_texts`."""
    return public_texts(kind=kind, originals={key: original}, released_only=released_only)[key]
