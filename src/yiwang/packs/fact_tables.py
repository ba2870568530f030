"""The tables of facts that there are: cases, and those that apps bring. What a pack's indicators may be counted over.

A table is brought as a function from a city's names and codes to it, by `add_table`, or by a `provide`r that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter

from yiwang.core.facts.cases import CASES, FactContext
from yiwang.core.facts.table import FactTable
from yiwang.core.inspections.facts import INSPECTIONS, inspections_table
from yiwang.core.surveys.facts import ANSWERS, answers_table

TableBuilder = Callable[[FactContext], FactTable]
Provider = Callable[[], Iterable[tuple[str, TableBuilder]]]
_BUILDERS: dict[str, TableBuilder] = {
    CASES: attrgetter("table"),
    # of the platform's own apps: a pack that counts over them is checked without loading the server
    INSPECTIONS: inspections_table,
    ANSWERS: answers_table,
}

_PROVIDERS: list[Provider] = []


def provide(provider: Provider) -> None:
    """Have somebody asked for tables when a pack is read: the server asks its apps."""
    _PROVIDERS.append(provider)


def add_table(name: str, builder: TableBuilder) -> None:
    """Make a table known to every pack that is read from now on. Another builder under a name takes the place of the first."""
    _BUILDERS[name] = builder


def remove_table(name: str) -> None:
    """Forget a table that was added; for tests."""
    if name != CASES:
        _BUILDERS.pop(name, None)


def fact_tables(context: FactContext, *, wanted: Iterable[str] | None = None) -> dict[str, FactTable]:
    """Every table of a city by name, the cases first.

    Args:
        context: Names and codes of the city.
        wanted: Providers are asked only when one of these tables is not known without them; by default always.

    Raises:
        ValueError: When a builder makes a table of another name.
    """
    providers = _PROVIDERS if wanted is None or not set(wanted) <= _BUILDERS.keys() else ()
    builders = _BUILDERS | {name: build for provider in providers for name, build in provider() if name != CASES}
    tables = {name: build(context) for name, build in builders.items()}
    for name, table in tables.items():
        if table.name != name:
            raise ValueError(f"the table {name!r} calls itself {table.name!r}")
    return tables
