"""Where the rows of the tables of facts come from. An app brings its own (`YiwangApp.fact_sources`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from yiwang.core.facts.cases import CASES, FactContext
from yiwang.core.facts.table import FactTable, Row
from yiwang.packs.fact_tables import TableBuilder, add_table, remove_table
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.app import installed_apps

Marks = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A record that was written since: its row's key, and the values of the source's ``versions`` as they are now; None
    for one that cannot have changed."""

    id: int
    key: str
    versions: tuple[int | None, ...]


class Changes(Protocol):
    """Finds what was written since, so that a refresh looks at that only."""

    versions: tuple[str, ...]
    """Columns of whole numbers that tell whether a row is of now."""

    def changed_rows(self, *, city: str, since: Marks, upto: Marks) -> Iterator[Sequence[ChangedRow]]:
        """What was written behind ``since`` and not behind ``upto``, part by part."""

    def rows(self, ids: Sequence[int], *, place: CityRuntime) -> list[Row]:
        """The rows of some records, by id."""


class DerivedColumn(Protocol):
    """A column that depends on other rows of the table. Connections are DuckDB's, relations are texts of its SQL."""

    column: str

    def count_all(self, connection: Any, relation: str, *, context: FactContext) -> None:
        """Make the table ``counted`` (key, ``n``) over all rows; a row that is not in it has 0."""

    def recount(self, connection: Any, *, there: str, fresh: str, context: FactContext) -> int:
        """Make the tables ``counted`` (key, ``n``: for every fresh row, and for the others whose count has changed) and
        ``recounted`` (keys of those others); how many others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSource:
    """A table of facts and where its rows come from.

    Attributes:
        name: Of the table.
        table: The table of a city, from its names and codes.
        rows: Every row of a city, part by part; a part is some thousand rows at most.
        size: About how many rows a city has, for progress.
        newest: The largest ids that can be seen of whatever the rows are made from.
        changes: Finds what was written since. Without it every row is made anew whenever ``newest`` is another: enough
            for a table of some ten thousand rows whose records are written once, by one writer.
        derived: A column that depends on other rows; only together with ``changes``.
    """

    name: str
    table: TableBuilder
    rows: Callable[[CityRuntime], Iterator[Sequence[Row]]]
    size: Callable[[str], int]
    newest: Callable[[str], Marks]
    changes: Changes | None = None
    derived: DerivedColumn | None = None


_SOURCES: dict[str, FactSource] = {}
_contexts: dict[tuple[str, str], FactContext] = {}
_tables: dict[tuple[str, str], dict[str, FactTable]] = {}
_REMEMBERED = 50


def register(source: FactSource) -> None:
    """Bring a table: packs may have indicators over it, and the worker keeps its rows."""
    if source.name != CASES:
        add_table(source.name, source.table)
    _SOURCES[source.name] = source
    _tables.clear()


def unregister(name: str) -> None:
    """Take a table away again; for tests."""
    remove_table(name)
    _SOURCES.pop(name, None)
    _tables.clear()


@lru_cache(maxsize=1)
def _brought() -> Mapping[str, FactSource]:
    """The sources of the apps, asked for when somebody first wants one: Django's start stays quick."""
    return {source.name: source for app in installed_apps() for source in app.fact_sources()}


def _known() -> Mapping[str, FactSource]:
    return {**_brought(), **_SOURCES}


def sources() -> tuple[FactSource, ...]:
    """Every source, in the order of their registration."""
    return tuple(_known().values())


def source_of(name: str) -> FactSource:
    """The source of a table.

    Raises:
        KeyError: When no app brings it.
    """
    return _known()[name]


def context_of(place: CityRuntime) -> FactContext:
    """Names and codes of a city for its facts, worked out once for each version of its pack."""
    key = (place.info.id, place.digest)
    if key not in _contexts:
        if len(_contexts) > _REMEMBERED:
            _contexts.clear()
        _contexts[key] = place.pack.fact_context()
    return _contexts[key]


def tables_of(place: CityRuntime) -> dict[str, FactTable]:
    """The tables of facts of a city by name, worked out once for each version of its pack."""
    key = (place.info.id, place.digest)
    if key not in _tables:
        if len(_tables) > _REMEMBERED:
            _tables.clear()
        context = context_of(place)
        _tables[key] = {name: source.table(context) for name, source in _known().items()}
    return _tables[key]
