"""Every command helps a newcomer, and a wrong call ends with 2."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest
from click.testing import Result

from yiwang.cli import main
from yiwang.cli.main import COMMANDS

Run = Callable[..., Result]


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*path, name))


LEAVES = list(leaves(main))
NAMES = [" ".join(path) for path, _ in LEAVES]


def test_the_commands_of_the_interfaces_are_there() -> None:
    assert set(NAMES) >= {
        "serve",
        "worker",
        "demo",
        "pack check",
        "pack install",
        "pack list",
        "replay",
        "locate",
        "rules explain",
        "rules dry-run",
        "ledger verify",
        "ledger root",
        "ledger prove",
        "token create",
        "backup",
        "restore",
    }


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=NAMES)
def test_help_tells_what_it_does_and_shows_an_example(path: tuple[str, ...], command: click.Command, run: Run) -> None:
    if path == ("manage",):
        return  # Django's own help
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert f"yiwang {' '.join(path)}" in result.stdout
    assert "Example" in result.stdout
    assert "--json" in result.stdout
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path}: {option.name} has no help"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_overview_has_a_line_for_each(name: str, run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert f"  {name} " in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["pack"],
        ["nothing"],
        ["pack", "check"],
        ["pack", "check", "nowhere"],
        ["pack", "check", ".", "--on", "soon"],
        ["locate", "nowhere"],
        ["locate", "mini", "no-such-file.csv"],
        ["rules", "explain", "nowhere", "--category", "1"],
        ["rules", "explain", "mini"],
        ["rules", "dry-run", "mini", "nowhere", "--since", "2026-01-01"],
        ["replay", "nowhere", "no-such-file.csv"],
        ["ledger", "root", "nowhere", "yesterday"],
        ["serve", "--port", "99999"],
        ["serve", "--workers", "0"],
        ["token", "create"],
        ["backup"],
        ["restore", "no-such-file.zip"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2(arguments: list[str], run: Run) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage" in result.stderr or "Error" in result.stderr


def test_a_slip_is_answered_with_the_right_name(run: Run) -> None:
    assert "'locate'" in run("locat").stderr


def test_checking_a_pack_loads_neither_django_nor_a_database_driver() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from yiwang.cli import main\n"
        "result = CliRunner().invoke(main, ['pack', 'check', 'tests/packs/fixtures/mini', '--on', '2026-03-06'])\n"
        "assert result.exit_code == 0, result.output\n"
        "print([name for name in ('django', 'psycopg', 'sqlite3', 'ninja') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
