"""`yiwang manage`: Django's own management commands."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a management command of Django.

    \b
    Example: yiwang manage migrate
    Example: yiwang manage createsuperuser
    Example: yiwang manage help
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["yiwang manage", *arguments])
    except ImproperlyConfigured as error:
        click.secho(f"yiwang: {error}", err=True, fg="red")
        sys.exit(1)
