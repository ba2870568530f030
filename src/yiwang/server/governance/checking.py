"""A draft as a pack: put together, checked like any pack, asked, and compared with the rules in force."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from yiwang.core.kernel.errors import BadInput, Problem, YiwangError
from yiwang.core.kernel.text import Text
from yiwang.packs import Explainer, check_pack, read_pack
from yiwang.packs.tables import table_file
from yiwang.server.cities import queries as places
from yiwang.server.common.refusing import sentence
from yiwang.server.governance import tables
from yiwang.server.governance.dry_run import compare_packs, past_facts
from yiwang.server.governance.models import RuleChange

EXAMPLES = "examples/"
MOST_PROBLEMS = 300
MOST_CHANGES, MOST_CASES = 30, 30


def installed_pack(city: str) -> Path:
    """The pack in force."""
    return places.installed_folder(city) / "pack"


@contextmanager
def as_pack(change: RuleChange) -> Iterator[Path]:
    """The pack that a change would make, as a folder for as long as it is needed; conflicts are not looked at here."""
    if change.kind == RuleChange.Kind.PACK:
        yield Path(settings.YIWANG_HOME, change.folder)
        return
    source = installed_pack(change.city)
    base = Path(settings.YIWANG_HOME, ".drafts")
    base.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix=f"{change.pk}-") as name:
        folder = Path(name) / "pack"
        shutil.copytree(source, folder, copy_function=_link)
        edits = list(change.edits.order_by("id"))
        for table in sorted({edit.table for edit in edits}):
            sheet = tables.read_sheet(source, table)
            rows, _ = tables.merge(sheet, edits)
            tables.write_sheet(folder, tables.sheet_of(sheet, rows))
        yield folder


def _link(source: str, target: str) -> None:
    """Instead of a copy, where the disk can: nothing writes through it, files that change are replaced."""
    try:
        Path(target).hardlink_to(Path(source).resolve())
    except OSError:  # another disk, or one that has no such links
        shutil.copyfile(source, target)


def conflicts(change: RuleChange) -> list[Problem]:
    """Rows that are no longer what they were when the draft was written."""
    if change.kind == RuleChange.Kind.PACK:
        return []
    source, edits = installed_pack(change.city), list(change.edits.order_by("id"))
    found: list[Problem] = []
    for table in sorted({edit.table for edit in edits}):
        found += tables.merge(tables.read_sheet(source, table), edits)[1]
    return found


def check(change: RuleChange, *, with_examples: bool) -> dict[str, Any]:
    """Check the pack that a change would make.

    The pack's own examples say what the rules *were meant* to answer; a change that alters one of those answers is shown it, but
    is not stopped by it: two people decide whether the answer or the example is out of date.
    """
    version = places.runtime(change.city).version
    with as_pack(change) as folder:
        report = check_pack(folder, with_examples=with_examples)
    answers = [problem for problem in report.problems if problem.file.startswith(EXAMPLES)]
    problems = [*conflicts(change), *(problem for problem in report.problems if not problem.file.startswith(EXAMPLES))]
    return {
        "revision": change.revision,
        "version": version,
        "full": with_examples,
        "ok": not problems,
        "count": len(problems),
        "problems": [_problem_record(problem) for problem in problems[:MOST_PROBLEMS]],
        "examples": [_problem_record(problem) for problem in answers[:MOST_PROBLEMS]],
        "warnings": [_problem_record(problem) for problem in report.warnings[:50]],
        "examples_passed": report.examples,
        "seconds": round(report.seconds, 2),
    }


def _text_record(text: Text | str) -> dict[str, str]:
    """A text as the record of a check keeps it, in each language that it has."""
    return {tag: text.into(tag) for tag in text} if isinstance(text, Text) else {"en": text}


def error_record(error: Exception) -> dict[str, Any]:
    """An error that stopped a change, as the record of a check keeps it."""
    return _problem_record(Problem(error.text if isinstance(error, YiwangError) else Text(str(error), str(error))))


def _problem_record(problem: Problem) -> dict[str, Any]:
    return {
        "message": _text_record(problem.message),
        "hint": _text_record(problem.hint),
        "file": problem.file,
        "row": problem.row,
        "column": problem.column,
    }


def with_faults(rows: list[tables.DraftRow], table: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Put what a check found at the rows that it concerns; what is left concerns the table as a whole."""
    lines = {row.line: row for row in rows if row.line}
    named = {row.id: row for row in rows}
    left = []
    for problem in found.get("problems", []):
        if problem["file"] != table_file(table):
            continue
        if problem["row"] is None and problem["column"] in named:  # a conflict names its row
            named[problem["column"]].faults.setdefault("", []).append(problem)
        elif problem["row"] in lines:
            lines[problem["row"]].faults.setdefault(problem["column"], []).append(problem)
        else:
            left.append(problem)
    return left


def explain(
    change: RuleChange, *, category: str, condition: str, region: str, source: str, at: datetime
) -> list[dict[str, Any]]:
    """What the rules in force and the draft say of one report, side by side.

    Raises:
        BadInput: When the draft cannot be read yet, or there is no such category or region.
    """
    said = []
    with as_pack(change) as folder:
        for name, pack in (("now", places.runtime(change.city).pack), ("then", read_pack(folder))):
            found = Explainer(pack, with_grids=False).explain(
                category=category, condition=condition, region=region, source=source, at=at
            )
            said.append({"which": name, "explanation": found, **found.answers()})
    return said


Progress = Callable[[int, int], None]


def dry_run(change: RuleChange, *, since: datetime, progress: Progress | None = None) -> dict[str, Any]:
    """What a change would have answered for past cases, by the same machinery as ``yiwang rules dry-run``.

    Raises:
        BadInput: When the draft cannot be read yet.
    """
    place = places.runtime(change.city)

    def step(count: int) -> None:
        if progress:
            progress(count, 0)

    with as_pack(change) as folder:
        new = read_pack(folder)
        facts = past_facts(city=change.city, since=since, zone=place.info.zone, step=step)
        found = compare_packs(old=place.pack, new=new, facts=facts, most=MOST_CHANGES, examples=MOST_CASES)
    return {
        "revision": change.revision,
        "version": place.version,
        "since": since.isoformat(),
        **found,
    }


def unreadable(error: BadInput) -> str:
    """The first sentences of what stops a draft from being read."""
    return " ".join(sentence(problem) for problem in error.problems[:3])
