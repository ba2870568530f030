"""Scores of a city, counted from its facts by one of three engines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from yiwang.core.facts.cases import CASES
from yiwang.core.indicators.definitions import Indicator, IndicatorBook
from yiwang.core.indicators.scorecard import PERIODS, Engine, ScoreRow, Wish, dimensions_of, score, select_indicators
from yiwang.core.indicators.standing import Standing, standings
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.engines.duckdb import DuckDBEngine
from yiwang.engines.memory import MemoryEngine
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.facts import files
from yiwang.server.facts.models import FactStore
from yiwang.server.facts.operations import shelf_of, store_in
from yiwang.server.facts.sources import tables_of

ENGINES = ("duckdb", "memory", "spark")


class NoFacts(BadInput):
    """Nothing has been counted for the city yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Scores, with what they are.

    Attributes:
        wish: What was asked.
        engine: Who counted.
        indicators: By id, in order.
        rows: In the order of their keys.
        rows_of: Table → how many rows it holds, of the tables that were counted.
        facts_at: The moment for which the facts hold; of several tables the earliest.
    """

    wish: Wish
    engine: str
    indicators: dict[str, Indicator]
    rows: list[ScoreRow]
    rows_of: dict[str, int]
    facts_at: datetime

    @property
    def cases(self) -> int:
        """How many cases the facts hold; 0 where none were counted."""
        return self.rows_of.get(CASES, 0)


def current_store(place: CityRuntime, table: str = CASES) -> FactStore | None:
    """The facts of a table that hold; None where none have been counted, or those that are there are of another pack or gone."""
    store, shelf = store_in(place.info.id, table), shelf_of(place, table)
    if store is None or store.digest != shelf.table.digest:
        return None
    return store if shelf.all_there(store.base, store.delta) else None


def store_of(place: CityRuntime, table: str = CASES) -> FactStore:
    """The facts of a table that hold.

    Raises:
        NoFacts: When there are none.
    """
    store = current_store(place, table)
    if store is None:
        what = Text(
            "{city} 还没有计算过指标，或城市包更换后还没有重新计算。",
            "{city} has not been counted yet, or not since its pack changed.",
            city=place.info.id,
        )
        raise NoFacts(
            Problem(
                what, Text("后台程序会计算；也可运行 `yiwang score`。", "The worker does so; or run `yiwang score`.")
            )
        )
    return store


def measured_tables(place: CityRuntime) -> tuple[str, ...]:
    """Names of the tables over which the city's indicators are counted; the cases always, and first."""
    return tuple(dict.fromkeys((CASES, *(indicator.table for indicator in place.pack.indicators.indicators))))


def complete_store(place: CityRuntime) -> FactStore | None:
    """The facts of the cases, where every table that is measured has been counted, so that any scorecard can be shown."""
    stores = [current_store(place, table) for table in measured_tables(place)]
    return stores[0] if all(stores) else None


def book_of(place: CityRuntime) -> IndicatorBook:
    """What is measured in a city.

    Raises:
        BadInput: When its pack measures nothing.
    """
    book = place.pack.indicators
    if not book.indicators:
        raise BadInput(
            Problem(
                Text(
                    "{info} 的城市包没有 indicators.toml。",
                    "The pack of {info} has no indicators.toml.",
                    info=place.info.id,
                ),
                Text("写法见 docs/reference/indicators.md。", "docs/reference/indicators.md"),
            )
        )
    return book


@contextmanager
def engine(place: CityRuntime, store: FactStore, name: str) -> Iterator[Engine]:
    """An engine over a table of facts of a city.

    Raises:
        BadInput: When there is none of this name, or it cannot run here.
    """
    shelf = shelf_of(place, store.table)
    base = shelf.paths([name_ for month in sorted(store.base) for name_ in store.base[month]])
    delta, key = shelf.paths(store.delta), shelf.table.key
    if name not in ENGINES:
        raise BadInput(
            Problem(
                Text("没有「{name}」这个引擎。", "There is no engine {name!r}.", name=name),
                Text("可选：{engines}。", "One of {engines}.", engines=", ".join(ENGINES)),
                column="engine",
            )
        )
    if name == "spark":
        from yiwang.engines.spark import SparkEngine

        yield SparkEngine(base=base, key=key, delta=delta)
        return
    with files.workshop(shelf) as connection:
        if name == "duckdb":
            yield DuckDBEngine(base=base, key=key, delta=delta, connection=connection)
        else:
            relation = shelf.facts(base=store.base, delta=store.delta) + " as facts"
            yield MemoryEngine(files.rows_of(connection, relation, table=shelf.table))


def scorecard(
    *,
    place: CityRuntime,
    by: Sequence[str],
    indicators: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    only: dict[str, str] | None = None,
    as_of: datetime | None = None,
    engine_name: str = "duckdb",
    groupings: Sequence[Sequence[str]] = (),
) -> Scorecard:
    """Count scores.

    Args:
        place: City.
        by: Dimensions, see `yiwang.core.indicators.scorecard.Wish`.
        indicators: Ids; all by default.
        since, until: First day and the day after the last, by each indicator's own basis.
        only: Dimension → value that a case must have.
        as_of: Lateness is judged for this moment; by default the one for which the facts hold, or where a replayed city stands.
        engine_name: ``duckdb``, ``memory`` or ``spark``.
        groupings: Several sets of dimensions counted in one pass; ``by`` then only gives the period.

    Raises:
        NoFacts: When nothing has been counted.
        BadInput: For a dimension, indicator or engine that there is not.
    """
    book, tables, stores = book_of(place), tables_of(place), {CASES: store_of(place)}
    at = as_of or stands_at(city=place.info.id) or stores[CASES].refreshed_at
    wish = Wish(
        by=tuple(by), as_of=at, indicators=tuple(indicators), since=since, until=until, only=only or {}
    )  # fmt: skip
    day = wish.as_of.astimezone(place.info.zone).date()
    shown = select_indicators(book, ids=wish.indicators, day=day, tables=tables, by=dimensions_of(wish, groupings))
    needed = dict.fromkeys(one.table for one in shown.values())
    stores = {name: stores.get(name) or store_of(place, name) for name in needed}
    with ExitStack() as stack:
        engines = {name: stack.enter_context(engine(place, store, engine_name)) for name, store in stores.items()}
        rows = score(wish, book=book, tables=tables, engines=engines, zone=place.info.zone, groupings=groupings)
    return Scorecard(
        wish=wish, engine=engine_name, indicators=shown, rows=rows,
        rows_of={name: store.rows for name, store in stores.items()},
        facts_at=min((store.refreshed_at for store in stores.values()), default=wish.as_of),
    )  # fmt: skip


def standings_of(
    card: Scorecard, *, place: CityRuntime, ranked: Sequence[str] | None = None
) -> list[dict[str, Standing]]:
    """Interval and place of every figure of a scorecard, row by row; rows of one period are compared with each other."""
    period = next((name for name in card.wish.by if name in PERIODS), "")
    peers: dict[str, list[int]] = {}
    for at, row in enumerate(card.rows):
        peers.setdefault(row.keys.get(period, ""), []).append(at)
    found: list[dict[str, Standing]] = [{} for _ in card.rows]
    day = card.wish.since or card.wish.as_of.astimezone(place.info.zone).date()
    evaluations = {one.id: one for one in book_of(place).evaluations if one.validity.contains(day)}
    for members in peers.values():
        # what lies nowhere, or was never dispatched, is nobody's and has no place among the others
        named = [at for at in members if all(card.rows[at].keys.values())]
        for group, places in ((named, ranked), ([at for at in members if at not in set(named)], ())):
            rows = [card.rows[at] for at in group]
            stood = standings(rows, indicators=card.indicators, evaluations=evaluations, ranked=places)
            for at, one in zip(group, stood, strict=True):
                found[at] = one
    return found


def _standing_json(standing: Standing | None) -> dict[str, Any]:
    """Interval and places as they stand in JSON."""
    interval, place = (standing.interval, standing.place) if standing else (None, None)
    return {
        "low": interval and round(interval.low, 6),
        "high": interval and round(interval.high, 6),
        "best_place": place and place.best,
        "worst_place": place and place.worst,
    }


# --- as data ----------------------------------------------------------------------------------------------------------


def region_names(place: CityRuntime, dimension: str, value: str) -> tuple[str, str] | None:
    """The names of a key's value, where it is a region, unit or category."""
    levels = {level.id for level in place.info.levels}
    if dimension in levels:
        region = place.regions.get(value)
        return (region.name.zh, region.name.en) if region else None
    if dimension in {"department", "unit", "centre"}:
        unit = place.rules.units.get(value)
        return (unit.name.zh, unit.name.en) if unit else None
    if dimension == "category" and (category := place.categories.get(value)):
        return category.name.zh, category.name.en
    return None


def as_dict(card: Scorecard, *, place: CityRuntime) -> dict[str, Any]:
    """A scorecard for machines: every figure with numerator, denominator, interval and places; no data is null."""
    stood = standings_of(card, place=place)
    return {
        "city": place.info.id,
        "by": list(card.wish.by),
        "engine": card.engine,
        "as_of": card.wish.as_of.isoformat(),
        "facts_at": card.facts_at.isoformat(),
        "cases": card.cases,
        "rows_of": card.rows_of,
        "indicators": [
            {
                "id": one.id, "table": one.table, "name": one.name.zh, "name_en": one.name.en, "unit": one.unit,
                "direction": one.direction, "basis": one.basis,
                "numerator": one.formula[0], "denominator": one.formula[1], "filter": one.formula[2],
                "source": one.source, "confidence": one.confidence,
            }
            for one in card.indicators.values()
        ],
        "rows": [
            {
                **row.keys,
                "names": {
                    name: list(found) for name, value in row.keys.items() if (found := region_names(place, name, value))
                },
                "values": {
                    name: {
                        "numerator": cell.numerator, "denominator": cell.denominator, "value": cell.value, **_standing_json(own.get(name)),
                    }
                    for name, cell in row.cells.items()
                },
                "scores": {
                    name: {
                        "score": found.score, "grade": found.grade, "known_share": round(found.known_share, 6), "parts": dict(found.parts),
                        "aspects": dict(found.aspects),
                        **_standing_json(own.get(name)),
                    }
                    for name, found in row.composites.items()
                },
            }
            for row, own in zip(card.rows, stood, strict=True)
        ],
    }  # fmt: skip


def as_table(card: Scorecard, *, place: CityRuntime) -> tuple[list[str], list[list[Any]]]:
    """A scorecard as a header of ids and rows: keys with names in the reader's language, then each indicator's value, numerator,
    denominator and interval, then scores with grade, interval and places; no data is empty."""
    stood = standings_of(card, place=place)
    keys = list(card.rows[0].keys) if card.rows else [*card.wish.by]
    evaluations = list(dict.fromkeys(name for row in card.rows for name in row.composites))
    header = [*keys, *(f"{key}_name" for key in keys if key not in PERIODS)]
    for name in card.indicators:
        header += [name, f"{name}_numerator", f"{name}_denominator", f"{name}_low", f"{name}_high"]
    for name in evaluations:
        header += [f"score_{name}", f"grade_{name}", *(f"score_{name}_{part}" for part in _standing_json(None))]
    table = []
    for row, own in zip(card.rows, stood, strict=True):
        names = [
            say(*(region_names(place, key, value) or ("", ""))) for key, value in row.keys.items() if key not in PERIODS
        ]
        line: list[Any] = [*row.keys.values(), *names]
        for name in card.indicators:
            cell = row.cells[name]
            line += [cell.value, cell.numerator, cell.denominator, *list(_standing_json(own.get(name)).values())[:2]]
        for name in evaluations:
            found = row.composites.get(name)
            line += [found.score, found.grade] if found else [None, ""]
            line += _standing_json(own.get(name)).values()
        table.append(line)
    return header, table
