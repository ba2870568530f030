"""`yiwang mqtt`: readings over MQTT, from a broker of one's own or as the broker."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import Failed, emit, json_option, say, wants_json
from yiwang.cli.site import prepare_database, site

if TYPE_CHECKING:
    from yiwang.server.mqtt.intake import Intake

_LOOK_EVERY = 1.0
_PEM = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def mqtt() -> None:
    """Take up readings that come over MQTT: listen at a broker, or be one."""


@mqtt.command()
@click.option("--name", default="", help="Of this process; another one for each. The name of the machine by default.")
@click.option("--url", envvar="YIWANG_MQTT_URL", required=True, help="The broker; YIWANG_MQTT_URL by default.")
@click.option("--sensorthings", is_flag=True, help="Take up observations on v1.1/…, and publish there what changes.")
@json_option
def listen(name: str, url: str, sensorthings: bool) -> None:
    """Take up readings from a broker that knows MQTT 5, until Ctrl-C. Start more of them and they share the work.

    A message is acknowledged when it is stored. Start a process again under the same name, since the broker keeps for it what
    it has not acknowledged.

    With --sensorthings whoever the broker lets publish on v1.1/Observations and v1.1/+/Observations writes observations, and one
    of the processes publishes there what changes.

    \b
    Example: yiwang mqtt listen --name 2 --url mqtts://site:secret@broker.example?ca=/etc/ssl/city.pem
    """
    with site():
        prepare_database()
        from django.db import InterfaceError, OperationalError, connection

        from yiwang.server.mqtt.address import Address
        from yiwang.server.mqtt.listening import OBSERVATIONS, Listener
        from yiwang.server.mqtt.telling import Teller
        from yiwang.server.sensing.api import topic_filters
        from yiwang.server.sensorthings.api import everywhere

        address = Address.read(url)
        more = OBSERVATIONS if sensorthings else []
        with _intake() as intake:
            topics = [*topic_filters(), *more]
            listener = Listener(address, name=name or socket.gethostname(), topics=topics, intake=intake)
            teller = Teller(
                str(address), messages=everywhere, publish=listener.publish, wanted=listener.connected.is_set
            )
            stopped = _until_told()
            listener.start()
            if sensorthings:
                teller.start()
            try:
                if listener.connected.wait(_LOOK_EVERY):
                    _announce(str(address), f"Listens at {address}; Ctrl-C stops it.")
                else:
                    say(f"{address} does not answer yet; it listens there as soon as it does. Ctrl-C stops it.")
                while not stopped.is_set() and not listener.wait(_LOOK_EVERY):
                    try:
                        listener.follow([*topic_filters(), *more])
                    except (OperationalError, InterfaceError):
                        connection.close()  # the intake says so, and waits
            finally:
                if sensorthings:
                    teller.stop(forget=False)
                listener.stop()


@mqtt.command()
@click.option("--bind", default="127.0.0.1:1883", show_default=True, help="Address and port to listen on.")
@click.option("--cert", type=_PEM, help="Certificate for TLS, PEM.")
@click.option("--key", type=_PEM, help="Its private key, PEM.")
@json_option
def broker(bind: str, cert: Path | None, key: Path | None) -> None:
    """Be the broker, for a city that has none: devices sign in as CITY/KEY with the password of the register.

    A message is acknowledged when it is stored, so nothing is lost when this process is killed. For many thousands of messages
    a second run a broker of your own and `yiwang mqtt listen`.

    \b
    Example: yiwang mqtt broker --bind 0.0.0.0:8883 --cert city.pem --key city.key
    """
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key go together.")
    with site():
        prepare_database()
        with _intake() as intake:
            asyncio.run(_serve(bind, intake, {"certfile": cert, "keyfile": key} if cert else {}))


async def _serve(bind: str, intake: Intake, listener: dict[str, Any]) -> None:
    from amqtt.errors import BrokerError

    from yiwang.server.mqtt.broker import serve

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def started() -> None:
        _announce(bind, f"The broker listens on {bind}; Ctrl-C stops it.")

    try:
        await serve(bind=bind, intake=intake, started=started, stop=stop, listener=listener)
    except BrokerError as error:
        raise Failed(f"{bind} cannot be used: {error}") from error


@contextmanager
def _intake() -> Iterator[Intake]:
    """Where messages go, and beside it whoever opens cases for the alarms that they raise."""
    from yiwang.server.mqtt.intake import Intake, Raiser

    intake, raiser = Intake(), Raiser()
    intake.start()
    raiser.start()
    try:
        yield intake
    finally:
        intake.stop()
        raiser.stop()


def _announce(address: str, words: str) -> None:
    if wants_json():
        emit({"address": address})
    else:
        say(words)


def _until_told() -> threading.Event:
    """Set by Ctrl-C or SIGTERM."""
    told = threading.Event()

    def tell(number: int, frame: FrameType | None) -> None:
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    return told
