"""Writes a city's log into files that other tools read. A file appears under its name only when it is whole."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from yiwang.core.mining.net import pnml, workflow_net
from yiwang.core.mining.xes import xes
from yiwang.server.cities.queries import runtime
from yiwang.server.scrutiny import ocel_files
from yiwang.server.scrutiny.pseudonyms import Pseudonyms
from yiwang.server.scrutiny.reading import Progress, log_cases


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside the wanted one to write to; it takes the name when all went well, and is removed when not."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _open(path: Path, *, packed: bool) -> IO[Any]:
    # level 1 packs XML nearly as tightly as 9, in a third of the time
    return gzip.open(path, "wt", 1, encoding="utf-8") if packed else path.open("w", encoding="utf-8")


def export_xes(*, city: str, path: Path, reveal: bool = False, progress: Progress | None = None) -> dict[str, int]:
    """Write the log as XES, packed when the name ends in ``.gz``.

    Args:
        city: Which city.
        path: File to write.
        reveal: Write ids of accounts instead of pseudonyms.
        progress: Told how many cases are done.

    Returns:
        Numbers of ``cases`` and ``events``.
    """
    place, written = runtime(city), {"cases": 0, "events": 0}

    def counted() -> Iterator[Any]:
        for case in log_cases(city=city, pseudonym=Pseudonyms(city=city, reveal=reveal), progress=progress):
            written["cases"] += 1
            written["events"] += len(case.events)
            yield case

    with whole(path) as unfinished, _open(unfinished, packed=path.name.endswith(".gz")) as file:
        for piece in xes(counted(), city=city, name=place.info.name.zh, workflow=place.rules.workflow):
            file.write(piece)
    return written


def export_ocel(*, city: str, path: Path, reveal: bool = False, progress: Progress | None = None) -> dict[str, int]:
    """Write the log as OCEL 2.0: SQLite when the name ends in ``.sqlite``, else JSON, packed when it ends in ``.gz``.

    Args, returns: See `export_xes`; also the number of ``objects``.
    """
    place = runtime(city)
    cases = log_cases(city=city, pseudonym=Pseudonyms(city=city, reveal=reveal), progress=progress)
    with whole(path) as unfinished:
        if path.suffix in {".sqlite", ".sqlite3", ".db"}:
            return ocel_files.write_sqlite(unfinished, cases, place=place)
        with _open(unfinished, packed=path.name.endswith(".gz")) as file:
            return ocel_files.write_json(file, cases, place=place)


def export_pnml(*, city: str, path: Path, open_cases: bool = False) -> dict[str, int]:
    """Write the workflow in force as a Petri net (PNML); see `workflow_net` for ``open_cases``."""
    net = workflow_net(runtime(city).rules.workflow, open_cases=open_cases)
    with whole(path) as unfinished:
        unfinished.write_bytes(pnml(net))
    return {"places": len(net.places), "transitions": len(net.transitions)}
