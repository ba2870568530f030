"""``make bench``: run every benchmark, or those named, and print one table.

Each module here has ``run() -> list[dict]`` with the keys ``name``, ``value``, ``unit``, ``peer`` (what it is compared
with, and that figure) and ``ratio`` (ours to the peer's; above one is better). ``--write`` puts the table, with the
machine it ran on, into ``docs/reference/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import pkgutil
import platform
import sys
from pathlib import Path
from typing import Any

import bench

# What is asked for together: `make bench planning`.
GROUPS = {"planning": ("sites", "queues", "routes", "reserves", "consumption")}
TABLE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "benchmarks.md"


def machine() -> str:
    """One line that says where the figures come from."""
    model = "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def lines(rows: list[dict[str, Any]]) -> list[str]:
    table = ["| what | figure | compared with | ratio |", "|---|--:|---|--:|"]
    for row in rows:
        ratio = "" if row.get("ratio") is None else f"{row['ratio']:.3g} ×"
        table.append(f"| {row['name']} | {row['value']:,.4g} {row['unit']} | {row.get('peer', '')} | {ratio} |")
    return table


def main() -> None:
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join([*GROUPS, *names])} (all)")
    parser.add_argument("--write", action="store_true", help=f"write the table to {TABLE.name} in docs/reference/")
    arguments = parser.parse_args()
    wanted = [name for one in arguments.names for name in GROUPS.get(one, (one,))]
    unknown = set(wanted) - set(names)
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    rows: list[dict[str, Any]] = []
    for name in wanted or names:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"bench.{name}").run()
    table = lines(rows)
    print("\n".join([machine(), "", *table]))
    if arguments.write:
        today = datetime.datetime.now(tz=datetime.UTC).date()
        head = ["# Benchmarks", "", f"`make bench` on {today}: {machine()}.", ""]
        TABLE.write_text("\n".join([*head, *table, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
