"""Sets of rows as the bits of an integer."""

from __future__ import annotations

from collections.abc import Iterator


def lowest(mask: int) -> int:
    """Place of the lowest bit of a set that is not empty."""
    return (mask & -mask).bit_length() - 1


def bits(mask: int) -> Iterator[int]:
    """Places of the bits of a set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
