"""What a test knows to be there, said to the type checker and checked."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value itself; AssertionError when there is none."""
    assert value is not None
    return value
