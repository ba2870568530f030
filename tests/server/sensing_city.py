"""Streams of the toy city, and readings as they would come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from yiwang.core.kernel.instants import to_micros
from yiwang.server.cities import queries as places
from yiwang.server.cities.queries import runtime
from yiwang.server.provision.operations import install_pack
from yiwang.server.sensing.api import Alarm, Datastream, Reading, StreamSaid, find_or_make, write_observations

START = datetime(2026, 3, 2, 4, tzinfo=UTC)  # a Monday, noon in the toy city
LON, LAT = 120.003, 31.003
MARK = "\n# more alarms\n"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def underpass(
    name: str = "1", *, unit: str = "cm", lon: float = LON, lat: float = LAT, component: str = ""
) -> Datastream:
    """The water level of an underpass."""
    said = StreamSaid(
        key=f"underpass-{name}", name=f"下穿通道 {name}", observed="water level", unit=unit, lon=lon, lat=lat,
        component=component, thing=f"tunnel-{name}",
    )  # fmt: skip
    return find_or_make(runtime("mini"), said)[0]


def read(stream: Datastream, minutes: float, value: float) -> None:
    """A reading that arrives at once."""
    write_observations([Reading(stream.pk, to_micros(at(minutes)), value)], received=to_micros(at(minutes)))


def turns() -> list[tuple[str, str, int, str]]:
    """Condition, turn, severity and outcome of all alarms in the order in which they became known."""
    return list(Alarm.objects.order_by("id").values_list("condition", "turn", "severity", "outcome"))


def install(folder: Path, alarms: str) -> str:
    """Install the toy city from a copy of its pack with more alarms in its `sensing.toml`; its id."""
    file = folder / "sensing.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.partition(MARK)[0] + MARK + alarms, encoding="utf-8")
    install_pack(folder)
    forget()
    return "mini"


def forget() -> None:
    """Forget the packs that were read: another one of the same name and version may come."""
    places.forget()
    places._installed.runtimes.clear()


def stream(
    key: str, observed: str, *, thing: str = "", unit: str = "cm", lon: float = LON, lat: float = LAT
) -> Datastream:
    """Any stream, of a thing of its own unless one is named."""
    said = StreamSaid(
        key=key, name=key, observed=observed, unit=unit, lon=lon, lat=lat, thing=thing or f"thing-{key}"
    )  # fmt: skip
    return find_or_make(runtime("mini"), said)[0]
