"""`yiwang targets`: target letters, their bulletin, and whether a signed file holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import emit, emit_table, json_option, say, wants_json
from yiwang.cli.site import installed_city, site


@click.group()
def targets() -> None:
    """Target letters: what units are to reach in a year, how far they are, and whether a signed file holds."""


@targets.command()
@click.argument("city")
@click.option("--year", type=click.IntRange(2000, 2100), help="The newest of which there are letters by default.")
@json_option
def show(city: str, year: int | None) -> None:
    """Show the letters of CITY for a year: targets, figures so far, what is to be expected at the year's end, and the light.

    \b
    Example: yiwang targets show wuxi --year 2026
    """
    with site():
        from yiwang.server.targets import queries
        from yiwang.server.targets.progress import months_for

        place = installed_city(city)
        year = year or next(iter(queries.years_of(city, staff=True)), datetime.now(UTC).year)
        found = queries.letters_of(city, year, staff=True)
        months = months_for(place, found, year=year)
        told = [_told(one, months) for _, one in queries.ordered(place, found)]
    if wants_json():
        emit(told)
        return
    emit_table(
        ("unit", "version", "state", "indicator", "target", "so far", "year's end", "low", "high", "light"),
        [
            (
                one["unit"], one["version"], one["state"], item["indicator"], item["target"], item["value"], item["forecast"],
                item["low"], item["high"], item["light"],
            )
            for one in told
            for item in one["items"]
        ],
    )  # fmt: skip


@targets.command()
@click.argument("city")
@click.argument("year", type=click.IntRange(2000, 2100))
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the PDF is written."
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Its language.")
@json_option
def bulletin(city: str, year: int, out: Path, lang: str) -> None:
    """Write the bulletin of CITY's letters of YEAR as a PDF: who is ahead, who is behind, of whom it cannot be told.

    \b
    Example: yiwang targets bulletin wuxi 2026 -o targets.pdf
    """
    with site():
        from django.utils import translation

        from yiwang.server.targets.bulletin import bulletin_of
        from yiwang.server.targets.bulletin_pdf import bulletin_pdf

        place = installed_city(city)
        with translation.override({"zh": "zh-hans", "en": "en"}[lang]):
            found = bulletin_of(place, year)
            content = bulletin_pdf(found, place=place, now=datetime.now(UTC))
        unfinished = out.with_name(f".{out.name}.part")
        unfinished.write_bytes(content)
        unfinished.replace(out)  # whoever mails it never finds half a file
        counts = {part["id"]: len(part["rows"]) for part in found.parts}
    if wants_json():
        emit({"city": city, "year": year, "out": str(out), "bytes": len(content), "letters": found.letters, **counts})
    else:
        say(f"{out}: letters in force: {found.letters}; {len(content):,} bytes")


@targets.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--certificate",
    default="",
    metavar="HEX",
    help="SHA-256 of the certificate to trust; this installation's own by default.",
)
@json_option
def verify(file: Path, certificate: str) -> None:
    """Check the signatures in a letter's FILE: whether it is unchanged, and whether the key of this installation made them.

    The exit code is 1 unless there are signatures for both sides and all of them hold.

    \b
    Example: yiwang targets verify letter.pdf
    """
    with site():
        from yiwang.server.targets.pades import own_certificate, signatures_in

        trusted = certificate.replace(":", "").lower() or own_certificate()
        found = signatures_in(file.read_bytes(), trusted=trusted)
    holds = {"assessor", "unit"} <= {one.field for one in found} and all(one.holds for one in found)
    if wants_json():
        lines = [
            {
                "field": one.field, "name": one.name, "reason": one.reason, "at": one.at, "unchanged": one.unchanged,
                "certificate": one.certificate, "trusted": one.ours,
            }
            for one in found
        ]  # fmt: skip
        emit({"file": str(file), "holds": holds, "certificate": trusted, "signatures": lines})
    else:
        emit_table(
            ("side", "name", "at", "unchanged", "trusted"),
            [(one.field, one.name, one.at, one.unchanged, one.ours) for one in found],
        )
        if holds:
            say(f"{file}: both signatures hold; the file is unchanged.", style="green")
        else:
            say(f"{file}: does not hold. {len(found)} signatures were found.", style="red")
    if not holds:
        raise click.exceptions.Exit(1)


def _told(letter: Any, months: Any) -> dict[str, Any]:
    items = []
    for item in letter.items.all():
        found = months.progress(letter.unit, item)
        forecast = found.forecast
        items.append(
            {
                "indicator": item.indicator,
                "baseline": item.baseline,
                "target": item.target,
                "milestones": item.milestones,
                "value": found.value,
                "forecast": forecast and forecast.value,
                "low": forecast and forecast.low,
                "high": forecast and forecast.high,
                "light": found.light.value,
            }
        )
    return {
        "unit": letter.unit,
        "year": letter.year,
        "version": letter.version,
        "state": letter.step,
        "owner": letter.owner,
        "signed": [one.side for one in letter.signatures.all()],
        "items": items,
    }
