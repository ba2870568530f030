"""`yiwang replay`: a city's real records through the whole loop."""

from __future__ import annotations

from pathlib import Path

import click

from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
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
        from yiwang.server.cases.replay import replay_file

        with progress(f"Replaying {file.name}") as step:
            found = replay_file(city=city, path=file, limit=limit, processes=processes, progress=step)
    if wants_json():
        emit(found)
        return
    for problem in found.get("problems", ()):
        say(problem, style="yellow")
    rest = [(name, _shown(name, value)) for name, value in found.items() if name not in {"problems", "unknown"}]
    emit_table(("", ""), rest)
    say(f"{found.get('reports', 0):,} records replayed.", style="green")


def _shown(name: str, value: object) -> object:
    if isinstance(value, float) and name.endswith("_agreement"):
        return f"{value:.2%}"
    if isinstance(value, dict):
        return {part: _shown(part, inner) for part, inner in value.items()}
    return value
