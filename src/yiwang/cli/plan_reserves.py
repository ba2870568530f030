"""`yiwang plan reserves`: for each item how long it lasts, its level, what to order when, and what contracts leave to be kept."""

from __future__ import annotations

from dataclasses import asdict
from math import isinf
from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.packs.files import decode


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def reserves(file: Path) -> None:
    """Say how long stocks last and what to order when.

    FILE is a TOML file with [[item]] and [[contract]].

    \b
    Example: yiwang plan reserves warehouse.toml --json
    """
    from yiwang.core.planning.reserves.items import item_faults, plan_item
    from yiwang.core.planning.reserves.items_file import read_items

    items, contracts = read_items(decode(file.read_bytes()), file=str(file))
    plans = [plan_item(item, contracts) for item in items]
    for item, plan in zip(items, plans, strict=True):
        if faults := item_faults(item, contracts, plan):
            said = " ".join(str(fault) for fault in faults)
            raise Failed(f"The plan of {item.id} did not pass its check: {said}")
    if wants_json():
        emit(
            [
                _finite(
                    {
                        **asdict(plan),
                        "stock": item.stock,
                        "contracts": [asdict(one) for one in contracts if one.item == item.id],
                    }
                )
                for item, plan in zip(items, plans, strict=True)
            ]
        )
        return
    header = ("item", "stock", "days", "level", "service", "filled", "s", "S", "keep", "order", "in days")
    rows = []
    for item, plan in zip(items, plans, strict=True):
        policy = (plan.policy.reorder, plan.policy.up_to) if plan.policy else (None, None)
        shares = (f"{plan.service:.2%}", f"{plan.filled:.2%}")
        days, later = (None if isinf(one) else round(one, 1) for one in (plan.days, plan.order_in))
        rows.append((item.id, item.stock, days, plan.level, *shares, *policy, plan.keep, plan.order, later))
    emit_table(header, rows)
    for item, plan in zip(items, plans, strict=True):
        if plan.bridge is None:
            continue
        if item.stock < plan.bridge.units:
            say(
                f"{item.id}: an emergency needs {plan.bridge.units:g} on hand until contracts deliver (tightest day "
                f"{plan.bridge.tightest}); {plan.bridge.units - item.stock:g} are missing.",
                style="yellow",
            )
        if not plan.bridge.lasts:
            say(f"{item.id}: contracts do not keep up with the emergency after day {item.surge_days}.", style="yellow")


def _finite(value: Any) -> Any:
    """JSON has no infinity: nothing stands there instead."""
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return None if isinstance(value, float) and isinf(value) else value
