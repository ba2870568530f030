"""`yiwang sensing`: what sensors observe, from files and to the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.assets import problem_json
from yiwang.cli.devices import device, list_devices, list_rejected
from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.simulating import flood, pump, simulate
from yiwang.cli.site import installed_city, site
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.observations.alarms import Episode
    from yiwang.server.sensing.api import Trial


@click.group()
def sensing() -> None:
    """What sensors observe: load readings, list streams and devices, try alarms, simulate."""


for _command in (device, list_devices, list_rejected, simulate, flood, pump):
    sensing.add_command(_command)


@sensing.command()
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--streams", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Describes the streams that CITY may not have yet: stream, name, lon, lat, what, unit.",
)  # fmt: skip
@json_option
def load(city: str, file: Path, streams: Path | None) -> None:
    """Take up the observations in FILE: CSV, a workbook or Parquet with columns time, stream, value and unit.

    What is there already is left alone, so the same command goes on where it was stopped. Nothing here opens a case.

    \b
    Example: yiwang sensing load wuxi readings.csv.gz --streams streams.csv
    """
    started = time.perf_counter()
    with site():
        from yiwang.server.sensing import api

        place = installed_city(city)
        described = api.load_streams(place, streams) if streams else None
        with progress("rows") as step:
            loaded = api.load_readings(place, file, now=datetime.now(UTC), progress=step)
    seconds = time.perf_counter() - started
    problems = [*(described.problems if described else ()), *loaded.problems]
    if wants_json():
        emit(
            {
                "streams": described.new if described else 0,
                "rows": loaded.rows,
                "new": loaded.new,
                "duplicates": loaded.duplicates,
                "corrected": loaded.corrected,
                "refused": loaded.refused,
                "seconds": round(seconds, 3),
                "problems": [problem_json(one) for one in problems],
            }
        )
        return
    for problem in problems[:20]:
        say(str(problem), style="yellow")
    refused = loaded.refused + (described.refused if described else 0)
    if refused > 20:
        say(f"… and {refused - 20:,} more rows. --json names up to 200.", style="yellow")
    names = ("rows", "new", "duplicates", "corrected", "refused")
    emit_table(("", ""), [(name, getattr(loaded, name)) for name in names])


@sensing.command("streams")
@click.argument("city")
@json_option
def list_streams(city: str) -> None:
    """List the datastreams of CITY with their latest values.

    \b
    Example: yiwang sensing streams wuxi
    """
    with site():
        from yiwang.server.sensing import api

        installed_city(city)
        found = list(api.latest_of(city))
    if wants_json():
        emit(found)
        return
    emit_table(
        ("stream", "name", "value", "unit", "time"),
        [(one["stream"], one["name"], one["value"], one["unit"], one["time"] or "") for one in found],
    )


@sensing.command("dry-run")
@click.argument("city")
@click.option("--since", metavar="DAY", help="Only what was observed from this day on, e.g. 2026-03-01.")
@click.option("--stream", default="", metavar="KEY", help="Only this stream.")
@click.option(
    "--set", "changes", multiple=True, metavar="ID.at=NUMBER",
    help="Try another threshold: ID.at=10 for the mildest level, ID.severe.at=30 for another, ID.clear=5. Repeatable.",
)  # fmt: skip
@json_option
def dry_run(city: str, since: str | None, stream: str, changes: tuple[str, ...]) -> None:
    """Say which alarms the rules of CITY would have given on its stored observations. Nothing is written.

    With --set only the rules that are named are tried, as they are and with the other thresholds.

    \b
    Example: yiwang sensing dry-run wuxi --since 2026-03-01 --set underpass_water.at=8 --json
    """
    with site():
        from yiwang.server.sensing import api

        place = installed_city(city)
        trials = list(
            api.try_rules(
                place,
                now=datetime.now(UTC),
                since=read_time(since, place.info.zone) if since else None,
                stream=stream,
                settings=api.read_settings(place, changes),
            )
        )
    if wants_json():
        emit([_trial_json(one, changed=bool(changes)) for one in trials])
        return
    heads = ("alarm", "stream", "readings", "alarms", "that open a case")
    rows: list[Sequence[Any]] = []
    for one in trials:
        found = one.found
        row = [one.rule.condition.id, one.stream, one.readings, len(found.now), one.opening(found.now)]
        rows.append(
            [*row, len(found.then), one.opening(found.then), len(found.added), len(found.lost)] if changes else row
        )
    emit_table((*heads, "alarms then", "that open a case", "more", "fewer") if changes else heads, rows)


@sensing.command()
@click.argument("city")
@click.argument("thing")
@click.option("--from", "start", required=True, metavar="TIME", help="E.g. 2026-03-02T08:00, on the city's clock.")
@click.option("--until", "end", required=True, metavar="TIME", help="E.g. 2026-03-02T17:00.")
@click.option("--by", default="", help="Who says so.")
@click.option("--reason", default="", help="Why.")
@json_option
def maintain(city: str, thing: str, start: str, end: str, by: str, reason: str) -> None:
    """Say that somebody works on THING of CITY (its key): until it is done its alarms are kept, and open no case.

    \b
    Example: yiwang sensing maintain wuxi tunnel-3 --from 2026-03-02T08:00 --until 2026-03-02T17:00 --reason desilting
    """
    with site():
        from yiwang.server.sensing import api

        place = installed_city(city)
        found = api.Thing.objects.filter(city=city, key=thing).first()
        if found is None:
            raise BadInput(
                Problem(
                    Text("没有监测对象「{key}」。", "There is no thing {key!r}.", key=thing),
                    Text("名称见 yiwang sensing streams。", "See yiwang sensing streams."),
                )
            )
        zone = place.info.zone
        made = api.maintain(
            thing=found.pk, start=read_time(start, zone), end=read_time(end, zone), by=by, reason=reason
        )
    row = {"thing": thing, "from": made.start.isoformat(), "until": made.end.isoformat(), "by": by, "reason": reason}
    if wants_json():
        emit(row)
        return
    emit_table(("", ""), list(row.items()))


@sensing.command()
@click.argument("city")
@click.option(
    "--before", metavar="DAY", help="Move the days (UTC) before this one, e.g. 2026-03-01, whatever the rule says."
)
@click.option("--dry-run", is_flag=True, help="Say which days would move; nothing is written.")
@json_option
def keep(city: str, before: str | None, dry_run: bool) -> None:
    """Move old observations of CITY into its lake of files, and let go what the [keep] of its sensing.toml lets go.

    The worker does this once a day. What was stopped goes on with the same command.

    \b
    Example: yiwang sensing keep wuxi --before 2026-03-01 --dry-run
    """
    with site():
        from yiwang.server.sensing import api

        place, now = installed_city(city), datetime.now(UTC)
        day = read_time(before, UTC) if before else None
        if dry_run:
            found = api.planned(city, before=api.boundary(place, now=now, before=day))
            if wants_json():
                emit(found)
            else:
                emit_table(("day", "observations", "again"), [(one["day"], one["rows"], one["again"]) for one in found])
            return
        with progress("days") as step:
            done = api.keep_city(place, now=now, before=day, progress=step)
    if wants_json():
        emit(done.figures())
        return
    emit_table(("", ""), list(done.figures().items()))


def read_time(said: str, zone: Any) -> datetime:
    """The moment that a day or time names, on the city's clock where it has no offset.

    Raises:
        BadInput: It names none.
    """
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise BadInput(
            Problem(
                Text("「{said}」不是时间。", "{said!r} is no time.", said=said),
                Text("例如 2026-03-01 或 2026-03-01T08:00。", "For example 2026-03-01 or 2026-03-01T08:00."),
            )
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _trial_json(one: Trial, *, changed: bool) -> dict[str, Any]:
    row = {
        "alarm": one.rule.condition.id,
        "stream": one.stream,
        "readings": one.readings,
        "open_a_case": one.opening(one.found.now),
        "alarms": [_episode_json(episode) for episode in one.found.now],
    }
    if changed:
        row |= {
            "then_open_a_case": one.opening(one.found.then),
            "then": [_episode_json(episode) for episode in one.found.then],
            "added": [_episode_json(episode) for episode in one.found.added],
            "lost": [_episode_json(episode) for episode in one.found.lost],
        }
    return row


def _episode_json(one: Episode) -> dict[str, Any]:
    return {
        "from": datetime.fromtimestamp(one.start, UTC).isoformat(),
        "until": None if one.end is None else datetime.fromtimestamp(one.end, UTC).isoformat(),
        "severity": one.severity.name.lower(),
        "peak": one.peak,
    }
