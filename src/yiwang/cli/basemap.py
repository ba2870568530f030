"""`yiwang basemap`: the map under a city, from an extract of OpenStreetMap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from yiwang.cli.city import city_pack
from yiwang.cli.output import Failed, emit, json_option, progress, say, wants_json


@click.group()
def basemap() -> None:
    """Make the map under a city from an extract of OpenStreetMap.

    What is made here lies under the city's maps instead of the layers of its pack. See docs/reference/basemap.md.
    """


@basemap.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("city")
@click.option(
    "--margin", type=click.FloatRange(0, 50), default=3.0, show_default=True, help="Kilometres kept around the city."
)
@json_option
def build(file: Path, city: str, margin: float) -> None:
    """Make the map under CITY from FILE, an .osm.pbf of its region.

    The map in force stays until the new one is whole. The same file again changes nothing.

    \b
    Example: yiwang basemap build jiangsu-latest.osm.pbf wuxi
    """
    import shapely

    from yiwang.cli.site import site
    from yiwang.packs import osm

    pack = city_pack(city)
    outlines = [region.geometry for region in pack.regions if region.geometry is not None]
    if not outlines:
        raise Failed(f"The pack of {pack.id} has no outline of the city, so nothing can be cut out for it.")
    with site():
        from yiwang.server.basemap import grounds

        with progress("Reading") as step:
            extract = osm.read_extract(file, shapely.union_all(outlines), margin=margin * 1000, step=step)
        say("Making tiles …")
        made = grounds.replace(pack.id, lambda folder: osm.write_folder(folder, extract))
    counts: dict[str, Any] = {name: len(features) for name, features in extract.layers.items()}
    if wants_json():
        warnings = [{"zh": warning.zh, "en": warning.en} for warning in extract.warnings]
        emit({"city": pack.id, "digest": made.digest, "day": extract.day, "features": counts, "warnings": warnings})
        return
    for warning in extract.warnings:
        say(f"{warning.zh}\n{warning.en}", style="yellow")
    said = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    of = f" of {extract.day}" if extract.day else ""
    say(f"{pack.id} has a base map from OpenStreetMap{of}: {said}.", style="green")


@basemap.command()
@click.argument("city")
@json_option
def remove(city: str) -> None:
    """Go back to the layers of CITY's pack.

    \b
    Example: yiwang basemap remove wuxi
    """
    from yiwang.cli.site import site

    pack = city_pack(city)
    with site():
        from yiwang.server.basemap import grounds

        removed = grounds.remove(pack.id)
    if wants_json():
        emit({"city": pack.id, "removed": removed})
    else:
        say(
            f"{pack.id} has the map of its pack again." if removed else f"{pack.id} has no map of its own.",
            style="green",
        )
