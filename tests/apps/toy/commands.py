"""The command `yiwang bins`."""

from __future__ import annotations

import click


@click.command()
@click.argument("city")
def bins(city: str) -> None:
    """Print the last readings of a city's bins."""
    from yiwang.cli.site import site

    with site():
        from tests.apps.toy import queries

        for reading in queries.newest(city):
            click.echo(f"{reading['bin']} {reading['full']:.2f} {reading['case'] or ''}".rstrip())
