"""`yiwang assets`: the component inventory, from files and to files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site

COUNTED = ("new", "same", "moved", "changed", "missing", "refused")
OUTCOMES = ("new", "moved", "changed", "missing")


@click.group()
def assets() -> None:
    """The component inventory: bring a census, decide on what it found, write the inventory out."""


def _columns(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, sign, heading = one.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter(f"{one!r} is not FIELD=HEADING, e.g. lon=经度.")
        found[name.strip()] = heading.strip()
    return found


@assets.command("import")
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--class", "kind", required=True, metavar="CODE", help="The class of all components in the file.")
@click.option("--crs", default="", metavar="CRS", help="EPSG code, gcj02, bd09 or cgcs2000; the file's own by default.")
@click.option(
    "--column", "columns", multiple=True, callback=_columns, metavar="FIELD=HEADING",
    help="What a column means where its heading does not say it. Repeatable.",
)  # fmt: skip
@click.option(
    "--keep", "kept", multiple=True, metavar="HEADING", help="Keep only these columns as attributes. Repeatable."
)
@click.option("--mapping", default="", metavar="NAME", help="Columns as they were saved under a name.")
@click.option(
    "--save-mapping", "saved_as", default="", metavar="NAME", help="Save the columns under a name for next time."
)
@click.option(
    "--within", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True, metavar="METRES",
    help="How far a component without code or id may have moved.",
)  # fmt: skip
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=2.0, show_default=True, metavar="METRES",
    help="Up to here a place counts as the same.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option(
    "--confirm", is_flag=True, help="Take up everything that a later census finds, without waiting for a person."
)
@json_option
def take(
    city: str,
    file: Path,
    kind: str,
    crs: str,
    columns: dict[str, str],
    kept: tuple[str, ...],
    mapping: str,
    saved_as: str,
    within: float,
    tolerance: float,
    dry_run: bool,
    confirm: bool,
) -> None:
    """Import components of one class from FILE: CSV, workbook, GeoJSON, GeoPackage or Shapefile.

    The first census of a class is the inventory. A later one is compared with it: new, moved, changed and missing components
    wait until a person decides (on the page, by `assets decide`, or here with --confirm). The same command again goes on where
    it was stopped.

    \b
    Example: yiwang assets import wuxi lamps.csv --class 01019 --column lon=经度 --column lat=纬度
    """
    started = time.perf_counter()
    with site():
        from yiwang.server.assets import api

        installed_city(city)
        options = api.Options(
            columns={**api.saved_columns(city=city, name=mapping), **columns} if mapping else columns,
            kept=kept or None,
            crs=crs,
            within=within,
            tolerance=tolerance,
        )
        with progress("rows") as step:
            taken = api.take_census(
                city=city, kind=kind, path=file, options=options, by="cli", dry_run=dry_run, progress=step
            )
        if saved_as and not dry_run:
            api.save_columns(city=city, name=saved_as, columns=dict(options.columns), by="cli")
        waiting = taken.step == "waiting"
        if confirm and waiting and taken.census:
            api.decide(census=api.Census.objects.get(pk=taken.census), accept=True, by="cli")
            waiting = False
    seconds = time.perf_counter() - started
    if wants_json():
        emit(
            {
                "rows": taken.rows,
                **{name: taken.counts[name] for name in COUNTED},
                "seconds": round(seconds, 3),
                "rows_per_second": round(taken.rows / seconds),
                "census": taken.census,
                "waiting": waiting,
                "dry_run": dry_run,
                "problems": [problem_json(one) for one in taken.problems],
            }
        )
        return
    for problem in taken.problems[:20]:
        say(str(problem), style="yellow")
    if taken.counts["refused"] > 20:
        say(f"… and {taken.counts['refused'] - 20:,} more rows. --json names up to 200.", style="yellow")
    emit_table(("", ""), [("rows", taken.rows), *((name, taken.counts[name]) for name in COUNTED)])
    if dry_run:
        say("Nothing was written.", style="green")
    elif waiting:
        say(
            f"Census {taken.census} waits for decisions: yiwang assets decide {city} {taken.census} --accept",
            style="green",
        )


@assets.command()
@click.argument("city")
@click.argument("census", type=int)
@click.option(
    "--accept/--refuse", "taken_up", required=True, default=None, help="Take the findings up, or leave the inventory."
)
@click.option(
    "--only", "outcomes", multiple=True, type=click.Choice(OUTCOMES), help="Only findings of this kind. Repeatable."
)
@json_option
def decide(city: str, census: int, taken_up: bool, outcomes: tuple[str, ...]) -> None:
    """Decide on what CENSUS, a number that the import printed, found otherwise than the inventory of CITY says.

    \b
    Example: yiwang assets decide wuxi 12 --accept --only moved
    """
    with site():
        from yiwang.server.assets import api

        installed_city(city)
        found = api.Census.objects.filter(city=city, pk=census).first()
        if found is None:
            raise Failed(f"{city} has no census {census}.")
        decided = api.decide(census=found, accept=taken_up, by="cli", outcomes=outcomes or None)
        left = found.findings.filter(decision="open").count()
    if wants_json():
        emit({"census": census, "decided": decided, "open": left})
    else:
        say(f"{decided:,} findings {'taken up' if taken_up else 'refused'}, {left:,} left.", style="green")


@assets.command()
@click.argument("city")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--class", "kind", default="", metavar="CODE", help="Only this class.")
@json_option
def export(city: str, file: Path, kind: str) -> None:
    """Write the components of CITY to FILE: .csv, .geojson or .gpkg.

    \b
    Example: yiwang assets export wuxi lamps.gpkg --class 01037
    """
    started = time.perf_counter()
    with site():
        from yiwang.server.assets import api

        installed_city(city)
        with progress("components") as step:
            written = api.export_components(city=city, path=file, kind=kind, progress=step)
    if wants_json():
        emit({"rows": written, "out": str(file), "seconds": round(time.perf_counter() - started, 3)})
    else:
        say(f"{file}: {written:,} components", style="green")


@assets.command()
@click.argument("city")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--class", "kind", default="", metavar="CODE", help="Only this class.")
@click.option("--region", default="", metavar="CODE", help="Only this region.")
@click.option("--address", required=True, metavar="URL", help="Where the site is found, e.g. https://city.example")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Their language.")
@json_option
def labels(city: str, file: Path, kind: str, region: str, address: str, lang: str) -> None:
    """Write labels for the components of CITY as a PDF: a QR code each, which opens a report about that component.

    \b
    Example: yiwang assets labels wuxi labels.pdf --class 01037 --address https://city.example
    """
    with site():
        from django.utils import translation

        from yiwang.server.assets import api
        from yiwang.server.assets.labels import MOST, label_sheet

        place = installed_city(city)
        asked = api.Component.objects.filter(city=city, region__startswith=region).exclude(state__in=api.GONE)
        asked = asked.filter(kind=kind) if kind else asked
        count = asked.count()
        if count > MOST:
            raise Failed(f"{count:,} labels are more than a file holds ({MOST:,}): name a class or a region.")
        if not count:
            raise Failed(f"{city} has no such components.")
        with translation.override({"zh": "zh-hans", "en": "en"}[lang]):
            content = label_sheet(asked.order_by("region", "code").iterator(2000), place=place, address=address)
    file.write_bytes(content)
    if wants_json():
        emit({"labels": count, "out": str(file)})
    else:
        say(f"{file}: {count:,} labels", style="green")


def problem_json(problem: Any) -> dict[str, Any]:
    """A fault of a row as JSON."""
    return {
        "row": problem.row,
        "column": problem.column,
        "message": problem.message.into("en"),
        "message_zh": problem.message.into("zh"),
        "hint": problem.hint.into("en"),
        "hint_zh": problem.hint.into("zh"),
    }


@assets.command()
@click.argument("city")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def costs(city: str, file: Path | None) -> None:
    """Enter what components have cost from FILE, or show the sums of CITY by class, year and kind.

    FILE is a CSV file or a workbook with the columns code, kind (purchase, installation, maintenance, repair, removal), day,
    amount and voucher, and if you like case and note. A row whose voucher stands at its component already is left as it is, so
    a file may be brought again.

    \b
    Example: yiwang assets costs wuxi repairs-2026.csv
    """
    with site():
        from yiwang.server.assets import api
        from yiwang.server.common.formatting import currency_of

        place = installed_city(city)
        if file is None:
            sums, currency = api.class_costs(city=city), currency_of(place.info.country)
        else:
            with progress("rows") as step:
                taken = api.take_costs(city=city, path=file, by="cli", progress=step)
    if file is None:
        if wants_json():
            emit([{**one, "amount": str(one["amount"]), "currency": currency} for one in sums])
            return
        emit_table(
            ("class", "year", "kind", "components", f"amount {currency}".strip()),
            [(one["class"], str(one["year"]), one["kind"], one["components"], f"{one['amount']:,.2f}") for one in sums],
        )
        return
    counts = {name: getattr(taken, name) for name in ("rows", "new", "same", "refused")}
    if wants_json():
        emit({**counts, "problems": [problem_json(one) for one in taken.problems]})
        return
    for problem in taken.problems[:20]:
        say(str(problem), style="yellow")
    if taken.refused > 20:
        say(f"… and {taken.refused - 20:,} more rows. --json names up to 200.", style="yellow")
    emit_table(("", ""), list(counts.items()))
