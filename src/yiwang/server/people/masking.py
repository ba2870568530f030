"""Personal data as those see it who need not read it: enough to recognise, too little to use."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"([^@\s]+)@([^@\s]+)")
_DIGITS = re.compile(r"\d")
_SHORT = 7


def mask_contact(text: str) -> str:
    """A contact or a name with most of it covered: ``138****5678``, ``w***@example.org``, ``张**``."""
    text = text.strip()
    if not text:
        return ""
    if found := _EMAIL.fullmatch(text):
        return f"{found[1][:1]}***@{found[2]}"
    digits = _DIGITS.findall(text)
    if len(digits) >= _SHORT:
        return (
            f"{''.join(digits[:3])}****{''.join(digits[-4:])}"
            if len(digits) > _SHORT
            else f"****{''.join(digits[-2:])}"
        )
    return text[0] + "*" * min(len(text) - 1, 8) if len(text) > 1 else "*"
