"""What is written in versions, each in force for a span of days: two of one thing never on the same day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.files import PackFiles


class Versioned(Protocol):
    """A table of a file that is one version of something."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


def validity(table: Versioned) -> Validity:
    """The days on which a version is in force."""
    return Validity(table.valid_from, table.valid_to)


def check_versions(tables: Sequence[Versioned], files: PackFiles, *, file: str, label: str) -> None:
    """Look whether the versions of each thing have names of their own and days of their own; problems go to ``files``.

    Args:
        tables: All versions of all things.
        files: Where problems go.
        file: Name of the file.
        label: How a table is called there.
    """
    for number, table in enumerate(tables):
        for other in tables[:number]:
            if other.id != table.id:
                continue
            place = f"{label} {table.id}: "
            if other.version == table.version:
                twice = Text(
                    "版本「{version}」出现两次。", "The version {version!r} stands there twice.", version=table.version
                )
                files.fault(twice, NO_TEXT, file=file, column=f"{place}version")
            elif validity(table).overlaps(validity(other)):
                both = Text(
                    "版本「{one}」和「{other}」同时有效。",
                    "The versions {one!r} and {other!r} are in force at the same time.",
                    one=other.version,
                    other=table.version,
                )
                hint = Text(
                    "给前一版写 valid_to，给后一版写同一天的 valid_from。",
                    "End the earlier one with valid_to, and begin the later one with valid_from on the same day.",
                )
                files.fault(both, hint, file=file, column=f"{place}valid_from")
