"""`yiwang ledger`: tamper evidence."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
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
    A root binds you only once it is PUBLISHED where you cannot change it: without a published root, whoever owns the database can
    rewrite everything, and nothing here can tell.
    """


@ledger.command()
@click.argument("city", required=False, default="")
@click.option(
    "--root", "given", multiple=True, metavar="DAY=HEX", help="A published root of CITY to compare with; repeatable."
)
@click.option(
    "--roots", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of published roots, each line CITY DAY SIZE HEX as the worker publishes them (or DAY HEX).",
)  # fmt: skip
@json_option
def verify(city: str, given: tuple[str, ...], file: Path | None) -> None:
    """Look at every event, case, report, photo and count, and every day's root, and name what does not fit.

    CITY is an installed city; without it all are verified. Give the roots that were published: without them, only changes that
    were not made everywhere at once can be found. Faults go to stdout, one a line; the exit code is 1 when there are any.

    \b
    Example: yiwang ledger verify wuxi --roots roots-from-the-newspaper.txt
    """
    published = roots_given(city, given, file)
    with site():
        if city:
            installed_city(city)
        from yiwang.server.cases import ledger as operations
        from yiwang.server.places import queries as places

        found = []
        for name in [city] if city else [info.id for info in places.cities()]:
            with progress(f"Verifying cases of {name}") as step:
                found.append(operations.verify(city=name, roots=published.get(name), progress=step))
    if wants_json():
        emit({"sound": not any(each.faults for each in found), "cities": [each.to_dict() for each in found]})
    else:
        for each in found:
            _say_city(each)
    if any(each.faults for each in found):
        raise click.exceptions.Exit(1)


def roots_given(city: str, given: tuple[str, ...], file: Path | None) -> dict[str, dict[date, str]]:
    """Published roots by city and day; one that is malformed is a wrong call (exit code 2)."""
    found: dict[str, dict[date, str]] = {}
    for text in given:
        day, _, digits = text.partition("=")
        _take(found, city, day.strip(), digits.strip(), text, "--root")
    if file is None:
        return found
    before = sum(map(len, found.values()))
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        words = line.split("#")[0].replace("=", " ").split()
        if not words:
            continue
        if len(words) not in (2, 4):
            raise click.BadParameter(
                f"{file}:{number}: {line.strip()!r} is no root. Each line is CITY DAY SIZE HEX, or DAY HEX.",
                param_hint="--roots",
            )
        name = words[0] if len(words) == 4 else city
        if not city or name == city:
            _take(found, name, words[-3] if len(words) == 4 else words[0], words[-1], f"{file}:{number}", "--roots")
    if sum(map(len, found.values())) == before:
        raise click.BadParameter(f"{file} holds no root{f' of {city}' if city else ''}.", param_hint="--roots")
    return found


def _take(found: dict[str, dict[date, str]], city: str, day: str, digits: str, where: str, option: str) -> None:
    if not city:
        raise click.BadParameter(f"{where} names no city. Give CITY too.", param_hint=option)
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        raise click.BadParameter(f"{where}: {day!r} is no day. Write 2026-11-22.", param_hint=option) from None
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise click.BadParameter(
            f"{where}: {digits!r} is no root. A root has 64 hexadecimal digits.", param_hint=option
        )
    if found.setdefault(city, {}).setdefault(parsed, digits) != digits:
        raise click.BadParameter(f"{where}: two different roots are given for {parsed}.", param_hint=option)


def _say_city(found: Verified) -> None:
    for fault in found.faults:
        place = " ".join(filter(None, (found.city, fault.number, f"event {fault.seq}" if fault.seq else "")))
        click.echo(f"{place}: {fault.sentence}")
    seen = f"{found.events:,} events of {found.cases:,} cases, {found.seals:,} daily roots"
    if found.faults:
        say(f"{found.city}: {len(found.faults)} faults; looked at {seen}.", style="red")
    else:
        say(f"{found.city}: everything fits; looked at {seen}.", style="green")
    if found.unsealed:
        since = f" since the seal of {found.sealed_day}" if found.sealed_day else ""
        say(f"{found.city}: {found.unsealed:,} events{since} are under no root yet.", style="yellow")
    matching = [day for day, same in found.published.items() if same]
    if matching:
        say(f"{found.city}: {len(matching)} published roots match; the newest binds everything up to {max(matching)}.")
    elif not found.published:
        say(
            f"{found.city}: compared with no published root (--root, --roots): whoever owns the database can have rewritten "
            "everything.",
            style="yellow",
        )


@ledger.command()
@click.argument("city")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@json_option
def root(city: str, day: datetime) -> None:
    """Print the root over everything that had happened in CITY by the end of DAY.

    Only once it is published where you cannot change it, nobody can rewrite what came before unseen. The worker seals a day when it
    is over, and publishes the root where YIWANG_PUBLISH_ROOTS says.

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
