"""`yiwang sensing simulate`, `flood` and `pump`: sensors that a city pretends to have."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, prepare_database, site

if TYPE_CHECKING:
    from yiwang.server.simulated.api import SimulationOrder


@click.command()
@click.argument("city")
@click.option("--once", is_flag=True, help="End when all that is due is written.")
@click.option(
    "--since", metavar="TIME", help="Begin there, e.g. 2026-11-23; by default where each stream is, or a day ago."
)
@click.option("--rate", default=0.0, type=click.FloatRange(0), help="Readings a second at most; 0 for no limit.")
@json_option
def simulate(city: str, once: bool, since: str | None, rate: float) -> None:
    """Let the simulated sensors of CITY read (simulated.toml of its pack), until Ctrl-C.

    What is missing is made first, marked as simulated. The past is written without alarms; what is due from now on goes to
    the broker of YIWANG_MQTT_URL, or straight into the database. A run that was stopped or killed goes on where it was.

    \b
    Example: yiwang sensing simulate wuxi
    Example: yiwang sensing simulate wuxi --since 2026-11-23 --once
    """
    from yiwang.cli.sensing import read_time

    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    with site():
        prepare_database()
        from django.conf import settings

        from yiwang.server.simulated import api

        place = installed_city(city)
        start = read_time(since, place.info.zone) if since else None
        if not once:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, stop)
            say(f"The simulated sensors of {city} are reading. Ctrl-C stops them.")
        with progress("readings") as step:
            written = api.run_simulation(
                place,
                publisher=lambda: api.publisher_for(city, url=settings.YIWANG_MQTT_URL, now=_now),
                now=_now,
                wait=stopping.wait,
                stop=stopping.is_set,
                since=start,
                once=once,
                rate=rate,
                progress=step if once else lambda _, __: None,
            )
    row: dict[str, Any] = {"city": city, "readings": written}
    if wants_json():
        emit(row)
    else:
        emit_table(("", ""), list(row.items()))


@click.command()
@click.argument("city")
@click.argument("underpass")
@click.option("--minutes", default=20.0, show_default=True, help="How long it rains.")
@click.option("--rain", default=60.0, show_default=True, help="How hard, in mm/h.")
@json_option
def flood(city: str, underpass: str, minutes: float, rain: float) -> None:
    """Flood a simulated UNDERPASS of CITY: it rains hard there and its pump fails, until `yiwang sensing pump`.

    \b
    Example: yiwang sensing flood wuxi sim-underpass-1 --minutes 20 --rain 60
    """
    with site():
        from yiwang.server.simulated import api

        _show(api.order_flood(installed_city(city), site=underpass, minutes=minutes, rain=rain, at=_now()))


@click.command()
@click.argument("city")
@click.argument("underpass")
@json_option
def pump(city: str, underpass: str) -> None:
    """Let the pump of a simulated UNDERPASS of CITY work again.

    \b
    Example: yiwang sensing pump wuxi sim-underpass-1
    """
    with site():
        from yiwang.server.simulated import api

        _show(api.order_pump(installed_city(city), site=underpass, at=_now()))


def _now() -> datetime:
    return datetime.now(UTC)


def _show(order: SimulationOrder) -> None:
    from yiwang.core.kernel.instants import from_micros

    row = {"order": order.kind, "site": order.site, "from": from_micros(order.at).isoformat()}
    if order.kind == order.Kind.FLOOD:
        row |= {"minutes": f"{order.minutes:g}", "rain": f"{order.rain:g} mm/h"}
    if wants_json():
        emit(row)
    else:
        emit_table(("", ""), list(row.items()))
