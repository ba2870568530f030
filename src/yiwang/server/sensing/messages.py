"""Messages of devices become observations: whatever brings them calls `take_messages`, a batch at a time.

A batch is one transaction with a number of statements that does not grow with its messages, apart from the blocks in which rows
are looked up. Its devices are locked first, then the datastreams, then the rows of what is refused, each in one order: so no two
batches wait for each other, and who disables a device knows that nothing of it is written afterwards.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, transaction

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import from_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.messages import DeviceFacts, Measured
from yiwang.server.sensing import following
from yiwang.server.sensing.devices.heard import hear_devices
from yiwang.server.sensing.devices.reading import Attempt, Message, Work, device_key, observed, read_message, stream_key
from yiwang.server.sensing.devices.rejecting import clean, keep_refused
from yiwang.server.sensing.devices.routes import Route, routes
from yiwang.server.sensing.models import Datastream, DatastreamState, Device
from yiwang.server.sensing.streams import StreamSaid, make_at_things
from yiwang.server.sensing.writing import Reading, Written, write_observations

log = logging.getLogger("yiwang.sensing")
BLOCK = 1_000  # names that are looked up at once
MOST_STREAMS = 200  # that messages make for a thing


@dataclass(slots=True)
class Taken:
    """What became of a batch.

    Attributes:
        messages: How many there were.
        rejected: Of which nothing was taken; ``partly`` of which something was not. Both are kept as `Rejected`.
        new, duplicates, corrected: Observations, see `Written`.
        devices: How many devices were heard.
    """

    messages: int = 0
    rejected: int = 0
    partly: int = 0
    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    devices: int = 0


class _Stream(NamedTuple):
    """A datastream as the batch knows it."""

    id: int
    unit: str
    thing: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A reading with the key of its datastream."""

    work: Work
    city: str
    key: str
    one: Measured
    route: Route | None = None
    device: Device | None = None


@dataclass(slots=True)
class _Heard:
    """The devices that spoke, with what was said of them."""

    devices: dict[int, Device] = field(default_factory=dict)
    facts: dict[int, DeviceFacts] = field(default_factory=dict)

    def add(self, device: Device, facts: DeviceFacts) -> None:
        self.devices[device.pk] = device
        self.facts[device.pk] = facts.or_else(self.facts.get(device.pk, DeviceFacts()))


def take_messages(messages: Sequence[Message], *, received: int) -> Taken:
    """Read messages, write their readings with the alarms that they raise, and note what their devices say of themselves.

    What cannot be read holds up nothing else and is kept as `Rejected`. A reading without a time of its own is of ``received``;
    a further one of the same datastream in the batch is put a microsecond later. A batch may be given again: readings with a time
    are then duplicates.

    Args:
        messages: In the order in which they came, of any cities and devices.
        received: When they arrived, in microseconds.

    Raises:
        django.db.OperationalError: The database is not there or refuses the transaction; nothing was written, and the batch
            is to be given again.
    """
    at, known = from_micros(received), routes()
    works = [read_message(message, known, at=at) for message in messages]  # no database is needed so far
    with transaction.atomic():
        taken = _take(works, received=received, at=at)
        refused = [work for work in works if work.faults]
        keep_refused((work.refused() for work in refused), received=received)
    taken.messages = len(works)
    taken.partly = sum(work.taken for work in refused)
    taken.rejected = len(refused) - taken.partly
    return taken


def _take(works: Sequence[Work], *, received: int, at: datetime) -> Taken:
    devices = _devices(works)
    heard = _Heard()
    said = [one for work in works for one in _said(work, devices, heard)]
    streams = _streams({(one.city, one.key) for one in said})
    _make_streams(said, streams)
    readings = list(_readings(said, streams, received=received))
    written = Written()
    _write(readings, written, received=received)
    hear_devices(heard.devices.values(), heard.facts, at=at)
    return Taken(
        new=written.new, duplicates=written.duplicates, corrected=written.corrected, devices=len(heard.devices)
    )


# --- devices --------------------------------------------------------------------------------------------------------------


def _devices(works: Sequence[Work]) -> dict[tuple[str, str], Device]:
    """The devices that the messages may be of, and those that sent them; locked, in the order of their ids."""
    asked: set[tuple[str, str]] = set()
    for work in works:
        user = device_key(work.message.user)
        for one in work.attempts:
            asked.update((one.city, name) for name in one.devices)
            if user:
                asked.add((one.city, user))
    keys = sorted({key for _, key in asked if clean(key, 100) == key})
    found: list[int] = []
    for start in range(0, len(keys), BLOCK):
        found += Device.objects.filter(key__in=keys[start : start + BLOCK]).values_list("id", flat=True)
    found.sort()
    rows: dict[tuple[str, str], Device] = {}
    for start in range(0, len(found), BLOCK):
        part = Device.objects.filter(id__in=found[start : start + BLOCK]).order_by("id")
        for row in part.select_for_update(no_key=True):
            if (row.city, row.key) in asked:
                rows[row.city, row.key] = row
    return rows


def _said(work: Work, devices: dict[tuple[str, str], Device], heard: _Heard) -> Iterator[_Said]:
    """The readings of a message, once it is known of which device it is and that it may speak."""
    if not work.attempts:
        return
    sender = {one.city: devices.get((one.city, device_key(work.message.user))) for one in work.attempts}
    if work.stream:
        attempt, device = work.attempts[0], sender[work.city]
        work.device = device.key if device else ""
        fault = None if device is None or device.enabled else _disabled(device)
    else:
        attempt, device, fault = _chosen(work, devices)
        if fault is None and device is not None:
            work.city, work.device = device.city, device.key
            fault = _may_speak(device, sender[device.city])
    if fault is not None:
        work.faults.append(fault)
        return
    if device is not None:
        heard.add(device, attempt.received.device if attempt.received is not None else DeviceFacts())
    work.faults.extend(attempt.faults)
    if attempt.received is None:
        return
    work.faults.extend(attempt.received.faults)
    work.taken = not attempt.received.readings and not attempt.received.faults
    for one in attempt.received.readings:
        try:
            key = work.stream or stream_key(one, attempt.route, device.key)  # type: ignore[arg-type,union-attr]
        except BadInput as error:
            work.faults.extend(error.problems)
            continue
        yield _Said(work, attempt.city, key, one, attempt.route, device)


def _chosen(work: Work, devices: dict[tuple[str, str], Device]) -> tuple[Attempt, Device | None, Problem | None]:
    """The way of reading a message that fits a registered device, or why there is none."""
    other: Device | None = None
    for one in work.attempts:
        for name in one.devices:
            device = devices.get((one.city, name))
            if device is None:
                continue
            if one.route is not None and device.adapter in ("", one.route.adapter.id):
                return one, device, None
            other = device
    first = work.attempts[0]
    if other is not None:
        work.city, work.device = other.city, other.key
        message = Text(
            "设备「{key}」的适配器「{adapter}」不读取此主题。",
            "The adapter {adapter!r} of the device {key!r} does not read this topic.",
            key=other.key,
            adapter=other.adapter,
        )
        return first, None, Problem(message)
    names = next((one.devices for one in work.attempts if one.devices), ())
    if not names:
        nameless = Problem(Text("从报文看不出是哪个设备。", "The message does not say of which device it is."))
        return first, None, first.faults[0] if first.faults else nameless
    work.device = names[0]
    return (
        first,
        None,
        Problem(
            Text("设备「{key}」没有登记。", "The device {key!r} is not registered.", key=clean(names[0], 100)),
            Text("用 yiwang sensing device add 城市 登记。", "Register it with yiwang sensing device add CITY."),
        ),
    )


def _may_speak(device: Device, sender: Device | None) -> Problem | None:
    """Why a device may not say anything, or another one not in its name."""
    if not device.enabled:
        return _disabled(device)
    if sender is not None and sender.pk != device.pk:
        return Problem(
            Text(
                "设备「{sender}」不能代「{key}」发送。",
                "The device {sender!r} cannot send in the name of {key!r}.",
                sender=sender.key,
                key=device.key,
            ),
            Text("网关不登记为设备，或各设备用自己的账号。", "A gateway is no device; a device signs in as itself."),
        )
    return None


def _disabled(device: Device) -> Problem:
    return Problem(
        Text("设备「{key}」已停用。", "The device {key!r} is disabled.", key=device.key),
        Text("用 yiwang sensing device enable 城市 启用。", "Enable it with yiwang sensing device enable CITY."),
    )


# --- datastreams ----------------------------------------------------------------------------------------------------------


def _streams(asked: Collection[tuple[str, str]]) -> dict[tuple[str, str], _Stream]:
    """The datastreams of cities and keys, those that there are; each has a state to be held when this returns."""
    found: dict[tuple[str, str], _Stream] = {}
    stateless: list[int] = []
    for city in sorted({city for city, _ in asked}):
        keys = sorted(key for of, key in asked if of == city and clean(key, 100) == key)
        for start in range(0, len(keys), BLOCK):
            rows = Datastream.objects.filter(city=city, key__in=keys[start : start + BLOCK])
            for pk, key, unit, thing, state in rows.values_list(
                "id", "key", "unit", "thing_id", "state__datastream_id"
            ):
                found[city, key] = _Stream(pk, str(unit.get("symbol", "")), thing)
                if state is None:
                    stateless.append(pk)
    if stateless:
        states = [DatastreamState(datastream_id=pk) for pk in sorted(stateless)]
        DatastreamState.objects.bulk_create(states, ignore_conflicts=True)
    return found


def _make_streams(said: Sequence[_Said], streams: dict[tuple[str, str], _Stream]) -> None:
    """Make the datastreams that are missing, where the adapter says so; in the order of their keys."""
    missing = {
        (one.city, one.key): one
        for one in said
        if (one.city, one.key) not in streams
        and one.device is not None
        and one.route is not None
        and one.route.adapter.make_streams
    }
    counts: Counter[int] = Counter()
    if missing:
        things = {one.device.thing_id for one in missing.values() if one.device is not None}
        counts.update(Datastream.objects.filter(thing__in=things).values_list("thing_id", flat=True))
    making: dict[str, list[tuple[int, StreamSaid]]] = {}
    for city, key in sorted(missing):
        one = missing[city, key]
        assert one.device is not None
        if counts[one.device.thing_id] < MOST_STREAMS:
            counts[one.device.thing_id] += 1
            name = clean(one.one.name, 255) or key
            said_so = StreamSaid(key=key, name=name, observed=name, unit=clean(_unit(one), 40))
            making.setdefault(city, []).append((one.device.thing_id, said_so))
    for city, wanted in making.items():
        make_at_things(city, wanted)
        made = _streams({(city, one.key) for _, one in wanted})
        following.note(following.DATASTREAM, [one.id for one in made.values()])
        streams |= made


def _unit(one: _Said) -> str:
    """The unit of a reading; empty where neither the message nor the adapter says it."""
    if one.one.unit or one.route is None:
        return one.one.unit
    return one.route.adapter.units.get(one.one.name, "")


# --- readings -------------------------------------------------------------------------------------------------------------


def _readings(
    said: Sequence[_Said], streams: dict[tuple[str, str], _Stream], *, received: int
) -> Iterator[tuple[Work, Reading]]:
    """The readings that can be written; what is wrong with the others is noted."""
    timeless: Counter[int] = Counter()
    names: dict[tuple[int, int], str] = {}  # of a message and a datastream
    for one in said:
        stream = streams.get((one.city, one.key))
        fault = _unknown(one) if stream is None else _not_its_own(one, stream) or _another(one, stream, names)
        if stream is None or fault is not None:
            one.work.faults.append(fault or _unknown(one))
            continue
        try:
            reading = observed(
                one.one, stream=stream.id, unit=stream.unit, said_unit=_unit(one), moment=received + timeless[stream.id]
            )
        except BadInput as error:
            one.work.faults.extend(error.problems)
            continue
        timeless[stream.id] += one.one.at is None
        one.work.taken = True
        yield one.work, reading


def _unknown(one: _Said) -> Problem:
    if one.route is not None and one.route.adapter.make_streams:
        hint = Text(
            "该监测对象的监测流已达 {most} 个。", "Its thing has {most} datastreams already.", most=MOST_STREAMS
        )
    else:
        hint = Text(
            "用 yiwang sensing load --streams 建立，或在适配器写 make_streams = true。",
            "Make it with yiwang sensing load --streams, or write make_streams = true into the adapter.",
        )
    return Problem(Text("没有监测流「{key}」。", "There is no datastream {key!r}.", key=clean(one.key, 100)), hint)


def _not_its_own(one: _Said, stream: _Stream) -> Problem | None:
    """A device that names the datastream itself writes those of its thing only."""
    if one.route is not None or one.device is None or one.device.thing_id == stream.thing:
        return None
    return Problem(
        Text(
            "监测流「{key}」不属于设备「{device}」的监测对象。",
            "The datastream {key!r} is not one of the thing of the device {device!r}.",
            key=one.key,
            device=one.device.key,
        )
    )


def _another(one: _Said, stream: _Stream, names: dict[tuple[int, int], str]) -> Problem | None:
    """Two quantities of a message would correct one another in a datastream."""
    mine = clean(f"{one.one.name} {one.one.unit}".strip(), 100)
    first = names.setdefault((id(one.work), stream.id), mine)
    if first == mine:
        return None
    return Problem(
        Text(
            "「{first}」和「{second}」都写入监测流「{key}」。",
            "{first!r} and {second!r} both go into the datastream {key!r}.",
            first=first,
            second=mine,
            key=one.key,
        ),
        Text("在适配器的 stream 中用 {name}。", "Use {name} in the adapter's stream."),
    )


def _write(readings: Sequence[tuple[Work, Reading]], written: Written, *, received: int) -> None:
    """Write them in one go. Where that fails although each was looked at, by halves, until the message at fault is found."""
    if not readings:
        return
    try:
        with transaction.atomic():
            done = write_observations([reading for _, reading in readings], received=received)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        works = list(dict.fromkeys(id(work) for work, _ in readings))
        if len(works) == 1:
            work = readings[0][0]
            log.exception("The readings of a message of %s could not be written", clean(work.message.topic, 200))
            work.taken = False
            text = Text("读数无法写入，详见系统日志。", "The readings cannot be written; the log says more.")
            work.faults.append(Problem(text))
            return
        first = set(works[: len(works) // 2])
        _write([one for one in readings if id(one[0]) in first], written, received=received)
        _write([one for one in readings if id(one[0]) not in first], written, received=received)
        return
    written.new += done.new
    written.duplicates += done.duplicates
    written.corrected += done.corrected
