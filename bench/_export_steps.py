"""What the benchmark of files of lists does inside Django: ``python bench/_export_steps.py file|naive csv|xlsx``."""

from __future__ import annotations

import csv
import io
import json
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from xlsxwriter import Workbook  # noqa: E402

from yiwang.server.casepage.columns import COLUMNS, Cell  # noqa: E402
from yiwang.server.casepage.exporting import Export, as_file  # noqa: E402
from yiwang.server.cases.api import CaseFilters, lateness_moment, readers_for  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.common.formatting import moment_text  # noqa: E402
from yiwang.server.common.spreadsheets import harmless  # noqa: E402
from yiwang.server.people.models import User  # noqa: E402


def naive(export: Export, kind: str) -> IO[bytes]:
    """The same cells, all of them in memory at once, and the file too."""
    rows: list[list[Cell]] = [[*export.header()], *export.rows()]
    made = io.BytesIO()
    if kind == "csv":
        text = io.StringIO()
        writer = csv.writer(text)
        for row in rows:
            writer.writerow([moment_text(c) if isinstance(c, datetime) else harmless(c or "") for c in row])
        made.write(text.getvalue().encode("utf-8-sig"))
    else:
        with Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
            sheet, time_format = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
            for line, row in enumerate(rows):
                for at, cell in enumerate(row):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(line, at, cell, time_format)
                    elif cell:
                        sheet.write_string(line, at, cell)
    made.seek(0)
    return made


def own_megabytes() -> float:
    """Memory of the process without files that are mapped into it, as SQLite's is."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def measured(way: Any, kind: str) -> dict[str, Any]:
    """Seconds, megabytes above what the process had before, queries, and what came out."""
    place = runtime("mini")
    export = Export(
        readers=readers_for(User.objects.get(username="bench"), place=place),
        place=place,
        filters=CaseFilters(),
        columns=list(COLUMNS.values()),
        at=lateness_moment(city="mini"),
    )
    next(export.rows())  # what is loaded once in a process
    before, peak, done = own_megabytes(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], own_megabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    with way(export, kind) as made:
        seconds = time.perf_counter() - start
        size = made.seek(0, io.SEEK_END)
        done.set()
        watcher.join()
    with CaptureQueriesContext(connection) as captured:
        rows = sum(1 for _ in export.rows())
    return {
        "seconds": seconds,
        "mb": peak[0] - before,
        "bytes": size,
        "rows": rows,
        "queries": len(captured),
    }


if __name__ == "__main__":
    print(json.dumps(measured({"file": as_file, "naive": naive}[sys.argv[1]], sys.argv[2])))
