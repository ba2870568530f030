"""The ``[[adapter]]`` and ``[layout.ID]`` tables of `sensing.toml`: how messages of devices are read, and into which streams.

How a message is read is declared as `yiwang.core.observations.payloads` has it; beside it stand the topics, and what becomes of
the readings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.lorawan import SERVERS
from yiwang.core.observations.messages import FACTS
from yiwang.core.observations.payloads import Adapter as Reader
from yiwang.core.observations.payloads import read_adapters
from yiwang.core.observations.topics import Topic, read_topic
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.toml_tables import Line, Texts, TomlTable, read_table

OURS = ("topic", "topics", "absolute", "stream", "units", "facts", "make_streams")  # keys of a table that are read here
ROOT = "yiwang"  # the first level of the topics that are the platform's own
STREAMS = "streams"  # below a city: topics that name the datastream and need no adapter
PLACES = ("device", "name", "channel")
_PLACE = re.compile(r"\{([^{}]*)\}")
_SAME_READING = "{device}-{name}"


class _Ours(TomlTable):
    """The keys of an adapter that are not its reader's.

    Attributes:
        topic: One topic, as the reference of payloads has it; ``topics`` are several.
        absolute: Whether the topics are whole, as another network has them, and not below ``yiwang/CITY/``.
    """

    topic: Line = ""
    topics: Texts = ()
    absolute: bool | None = None
    stream: Line = _SAME_READING
    units: dict[str, str] = Field(default_factory=dict)
    facts: dict[str, str] = Field(default_factory=dict)
    make_streams: bool = False


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """How messages of one kind of device are read, and into which datastreams.

    Attributes:
        id: In the pack.
        reader: Reads a message.
        topics: Of which topics; below ``yiwang/CITY/`` unless ``absolute``.
        stream: Key of the datastream of a reading, with ``{device}`` (the key in the registry), ``{name}`` and ``{channel}``.
        units: Unit of a reading by its name, where the message has none.
        facts: Facts of the device by the name of the reading that says them; such a reading is no observation.
        make_streams: Whether a datastream that there is not is made, at the thing of the device.
    """

    id: str
    reader: Reader
    topics: tuple[Topic, ...]
    absolute: bool = False
    stream: str = _SAME_READING
    units: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    make_streams: bool = False


def read_adapter_tables(data: Mapping[str, Any], files: PackFiles, file: str) -> dict[str, Adapter]:
    """The adapters of a file, by id; problems go to ``files``."""
    tables = data.get("adapter", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        hint = Text("请在每个表前写 [[adapter]]。", "Head each one with [[adapter]].")
        files.fault(Text("此处应为一组表。", "A list of tables is expected."), hint, file=file, column="adapter")
        return {}
    readers = _readers(data, tables, files, file)
    found: dict[str, Adapter] = {}
    for number, table in enumerate(tables, start=1):
        checks = _Checks(files, file, f"adapter {table.get('id') or number}: ")
        ours = checks.table(table)
        reader = readers.get(str(table.get("id")))
        absolute = table.get("kind") in SERVERS if ours.absolute is None else ours.absolute
        topics = checks.topics(ours, absolute=absolute)
        checks.fields(ours)
        checks.device(table, topics, data.get("layout"))
        if reader is not None:
            found[reader.id] = Adapter(
                id=reader.id,
                reader=reader,
                topics=topics,
                absolute=absolute,
                stream=ours.stream,
                units=ours.units,
                facts={reading: fact for fact, reading in ours.facts.items()},
                make_streams=ours.make_streams,
            )
    return found


def _readers(
    data: Mapping[str, Any], tables: Sequence[Mapping[str, Any]], files: PackFiles, file: str
) -> dict[str, Reader]:
    theirs = [{key: value for key, value in table.items() if key not in OURS} for table in tables]
    for number, table in enumerate(theirs, start=1):
        for key in [key for key in table if did_you_mean(key, OURS)]:  # those of the reader are near none of ours
            message = Text("没有「{given}」这个键。", "Unknown key {given!r}.", given=key)
            files.fault(message, did_you_mean(key, OURS), file=file, column=f"adapter {number}: {key}")
            del table[key]
    try:
        return read_adapters({"layout": data.get("layout", {}), "adapter": theirs})
    except BadInput as error:
        files.problems.extend(replace(one, file=file) for one in error.problems)
        return {}


@dataclass(frozen=True)
class _Checks:
    """What is wrong with our keys of one table."""

    files: PackFiles
    file: str
    label: str

    def table(self, table: Mapping[str, Any]) -> _Ours:
        before = len(self.files.problems)
        ours = read_table(_Ours, {key: table[key] for key in OURS if key in table}, self.files, self.file)
        told = self.files.problems[before:]
        self.files.problems[before:] = [replace(one, column=self.label + one.column) for one in told]
        return ours

    def topics(self, ours: _Ours, *, absolute: bool) -> tuple[Topic, ...]:
        found = []
        templates = [*([ours.topic] if ours.topic else []), *ours.topics]
        if not templates:
            hint = Text(
                '例如 topics = ["air/{device}"]，在 yiwang/城市/ 之下。',
                'E.g. topics = ["air/{device}"], below yiwang/CITY/.',
            )
            self.fault("topics", Text("没有写报文的主题。", "The topics of the messages are missing."), hint)
        for template in templates:
            try:
                topic = read_topic(template)
            except BadInput as error:
                for one in error.problems:
                    self.fault("topics", one.message, one.hint)
                continue
            first = topic.filter.split("/")[0]
            if absolute and first in ("+", "#", ROOT):
                self.fault(
                    "topics",
                    Text(
                        "主题「{topic}」会读到别人的报文。",
                        "The topic {topic!r} takes messages of others.",
                        topic=template,
                    ),
                    Text("第一级应为该网络自己的名称。", "Its first level is a name of that network."),
                )
            elif not absolute and first in (STREAMS, ROOT):
                self.fault(
                    "topics",
                    Text("主题「{topic}」已有用途。", "The topic {topic!r} has a meaning already.", topic=template),
                    Text(
                        "主题从 yiwang/城市/ 之后写起；{name}/ 由平台自己读取。",
                        "Topics are written from behind yiwang/CITY/ on; {name}/ is read by the platform itself.",
                        name=STREAMS,
                    ),
                )
            else:
                found.append(topic)
        return tuple(found)

    def fields(self, ours: _Ours) -> None:
        places = _PLACE.findall(ours.stream)
        if re.search(r"[{}]", _PLACE.sub("", ours.stream)) or not places or not set(places) <= set(PLACES):
            self.fault(
                "stream",
                Text("监测流名称「{name}」无效。", "The stream {name!r} cannot be taken.", name=ours.stream),
                Text('例如 "{device}-{name}"，也可用 {channel}。', 'E.g. "{device}-{name}"; {channel} is known too.'),
            )
        for fact in ours.facts:
            if fact not in FACTS:
                message = Text("没有设备信息「{name}」。", "There is no fact {name!r} of a device.", name=fact)
                self.fault("facts", message, did_you_mean(fact, FACTS) or one_of(FACTS))
        if len(set(ours.facts.values())) < len(ours.facts):
            self.fault("facts", Text("同一读数用了两次。", "One reading is used twice."))

    def device(self, table: Mapping[str, Any], topics: Sequence[Topic], layouts: object) -> None:
        """Whether a message tells of which device it is."""
        facts = table.get("device")
        told = isinstance(facts, dict) and bool({"id", "eui"} & facts.keys())
        facts = table.get("facts")
        told = told or (isinstance(facts, dict) and bool({"id", "eui"} & facts.keys()))
        told = told or table.get("kind") in SERVERS or _says_id(layouts)
        if not told and topics and not all(topic.has("device") for topic in topics):
            self.fault(
                "topics",
                Text("从报文看不出是哪个设备。", "A message does not say of which device it is."),
                Text(
                    "在主题中写 {device}，或在 device 中写 id 的路径。",
                    "Write {device} into the topics, or the path of id under device.",
                ),
            )

    def fault(self, key: str, message: Text, hint: Text = NO_TEXT) -> None:
        self.files.fault(message, hint, file=self.file, column=self.label + key)


def _says_id(layouts: object) -> bool:
    """Whether a field of a layout is the id of the device."""
    if isinstance(layouts, dict):
        return layouts.get("fact") in ("id", "eui") or any(_says_id(one) for one in layouts.values())
    return isinstance(layouts, list) and any(_says_id(one) for one in layouts)
