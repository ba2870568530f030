"""`yiwang backup` and `yiwang restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import emit, json_option, progress, say, wants_json
from yiwang.cli.site import prepare_database, site


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(path: Path) -> None:
    """Write everything into the one file PATH: database, packs, photos, settings of the data folder.

    The site may go on meanwhile. The file holds personal data and the secret key: only you can read it, keep it so.

    \b
    Example: yiwang backup yiwang-2026-11-23.zip
    """
    with site():
        from yiwang.server.provision.backup import backup as make

        with progress("Backing up files") as step:
            found = make(path, progress=step)
    _tell(found, f"Wrote {path}")


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put data that is there aside and take the backup instead.")
@json_option
def restore(path: Path, replace: bool) -> None:
    """Bring the backup PATH back, and check it: every file's hash, every table's rows, the whole ledger.

    Stop the site and the worker first. Into a data folder that is not empty only with --replace; its former content is put aside
    in replaced-…. A backup that fails a check changes nothing.

    \b
    Example: YIWANG_HOME=/srv/yiwang yiwang restore yiwang-2026-11-23.zip
    """
    with site():
        prepare_database()
        from yiwang.server.provision.restoring import restore as bring_back

        with progress("Checking the backup") as step:
            found = bring_back(path, replace=replace, progress=step)
    _tell(found, f"Restored {path}")
    if found.replaced and not wants_json():
        say(f"What was there before is in {found.replaced}.")


def _tell(found: Any, done: str) -> None:
    if wants_json():
        emit(found.to_dict())
    else:
        say(
            f"{done}: {found.cases:,} cases, {found.events:,} events, {found.files:,} files, {found.bytes:,} bytes.",
            style="green",
        )
