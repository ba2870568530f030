"""The tables of facts that there are: cases, and those that apps bring. What a pack's indicators may be counted over.

An app brings a table before packs are read: `add_table` with a function from a city's names and codes to its table.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from yiwang.core.facts.cases import CASES, FactContext
from yiwang.core.facts.table import FactTable

TableBuilder = Callable[[FactContext], FactTable]
_BUILDERS: dict[str, TableBuilder] = {CASES: attrgetter("table")}


def add_table(name: str, builder: TableBuilder) -> None:
    """Make a table known to every pack that is read from now on. Another builder under a name takes the place of the first."""
    _BUILDERS[name] = builder


def remove_table(name: str) -> None:
    """Forget a table that was added; for tests."""
    if name != CASES:
        _BUILDERS.pop(name, None)


def fact_tables(context: FactContext) -> dict[str, FactTable]:
    """Every table of a city by name, the cases first.

    Raises:
        ValueError: When a builder makes a table of another name.
    """
    tables = {name: build(context) for name, build in _BUILDERS.items()}
    for name, table in tables.items():
        if table.name != name:
            raise ValueError(f"the table {name!r} calls itself {table.name!r}")
    return tables
