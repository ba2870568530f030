"""`yiwang pack`: check, install and list city packs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from yiwang.cli.city import pack_folder
from yiwang.cli.output import Failed, emit, emit_table, json_option, say, say_problem, wants_json
from yiwang.packs import Report, check_pack
from yiwang.packs.check import report_dict


@click.group()
def pack() -> None:
    """Check, install and list city packs.

    A pack is a folder that makes a city: regions, categories, units, rules, workflow, calendar. See docs/reference/packs.md.
    """


@pack.command()
@click.argument("path")
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Look at the rules, regions and units in force on this day (default: today).",
)
@click.option("--strict", is_flag=True, help="Count warnings as faults.")
@json_option
def check(path: str, on: datetime | None, strict: bool) -> None:
    """Check a pack and name file, row and column of every fault.

    PATH is a pack's folder, or the id of a pack at hand. Needs no database. Faults go to stdout, one a line; the exit code is 1
    when there are any.

    \b
    Example: yiwang pack check packs/wuxi
    """
    report = check_pack(pack_folder(path), on=on.date() if on else None)
    failed = bool(report.problems) or (strict and bool(report.warnings))
    if wants_json():
        emit(report_dict(report))
    else:
        for problem in report.problems:
            say_problem(problem, to_stdout=True)
        for problem in report.warnings:
            say_problem(problem, style="yellow", to_stdout=strict)
        say(summary(report), style="red" if failed else "green")
    if failed:
        raise click.exceptions.Exit(1)


def summary(report: Report) -> str:
    """One line: how many faults, how much of what."""
    counts = ", ".join(f"{number:,} {name}" for name, number in report.counts.items()) or "nothing could be read"
    name = report.pack.id if report.pack else str(report.path)
    faults = f"{len(report.problems)} faults" if report.problems else "no faults"
    holding = f", {report.examples} examples hold" if report.ok else ""
    return f"{name}: {faults}, {len(report.warnings)} warnings{holding} ({counts}; {report.seconds:.1f} s)."


@pack.command()
@click.argument("path")
@click.option(
    "--unchecked", is_flag=True, help="Install although the full check finds faults (unreadable packs never are)."
)
@json_option
def install(path: str, unchecked: bool) -> None:
    """Install a pack, or upgrade the city that has it.

    PATH is a pack's folder, or the id of a pack at hand. The same pack again changes nothing; an upgrade never drops a region,
    category or unit, it ends its validity.

    \b
    Example: yiwang pack install wuxi
    """
    from yiwang.cli.site import prepare_database, site

    folder = pack_folder(path)
    report = check_pack(folder)
    if not report.ok and (report.pack is None or not unchecked):
        raise Failed(f"{summary(report)} Nothing was installed.", report.problems)
    with site():
        prepare_database()
        from yiwang.server.provision.operations import install_pack

        installed = install_pack(folder)
    if wants_json():
        emit(
            {
                "city": installed.city,
                "version": installed.version,
                "changed": installed.changed,
                "digest": installed.digest,
                "retained": installed.retained,
            }
        )
        return
    if not installed.changed:
        say(f"{installed.city} is in force already as version {installed.version}: nothing changed.", style="green")
        return
    for file, codes in installed.retained.items():
        say(
            f"{file}: {len(codes)} codes that the pack no longer names end today: {', '.join(codes[:5])}",
            style="yellow",
        )
    say(f"{installed.city} is in force as version {installed.version}.", style="green")


@pack.command()
@click.argument("id")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def new(id: str, path: Path) -> None:
    """Write a small pack ID into the new folder PATH, to begin a city with.

    It checks without a fault and can be installed and take reports at once; its comments, in Chinese and English, say what to
    replace. docs/guide/new-city.md leads through it.

    \b
    Example: yiwang pack new newtown packs/newtown
    """
    from yiwang.packs.beginning import write_pack

    names = write_pack(id, path)
    if wants_json():
        emit({"id": id, "path": str(path), "files": names})
    else:
        say(f"Wrote {len(names)} files into {path}. Next: yiwang pack check {path}", style="green")


@pack.command(name="list")
@json_option
def list_packs() -> None:
    """List the packs at hand and those installed.

    \b
    Example: yiwang pack list
    """
    rows = pack_rows()
    if wants_json():
        emit(rows)
        return
    header = ("id", "name", "name_en", "installed", "at hand", "folder")
    emit_table(
        header,
        [[row[key] for key in ("id", "name", "name_en", "installed_version", "at_hand", "folder")] for row in rows],
    )


def pack_rows() -> list[dict[str, object]]:
    """Packs at hand, and those installed in the data folder, by id. Needs no database."""
    from yiwang.cli.city import home
    from yiwang.packs import pack_folders
    from yiwang.packs.files import PackFiles
    from yiwang.packs.info import read_info

    rows: dict[str, dict[str, object]] = {}
    installed = {path.name for path in (home() / "packs").glob("*") if path.is_dir()} if home().is_dir() else set()
    for name, folder in pack_folders().items():
        info = read_info(PackFiles(folder))
        rows[info.id if info else name] = _row(info, name, folder, at_hand=True)
    for city in sorted(installed):
        _add_installed_pack(rows, city)
    return [rows[name] for name in sorted(rows)]


def _row(info: object, name: str, folder: Path, *, at_hand: bool) -> dict[str, object]:
    return {
        "id": getattr(info, "id", name),
        "name": getattr(info, "name", ""),
        "name_en": getattr(info, "name_en", ""),
        "installed_version": None,
        "at_hand": at_hand,
        "folder": str(folder),
    }


def _add_installed_pack(rows: dict[str, dict[str, object]], city: str) -> None:
    from yiwang.cli.city import installed_pack
    from yiwang.packs.files import PackFiles
    from yiwang.packs.info import read_info

    folder = installed_pack(city)
    if folder is None:
        return
    if city not in rows:
        rows[city] = _row(read_info(PackFiles(folder)), city, folder, at_hand=False)
    rows[city]["installed_version"] = int(folder.parent.name.split("-")[0])
