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
    from yiwang.server.ledger.api import LogCheck
    from yiwang.server.verification.ledger import VerificationReport

CASES = "cases"  # the stream whose app looks at more than the log
Roots = dict[str, dict[str, dict[date, str]]]  # by city, stream and day


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
    "--root",
    "given",
    multiple=True,
    metavar="DAY=HEX",
    help="A published root of the cases of CITY to compare with; repeatable.",
)
@click.option(
    "--roots", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of published roots, each line CITY STREAM DAY SIZE HEX as the worker publishes them (or DAY HEX).",
)  # fmt: skip
@json_option
def verify(city: str, given: tuple[str, ...], file: Path | None) -> None:
    """Look at every event, case, report, photo and count, and every day's root, and name what does not fit.

    CITY is an installed city; without it all are verified. Give the roots that were published: without them, only changes that
    were not made everywhere at once can be found. Faults go to stdout, one a line; the exit code is 1 when there are any.

    \b
    Example: yiwang ledger verify wuxi --roots roots-from-the-newspaper.txt
    """
    published = read_roots(city, given, file)
    with site():
        if city:
            installed_city(city)
        from yiwang.server.cities import queries as places
        from yiwang.server.ledger import api as logs
        from yiwang.server.verification import ledger as operations

        found, others = [], []
        for name in [city] if city else [info.id for info in places.cities()]:
            roots = published.get(name, {})
            with progress(f"Verifying cases of {name}") as step:
                found.append(operations.verify(city=name, roots=roots.get(CASES), progress=step))
            others.append(logs.check_others(city=name, known={CASES}, roots=roots))
    sound = not any(each.faults for each in found) and not any(
        log.faults for logs_of in others for log in logs_of.values()
    )
    if wants_json():
        told = [
            each.to_dict() | {"streams": [{"stream": name} | log.to_dict() for name, log in logs_of.items()]}
            for each, logs_of in zip(found, others, strict=True)
        ]
        emit({"sound": sound, "cities": told})
    else:
        for each, logs_of in zip(found, others, strict=True):
            _say_city(each)
            _say_streams(each.city, logs_of)
    if not sound:
        raise click.exceptions.Exit(1)


def read_roots(city: str, given: tuple[str, ...], file: Path | None) -> Roots:
    """Published roots by city, stream and day; one that is malformed is a wrong call (exit code 2)."""
    found: Roots = {}
    for text in given:
        day, _, digits = text.partition("=")
        _take(found, (city, CASES), day.strip(), digits.strip(), text, "--root")
    if file is None:
        return found
    taken = 0
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        words = line.split("#")[0].replace("=", " ").split()
        if not words:
            continue
        if len(words) not in (2, 5):
            raise click.BadParameter(
                f"{file}:{number}: {line.strip()!r} is no root. Each line is CITY STREAM DAY SIZE HEX, or DAY HEX.",
                param_hint="--roots",
            )
        name, stream, day = (words[0], words[1], words[2]) if len(words) == 5 else (city, CASES, words[0])
        if not city or name == city:
            _take(found, (name, stream), day, words[-1], f"{file}:{number}", "--roots")
            taken += 1
    if not taken:
        raise click.BadParameter(f"{file} holds no root{f' of {city}' if city else ''}.", param_hint="--roots")
    return found


def _take(found: Roots, log: tuple[str, str], day: str, digits: str, where: str, option: str) -> None:
    city, stream = log
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
    if found.setdefault(city, {}).setdefault(stream, {}).setdefault(parsed, digits) != digits:
        raise click.BadParameter(f"{where}: two different roots are given for {parsed}.", param_hint=option)


def _say_city(found: VerificationReport) -> None:
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


def _say_streams(city: str, logs: dict[str, LogCheck]) -> None:
    for name, found in logs.items():
        for fault in found.faults:
            click.echo(f"{city} {name}: {fault.sentence}")
        faults = f"{len(found.faults)} faults" if found.faults else "everything fits"
        say(f"{city}, {name}: {faults}; {found.seals:,} daily roots.", style="red" if found.faults else "green")


@ledger.command()
@click.argument("city")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--stream", default=CASES, show_default=True, help="Which log of CITY.")
@json_option
def root(city: str, day: datetime, stream: str) -> None:
    """Print the root over everything that had happened in CITY by the end of DAY.

    Only once it is published where you cannot change it, nobody can rewrite what came before unseen. The worker seals a day when it
    is over, and publishes the root where YIWANG_PUBLISH_ROOTS says.

    \b
    Example: yiwang ledger root wuxi 2026-11-22
    """
    with site():
        installed_city(city)
        from yiwang.server.ledger import api

        found = api.day_root(stream=stream, city=city, day=day.date())
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
        from yiwang.server.verification import ledger as operations

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
