"""The two files of OCEL 2.0: JSON and a relational database (SQLite), as the specification lays them out."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson

from yiwang.core.mining.log import LogCase
from yiwang.core.mining.ocel import (
    ATTRIBUTE_TYPES,
    EVENT_ATTRIBUTES,
    OBJECT_TYPES,
    LogObject,
    ObjectEvent,
    Objects,
    Relation,
    event_types,
    place_objects,
)
from yiwang.server.cities.queries import CityRuntime

SQL_TYPES = {"boolean": "BOOLEAN", "integer": "INTEGER", "time": "TIMESTAMP"}
BATCH = 20_000  # rows that wait to be written


def _place_objects(place: CityRuntime) -> tuple[list[LogObject], Objects]:
    fixed = list(place_objects(units=place.rules.units, regions=place.regions))
    return fixed, Objects(each.id for each in fixed)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- JSON -------------------------------------------------------------------------------------------------------------


def write_json(file: IO[str], cases: Iterable[LogCase], *, place: CityRuntime) -> dict[str, int]:
    """Events as they come; objects wait in a temporary file, since the log's second list cannot be written beside the first."""
    fixed, objects = _place_objects(place)
    counts = {"cases": 0, "events": 0, "objects": 0}
    types = [
        {"name": name, "attributes": [_attribute(attribute) for attribute in attributes]}
        for name, attributes in OBJECT_TYPES.items()
    ]
    events = [
        {"name": name, "attributes": [_attribute(attribute) for attribute in EVENT_ATTRIBUTES]}
        for name in event_types(place.rules.workflow)
    ]
    file.write(f'{{"objectTypes":{_json(types)},\n"eventTypes":{_json(events)},\n"events":[')
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting:

        def keep(each: LogObject) -> None:
            waiting.write(",\n" if counts["objects"] else "\n")
            waiting.write(_json(_object(each)))
            counts["objects"] += 1

        for each in fixed:
            keep(each)
        for case in cases:
            counts["cases"] += 1
            for event in objects.events_of(case):
                file.write(",\n" if counts["events"] else "\n")
                file.write(_json(_event(event)))
                counts["events"] += 1
            for each in objects.of_case(case):
                keep(each)
        for each in objects.missing():
            keep(each)
        file.write('],\n"objects":[')
        waiting.seek(0)
        while piece := waiting.read(1 << 20):
            file.write(piece)
    file.write("]}\n")
    return counts


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _attribute(name: str) -> dict[str, str]:
    return {"name": name, "type": ATTRIBUTE_TYPES.get(name, "string")}


def _plain(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else value


def _object(each: LogObject) -> dict[str, Any]:
    at = _moment(each.at)
    return {
        "id": each.id,
        "type": each.type,
        "attributes": [{"name": name, "time": at, "value": _plain(value)} for name, value in each.values.items()],
        "relationships": _relations(each.relations),
    }


def _event(each: ObjectEvent) -> dict[str, Any]:
    return {
        "id": each.id,
        "type": each.type,
        "time": _moment(each.at),
        "attributes": [{"name": name, "value": _plain(value)} for name, value in each.values.items()],
        "relationships": _relations(each.relations),
    }


def _relations(relations: list[Relation]) -> list[dict[str, str]]:
    return [{"objectId": relation.object, "qualifier": relation.qualifier} for relation in relations]


# --- SQLite -----------------------------------------------------------------------------------------------------------


def write_sqlite(path: Path, cases: Iterable[LogCase], *, place: CityRuntime) -> dict[str, int]:
    """One table per type of object and event, as the specification's relational form has them."""
    fixed, objects = _place_objects(place)
    verbs = event_types(place.rules.workflow)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        for statement in _schema(verbs):
            connection.execute(statement)
        base = _Base(connection, verbs)
        for each in fixed:
            base.add_object(each)
        for case in cases:
            base.counts["cases"] += 1
            for each in objects.of_case(case):
                base.add_object(each)
            for event in objects.events_of(case):
                base.add_event(event)
        for each in objects.missing():
            base.add_object(each)
        base.flush()
        connection.commit()
    return base.counts


def _table_names(names: Iterable[str]) -> dict[str, str]:
    """Names that can end the name of a table; two that differ only in signs get a number."""
    found: dict[str, str] = {}
    for name in names:
        plain = wanted = re.sub(r"\W", "_", name)
        number = 1
        while plain.lower() in {other.lower() for other in found.values()}:
            number += 1
            plain = f"{wanted}_{number}"
        found[name] = plain
    return found


def _schema(verbs: Sequence[str]) -> Iterator[str]:
    yield "CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT)"
    yield "CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT)"
    yield "CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT REFERENCES event_map_type (ocel_type))"
    yield "CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT REFERENCES object_map_type (ocel_type))"
    yield (
        "CREATE TABLE event_object (ocel_event_id TEXT REFERENCES event (ocel_id), "
        "ocel_object_id TEXT REFERENCES object (ocel_id), ocel_qualifier TEXT, "
        "PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier))"
    )
    yield (
        "CREATE TABLE object_object (ocel_source_id TEXT REFERENCES object (ocel_id), "
        "ocel_target_id TEXT REFERENCES object (ocel_id), ocel_qualifier TEXT, "
        "PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier))"
    )
    for mapped in _table_names(verbs).values():
        yield (
            f'CREATE TABLE "event_{mapped}" (ocel_id TEXT PRIMARY KEY REFERENCES event (ocel_id), '
            f"ocel_time TIMESTAMP, {_sql_columns(EVENT_ATTRIBUTES)})"
        )
    for name, mapped in _table_names(OBJECT_TYPES).items():
        yield (
            f'CREATE TABLE "object_{mapped}" (ocel_id TEXT REFERENCES object (ocel_id), ocel_time TIMESTAMP, '
            f"ocel_changed_field TEXT, {_sql_columns(OBJECT_TYPES[name])})"
        )


def _sql_columns(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}" {SQL_TYPES.get(ATTRIBUTE_TYPES.get(name, ""), "TEXT")}' for name in names)


class _Base:
    """Rows on their way into the tables, in batches."""

    def __init__(self, connection: sqlite3.Connection, verbs: Sequence[str]) -> None:
        self.connection = connection
        self.events, self.objects = _table_names(verbs), _table_names(OBJECT_TYPES)
        self.counts = {"cases": 0, "events": 0, "objects": 0}
        self.rows: dict[str, list[tuple[Any, ...]]] = {}
        self.waiting = 0
        self._map("event_map_type", self.events)
        self._map("object_map_type", self.objects)

    def _map(self, table: str, names: Mapping[str, str]) -> None:
        for row in names.items():
            self._put(table, row)

    def add_object(self, each: LogObject) -> None:
        self.counts["objects"] += 1
        values = [_plain(each.values.get(name)) for name in OBJECT_TYPES[each.type]]
        self._put("object", (each.id, each.type))
        self._put(f"object_{self.objects[each.type]}", (each.id, _moment(each.at), None, *values))
        for relation in each.relations:
            self._put("object_object", (each.id, relation.object, relation.qualifier))

    def add_event(self, each: ObjectEvent) -> None:
        self.counts["events"] += 1
        mapped = self.events.get(each.type)
        if mapped is None:
            mapped = self._late_type(each.type)
        values = [_plain(each.values.get(name)) for name in EVENT_ATTRIBUTES]
        self._put("event", (each.id, each.type))
        self._put(f"event_{mapped}", (each.id, _moment(each.at), *values))
        for relation in each.relations:
            self._put("event_object", (each.id, relation.object, relation.qualifier))

    def _late_type(self, name: str) -> str:
        """A verb of an earlier version of the workflow: it gets its table when it is first met."""
        mapped = _table_names([*self.events, name])[name]
        self.events[name] = mapped
        statement = next(sql for sql in _schema([name]) if sql.startswith('CREATE TABLE "event_'))
        self.connection.execute(statement.replace(f'"event_{_table_names([name])[name]}"', f'"event_{mapped}"', 1))
        self._put("event_map_type", (name, mapped))
        return mapped

    def _put(self, table: str, row: tuple[Any, ...]) -> None:
        self.rows.setdefault(table, []).append(row)
        self.waiting += 1
        if self.waiting >= BATCH:
            self.flush()

    def flush(self) -> None:
        for table, rows in self.rows.items():
            places = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f'INSERT OR IGNORE INTO "{table}" VALUES ({places})', rows)  # noqa: S608 - our own names
        self.rows, self.waiting = {}, 0
