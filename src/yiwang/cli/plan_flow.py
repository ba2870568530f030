"""`yiwang plan flow`: transport of goods at least cost, with its proof."""

from __future__ import annotations

from pathlib import Path

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.packs.files import decode


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=0), help="For whole units only.")
@click.option("--seed", default=1, show_default=True, help="Of the solver.")
@json_option
def flow(file: Path, seconds: float, seed: int) -> None:
    """Bring goods to where they are needed at least cost.

    FILE is a CSV with the columns kind (lot, need or link), place, to, good, amount, cost, period, until, id. What expires first is sent
    first. When not everything can be brought, as little as possible goes short, and stderr says why.

    \b
    Example: yiwang plan flow network.csv --json
    """
    from yiwang.core.planning.reserves.flow import plan_flow
    from yiwang.core.planning.reserves.flow_check import flow_faults, why_short
    from yiwang.core.planning.reserves.flow_file import read_network

    network = read_network(decode(file.read_bytes()), file=str(file))
    plan = plan_flow(network, seconds=seconds, seed=seed)
    if faults := flow_faults(network, plan):
        raise Failed("The plan did not pass its check: " + " ".join(str(fault) for fault in faults))
    links, lots = network.links, network.lots
    flows = [
        {"from": links[index].start, "to": links[index].end, "good": good, "period": period, "amount": amount}
        for (index, good, period), amount in sorted(plan.flows.items())
    ]
    drawn = [
        {"lot": lots[index].id, "place": lots[index].place, "good": lots[index].good, "period": t, "amount": amount}
        for (index, t), amount in sorted(plan.drawn.items(), key=lambda one: (one[0][1], one[0][0]))
    ]
    short = [
        {"place": place, "good": good, "period": period, "amount": amount}
        for (place, good, period), amount in sorted(plan.short.items())
    ]
    why = why_short(network, plan)
    standing = plan.standing
    if wants_json():
        emit(
            {
                "cost": standing.objective,
                "bound": standing.bound,
                "gap": standing.gap,
                "proven": standing.proven,
                "seconds": round(standing.seconds, 3),
                "flows": flows,
                "lots": drawn,
                "short": short,
                "why": [{"zh": one.zh, "en": one.en} for one in why],
            }
        )
        return
    emit_table(("from", "to", "good", "period", "amount"), [tuple(row.values()) for row in flows])
    for sentence in why:
        say(str(sentence), style="yellow")
    proof = "no plan costs less" if standing.proven else f"no plan costs less than {standing.bound:g}"
    say(f"Cost {standing.objective:g}; {proof}.", style="green")
