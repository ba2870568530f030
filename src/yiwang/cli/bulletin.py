"""`yiwang bulletin`: the bulletin of a day or week on paper."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from yiwang.cli.output import Failed, emit, json_option, say, wants_json
from yiwang.cli.site import installed_city, site

LONGEST_WAIT = 600.0  # seconds for the cases of a large city to be read into memory


@click.command()
@click.argument("city")
@click.option("--day", default="", metavar="DAY", help="A day, e.g. 2026-11-28; yesterday by default.")
@click.option(
    "--week", default="", metavar="WEEK", help="A week instead, e.g. 2026-W48; `last` for the last whole one."
)
@click.option("--region", default="", metavar="CODE", help="Only this region; the whole city by default.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Its language.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the PDF is written.")
@json_option
def bulletin(city: str, day: str, week: str, region: str, lang: str, out: Path) -> None:
    """Write the bulletin of a day or week of CITY as a PDF, so that a timer may mail it every morning.

    \b
    Example: yiwang bulletin wuxi --week last --lang zh --out /var/spool/wuxi.pdf
    """
    with site():
        from django.utils import translation

        from yiwang.core.kernel.errors import BadInput
        from yiwang.server.bulletins.bulletin import bulletin as made_of
        from yiwang.server.bulletins.bulletin_pdf import bulletin_pdf
        from yiwang.server.bulletins.periods import default_day, read_period
        from yiwang.server.cases.api import stands_at
        from yiwang.server.centre.board import BoardNotReady

        place = installed_city(city)
        zone, stands = place.info.zone, stands_at(city=city)
        now = stands or datetime.now(UTC)
        try:
            period = read_period(day=day, week=week, zone=zone, default=default_day(stands=stands, zone=zone))
        except BadInput as error:
            raise click.BadParameter(str(error), param_hint="--week" if week else "--day") from error
        if region and region not in place.regions:
            raise click.BadParameter(f"{city} has no region {region!r}.", param_hint="--region")
        if period.start > now:
            raise click.BadParameter(f"{period.value} is still to come.", param_hint="--week" if week else "--day")
        of = place.regions[region] if region else place.regions.roots[0]
        until = time.monotonic() + LONGEST_WAIT
        with translation.override({"zh": "zh-hans", "en": "en"}[lang]):
            while True:
                try:
                    found = made_of(place=place, region=of, period=period, now=now)
                    break
                except BoardNotReady:
                    if time.monotonic() > until:
                        raise Failed(f"The cases of {city} could not be read within ten minutes.") from None
                    time.sleep(0.5)
            if found is None:
                raise Failed(f"{city} had no cases by {period.value}.")
            content = bulletin_pdf(found, place=place, now=datetime.now(UTC))
        unfinished = out.with_name(f".{out.name}.part")
        unfinished.write_bytes(content)
        unfinished.replace(out)  # whoever mails it never finds half a file
        if wants_json():
            emit({"city": city, "region": of.code, "period": period.value, "out": str(out), "bytes": len(content)})
        else:
            say(f"{out}: {period.value}, {len(content):,} bytes")
