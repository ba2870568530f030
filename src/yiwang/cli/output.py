"""What every command shares: data to stdout, talk to stderr, errors as sentences, progress on long work."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar

import click
import orjson

from yiwang.core.kernel.errors import BadInput, Problem, YiwangError
from yiwang.server.common.faults import is_full

Step = Callable[..., None]
_Command = TypeVar("_Command", bound=Callable[..., Any])
_JSON = "yiwang.json"
# How often work without a terminal says where it is.
_SAY_EVERY_SECONDS = 10.0


def json_option(command: _Command) -> _Command:
    """Add ``--json``. The choice is read by :func:`wants_json`, so that error messages know it too."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.find_root().meta[_JSON] = value

    option = click.option(
        "--json", is_flag=True, is_eager=True, expose_value=False, callback=remember, help="Write JSON to stdout."
    )
    return option(command)


def wants_json() -> bool:
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.find_root().meta.get(_JSON))


def say(text: str, *, style: str = "") -> None:
    """Talk: one line to stderr, coloured on a terminal."""
    click.secho(text, err=True, fg=style or None)


def emit(data: Any) -> None:
    """Data as one JSON document to stdout."""
    click.echo(orjson.dumps(data, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def emit_line(data: Any) -> None:
    """Data as one line of JSON to stdout."""
    click.echo(orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode())


def emit_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Data as a table: aligned on a terminal, otherwise separated by tabs so that other programs can cut it.

    A header without words is left out.
    """
    if not sys.stdout.isatty():
        for row in (header, *rows) if any(header) else rows:
            click.echo("\t".join(_cell(value) for value in row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, header_style="bold", pad_edge=False, show_header=any(header))
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console().print(table)


class Failed(click.ClickException):
    """The command did not do what it was asked (exit code 1)."""

    exit_code = 1

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        self.as_json = wants_json()  # when it is shown the context is gone

    def show(self, file: Any = None) -> None:
        if self.as_json:
            with _without_full_output():
                emit({"failed": self.message, "errors": [problem_dict(problem) for problem in self.problems]})
        for problem in self.problems:
            say_problem(problem)
        say(f"yiwang: {self.message}", style="red")


@contextmanager
def failures_as_sentences() -> Iterator[None]:
    """Turn the package's own errors, and a full disk, into a message and exit code 1. Anything else is a bug and keeps its
    traceback."""
    try:
        with _full_disk_as_sentence():
            yield
    except BadInput as error:
        if len(error.problems) == 1 and not error.problems[0].file:
            problem = error.problems[0]
            raise Failed(f"{problem.message} {problem.hint}".strip(), ()) from error
        raise Failed(f"{len(error.problems)} problem(s) found.", error.problems) from error
    except YiwangError as error:
        raise Failed(str(error)) from error


@contextmanager
def _full_disk_as_sentence() -> Iterator[None]:
    """A full disk is one sentence, whoever met it: a file, the database, or what reads our output."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:
        if not is_full(error):
            raise
        with _without_full_output():
            sys.stdout.flush()
        name = getattr(error, "filename", None)
        where = f" ({name})" if name else ""
        raise Failed(f"There is no room left on the disk{where}. Make some and try again.") from error


@contextmanager
def _without_full_output() -> Iterator[None]:
    """If it is stdout that takes no more, write the rest nowhere: flushed at the end it would fail again, with a traceback."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if not is_full(error):
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def say_problem(problem: Problem, *, style: str = "red", to_stdout: bool = False) -> None:
    """One fault: place, what is wrong, what would be right. To stderr, unless the faults are the data."""
    place = problem.file
    if problem.row is not None:
        place += f":{problem.row}"
    if problem.column:
        place += f" [{problem.column}]"
    err = not to_stdout
    click.secho(f"{place}: " if place else "", err=err, bold=True, nl=False)
    click.secho(problem.message, err=err, fg=style, nl=False)
    click.echo(f" {problem.hint}" if problem.hint else "", err=err)


def problem_dict(problem: Problem) -> dict[str, Any]:
    return {
        "message": str(problem.message),
        "hint": str(problem.hint),
        "file": problem.file,
        "row": problem.row,
        "column": problem.column,
    }


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Step]:
    """Show how far long work has come, on stderr: a bar on a terminal, else a line now and then.

    Yields:
        ``step(done, total=None, message="")``, to be called as often as one likes.
    """
    with _bar(label, total) if sys.stderr.isatty() else _lines(label, total) as step:
        yield step


@contextmanager
def _lines(label: str, total: int | None) -> Iterator[Step]:
    started = said = time.monotonic()

    def step(done: int, total: int | None = total, message: str = "") -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= _SAY_EVERY_SECONDS:
            said = now
            of = f" of {total:,}" if total else ""
            say(f"{label}: {done:,}{of}, {now - started:.0f} s {message}".rstrip())

    yield step


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)

        def step(done: int, total: int | None = None, message: str = "") -> None:
            text = f"{label} {message}".rstrip()
            if total is None:
                bar.update(task, completed=done, description=text)
            else:
                bar.update(task, completed=done, total=total, description=text)

        yield step


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
