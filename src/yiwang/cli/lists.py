"""`yiwang lists`: red and black lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.cli.site import installed_city, site


@click.group()
def lists() -> None:
    """Red and black lists: give notice of a period, publish it, show what there is."""


@lists.command()
@click.argument("city")
@json_option
def show(city: str) -> None:
    """Show the editions of CITY's lists, the latest first.

    \b
    Example: yiwang lists show wuxi
    """
    with site():
        from yiwang.server.lists import queries

        installed_city(city)
        found = [_told(one) for one in queries.editions_of(city, staff=True)]
    if wants_json():
        emit(found)
        return
    emit_table(
        ("list", "period", "state", "red", "black"),
        [(one["list"], one["period"], one["state"], " ".join(one["red"]), " ".join(one["black"])) for one in found],
    )


@lists.command()
@click.argument("city")
@click.argument("rule")
@click.option("--period", help="E.g. 2026-11, 2026-Q4 or 2026; the last that has ended by default.")
@json_option
def notice(city: str, rule: str, period: str | None) -> None:
    """Make the lists of RULE for a period of CITY, and give notice of them.

    \b
    Example: yiwang lists notice wuxi monthly --period 2026-11
    """
    with site():
        from yiwang.core.indicators.lists import last_period
        from yiwang.server.cases.api import stands_at
        from yiwang.server.lists import operations
        from yiwang.server.scores.exporting import catch_up

        place = installed_city(city)
        kinds = {one.id: one.period for one in place.pack.indicators.lists}
        if rule not in kinds:
            raise click.BadParameter(
                f"There is no list {rule!r}; there is {', '.join(kinds) or 'none'}.", param_hint="RULE"
            )
        catch_up(city=city)
        today = (stands_at(city=city) or datetime.now(UTC)).astimezone(place.info.zone).date()
        made = operations.give_notice(
            place, rule=rule, period=period or last_period(kinds[rule], today=today).name, by="cli"
        )
        _say(_told(made))


@lists.command()
@click.argument("city")
@click.argument("rule")
@click.argument("period")
@json_option
def publish(city: str, rule: str, period: str) -> None:
    """Publish lists of which notice was given, once the days for objections are over.

    \b
    Example: yiwang lists publish wuxi monthly 2026-11
    """
    with site():
        from yiwang.server.lists import operations, queries

        installed_city(city)
        found = queries.edition_of(city=city, rule=rule, period=period)
        if found is None:
            raise Failed(f"No notice has been given of {rule} for {period}.")
        _say(_told(operations.publish(found, by="cli")))


def _told(edition: Any) -> dict[str, Any]:
    entries = list(edition.entries.all())
    return {
        "list": edition.rule,
        "period": edition.period,
        "state": edition.step,
        "ranked": edition.ranked,
        "objections_until": f"{edition.objections_until}",
        **{
            colour: [one.unit for one in entries if one.colour == colour and not one.upheld]
            for colour in ("red", "black")
        },
    }


def _say(told: dict[str, Any]) -> None:
    if wants_json():
        emit(told)
        return
    emit_table(("", ""), [(key, " ".join(value) if isinstance(value, list) else value) for key, value in told.items()])
    say(f"Objections may come until {told['objections_until']}.", style="green")
