"""`yiwang demo`: everything that `make run` starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.packs import pack_folders

if TYPE_CHECKING:
    from yiwang.cli.processes import Family

_SIMULATION = "simulation.toml"
_RECORDS = ("*.csv.gz", "*.csv")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 256), help="Processes that answer.")
@click.option("--no-sensors", is_flag=True, help="Leave the simulated sensors and their broker out.")
@click.option(
    "--mqtt-port",
    default=1883,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port of the broker that comes along; another one where it is taken.",
)
@click.option("--prepare-only", is_flag=True, help="Set everything up, but do not start the site.")
@json_option
def demo(host: str, port: int, workers: int, no_sensors: bool, mqtt_port: int, prepare_only: bool) -> None:
    """Set up the cities at hand with demonstration people and data, then run the site and its background work.

    The second time it starts in seconds: what is there already is left as it is. What takes longer (simulating, replaying)
    goes on in the background; the page /jobs shows how far it is.

    \b
    Example: yiwang demo --port 8123
    """
    from yiwang.cli.processes import (
        Family,
        require_free_port,
        site_command,
        wait_until_ready,
        worker_command,
    )
    from yiwang.cli.serve import address
    from yiwang.cli.site import prepare_database, site

    if not prepare_only:
        require_free_port(host, port)
    with site():
        prepare_database()
        people = prepare()
    if prepare_only:
        show_people(people, "")
        return
    url = address(host, port)
    family = Family()
    family.start("site", site_command(host=host, port=port, workers=workers), essential=True)
    family.start("worker", worker_command(), essential=False)
    wait_until_ready(url, family, "site")
    if not no_sensors:
        start_sensors(family, mqtt_port)  # once the site answers, so that nobody waits for them
    show_people(people, url)
    sys.exit(family.run())


def start_sensors(family: Family, mqtt_port: int) -> None:
    """Let simulated sensors publish over MQTT: at the broker of YIWANG_MQTT_URL, else at the one that comes along."""
    from yiwang.cli.processes import broker_command, free_port, listen_command, sensors_command
    from yiwang.cli.site import site

    cities = simulated_cities()
    if not cities:
        return
    if os.environ.get("YIWANG_MQTT_URL"):
        family.start("listener", listen_command(), essential=False)
    else:
        bind = f"127.0.0.1:{free_port(mqtt_port)}"
        with site():
            from yiwang.server.mqtt.access import OURSELVES, own_password

            os.environ["YIWANG_MQTT_URL"] = f"mqtt://{OURSELVES}:{own_password()}@{bind}"
        family.start("broker", broker_command(bind), essential=False)
    for city in cities:
        family.start(f"sensors of {city}", sensors_command(city), essential=False)


def prepare() -> list[dict[str, Any]]:
    """Install the packs, the demonstration people and the background jobs; the people who can sign in."""
    from yiwang.server.people.queries import DEMO_PASSWORD, demo_people
    from yiwang.server.provision.operations import install_pack
    from yiwang.server.provision.people import create_demo_people

    for folder in demo_packs():
        installed = install_pack(folder)  # a pack that is in force, with rules changed since or not, stays as it is
        if installed.changed:
            say(f"Installed {installed.city}, version {installed.version}.")
        create_demo_people(installed.city)
        _queue(installed.city, folder)
    return [{**person, "password": DEMO_PASSWORD} for person in demo_people()]


def demo_packs() -> list[Path]:
    """The packs at hand that can be brought to life: with a simulation, first, or with records of their own in `demo/`."""
    found = [folder for folder in pack_folders().values() if (folder / _SIMULATION).is_file() or _records(folder)]
    if not found:
        raise Failed("There is no pack with a simulation or records at hand; run this in the folder that holds packs/.")
    return sorted(found, key=lambda folder: (not (folder / _SIMULATION).is_file(), folder.name))


def simulated_cities() -> list[str]:
    """The cities at hand whose packs have simulated sensors. A pack's folder bears the city's id."""
    from yiwang.packs.simulated import FILE

    return [folder.name for folder in demo_packs() if (folder / FILE).is_file()]


def _records(folder: Path) -> list[Path]:
    return [path for pattern in _RECORDS for path in sorted((folder / "demo").glob(pattern))]


def _queue(city: str, folder: Path) -> None:
    """Background work that brings the city to life, once each: a simulated month, or the records that the pack carries."""
    from yiwang.server.common.operations import ask_job

    if (folder / _SIMULATION).is_file():
        ask_job(kind="simulate", city=city)
    for records in _records(folder):
        ask_job(kind="replay", city=city, key=records.name, parameters={"path": str(records.resolve())})


def show_people(people: list[dict[str, Any]], url: str) -> None:
    """Print the sign-ins, and where the site is."""
    if wants_json():
        emit({"url": url, "people": people})
    else:
        columns = ("city", "role", "unit", "username", "password")
        emit_table(columns, [[person[column] for column in columns] for person in people])
    if url:
        say(f"The site is on {url}. Sign in as any of these. Ctrl-C stops it.", style="green")
