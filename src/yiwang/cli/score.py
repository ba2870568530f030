"""`yiwang score`: a city's indicators, by any dimensions, counted by any engine."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, date, datetime, timedelta

import click

from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site

A_DAY = timedelta(days=1)
SHOWN = 9  # indicators in a table for people, where none are named


def _day(_: click.Context, parameter: click.Parameter, value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day; write e.g. 2011-10-01.", param=parameter) from None


def _moment(_: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if value else None
        if moment is not None:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            (
                (moment - A_DAY).astimezone(UTC),
                (moment + A_DAY).astimezone(UTC),
            )  # at the ends of time no zone can be reckoned
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is no moment; write e.g. 2011-11-01T00:00-04:00.", param=parameter
        ) from None
    return moment


def _pairs(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        name, sign, wanted = value.partition("=")
        if not sign:
            raise click.BadParameter(f"{value!r} is no DIMENSION=VALUE.", param=parameter)
        found[name] = wanted
    return found


@click.command()
@click.argument("city")
@click.option("--by", help="Dimensions, comma-separated; by default the level below the city, and month.")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "memory", "spark"]),
    default="duckdb",
    show_default=True,
    help="Who counts; all give the same.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the rows are written.",
)
@click.option("--indicator", "indicators", multiple=True, help="Only this one; may be given several times.")
@click.option(
    "--only", multiple=True, callback=_pairs, metavar="DIMENSION=VALUE", help="Only such cases, e.g. department=PWD."
)
@click.option("--since", callback=_day, help="First day, by each indicator's own basis.")
@click.option("--until", callback=_day, help="The day after the last.")
@click.option(
    "--as-of", callback=_moment, help="Judge lateness for this moment; by default when the facts were refreshed."
)
@click.option("--refresh/--no-refresh", default=True, help="Count what has happened since first (the default).")
@click.option("--rebuild", is_flag=True, help="Count every case anew from its events first.")
@json_option
def score(
    city: str,
    by: str | None,
    engine: str,
    form: str,
    indicators: tuple[str, ...],
    only: dict[str, str],
    since: date | None,
    until: date | None,
    as_of: datetime | None,
    refresh: bool,
    rebuild: bool,
) -> None:
    """Indicators of CITY by region, department, category, post and period, with composite scores and grades.

    Every figure comes with its numerator and denominator; where there is nothing to divide by it says so and not 0.

    \b
    Example: yiwang score boston --by district,month
    Example: yiwang score wuxi --by department --only district=320211 --format csv
    Example: yiwang score wuxi --by post_dispatcher,month --engine memory --json
    """
    with site():
        place = installed_city(city)
        from yiwang.server.facts import operations
        from yiwang.server.facts.sources import sources
        from yiwang.server.scores import queries
        from yiwang.server.scores.exporting import catch_up

        queries.book_of(place)
        levels = [level.id for level in place.info.levels]
        asked = tuple(filter(None, (by or f"{levels[min(1, len(levels) - 1)]},month").split(",")))
        if rebuild:
            for source in sources():
                with progress(f"Counting {city}: {source.name}") as step:
                    operations.rebuild(city=city, table=source.name, progress=step)
        elif refresh:
            catch_up(city=city)
        shown = indicators
        plain = form == "table" and not wants_json()
        if plain and not shown:
            shown = place.pack.indicators.shown[:SHOWN]
        card = queries.scorecard(
            place=place,
            by=asked,
            indicators=shown,
            since=since,
            until=until,
            only=only,
            as_of=as_of,
            engine_name=engine,
        )
        if wants_json() or form == "json":
            emit(queries.as_dict(card, place=place))
            return
        header, rows = queries.as_table(card, place=place)
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        return
    kept = [
        index
        for index, name in enumerate(header)
        if not name.endswith(("_numerator", "_denominator", "_low", "_high", "_place"))
    ]
    emit_table([header[index] for index in kept], [[_cell(row[index]) for index in kept] for row in rows])
    say(f"{card.cases:,} cases, facts of {card.facts_at:%Y-%m-%d %H:%M} UTC, engine {card.engine}.", style="green")
    if not indicators:
        say("--format json or csv shows every indicator with its numerator and denominator.")


def _cell(value: object) -> object:
    if value is None:
        return "无数据 no data"
    return f"{value:.2f}" if isinstance(value, float) and not value.is_integer() else value
