"""The registry of devices: which there are, at which things, with which password they sign in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import NotAllowed, Unknown
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.messages import DeviceFacts
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.devices.heard import hear_devices, silent_from
from yiwang.server.sensing.devices.reading import LONGEST_KEY, device_key
from yiwang.server.sensing.devices.rejecting import clean
from yiwang.server.sensing.models import Device, Rejected, Thing

LONGEST_SILENCE = 366 * 86_400  # seconds
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 512  # what is longer only costs time


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSaid:
    """A device as whoever registers it describes it.

    Attributes:
        thing: Key of the thing at which it is, or code of the component that the thing is.
        name: In words.
        adapter: Id of the pack's adapter that reads its messages; empty for any whose topic fits.
        silence_after: Seconds without a message after which it counts as silent; None for never.
        password: With which it signs in to the broker; None for a device whose network signs in for it.
    """

    key: str
    thing: str
    name: str = ""
    adapter: str = ""
    silence_after: int | None = None
    password: str | None = None


def add_device(place: CityRuntime, said: DeviceSaid) -> Device:
    """Register a device.

    Raises:
        BadInput: With all that is wrong with it; ``column`` names the field.
    """
    device, _ = register_device(place, said, again=False)
    return device


@transaction.atomic
def register_device(
    place: CityRuntime, said: DeviceSaid, *, again: bool, unsaid: Collection[str] = ()
) -> tuple[Device, str]:
    """Register a device, or with ``again`` make one that is there as it is said.

    Args:
        unsaid: Fields of which nothing is said, and which stay as they are.

    Returns:
        The device, and ``new``, ``changed`` or ``same``.

    Raises:
        BadInput: With all that is wrong with it; ``column`` names the field.
    """
    key = device_key(said.key)
    problems = [*_faults(place, said, key)]
    thing = _thing(place.info.id, said.thing)
    if thing is None:
        problems.append(
            Problem(
                Text("没有监测对象「{key}」。", "There is no thing {key!r}.", key=said.thing),
                Text(
                    "先用 yiwang sensing load --streams 或 SensorThings 接口建立。",
                    "Make it first, with yiwang sensing load --streams or over SensorThings.",
                ),
                column="thing",
            )
        )
    if problems or thing is None:
        raise BadInput(problems)
    wanted = {"thing": thing, "name": said.name, "adapter": said.adapter, "silence_after": said.silence_after}
    device, made = Device.objects.get_or_create(city=place.info.id, key=key, defaults=wanted)
    if not made and not again:
        message = Text("设备「{key}」已登记。", "The device {key!r} is registered already.", key=key)
        raise BadInput(Problem(message, column="key"))
    device = Device.objects.select_for_update(no_key=True).get(pk=device.pk)  # its messages may be coming in
    changes: dict[str, Any] = {
        name: value for name, value in wanted.items() if name not in unsaid and getattr(device, name) != value
    }
    if said.password is not None and not (device.secret and check_password(said.password, device.secret)):
        changes["secret"] = make_password(said.password)
    if made or changes:
        _change(device, changes)
    return device, "new" if made else "changed" if changes else "same"


@transaction.atomic
def change_device(
    place: CityRuntime,
    key: str,
    *,
    enabled: bool | None = None,
    thing: str | None = None,
    adapter: str | None = None,
    silence_after: int | None = None,
    password: str | None = None,
) -> Device:
    """Change what is given of a device. Once this returns, no message of a disabled one is written any more.

    Args:
        silence_after: Seconds; 0 for never.

    Raises:
        Unknown: There is no such device.
        BadInput: What is given cannot be taken.
    """
    device = device_of(place.info.id, key, hold=True)
    said = DeviceSaid(
        key=device.key, thing="", adapter=adapter or "", silence_after=silence_after or None, password=password
    )
    problems = [*_faults(place, said, device.key)]
    standing = _thing(place.info.id, thing) if thing is not None else device.thing
    if standing is None:
        message = Text("没有监测对象「{key}」。", "There is no thing {key!r}.", key=thing)
        problems.append(Problem(message, column="thing"))
    if problems:
        raise BadInput(problems)
    changes: dict[str, Any] = {"thing": standing}
    changes |= {} if enabled is None else {"enabled": enabled}
    changes |= {} if adapter is None else {"adapter": adapter}
    changes |= {} if silence_after is None else {"silence_after": silence_after or None}
    changes |= {} if password is None else {"secret": make_password(password)}
    _change(device, changes)
    return device


def _change(device: Device, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(device, name, value)
    device.silent_at = silent_from(device)
    device.save(update_fields=[*changes, "silent_at"])


def device_of(city: str, key: str, *, hold: bool = False) -> Device:
    """The device of a key; with ``hold`` nobody else changes it until the transaction ends.

    Raises:
        Unknown: There is none.
    """
    asked = Device.objects.select_for_update(no_key=True) if hold else Device.objects
    found = asked.filter(city=city, key=device_key(key)).first()
    if found is None:
        raise Unknown(Text("设备「{key}」没有登记。", "The device {key!r} is not registered.", key=key), field="key")
    return found


def speaking_device(city: str, key: str, *, at: datetime) -> Device:
    """A device that speaks now, which is noted as a sign of life; it is held until the transaction ends.

    Raises:
        NotAllowed: It is not registered, or disabled.
    """
    found = Device.objects.select_for_update(no_key=True).filter(city=city, key=device_key(key)).first()
    if found is None or not found.enabled:
        raise NotAllowed(
            Text("设备「{key}」未登记或已停用。", "The device {key!r} is not registered, or is disabled.", key=key)
        )
    hear_devices([found], {found.pk: DeviceFacts()}, at=at)
    return found


def check_device(city: str, key: str, password: str) -> bool:
    """Whether an enabled device may sign in with this password. An unknown key takes as long as a wrong password."""
    found = Device.objects.filter(city=city, key=clean(device_key(key), LONGEST_KEY), enabled=True).first()
    secret = found.secret if found is not None and found.key == device_key(key) else ""
    if not secret or len(password) > LONGEST_PASSWORD:
        make_password(password[:LONGEST_PASSWORD])
        return False
    return check_password(password, secret)


def list_devices(city: str, *, at: datetime, silent: bool = False, after: str = "") -> Iterator[dict[str, Any]]:
    """The devices of a city by their keys, with what was last heard of them.

    Args:
        at: For which moment silence is told.
        silent: Only those that are silent.
        after: Only those whose keys follow this one.
    """
    rows = Device.objects.filter(city=city, key__gt=after).select_related("thing").order_by("key")
    if silent:
        rows = rows.filter(enabled=True, silent_at__lte=at)
    for one in rows.iterator(2000):
        yield {
            "device": one.key,
            "name": one.name,
            "thing": one.thing.key or one.thing.name,
            "adapter": one.adapter,
            "enabled": one.enabled,
            "last_seen": one.last_seen.isoformat() if one.last_seen else None,
            "battery": one.battery,
            "firmware": one.firmware,
            "silent": one.enabled and one.silent_at is not None and one.silent_at <= at,
            "silent_since": one.silent_at.isoformat() if one.silent_at is not None and one.silent_at <= at else None,
            "silence_after": one.silence_after,
            "said": one.said,
        }


def list_rejected(city: str, *, most: int = 100) -> list[Rejected]:
    """The messages that could not be read, of a city and those of which no city could be told; the latest first."""
    return list(Rejected.objects.filter(city__in=(city, "")).order_by("-last_time", "-id")[:most])


def _thing(city: str, key: str) -> Thing | None:
    """The thing of a key, or that is a component."""
    if not key or clean(key, LONGEST_KEY) != key:
        return None
    things = Thing.objects.filter(city=city)
    return things.filter(key=key).first() or things.filter(component=key).order_by("id").first()


def _faults(place: CityRuntime, said: DeviceSaid, key: str) -> Iterator[Problem]:
    if not key or len(key) > LONGEST_KEY or not key.isprintable() or any(letter in "/+#{} " for letter in key):
        yield Problem(
            Text("「{key}」不能作设备名称。", "{key!r} cannot be the key of a device.", key=clean(key, LONGEST_KEY)),
            Text(
                "1 到 {most} 个字符，不含空格和 / + # {{ }}。",
                "1 to {most} characters, without spaces and / + # {{ }}.",
                most=LONGEST_KEY,
            ),
            column="key",
        )
    if len(said.name) > 255 or clean(said.name, 255) != said.name:
        yield Problem(Text("名称最多 255 字。", "A name has at most 255 characters."), column="name")
    known = place.pack.sensing.adapters
    if said.adapter and said.adapter not in known:
        hint = did_you_mean(said.adapter, known) or (one_of(known) if known else NO_TEXT)
        message = Text("没有适配器「{name}」。", "There is no adapter {name!r}.", name=said.adapter)
        yield Problem(message, hint, column="adapter")
    if said.silence_after is not None and not 1 <= said.silence_after <= LONGEST_SILENCE:
        yield Problem(
            Text("应为 1 到 {most} 秒。", "It should be from 1 to {most} seconds.", most=LONGEST_SILENCE),
            column="silence_after",
        )
    if said.password is not None and not SHORTEST_PASSWORD <= len(said.password) <= LONGEST_PASSWORD:
        yield Problem(
            Text(
                "密码应有 {least} 到 {most} 个字符。",
                "A password has {least} to {most} characters.",
                least=SHORTEST_PASSWORD,
                most=LONGEST_PASSWORD,
            ),
            column="password",
        )
