"""`yiwang irregularities`: leads of irregularities."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from yiwang.cli.output import emit, emit_table, json_option, say, wants_json
from yiwang.cli.site import installed_city, site


@click.group()
def irregularities() -> None:
    """Leads of irregularities: look a month through, show what was found."""


@irregularities.command("look")
@click.argument("city")
@click.option("--period", help="A month, e.g. 2026-11; the last that has ended by default.")
@json_option
def look_at(city: str, period: str | None) -> None:
    """Look a month of CITY through and keep its leads. To look again brings them up to date.

    \b
    Example: yiwang irregularities look wuxi --period 2026-11
    """
    with site():
        from yiwang.core.indicators.lists import last_period
        from yiwang.server.cases.api import stands_at
        from yiwang.server.irregularities import operations

        place = installed_city(city)
        today = (stands_at(city=city) or datetime.now(UTC)).astimezone(place.info.zone).date()
        made = operations.look_through(place, period=period or last_period("month", today=today).name, by="cli")
        _show(city, made.period, tests=made.tests, examined=made.examined)


@irregularities.command()
@click.argument("city")
@click.option("--period", help="A month, e.g. 2026-11; the latest that was looked through by default.")
@json_option
def show(city: str, period: str | None) -> None:
    """Show the leads of a month of CITY.

    \b
    Example: yiwang irregularities show wuxi
    """
    with site():
        from yiwang.server.irregularities import queries

        installed_city(city)
        looks = [one for one in queries.looks_of(city) if period in (None, one.period)]
        if not looks:
            say("Nothing has been looked through yet.")
            return
        _show(city, looks[0].period, tests=looks[0].tests, examined=looks[0].examined)


def _show(city: str, period: str, *, tests: int, examined: dict[str, int]) -> None:
    from yiwang.server.irregularities import queries

    found = [
        {
            "kind": one.kind,
            "unit": one.unit,
            **{name: one.figures[name] for name in ("observed", "trials", "expected", "rate", "p_value", "q_value")},
            "answered": bool(one.answer),
            "judgement": one.judgement,
        }
        for one in queries.leads_of(city, period=period)
    ]
    if wants_json():
        emit({"period": period, "tests": tests, "examined": examined, "leads": found})
        return
    columns = ("kind", "unit", "observed", "trials", "expected", "rate", "p_value", "q_value", "judgement")
    emit_table(columns, [tuple(_figure(one[name]) for name in columns) for one in found])
    say(f"{period}: {tests} tests, {len(found)} leads. A lead is no proof.", style="green")


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "" if value is None else f"{value}"
