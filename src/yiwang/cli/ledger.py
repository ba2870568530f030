"""`yiwang ledger`: tamper evidence."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site

if TYPE_CHECKING:
    from yiwang.server.cases.ledger import Verified


@click.group()
def ledger() -> None:
    """Verify that history was not altered, and prove single events to others.

    Every event carries the hash of the one before; at the end of each day a Merkle root (RFC 6962) binds all events of the city.
    """


@ledger.command()
@click.argument("city", required=False, default="")
@json_option
def verify(city: str) -> None:
    """Look at every event, every case and every day's root, and name the first event of each case that fails.

    CITY is an installed city; without it all are verified. Faults go to stdout, one a line; the exit code is 1 when there are
    any.

    \b
    Example: yiwang ledger verify wuxi
    """
    with site():
        if city:
            installed_city(city)
        from yiwang.server.cases import ledger as operations
        from yiwang.server.places import queries as places

        found = []
        for name in [city] if city else [info.id for info in places.cities()]:
            with progress(f"Verifying cases of {name}") as step:
                found.append(operations.verify(city=name, progress=step))
    if wants_json():
        emit({"sound": not any(each.faults for each in found), "cities": [each.to_dict() for each in found]})
    else:
        for each in found:
            _say_city(each)
    if any(each.faults for each in found):
        raise click.exceptions.Exit(1)


def _say_city(found: Verified) -> None:
    for fault in found.faults:
        place = " ".join(filter(None, (found.city, fault.number, f"event {fault.seq}" if fault.seq else "")))
        click.echo(f"{place}: {fault.sentence}")
    seen = f"{found.events:,} events of {found.cases:,} cases, {found.seals:,} daily roots"
    if found.faults:
        say(f"{found.city}: {len(found.faults)} faults; looked at {seen}.", style="red")
    else:
        say(f"{found.city}: unaltered; looked at {seen}.", style="green")


@ledger.command()
@click.argument("city")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@json_option
def root(city: str, day: datetime) -> None:
    """Print the root over everything that had happened in CITY by the end of DAY.

    Publish it, and nobody can change what came before unseen. The worker seals a day when it is over.

    \b
    Example: yiwang ledger root wuxi 2026-11-22
    """
    with site():
        installed_city(city)
        from yiwang.server.cases import ledger as operations

        found = operations.day_root(city=city, day=day.date())
    _show(found)


@ledger.command()
@click.argument("case")
@click.option("--seq", type=click.IntRange(min=1), help="Event of the case (default: the newest that is sealed).")
@json_option
def prove(case: str, seq: int | None) -> None:
    """Prove that an event of CASE, and with it all before, stands in its city's log, and that the log has only grown since.

    The proof holds what a stranger needs to check it with RFC 6962 alone; docs/reference/ledger.md shows how. The exit code is 1
    when it does not hold.

    \b
    Example: yiwang ledger prove WX2026112200017 --json > proof.json
    """
    with site():
        from yiwang.server.cases import ledger as operations

        found = operations.prove(number=case, seq=seq)
    _show(found)
    if not found["verified"]:
        say("The proof does not hold: the log was altered.", style="red")
        raise click.exceptions.Exit(1)


def _show(found: dict[str, Any]) -> None:
    if wants_json():
        emit(found)
        return
    rows = []
    for name, value in found.items():
        if isinstance(value, dict):
            rows += [(f"{name} {key}", part) for key, part in value.items()]
        elif isinstance(value, list):
            rows += [(name if number == 0 else "", part) for number, part in enumerate(value)]
        else:
            rows.append((name, value))
    emit_table(("", ""), rows)
