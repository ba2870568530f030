"""Django, made ready only for the commands that need it, and its errors as sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from yiwang.cli.output import Failed
from yiwang.server.common.faults import is_full

if TYPE_CHECKING:
    from yiwang.packs.fact_tables import TableBuilder
    from yiwang.server.cities.queries import CityRuntime


def tables_of_apps() -> Iterable[tuple[str, TableBuilder]]:
    """The tables of facts that apps bring, for a pack that counts over one of them."""
    with site():
        from yiwang.server.cities import queries

        return list(queries.tables_of_apps())


@contextmanager
def site() -> Iterator[None]:
    """Set Django up; wrong settings, a missing database and missing tables become sentences and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError, OperationalError, ProgrammingError, connections

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise Failed(str(error)) from error
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        if is_full(error):
            raise  # said in the same words as a full folder, see output.py
        if _lacks_tables(str(error)):
            raise Failed(
                "The database has no tables of Yiwang yet. Run `yiwang pack install …` or `yiwang serve` once."
            ) from error
        raise Failed(f"The database cannot be used: {str(error).strip()}") from error
    except DatabaseError as error:
        raise Failed(f"The database refused: {str(error).strip()}") from error
    finally:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()


def prepare_database() -> None:
    """Bring the tables up to date; says so only when there was something to do. Call inside :func:`site`."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from yiwang.cli.output import say

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)


def installed_city(city: str) -> CityRuntime:
    """An installed city. Call inside :func:`site`; one that is not installed is a wrong call (exit code 2)."""
    from yiwang.server.cities import queries as places

    try:
        return places.runtime(city)
    except places.NoSuchCity as error:
        known = ", ".join(info.id for info in places.cities()) or "none; run `yiwang pack install`"
        raise click.BadParameter(f"{error} Installed: {known}.", param_hint="CITY") from error


def _lacks_tables(message: str) -> bool:
    return "no such table" in message or ("relation" in message and "does not exist" in message)
