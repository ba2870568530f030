"""`yiwang plan people`: where a city's people live, as demand for other plans. Needs no database."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from datetime import datetime

import click

from yiwang.cli.output import emit, json_option, say, wants_json
from yiwang.core.planning.people import people_at


@click.command(name="people")
@click.argument("city")
@click.option("--level", required=True, help="Level of the regions: one point for each.")
@json_option
def people(city: str, level: str) -> None:
    """Write id,lon,lat,weight for every region of a level, from the counts in the pack's planning.toml.

    Where a region was not counted it has an even share of the nearest larger one that was: an estimate, and said to be one.

    \b
    Example: yiwang plan people wuxi --level community > people.csv
    """
    from yiwang.cli.city import city_folder
    from yiwang.packs import read_pack

    pack = read_pack(city_folder(city))
    levels = [one.id for one in pack.info.levels]
    if level not in levels:
        raise click.BadParameter(f"There is no level {level!r}; one of {', '.join(levels)}.", param_hint="--level")
    found = list(people_at(pack.people, pack.regions.on(datetime.now(pack.info.zone).date()), level))
    if wants_json():
        emit([asdict(one) for one in found])
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("id", "lon", "lat", "weight"))
    table.writerows((one.region, f"{one.lon:.6f}", f"{one.lat:.6f}", f"{one.people:.3f}") for one in found)
    guessed = sum(one.estimate for one in found)
    if guessed:
        say(
            f"{guessed} of {len(found)} regions have an even share of a larger one that was counted: an estimate.",
            style="yellow",
        )
