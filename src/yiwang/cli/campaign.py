"""`yiwang campaign`: a whole year of a campaign in a simulated city."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from yiwang.cli.output import emit, json_option, say, wants_json
from yiwang.cli.site import installed_city, site


@click.command()
@click.argument("city")
@click.option("--year", type=click.IntRange(2000, 2100), required=True, help="A year that is over.")
@click.option(
    "--per-day", type=click.FloatRange(1, 5000), default=60, show_default=True, help="Reports a day, by mean."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("campaign"),
    show_default=True,
    help="Folder for scores, bulletin and letters.",
)
@json_option
def campaign(city: str, year: int, per_day: float, out: Path) -> None:
    """Rehearse a year of a campaign in CITY, whose pack has a simulation: target letters signed by two, cases, monthly inspections
    drawn by lot, lists with an objection, honours, index and bulletin.

    It writes what people would have done in that year, through the same operations, and says so nowhere else than in the names of
    those who did it: run it on a site of its own.

    \b
    Example: yiwang campaign wuxi --year 2025 --per-day 60 --out campaign
    """
    with site():
        from yiwang.server.provision.campaign_year import run_year

        told = run_year(installed_city(city), year=year, per_day=per_day, out=out, progress=say)
    if wants_json():
        emit({"city": city, "year": year, "out": str(out), **asdict(told)})
        return
    say(
        f"{told.cases:,} cases, {told.letters} letters in force, {told.inspections} inspections with {told.visits} visits, "
        f"{told.editions} editions of lists with {told.listed} entries and {told.objections_upheld} objection upheld, "
        f"{told.honours} honours; {len(told.files)} files in {out}"
    )
