"""`yiwang plan queue`: lanes of a checkpoint by hour. Needs no database."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import emit, emit_table, json_option, say, wants_json
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.packs.files import decode

if TYPE_CHECKING:
    from yiwang.core.planning.queues.simulation import HourFigures

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _lanes(_: click.Context, __: click.Parameter, value: str) -> int | None:
    if value == "auto":
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 1000:
        raise click.BadParameter(f"{value!r} is neither a number of lanes, 1 to 1000, nor 'auto'.")
    return int(value)


@click.command(name="queue")
@click.option("--arrivals", required=True, type=_FILE, help="CSV: hour,class,arrivals; hours from 0.")
@click.option("--service", required=True, type=_FILE, help="CSV: class,mean_seconds,scv and perhaps lanes of its own.")
@click.option(
    "--lanes", required=True, metavar="N|auto", callback=_lanes,
    help="Lanes that classes share; auto finds the fewest by hour.",
)  # fmt: skip
@click.option("--wait", default=10.0, show_default=True, help="The longest wait, in minutes.")
@click.option("--probability", default=0.9, show_default=True, help="The share that waits no longer, in each hour.")
@click.option("--guidance", default=0, show_default=True, help="Places of the guidance area.")
@click.option(
    "--buffer", type=int, help="Places of the buffer area behind it; without it there is room for any number."
)
@click.option(
    "--spill", default=0.05, show_default=True, help="The highest probability of spilling back, in each hour."
)
@click.option("--most", default=40, show_default=True, type=click.IntRange(1, 1000), help="The most lanes of a group.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="The same seed gives the same plan.")
@click.option("--replications", default=200, show_default=True, type=click.IntRange(2), help="Days that are simulated.")
@json_option
def queue(
    arrivals: Path, service: Path, lanes: int | None, wait: float, probability: float, guidance: int,
    buffer: int | None, spill: float, most: int, seed: int, replications: int,
) -> None:  # fmt: skip
    """Lanes of a checkpoint by hour: waits, queues, and the chance of spilling back.

    With --lanes auto it finds the fewest lane-hours and says for each hour why one lane less fails.

    \b
    Example: yiwang plan queue --arrivals arrivals.csv --service service.csv --lanes auto --wait 5 --buffer 30
    """
    from yiwang.core.planning.queues.checkpoints import Checkpoint, Kept, plan_checkpoint
    from yiwang.core.planning.queues.reading import read_groups

    groups = read_groups(text_of(arrivals), text_of(service), lanes=lanes, files=(arrivals.name, service.name))
    plan = plan_checkpoint(
        Checkpoint(groups=groups, guidance=guidance, buffer=buffer),
        wait=wait, probability=probability, spill=spill, most=most, seed=seed, replications=replications,
    )  # fmt: skip
    standing = plan.schedule.standing
    rows = [
        {
            "group": one.group,
            "hour": one.hour,
            "lanes": one.lanes,
            "least": one.least,
            "by_formula": one.by_formula,
            "load": one.load,
            "utilisation": one.utilisation,
            **figures(one.simulated),
            "formula_wait": _finite(one.formula_wait),
            "formula_quantile": _finite(one.formula_quantile),
            "fluid_wait": _finite(one.fluid_wait),
            "fluid_queue": one.fluid_queue,
            "kept": one.kept.value,
            "one_less": {"zh": one.one_less.zh, "en": one.one_less.en} if one.one_less else None,
        }
        for one in plan.hours
    ]
    kept = sum(one.kept is Kept.YES for one in plan.hours)
    say(f"{kept} of {len(rows)} hours keep the requirements, on days that did not choose the lanes.")
    if standing:
        say(f"{standing.objective:g} lane-hours; no schedule has fewer than {standing.bound:g}.")
    if wants_json():
        whole = {group.id: figures(total) for group, total in zip(groups, plan.schedule.outcome.whole, strict=True)}
        emit(
            {
                "objective": standing.objective if standing else sum(one.lanes for one in plan.hours),
                "bound": standing.bound if standing else None,
                "gap": standing.gap if standing else None,
                "proven": standing.proven if standing else None,
                "seed": seed,
                "replications": replications,
                "checked": plan.schedule.checked,
                "whole": whole,
                "hours": rows,
            }
        )
        return
    header = (
        "group",
        "hour",
        "lanes",
        "least",
        "utilisation",
        "wait",
        "quantile",
        "within",
        "queue",
        "spill",
        "kept",
        "one_less",
    )
    emit_table(
        (*header[:-1], "one lane less"),
        [
            [
                one.group, one.hour, one.lanes, one.least, round(one.utilisation, 2),
                *(round(row[name], 3) if row[name] is not None else None for name in header[5:10]),
                one.kept.value, str(one.one_less or ""),
            ]
            for one, row in zip(plan.hours, rows, strict=True)
        ],
    )  # fmt: skip


def figures(found: HourFigures) -> dict[str, Any]:
    """Simulated figures, with the ends of their 95 % intervals; None stands for what has no end."""
    rows = {"arrivals": found.arrivals, "quantile": _finite(found.quantile)}
    for name, one in (
        ("wait", found.mean_wait),
        ("within", found.within),
        ("queue", found.longest_queue),
        ("spill", found.spill),
    ):
        rows |= {name: _finite(one.value), f"{name}_low": _finite(one.low), f"{name}_high": _finite(one.high)}
    return rows


def text_of(path: Path) -> str:
    """A file as text; an encoding that is none names the file."""
    try:
        return decode(path.read_bytes())
    except BadInput as error:
        raise BadInput([Problem(p.message, p.hint, path.name, p.row, p.column) for p in error.problems]) from error


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
