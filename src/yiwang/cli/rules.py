"""`yiwang rules`: why a report goes where it goes, and what changed rules would have done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from yiwang.cli.city import city_pack
from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.core.space import SYSTEMS
from yiwang.packs import Explainer, Explanation


@click.group()
def rules() -> None:
    """Explain a decision; try changed rules on the past."""


class Moment(click.ParamType):  # type: ignore[type-arg]
    """A time with or without an offset; without one it is the city's."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
            _ = (found - timedelta(days=2), found + timedelta(days=2))  # at the ends of time no zone can be reckoned
            return found
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write e.g. 2026-03-06T17:00 or 2026-03-06T17:00+08:00.", param, ctx)


@rules.command()
@click.argument("city")
@click.option("--category", required=True, help="Category code of the scheme that cases use.")
@click.option("--condition", default="", help="Filing condition of the category.")
@click.option("--lon", type=float, help="Longitude.")
@click.option("--lat", type=float, help="Latitude.")
@click.option("--crs", type=click.Choice(SYSTEMS), help="Coordinate system (default: the pack's).")
@click.option("--region", default="", help="Region or unit grid code, instead of coordinates.")
@click.option("--source", default=None, help="Channel of the report (default: that of whoever comes from outside).")
@click.option("--at", type=Moment(), help="When; without an offset the city's time (default: now).")
@click.option(
    "--language",
    type=click.Choice(["zh", "en", "both"]),
    default="both",
    show_default=True,
    help="Language of the reasons.",
)
@json_option
def explain(city: str, language: str, at: datetime | None, **report: Any) -> None:
    """Tell the unit, the limit and the deadline of a report, and the rows that decided.

    CITY is an installed city, or a pack by folder or id; no database is needed. The deadline counts the limit from --at, as if
    the case were dispatched at once.

    \b
    Example: yiwang rules explain wuxi --category 01001 --lon 120.3119 --lat 31.4912 --at 2026-03-06T17:00
    """
    if (report["lon"] is None) != (report["lat"] is None):
        raise click.UsageError("Give both --lon and --lat, or --region.")
    pack = city_pack(city)
    moment = at or datetime.now(pack.info.zone)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=pack.info.zone)
    if report["source"] is None:
        report["source"] = pack.workflow.channel_of(pack.workflow.outside_roles())
    found = Explainer(pack).explain(at=moment, crs=report.pop("crs") or "", **report)
    if wants_json():
        emit(found.to_dict())
        return
    emit_table(("", ""), _facts(found))
    for name, decision in found.decisions.items():
        for chosen in ("zh", "en"):
            if language in (chosen, "both"):
                why = [reason.into(chosen) for reason in decision.why()[:3]] if decision else ["no row answers"]
                click.echo(f"\n{name}")
                click.echo("\n".join(f"  {sentence}" for sentence in why))


def _facts(found: Explanation) -> list[tuple[str, str]]:
    answers = found.answers()
    path = " > ".join(f"{region.name.zh} {region.name.en}" for region in found.chain) or "unknown"
    unit = f"{answers['unit']} {found.holder.name.zh} {found.holder.name.en}" if found.holder else "none"
    estimated = " (estimate: the year's holidays are not announced yet)" if found.deadline_estimated else ""
    return [
        ("category", f"{found.category.code} {found.category.name.zh} {found.category.name.en}"),
        ("region", f"{found.region or 'unknown'} {found.grid} {found.flag}".strip()),
        ("path", path),
        ("priority", answers["priority"]),
        ("centre", answers["centre"]),
        ("unit", unit),
        ("limit", answers["limit"] or "none"),
        ("deadline", (answers["deadline"] or str(found.deadline_fault) or "none") + estimated),
    ]


@rules.command(name="dry-run")
@click.argument("city")
@click.argument("pack_path")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Look at cases opened on or after this day."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many changes to list for each table.",
)
@json_option
def dry_run(city: str, pack_path: str, since: datetime, limit: int) -> None:
    """Compare changed rules with those in force, on past cases.

    CITY is an installed city, PACK_PATH a folder with the changed pack. Nothing is changed. For each table: how many cases would
    have been answered otherwise, and by which rows.

    \b
    Example: yiwang rules dry-run wuxi ../wuxi-draft --since 2026-10-01
    """
    from yiwang.cli.city import pack_folder
    from yiwang.cli.site import installed_city, site
    from yiwang.packs import read_pack

    new = read_pack(pack_folder(pack_path, param_hint="PACK_PATH"))
    with site():
        from yiwang.server.governance.dry_run import compare_packs, past_facts

        old = installed_city(city).pack
        with progress("Reading cases") as step:
            facts = past_facts(city=city, since=since.replace(tzinfo=old.info.zone), zone=old.info.zone, step=step)
    result = compare_packs(old=old, new=new, facts=facts, most=limit)
    if wants_json():
        emit({"city": city, "since": since.date(), **result})
        return
    say(f"{result['cases']:,} cases since {since.date()}.")
    for name, table in result["tables"].items():
        say(
            f"{name}: {table['changed']:,} answered otherwise, {table['gained']:,} gain a row, {table['lost']:,} lose theirs."
        )
    rows = [
        (name, change["count"], change["old_row"] or "none", change["new_row"] or "none", change["old"], change["new"])
        for name, table in result["tables"].items()
        for change in table["changes"]
    ]
    emit_table(("table", "cases", "row now", "row then", "answer now", "answer then"), rows)
