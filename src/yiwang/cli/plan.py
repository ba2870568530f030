"""`yiwang plan`: plans with proofs or bounds. Needs no database."""

from __future__ import annotations

import importlib

import click

# Command → module and one line of help: a plan loads only the solver that it needs.
PLANS: dict[str, tuple[str, str]] = {
    "people": ("yiwang.cli.plan_people", "Where people live, from a city's pack: demand for the other plans."),
    "site": ("yiwang.cli.plan_site", "Where to put sites: p-median, p-center, maximal covering."),
    "routes": ("yiwang.cli.plan_routes", "Routes of teams, samples and deliveries, with time windows."),
    "queue": ("yiwang.cli.plan_queue", "Lanes of a checkpoint by hour: waits and spill-back."),
    "screening": ("yiwang.cli.plan_screening", "Staff of sampling sites by hour, tubes, laboratories."),
    "flow": ("yiwang.cli.plan_flow", "Transport of goods at least cost, with a proof."),
    "reserves": ("yiwang.cli.plan_reserves", "Stock, days of supply, what to order when, contracts."),
    "roster": ("yiwang.cli.plan_roster", "Who works which shift, under rules of rest."),
}


class _Plans(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PLANS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PLANS:
            return None
        command: click.Command = getattr(importlib.import_module(PLANS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in PLANS.items()])


@click.group(cls=_Plans)
def plan() -> None:
    """Plan sites, queues, routes and reserves.

    Every plan says what it costs and what no plan can beat; with the same input and seed it is the same.

    \b
    Example: yiwang plan people wuxi --level community > people.csv
    Example: yiwang plan site people.csv --model pmedian --p 12
    """
