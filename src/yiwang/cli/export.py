"""`yiwang export`: the case log in the forms that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.site import installed_city, site

FORMS = {
    "parquet": "tables for analysis (Apache Parquet)",
    "xes": "event log (IEEE 1849)",
    "ocel": "object-centric event log (OCEL 2.0)",
    "pnml": "the workflow as a Petri net",
}


@click.command()
@click.argument("city")
@click.argument("form", type=click.Choice(list(FORMS)))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--actors", is_flag=True, help="Ids of accounts as they are, instead of pseudonyms (xes, ocel).")
@click.option("--open-cases", is_flag=True, help="Let traces stop at any step, for logs with open cases (pnml).")
@json_option
def export(city: str, form: str, path: Path, actors: bool, open_cases: bool) -> None:
    """Write the case log of CITY to PATH.

    \b
    parquet  facts of the cases, a folder of files by city and month
    xes      event log, IEEE 1849; packed when PATH ends in .gz
    ocel     object-centric event log, OCEL 2.0; SQLite when PATH ends in .sqlite, else JSON
    pnml     the workflow as a Petri net, on which the log can be replayed

    xes and ocel hold no contacts, texts, photos or points. Whoever acted appears under a pseudonym made with a key that stays on
    this site.

    \b
    Example: yiwang export wuxi xes wuxi.xes.gz
    """
    if form != "parquet" and not path.parent.is_dir():
        raise click.BadParameter(f"There is no folder {path.parent}.", param_hint="PATH")
    with site():
        installed_city(city)
        with progress(f"Exporting {city}") as step:
            written = _write(city, form, path, actors, open_cases, step)
    if wants_json():
        emit({"city": city, "form": form, "path": str(path), **written})
        return
    emit_table(("", ""), list(written.items()))
    say(f"Wrote {path}.", style="green")


def _write(city: str, form: str, path: Path, actors: bool, open_cases: bool, step: Any) -> dict[str, Any]:
    if form == "parquet":
        from yiwang.server.scores.exporting import export_parquet

        return export_parquet(city=city, path=path)
    from yiwang.server.scrutiny import exporting

    if form == "pnml":
        return exporting.export_pnml(city=city, path=path, open_cases=open_cases)
    write = exporting.export_xes if form == "xes" else exporting.export_ocel
    return write(city=city, path=path, reveal=actors, progress=step)
