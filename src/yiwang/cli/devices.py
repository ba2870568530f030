"""`yiwang sensing devices`, `device` and `rejected`: the registry of devices, and messages that could not be read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from yiwang.cli.assets import problem_json
from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import from_micros
from yiwang.core.kernel.text import Text

_password = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password with which it signs in to the broker from the first line of standard input.",
)
_silence_help = "Seconds without a message after which it counts as silent."


@click.command("devices")
@click.argument("city")
@click.option("--silent", is_flag=True, help="Only those of which nothing is heard.")
@json_option
def list_devices(city: str, silent: bool) -> None:
    """List the devices of CITY with what was last heard of them.

    \b
    Example: yiwang sensing devices wuxi --silent
    """
    with site():
        from yiwang.server.sensing import api

        installed_city(city)
        found = list(api.list_devices(city, at=datetime.now(UTC), silent=silent))
    if wants_json():
        emit(found)
        return
    emit_table(
        ("device", "thing", "last seen", "battery %", "firmware", "silent"),
        [
            (one["device"], one["thing"], one["last_seen"] or "", one["battery"], one["firmware"], _state(one))
            for one in found
        ],
    )


@click.command("rejected")
@click.argument("city")
@click.option("--most", type=click.IntRange(1, 5000), default=50, show_default=True, help="So many at most.")
@json_option
def list_rejected(city: str, most: int) -> None:
    """List the messages that could not be read: of CITY, and those of which no city could be told.

    \b
    Example: yiwang sensing rejected wuxi
    """
    with site():
        from yiwang.server.sensing import api

        installed_city(city)
        found = api.list_rejected(city, most=most)
    if wants_json():
        names = ("city", "topic", "device", "user", "why", "partly", "count", "payload", "encoding", "size")
        emit(
            [
                {name: getattr(one, name) for name in names}
                | {
                    "first_time": from_micros(one.first_time).isoformat(),
                    "last_time": from_micros(one.last_time).isoformat(),
                }
                for one in found
            ]
        )
        return
    emit_table(
        ("topic", "device", "times", "last", "why"),
        [
            (one.topic, one.device, one.count, from_micros(one.last_time).isoformat(), one.why.get("en", ""))
            for one in found
        ],
    )


class _CityAnywhere(click.Group):
    """Takes ``device CITY add KEY`` for ``device add CITY KEY``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if len(args) > 1 and args[0] not in self.commands and args[1] in self.commands:
            args = [args[1], args[0], *args[2:]]
        return super().parse_args(ctx, args)


@click.group("device", cls=_CityAnywhere)
def device() -> None:
    """Register and change devices. The city may also stand first: device CITY add KEY.

    \b
    Example: yiwang sensing device add wuxi A81758FFFE04D1C2 --thing tunnel-3 --silence-after 7200
    """


@device.command("add")
@click.argument("city")
@click.argument("key")
@click.option("--thing", required=True, metavar="KEY", help="The thing at which it is, or the code of a component.")
@click.option("--name", default="", help="In words.")
@click.option("--adapter", default="", metavar="ID", help="The pack's adapter for it; any whose topic fits by default.")
@click.option("--silence-after", type=click.IntRange(min=1), metavar="SECONDS", help=_silence_help)
@_password
@json_option
def add(
    city: str, key: str, thing: str, name: str, adapter: str, silence_after: int | None, password_stdin: bool
) -> None:
    """Register the device KEY: its EUI, or the name with which it signs in to the broker.

    \b
    Example: yiwang sensing device add wuxi pump-7 --thing pump-7 --silence-after 3600 --password-stdin < password
    """
    password = _password_given() if password_stdin else None
    with site():
        from yiwang.server.sensing import api

        said = api.DeviceSaid(
            key=key, thing=thing, name=name, adapter=adapter, silence_after=silence_after, password=password
        )
        _tell(api.add_device(installed_city(city), said))


@device.command("change")
@click.argument("city")
@click.argument("key")
@click.option("--thing", metavar="KEY", help="The thing at which it is now, or the code of a component.")
@click.option("--adapter", metavar="ID", help='The pack\'s adapter for it; "" for any whose topic fits.')
@click.option("--silence-after", type=click.IntRange(min=0), metavar="SECONDS", help=f"{_silence_help} 0 for never.")
@_password
@json_option
def change(
    city: str, key: str, thing: str | None, adapter: str | None, silence_after: int | None, password_stdin: bool
) -> None:
    """Change what is given of the device KEY; the rest stays.

    \b
    Example: yiwang sensing device change wuxi pump-7 --silence-after 600
    """
    password = _password_given() if password_stdin else None
    with site():
        from yiwang.server.sensing import api

        _tell(
            api.change_device(
                installed_city(city), key, thing=thing, adapter=adapter, silence_after=silence_after, password=password
            )
        )


@device.command("disable")
@click.argument("city")
@click.argument("key")
@json_option
def disable(city: str, key: str) -> None:
    """Take no more messages of the device KEY, and let it sign in no more.

    \b
    Example: yiwang sensing device disable wuxi pump-7
    """
    _enable(city, key, enabled=False)


@device.command("enable")
@click.argument("city")
@click.argument("key")
@json_option
def enable(city: str, key: str) -> None:
    """Take messages of the device KEY again.

    \b
    Example: yiwang sensing device enable wuxi pump-7
    """
    _enable(city, key, enabled=True)


@device.command("import")
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def import_file(city: str, file: Path) -> None:
    """Register the devices in FILE: columns key, thing, name, adapter, silence_after and password; the first two are needed.

    What is there already is made as the file says, so it may be given again. Rows with a fault are named and left out.

    \b
    Example: yiwang sensing device import wuxi devices.csv
    """
    with site():
        from yiwang.server.sensing import api

        with progress("rows") as step:
            done = api.import_devices(installed_city(city), file, progress=step)
    counts = {name: getattr(done, name) for name in ("rows", "new", "changed", "same", "refused")}
    if wants_json():
        emit({**counts, "problems": [problem_json(one) for one in done.problems]})
        return
    for problem in done.problems[:20]:
        say(str(problem), style="yellow")
    if done.refused > 20:
        say(f"… {done.refused:,} rows in all. --json names up to 200.", style="yellow")
    emit_table(("", ""), list(counts.items()))


def _enable(city: str, key: str, *, enabled: bool) -> None:
    with site():
        from yiwang.server.sensing import api

        _tell(api.change_device(installed_city(city), key, enabled=enabled))


def _tell(made: Any) -> None:
    row = {
        "device": made.key,
        "thing": made.thing.key or made.thing.name,
        "adapter": made.adapter,
        "silence_after": made.silence_after,
        "enabled": made.enabled,
        "password": bool(made.secret),
    }
    if wants_json():
        emit(row)
        return
    emit_table(("", ""), list(row.items()))


def _password_given() -> str:
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise BadInput(
            Problem(
                Text("标准输入中没有密码。", "There is no password on standard input."),
                Text("第一行写密码。", "Its first line is the password."),
            )
        )
    return given


def _state(one: dict[str, Any]) -> str:
    if not one["enabled"]:
        return "disabled"
    return f"since {one['silent_since']}" if one["silent"] else ""
