"""The root command: finds the command's module by name, and turns the package's errors into sentences and exit codes."""

from __future__ import annotations

import importlib
import os
from difflib import get_close_matches
from typing import Any

import click

from yiwang.cli.output import failures_as_sentences

# Command → module and one line of help, so that `yiwang --help` and `yiwang pack check` load neither Django nor each other.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("yiwang.cli.serve", "Run the site (prepares the database first)."),
    "worker": ("yiwang.cli.serve", "Run background work: deadlines, jobs, outbox."),
    "demo": ("yiwang.cli.demo", "Set up the packs, demonstration people and data, then run everything."),
    "pack": ("yiwang.cli.pack", "Check, install and list city packs."),
    "basemap": ("yiwang.cli.basemap", "Make the map under a city from OpenStreetMap."),
    "replay": ("yiwang.cli.replay", "Feed a city's real records through the whole loop."),
    "language": ("yiwang.cli.language", "Translate the interface into a further language."),
    "locate": ("yiwang.cli.locate", "Turn coordinates into regions and unit grids."),
    "rules": ("yiwang.cli.rules", "Explain a decision; try changed rules on the past."),
    "export": ("yiwang.cli.export", "Write the case log for other tools: Parquet, XES, OCEL, PNML."),
    "irregularities": ("yiwang.cli.irregularities", "Leads of irregularities: look a month through."),
    "surveys": ("yiwang.cli.surveys", "Surveys among citizens whose cases were closed."),
    "lists": ("yiwang.cli.lists", "Red and black lists."),
    "targets": ("yiwang.cli.targets", "Target letters, their bulletin, and their signatures."),
    "score": ("yiwang.cli.score", "Indicators, composite scores and grades."),
    "bulletin": ("yiwang.cli.bulletin", "The bulletin of a day or week as a PDF."),
    "assets": ("yiwang.cli.assets", "The component inventory, from files and to files."),
    "sensing": ("yiwang.cli.sensing", "What sensors observe: load readings, list streams."),
    "mqtt": ("yiwang.cli.mqtt", "Take up readings that come over MQTT."),
    "campaign": ("yiwang.cli.campaign", "Rehearse a year of a campaign in a simulated city."),
    "inspect": ("yiwang.cli.inspect", "Draw inspections by lot, provably, and score them."),
    "plan": ("yiwang.cli.plan", "Plan sites, queues, routes and reserves, each with a bound."),
    "cases": ("yiwang.cli.cases", "Make rows and counts anew from the events."),
    "ledger": ("yiwang.cli.ledger", "Verify and prove that history was not altered."),
    "token": ("yiwang.cli.token", "Make tokens for programs that use the API."),
    "backup": ("yiwang.cli.backup", "Write everything into one file."),
    "restore": ("yiwang.cli.backup", "Bring a backup back, checked."),
    "manage": ("yiwang.cli.manage", "Django's own management commands."),
}


def app_commands() -> dict[str, tuple[str, str]]:
    """Commands of the apps that `YIWANG_APPS` adds; Django is loaded only where there are such apps."""
    if not os.environ.get("YIWANG_APPS"):
        return {}
    from yiwang.cli.site import site

    with site():
        from yiwang.server.common.app import commands

        return commands()


class _Root(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *app_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = COMMANDS.get(cmd_name) or app_commands().get(cmd_name)
        if found is None:
            return None
        module = importlib.import_module(found[0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and args[0] not in app_commands():
            near = get_close_matches(args[0], [*COMMANDS, *app_commands()], n=1)
            ctx.fail(
                f"There is no command {args[0]!r}. "
                + (f"Did you mean {near[0]!r}?" if near else "See `yiwang --help`.")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in {**COMMANDS, **app_commands()}.items()])

    def invoke(self, ctx: click.Context) -> Any:
        with failures_as_sentences():
            return super().invoke(ctx)


@click.command(cls=_Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="yiwang", prog_name="yiwang")
def main() -> None:
    """Yiwang 一网: a city run on one net: one map, one case loop, one scoreboard.

    Start with `yiwang demo`, or try a pack without a database:

    \b
    Example: yiwang pack check packs/wuxi
    Example: echo 120.3119,31.4912 | yiwang locate wuxi
    Example: yiwang rules explain wuxi --category 01001 --lon 120.31 --lat 31.49

    Every command exits with 0 when done, 1 when it failed, 2 when it was called wrongly; data goes to stdout, talk to stderr, and
    --json makes the data readable to machines.
    """
