"""`yiwang replay`: a city's real records through the whole loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site


@click.command()
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many records.")
@click.option(
    "--processes",
    type=click.IntRange(min=1, max=64),
    default=1,
    show_default=True,
    help="How many processes decide and write at once.",
)
@json_option
def replay(city: str, file: Path, limit: int | None, processes: int) -> None:
    """Feed the real records of FILE through report, triage, routing, custody and closing, at their recorded times.

    CITY is an installed city whose pack says how its records read (replay.toml); FILE is CSV, plain or gzip-packed, or a
    workbook. A later export moves what is known, the same file again adds nothing. In the end it says what became of
    every row, and how much of the city's own decisions the loop reproduced.

    \b
    Example: yiwang replay boston requests-2011-10.csv.gz
    """
    with site():
        installed_city(city)
        found = _replay_as_job(city, file, limit=limit, processes=processes)
    if wants_json():
        emit(found)
        return
    for problem in found.get("problems", ()):
        say(problem, style="yellow")
    rest = [(name, _display_value(name, value)) for name, value in found.items() if name not in {"problems", "unknown"}]
    emit_table(("", ""), rest)
    say(f"{found.get('reports', 0):,} records replayed.", style="green")


def _replay_as_job(city: str, file: Path, *, limit: int | None, processes: int) -> dict[str, Any]:
    """Replay as a job, so that whoever waits for the end of an import knows of it; killed, the worker goes on with it."""
    from yiwang.server.common.operations import LOST_AFTER_SECONDS, begin_job
    from yiwang.server.imports.replay import replay_file
    from yiwang.server.provision.tasks import carry_out

    parameters = {"path": str(file.resolve()), **({"limit": limit} if limit else {})}
    job = begin_job(kind="replay", city=city, key=file.name[:80], parameters=parameters)
    if job is None:
        raise Failed(
            f"{file.name} is being replayed into {city} by another process. Wait until it has ended; if that was killed, "
            f"try again after {LOST_AFTER_SECONDS} seconds."
        )
    with progress(f"Replaying {file.name}") as step:

        def work(told: Callable[[int, int], None]) -> dict[str, Any]:
            def both(done: int, total: int) -> None:
                step(done, total)
                told(done, total)

            return replay_file(city=city, path=file, limit=limit, processes=processes, progress=both)

        return carry_out(job=job, work=work)


def _display_value(name: str, value: object) -> object:
    if isinstance(value, float) and name.endswith("_agreement"):
        return f"{value:.2%}"
    if isinstance(value, dict):
        return {part: _display_value(part, inner) for part, inner in value.items()}
    return value
