"""`yiwang plan screening`: staff of sampling sites by hour. Needs no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import emit, emit_table, json_option, progress, say, wants_json
from yiwang.cli.plan_queue import figures, text_of

if TYPE_CHECKING:
    from yiwang.core.planning.queues.screening import SitePlan

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="screening")
@click.argument("file", type=_FILE)
@click.option("--city", help="A city, pack folder or id whose planning.toml gives the values.")
@click.option("--set", "given", multiple=True, metavar="ID=VALUE", help="A planning value, instead of the city's.")
@click.option("--lab-capacity", type=click.FloatRange(0, min_open=True), help="Tubes a day of all laboratories.")
@click.option("--turnaround", default=6.0, show_default=True, help="Hours from taking a tube in hand to its result.")
@click.option("--transport", default=60.0, show_default=True, help="Minutes from the sites to the laboratory.")
@click.option("--tube-cost", default=0.0, show_default=True, help="Cost of a tube.")
@click.option("--staff-cost", default=0.0, show_default=True, help="Cost of one person for an hour.")
@click.option(
    "--most", default=200, show_default=True, type=click.IntRange(1, 1000), help="The most samplers of a site."
)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed gives the same plan.")
@click.option("--replications", default=100, show_default=True, type=click.IntRange(2), help="Days that are simulated.")
@json_option
def screening(
    file: Path, city: str | None, given: tuple[str, ...], lab_capacity: float | None, turnaround: float,
    transport: float, tube_cost: float, staff_cost: float, most: int, seed: int, replications: int,
) -> None:  # fmt: skip
    """Samplers, tables and tubes of sampling sites by hour, with a bound.

    FILE is a CSV of sites: id,people,opens,closes and perhaps shares (weights of the open hours, 1;2;1) and walk_minutes.

    \b
    Example: yiwang plan screening sites.csv --city wuxi --lab-capacity 20000
    """
    from yiwang.core.planning.queues.laboratory import Laboratory, load_laboratories
    from yiwang.core.planning.queues.reading import read_sites
    from yiwang.core.planning.queues.screening import ScreeningRules, plan_site, total_standing, tubes_by_hour

    values, origin = _values(city, given, ScreeningRules.__slots__)
    rules = ScreeningRules(**values)
    sites = read_sites(text_of(file), file=file.name)
    plans = []
    with progress("Sites", len(sites)) as step:
        for number, site in enumerate(sites, start=1):
            plans.append(plan_site(site, rules, most=most, seed=seed, replications=replications))
            step(number)
    standing, tubes = total_standing(plans), tubes_by_hour(plans)
    labs = []
    if lab_capacity:
        one = Laboratory(
            id="all", capacity=lab_capacity, turnaround=turnaround, transport=transport, tube_cost=tube_cost
        )
        labs = load_laboratories(tubes, [one])
    staff_hours = sum(plan.staff_hours for plan in plans)
    for plan in plans:
        for note in plan.notes:
            say(f"{plan.site.id}: {note}", style="yellow")
    say(f"{standing.objective:g} sampler-hours; no schedule has fewer than {standing.bound:g}.")
    for lab in labs:
        say(f"{lab.tubes:g} tubes; the last result comes {lab.last_result:.1f} hours after the first midnight.")
    if wants_json():
        emit(
            {
                "objective": standing.objective,
                "bound": standing.bound,
                "gap": standing.gap,
                "proven": standing.proven,
                "seed": seed,
                "values": [{"id": name, "value": values[name], "from": origin[name]} for name in values],
                "sites": [_site(plan) for plan in plans],
                "tubes": sum(tubes),
                "tubes_by_hour": {hour: count for hour, count in enumerate(tubes) if count},
                "staff_hours": staff_hours,
                "laboratory": [{name: getattr(lab, name) for name in lab.__slots__} for lab in labs],
                "cost": staff_hours * staff_cost + sum(tubes) * tube_cost,
            }
        )
        return
    header = ("site", "hour", "people", "samplers", "least", "tables", "staff", "tubes", "wait", "within", "kept")
    emit_table(
        header,
        [
            (
                plan.site.id, one.hour, round(one.people), one.samplers, one.least, one.tables, one.staff, one.tubes,
                round(one.simulated.mean_wait.value, 1), round(one.simulated.within.value, 3), one.kept.value,
            )
            for plan in plans
            for one in plan.hours
        ],
    )  # fmt: skip


def _site(plan: SitePlan) -> dict[str, Any]:
    from yiwang.core.planning.queues.screening import total_standing

    standing = total_standing([plan])
    return {
        "id": plan.site.id,
        "people": plan.site.people,
        "objective": standing.objective,
        "bound": standing.bound,
        "gap": standing.gap,
        "points_by_norm": plan.points,
        "tables_by_norm": plan.tables_by_norm,
        "samplers_by_norm": plan.samplers_by_norm,
        "tubes": plan.tubes,
        "staff_hours": plan.staff_hours,
        "notes": [{"zh": note.zh, "en": note.en} for note in plan.notes],
        "whole": figures(plan.schedule.outcome.whole[0]),
        "hours": [
            {
                **{
                    name: getattr(one, name)
                    for name in ("hour", "people", "samplers", "least", "tables", "staff", "tubes")
                },
                **figures(one.simulated),
                "kept": one.kept.value,
            }
            for one in plan.hours
        ],
    }


def _values(
    city: str | None, given: tuple[str, ...], needed: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, dict[str, str]]]:
    """The values that are needed, and where each comes from."""
    values: dict[str, float] = {}
    origin: dict[str, dict[str, str]] = {}
    if city:
        from yiwang.cli.city import city_pack

        for one in city_pack(city).planning:
            if one.id in needed:
                values[one.id] = one.value
                origin[one.id] = {"zh": one.source.zh, "en": one.source.en, "confidence": one.confidence}
    for text in given:
        name, _, number = text.partition("=")
        if name not in needed:
            raise click.BadParameter(f"There is no value {name!r}; one of {', '.join(needed)}.", param_hint="--set")
        try:
            values[name] = float(number)
        except ValueError as error:
            raise click.BadParameter(f"{number!r} is no number, in {text!r}.", param_hint="--set") from error
        origin[name] = {"zh": "命令行", "en": "command line", "confidence": ""}
    missing = [name for name in needed if name not in values]
    if missing:
        where = f"The planning.toml of {city}" if city else "Without --city nothing"
        says = "does not give" if city else "gives"
        raise click.UsageError(f"{where} {says} {', '.join(missing)}: give each with --set ID=VALUE.")
    return {name: values[name] for name in needed}, origin
