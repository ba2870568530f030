"""Topics of the standard's MQTT extension: the path of an entity, a set or a property, with ``$select`` behind it or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.sensorthings.entities import OBSERVATION, EntityType, Link
from yiwang.server.sensorthings.paths import Resource, find
from yiwang.server.sensorthings.query.options import read_options
from yiwang.server.sensorthings.taking import wrong

PREFIX = "v1.1/"
LONGEST = 2_000  # characters of a topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What somebody wants to be told of.

    Attributes:
        text: The topic as it was asked for.
        kind: Type of the entities.
        id: Of one entity; None for a set.
        parent: Link and id of the entity whose set it is; None for a set at the root.
        property: Names behind one entity; ``select`` the properties that are wanted, none for all.
    """

    text: str
    kind: EntityType
    id: int | None = None
    parent: tuple[Link, int] | None = None
    property: tuple[str, ...] = ()
    select: tuple[str, ...] = ()

    def in_set(self, row: Sequence[Any]) -> bool | None:
        """Whether a row belongs to the set by what stands in it; None where only the database can say."""
        if self.parent is None:
            return True
        link, pk = self.parent
        found = next((at for name, at in self.kind.ends.items() if self.kind.links[name].field == link.back), None)
        return None if found is None else row[found] == pk


def read_topic(text: str) -> Topic:
    """The topic that somebody subscribes to.

    Raises:
        Unknown: There is no such resource.
        BadInput: It has other options than ``$select``.
    """
    path, asks, query = text.removeprefix(PREFIX).partition("?")
    if not text.startswith(PREFIX) or len(text) > LONGEST or "+" in path or "#" in path:
        raise _lost(text)
    found = find(path)
    if found.refs or found.raw:
        raise _lost(text)
    options = read_options(found.kind, parse_qsl(query, keep_blank_values=True))
    if asks and (found.property or set(options.texts) != {"$select"}):
        raise wrong(
            "topic",
            "订阅主题只能带 $select，且不能用于单个属性。",
            "A topic may have $select and nothing else, and none behind a property.",
        )
    parent = (found.parent[2], found.parent[1]) if found.parent is not None and found.id is None else None
    return Topic(
        text=text, kind=found.kind, id=found.id, parent=parent, property=found.property, select=options.select
    )  # fmt: skip


def set_of_observations(text: str) -> Resource:
    """The set of observations to which a message was sent.

    Raises:
        Unknown: The topic is none.
    """
    found = find(text.removeprefix(PREFIX)) if text.startswith(PREFIX) and len(text) <= LONGEST else None
    if found is None or found.kind is not OBSERVATION or found.id is not None or found.property or found.refs:
        raise Unknown(
            Text(
                "观测要发到 v1.1/Datastreams(编号)/Observations 或 v1.1/Observations。",
                "Observations are published to v1.1/Datastreams(ID)/Observations or v1.1/Observations.",
            )
        )
    return found


def _lost(text: str) -> Unknown:
    return Unknown(Text("不能订阅“{topic}”。", "One cannot subscribe to {topic!r}.", topic=text[:80]))
