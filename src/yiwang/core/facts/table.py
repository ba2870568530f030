"""A table of facts as an object: its columns with types and labels, its key, its bases and its dimensions.

Nothing here knows cases or any other thing that is counted. Engines, scorecards and readers of packs learn from the table
what they may ask.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from yiwang.core.kernel.text import NO_TEXT, Text

Row = dict[str, Any]
TEXT, INTEGER, FLAG, FLOAT, MOMENT, DAY = "text", "integer", "flag", "float", "moment", "day"
KINDS = (TEXT, INTEGER, FLAG, FLOAT, MOMENT, DAY)
NULLABLE = frozenset({FLOAT, MOMENT, DAY})  # every other column always has a value: empty, 0 or false
REGION, DEPARTMENT, POST = "region", "department", "post"  # what an evaluation may be of
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class FactColumn:
    """A column: its name, one of `KINDS`, and what people call it."""

    name: str
    kind: str
    label: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """Something that rows may be grouped by.

    Attributes:
        column: The column with the value: a text.
        object: What a group is for an evaluation: ``region``, ``department``, ``post``; empty for none of them.
        member: Which level or post it is.
    """

    column: str
    object: str = ""
    member: str = ""


@dataclass(frozen=True, kw_only=True)
class FactTable:
    """A table of facts of one city.

    Attributes:
        name: As indicators name it: ``cases``.
        label: What its rows are, for people.
        key: Column that names a row; no two rows have the same.
        columns: In order; they are the columns of the Parquet files.
        bases: Basis of a period → column of the local day by which a row falls into it.
        dimensions: Name → what one may group by.
        month: Column of the day by whose month the files are split; every row has one.
        order: Column by which rows are listed, the smallest first.
        inputs: Digest of what the rows depend on beside what is recorded: another one makes them be counted anew.

    Raises:
        ValueError: A name is no identifier or stands twice, or a column that is named is not there or of another kind.
    """

    name: str
    label: Text
    key: str
    columns: tuple[FactColumn, ...]
    bases: Mapping[str, str]
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    month: str
    order: str
    inputs: str = ""

    def __post_init__(self) -> None:
        # names go into SQL and paths as they are
        for name in (self.name, *(column.name for column in self.columns)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{self.name}: {name!r} cannot name a table or column")
        if len(self.kinds) != len(self.columns):
            raise ValueError(f"{self.name}: a column stands twice")
        wanted: list[tuple[str, Iterable[str]]] = [
            (TEXT, (self.key, *(dimension.column for dimension in self.dimensions.values()))),
            (DAY, (self.month, *self.bases.values())),
        ]
        for kind, names in wanted:
            for name in names:
                if self.kinds.get(name) != kind:
                    raise ValueError(f"{self.name}: there is no column {name!r} of kind {kind}")
        if self.order not in self.kinds:
            raise ValueError(f"{self.name}: there is no column {self.order!r}")

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Every column in order, with its kind."""
        return {column.name: column.kind for column in self.columns}

    @cached_property
    def labels(self) -> Mapping[str, Text]:
        """Every column in order, with what people call it."""
        return {column.name: column.label for column in self.columns}

    @cached_property
    def blank(self) -> Row:
        """A row with nothing in it: missing where a value may be, else empty, 0 or false."""
        empty: Mapping[str, object] = {TEXT: "", INTEGER: 0, FLAG: False}
        return {name: empty.get(kind) for name, kind in self.kinds.items()}

    def basis_label(self, basis: str) -> Text:
        """What people call a basis: the label of its day."""
        return self.labels.get(self.bases.get(basis, ""), NO_TEXT)

    @cached_property
    def digest(self) -> str:
        """Changes whenever a row could come out otherwise from the same records."""
        parts = (self.name, self.key, list(self.kinds.items()), self.month, self.inputs)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


# --- regions ----------------------------------------------------------------------------------------------------------
# Every table that has a place has its region's code at every level of the city, so that all are grouped alike.

Levels = Sequence[tuple[str, int]]  # from the city down: id and width of a region's code


def region_columns(levels: Levels) -> tuple[FactColumn, ...]:
    """``region_<level>`` for every level."""
    return tuple(
        FactColumn(f"region_{level}", TEXT, Text("{level} 级区域", "Region at level {level}", level=level))
        for level, _ in levels
    )


def region_dimensions(levels: Levels) -> dict[str, Dimension]:
    """Every level as a dimension."""
    return {level: Dimension(column=f"region_{level}", object=REGION, member=level) for level, _ in levels}


def region_codes(region: str, *, levels: Levels, root: str) -> dict[str, str]:
    """The values of `region_columns` for a region's code: empty where it is not known that finely; the city's own always."""
    region = region or root
    return {f"region_{level}": region[:width] if len(region) >= width else "" for level, width in levels}
