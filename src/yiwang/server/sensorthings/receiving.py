"""Observations that come over MQTT, as the standard's extension has them: what cannot be taken is kept with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from yiwang.core.kernel.errors import BadInput, Problem, YiwangError
from yiwang.core.kernel.instants import from_micros
from yiwang.core.kernel.refusals import NotAllowed
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import cities
from yiwang.server.people.operations import ACT
from yiwang.server.people.queries import token_digest, user_of_token, user_of_token_digest
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.access import Writer, writer_for
from yiwang.server.sensorthings.answering import read_json
from yiwang.server.sensorthings.entities import DATASTREAM, OBSERVATION
from yiwang.server.sensorthings.operations import Operations
from yiwang.server.sensorthings.paths import Resource, rows_of
from yiwang.server.sensorthings.taking import Body, as_object
from yiwang.server.sensorthings.topics import set_of_observations

LONGEST = 256 * 1024  # bytes of a message
_SIGNED = "token="


def token_sender(token: str) -> str | None:
    """How somebody who signs in with a token is named as the sender of messages; None for a token that is not valid."""
    return f"{_SIGNED}{token_digest(token)}" if user_of_token(token) is not None else None


def take_observations(messages: Sequence[sensing.Message], *, received: int) -> int:
    """Write the observation of each message, or keep it as `Rejected`, in one transaction; how many were refused.

    The ``user`` of a message is ``CITY/KEY`` of a device, which writes datastreams of its own thing; what `token_sender` gives,
    who may write what they may write over HTTP; or empty where another broker decides who may send.

    Args:
        received: When they arrived, in microseconds. Those without a time of their own are of then, a microsecond apart.

    Raises:
        django.db.OperationalError: The database is away. Nothing was written; all are to be given again.
        django.db.DataError: It does not take what one of them says. Nothing was written; give each half by itself.
    """
    readings: list[sensing.Reading] = []
    refused: list[sensing.Refused] = []
    with transaction.atomic():
        batch = _Batch(messages, received)
        for number, message in enumerate(messages):
            try:
                readings.append(batch.reading(message, received + number))
            except BadInput as error:
                refused.append(_refused(message, error.problems))
            except YiwangError as error:
                refused.append(_refused(message, [Problem(error.text)]))
            except (OverflowError, RecursionError):
                words = Text(
                    "报文中的值超出范围或嵌套太深。", "A value of the message is out of range or nested too deeply."
                )
                refused.append(_refused(message, [Problem(words)]))
        if readings:
            sensing.write_observations(readings, received=received)
        sensing.keep_refused(refused, received=received)
    return len(refused)


def _refused(message: sensing.Message, faults: Sequence[Problem]) -> sensing.Refused:
    city, _, device = message.user.partition("/")
    return sensing.Refused(
        city=city if device else "", topic=message.topic, payload=message.payload,
        user=_SIGNED[:-1] if message.user.startswith(_SIGNED) else message.user, device=device, partly=False, faults=faults,
    )  # fmt: skip


class _Batch:
    """What several messages have in common is looked up once: their senders, their topics, the features of their datastreams."""

    def __init__(self, messages: Sequence[sensing.Message], received: int) -> None:
        self._received = received
        self._resources: dict[str, Resource] = {}
        self._operations: dict[str, Operations] = {}
        self._devices: dict[str, sensing.Device] = {}
        self._wrong: dict[str, YiwangError] = {}
        for user in sorted({one.user for one in messages}):  # devices are held in one order
            try:
                self._operations[user] = Operations(self._writer(user))
            except YiwangError as error:
                self._wrong[user] = error

    def reading(self, message: sensing.Message, now: int) -> sensing.Reading:
        """The observation of a message."""
        if message.user in self._wrong:
            raise self._wrong[message.user]
        if len(message.payload) > LONGEST:
            raise BadInput(
                Problem(
                    Text(
                        "报文有 {given} 字节，最多 {most}。",
                        "The message has {given} bytes; at most {most} are read.",
                        given=len(message.payload),
                        most=LONGEST,
                    )
                )
            )
        if message.topic not in self._resources:
            self._resources[message.topic] = set_of_observations(message.topic)
        body, given = as_object(read_json(message.payload)), self._resources[message.topic].given()
        if message.user in self._devices:
            _check_own(self._devices[message.user], body, given)
        operations = self._operations[message.user]
        feature = body.get("FeatureOfInterest")
        if (
            isinstance(feature, dict) and "@iot.id" not in feature
        ):  # what is made is undone where the rest cannot be taken
            with transaction.atomic():
                return operations.reading(body, given=given, now=now)
        return operations.reading(body, given=given, now=now)

    def _writer(self, user: str) -> Writer:
        city, _, device = user.partition("/")
        if not device:
            return _writer(user)
        self._devices[user] = sensing.speaking_device(city, device, at=from_micros(self._received))
        return Writer(cities=(city,))


def _writer(user: str) -> Writer:
    if not user:
        return Writer(cities=tuple(info.id for info in cities()))
    found = user_of_token_digest(user.removeprefix(_SIGNED)) if user.startswith(_SIGNED) else None
    if found is None:
        raise NotAllowed(Text("令牌不存在、已过期或已撤销。", "The token is unknown, expired or revoked."))
    if ACT not in (found.scopes or ()):
        raise NotAllowed(
            Text(
                "这个令牌不能用于此处：需要权限范围「{scope}」。",
                "The token is not for this: it needs the scope {scope!r}.",
                scope=ACT,
            )
        )
    return writer_for(found)


def _check_own(device: sensing.Device, body: Body, given: dict[str, list[int]]) -> None:
    """A device writes observations of the datastreams of its thing, and makes nothing else."""
    for name in OBSERVATION.ends:
        entry = body.get(name)
        if isinstance(entry, dict) and "@iot.id" not in entry:
            raise NotAllowed(
                Text("设备只能引用已有的 {name}。", "A device may only refer to a {name} that there is.", name=name),
                field=name,
            )
    named = body.get("Datastream")
    pk = named.get("@iot.id") if isinstance(named, dict) else None
    if "Datastream" in given:
        pk = given["Datastream"][0]
    if isinstance(pk, int) and not rows_of(DATASTREAM).filter(pk=pk, thing=device.thing_id).exists():
        raise NotAllowed(
            Text(
                "Datastreams({id}) 不属于设备「{device}」的监测对象。",
                "Datastreams({id}) is not one of the thing of the device {device!r}.",
                id=pk,
                device=device.key,
            ),
            field="Datastream",
        )
