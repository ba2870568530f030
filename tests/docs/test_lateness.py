"""One definition of late: nobody else compares a deadline with a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from yiwang.core.cases.lateness import counts_as_late, has_passed, have_passed

SOURCE = Path(__file__).resolve().parents[2] / "src" / "yiwang"
# the definition, and its translation for the database
DEFINED = {"core/cases/lateness.py": 0, "server/cases/reading/queries.py": 1}
MOMENT, DEADLINE = r"\b(?:now|at|moment|drawn|today)\b", r"[\w.]*(?:due|deadlines?)(?:\[\w+\])?"
COMPARED = re.compile(rf"deadline__(?:lte?|gte?)=(?!since)|{MOMENT} *[<>]=? *{DEADLINE}|{DEADLINE} *[<>]=? *{MOMENT}")
DUE = datetime(2026, 3, 6, 17, tzinfo=UTC)
NOW = timedelta(0)


def test_nobody_else_compares_a_deadline() -> None:
    found: dict[str, int] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if "migrations" not in path.parts and name != "core/cases/lateness.py":
            count = sum(
                bool(COMPARED.search(line.split("#")[0])) for line in path.read_text(encoding="utf-8").splitlines()
            )
            if count != DEFINED.get(name, 0):
                found[name] = count
    assert not found


@pytest.mark.parametrize(
    ("after", "late"), [(-timedelta(seconds=1), False), (NOW, False), (timedelta(seconds=1), True)]
)
def test_at_the_deadline_it_is_not_late_yet(after: timedelta, late: bool) -> None:
    at = DUE + after
    assert has_passed(DUE, at=at) == late
    assert have_passed(np.array([int(DUE.timestamp())]), at=at.timestamp()).tolist() == [late]
    assert counts_as_late(overdue=False, deadline=DUE, closed_at=None, at=at) == late
    assert not has_passed(None, at=at)


def test_what_was_recorded_after_the_moment_does_not_count_for_it() -> None:
    before, after = DUE - timedelta(hours=1), DUE + timedelta(hours=1)
    assert counts_as_late(overdue=True, deadline=DUE, closed_at=after, at=after + timedelta(days=1))
    assert not counts_as_late(overdue=True, deadline=DUE, closed_at=after, at=before)
    assert not counts_as_late(overdue=False, deadline=DUE, closed_at=before, at=after)
