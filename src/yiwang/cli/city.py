"""A city named on the command line: the pack as installed in the data folder, else a pack by folder or id."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from yiwang.cli.site import tables_of_apps
from yiwang.core.kernel.errors import BadInput
from yiwang.packs import Pack, find_pack, read_pack
from yiwang.packs.fact_tables import provide

provide(tables_of_apps)
_VERSION = re.compile(r"(\d+)-")


def home() -> Path:
    """The data folder; it need not exist."""
    return Path(os.environ.get("YIWANG_HOME") or "var").expanduser()


def installed_pack(city: str) -> Path | None:
    """Folder of the newest installed version of a city's pack, found without a database."""
    base = home() / "packs" / city
    if not re.fullmatch(r"[A-Za-z0-9-]+", city) or not base.is_dir():
        return None
    versions = [
        (int(found[1]), path.stat().st_mtime, path / "pack")
        for path in base.iterdir()
        if (found := _VERSION.match(path.name)) and (path / "pack" / "pack.toml").is_file()
    ]
    return max(versions)[2] if versions else None


def city_folder(city: str) -> Path:
    """The folder that speaks for a city; an unknown one is a wrong call (exit code 2)."""
    installed = installed_pack(city)
    if installed is not None:
        return installed
    try:
        return find_pack(city)
    except BadInput as error:
        problem = error.problems[0]
        raise click.BadParameter(f"{problem.message} {problem.hint}", param_hint="CITY") from error


def pack_folder(name: str, *, param_hint: str = "PATH") -> Path:
    """A pack's folder; a wrong name is a wrong call (exit code 2)."""
    try:
        return find_pack(name)
    except BadInput as error:
        if (path := Path(name)).is_dir() and any(path.iterdir()):
            return path  # a pack in the making: the check says what is missing
        problem = error.problems[0]
        raise click.BadParameter(f"{problem.message} {problem.hint}", param_hint=param_hint) from error


def city_pack(city: str) -> Pack:
    """The pack that speaks for a city."""
    return read_pack(city_folder(city))
