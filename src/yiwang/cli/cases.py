"""`yiwang cases`: cases as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yiwang.cli.output import emit, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site

if TYPE_CHECKING:
    from yiwang.server.verification.rebuilding import RebuildReport


@click.group()
def cases() -> None:
    """Work on all cases of a city at once."""


@cases.command()
@click.argument("city", required=False, default="")
@click.option("--dry-run", is_flag=True, help="Only tell what differs.")
@json_option
def rebuild(city: str, dry_run: bool) -> None:
    """Make anew what is derived from events: each case's row, the counts, the nodes kept above the ledger.

    CITY is an installed city; without it all are rebuilt. Events, reports and photos are never touched, so what was really
    forged stays to be seen by `yiwang ledger verify`. The site may go on meanwhile; run again, it changes nothing. Needed after
    damage, after the holidays of a calendar changed, and where a verification says so. The exit code is 1 when there are cases
    whose events do not fit their hashes: their rows are left as they are.

    \b
    Example: yiwang cases rebuild wuxi --dry-run
    """
    with site():
        if city:
            installed_city(city)
        from yiwang.server.cities import queries as places
        from yiwang.server.verification.rebuilding import rebuild as make_anew

        found = []
        for name in [city] if city else [info.id for info in places.cities()]:
            with progress(f"Rebuilding cases of {name}") as step:
                found.append(make_anew(city=name, dry_run=dry_run, progress=step))
    if wants_json():
        emit({"dry_run": dry_run, "cities": [each.to_dict() for each in found]})
    else:
        for each in found:
            _say(each, dry_run=dry_run)
    if any(each.left for each in found):
        raise click.exceptions.Exit(1)


def _say(found: RebuildReport, *, dry_run: bool) -> None:
    columns = ", ".join(f"{name} {count:,}" for name, count in sorted(found.columns.items()))
    would = "would be put right" if dry_run else "were put right"
    say(
        f"{found.city}: {found.differed:,} of {found.cases:,} rows differed from their events"
        f"{f' ({columns})' if columns else ''}, {found.tallies:,} counts, {found.nodes:,} nodes of the log; these {would}.",
        style="yellow" if found.differed or found.tallies or found.nodes else "green",
    )
    for number in found.left:
        say(f"{number}: its events do not fit their hashes; its row was left as it is.", style="red")
