"""What subscribers are told when entities change: topics and payloads of messages."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson
from django.conf import settings

from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.entities import DATASTREAM, OBSERVATION, TYPES, EntityType, Row
from yiwang.server.sensorthings.paths import rows_of
from yiwang.server.sensorthings.query.options import Options
from yiwang.server.sensorthings.reading import Reader
from yiwang.server.sensorthings.topics import PREFIX, Topic, read_topic

Message = tuple[str, bytes]
MOST = 5_000  # topics that are followed at once
_SETTLES = 10.0  # seconds in which a subscription that was allowed is made at the broker


class TooMany(Exception):
    """No more topics can be followed."""


class Subscriptions:
    """The topics that somebody has subscribed to. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._since: dict[str, float] = {}
        self._last: dict[str, bytes] = {}  # what a property said last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._topics)

    def add(self, text: str) -> None:
        """Somebody subscribes to a topic.

        Raises:
            Unknown: There is no such resource. BadInput: It has other options than ``$select``.
            TooMany: There are too many already.
        """
        topic = self._topics.get(text)
        if topic is None:
            if len(self) >= MOST:
                raise TooMany
            topic = read_topic(text)
        now = _said(topic, rows_of(topic.kind).filter(pk=topic.id)) if topic.property else None
        with self._lock:
            self._topics[text] = topic
            self._since[text] = time.monotonic()
            if now is not None:
                self._last.setdefault(text, now)

    def keep(self, texts: Collection[str]) -> None:
        """Forget the topics that nobody is subscribed to any more."""
        settled = time.monotonic() - _SETTLES
        with self._lock:
            for text in [one for one, since in self._since.items() if one not in texts and since < settled]:
                for known in (self._topics, self._since, self._last):
                    known.pop(text, None)

    def messages(self, told: Sequence[sensing.Told]) -> Iterator[Message]:
        """The messages for what has changed, in its order."""
        reader = Reader(address())
        with self._lock:
            topics = list(self._topics.values())
        for kind, rows in _changed(told):
            for topic in topics:
                if topic.kind is not kind or not (concerned := _concerned(topic, rows)):
                    continue
                if topic.property:
                    said = _said(topic, rows_of(kind).filter(pk=topic.id))
                    if said is not None and said != self._last.get(topic.text):
                        self._last[topic.text] = said
                        yield topic.text, said
                    continue
                for entity in reader.shown(kind, concerned, Options(select=topic.select)):
                    yield topic.text, orjson.dumps(entity)


def everywhere(told: Sequence[sensing.Told]) -> Iterator[Message]:
    """The messages for a broker whose subscriptions nobody knows here: each whole entity under its own path, in its set and in
    the sets of those to which it belongs."""
    reader = Reader(address())
    for kind, rows in _changed(told):
        for row, entity in zip(rows, reader.shown(kind, rows, Options()), strict=True):
            payload = orjson.dumps(entity)
            yield f"{PREFIX}{kind.plural}({row[0]})", payload
            yield f"{PREFIX}{kind.plural}", payload
            for name, at in kind.ends.items():
                if row[at] is not None:
                    yield f"{PREFIX}{TYPES[kind.links[name].target].plural}({row[at]})/{kind.plural}", payload


def address() -> str:
    """Of the service, as links in messages have it; a path alone where the site's own address is not set."""
    return f"{str(settings.YIWANG_PUBLIC_URL).rstrip('/')}/sensorthings/v1.1"


def _changed(told: Sequence[sensing.Told]) -> Iterator[tuple[EntityType, list[Row]]]:
    """Rows of the entities that changed, some at a time; a datastream changes with its observations, once."""
    streams: dict[int, None] = {}
    for one in told:
        kind, refs = TYPES[one.kind], one.refs
        if kind is OBSERVATION:
            keys = [(stream, moment) for stream, moment in refs]
            streams |= dict.fromkeys(stream for stream, _ in keys)
            there = sensing.observation_ids(keys)
            refs = [there[key] for key in keys if key in there]
        yield kind, _rows(kind, refs)
    if streams:
        yield DATASTREAM, _rows(DATASTREAM, list(streams))


def _rows(kind: EntityType, ids: Sequence[int]) -> list[Row]:
    found = {row[0]: row for row in rows_of(kind).filter(pk__in=ids).values_list(*kind.columns)}
    return [found[pk] for pk in ids if pk in found]


def _concerned(topic: Topic, rows: Sequence[Row]) -> list[Row]:
    if topic.id is not None:
        return [row for row in rows if row[0] == topic.id]
    if topic.parent is None or not rows:
        return list(rows)
    if topic.in_set(rows[0]) is not None:
        return [row for row in rows if topic.in_set(row)]
    link, pk = topic.parent
    asked = rows_of(topic.kind).filter(pk__in=[row[0] for row in rows], **{link.back: pk})
    there = set(asked.values_list("pk", flat=True))
    return [row for row in rows if row[0] in there]


def _said(topic: Topic, rows: Any) -> bytes | None:
    """What a property says now; None where the entity is gone."""
    row = rows.values_list(*topic.kind.columns).first()
    if row is None:
        return None
    value: Any = {"@iot.id": row[0], "id": row[0], **topic.kind.show(row)}
    for name in topic.property:
        value = value.get(name) if isinstance(value, dict) else None
    return orjson.dumps({topic.property[-1]: value})
