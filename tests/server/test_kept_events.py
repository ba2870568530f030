"""Events kept as columns: whatever is behind or gone, the figures are those of the events."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db.models import Max
from tests.server.test_scores import MONDAY
from tests.server.test_scrutiny import cases

from yiwang.core.mining.flow import Columns
from yiwang.server.cases.models import Case, Event
from yiwang.server.cities.queries import runtime
from yiwang.server.scrutiny import flowing, kept_events, reading
from yiwang.server.scrutiny.kept_events import keep_all, keep_events

__all__ = ["cases"]
Act = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def small(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.YIWANG_HOME = tmp_path
    monkeypatch.setattr(kept_events, "LEAST_NEW", 1)
    monkeypatch.setattr(kept_events, "SHARE_NEW", 0.0)


def said() -> tuple[Any, ...]:
    """Everything that the page says, in names instead of numbers."""
    asked = flowing.FlowQuery(first=MONDAY.date(), last=MONDAY.date() + timedelta(days=400), region="")
    found = flowing.flow(runtime("mini"), asked, now=MONDAY + timedelta(days=500))
    columns: Columns = found.columns

    def told(summaries: Any, names: Any) -> list[Any]:
        return sorted(
            (names[one.key], one.stays, one.cases, one.going_on, one.total, one.waiting, one.median)
            for one in summaries
        )

    steps, holders = columns.steps, columns.holders
    return (
        found.cases, found.events, found.ways, found.persons, told(found.steps, steps), told(found.units, holders),
        told(found.levels, found.level_names),
        sorted((steps[one.origin], steps[one.target], one.count, one.cases, one.median) for one in found.moves),
        sorted(([steps[step] for step in one.steps], one.cases, one.median) for one in found.paths),
    )  # fmt: skip


def from_the_database(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    with monkeypatch.context() as patch:
        patch.setattr(kept_events, "kept_events", lambda city: None)
        return said()


def read_from_the_database(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Which cases are asked of the database while a page is worked out."""
    asked: list[list[int]] = []
    real = reading.happened

    def seen(cases: Any, codes: Any) -> Any:
        asked.append(list(cases))
        return real(cases, codes)

    with monkeypatch.context() as patch:
        patch.setattr(kept_events, "happened", seen)
        said()
    return asked


def test_kept_events_say_the_same_and_nothing_is_read_anew(cases: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = from_the_database(monkeypatch)
    assert said() == plain, "nothing is kept yet"
    assert keep_all() == 1
    assert keep_all() == 0, "nothing has happened since"
    assert read_from_the_database(monkeypatch) == []
    assert said() == plain


def test_what_happened_since_is_read_from_the_database_and_then_kept(
    cases: list[str], report: Act, act: Act, actor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_events("mini")
    report(at=MONDAY + timedelta(days=2))
    still = Case.objects.filter(closed_at=None, number__in=cases).order_by("id")[0]
    act(still.number, "note", actor("intake", unit="CTR-90"), note="seen")
    changed = [still.pk]
    newest = Case.objects.aggregate(last=Max("id"))["last"]
    assert read_from_the_database(monkeypatch) == [[*changed, newest]]
    assert said() == from_the_database(monkeypatch)
    assert keep_events("mini")
    assert read_from_the_database(monkeypatch) == []
    assert said() == from_the_database(monkeypatch)


def test_an_event_that_appears_behind_the_mark_is_not_missed(cases: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction may take an id and be seen after others with larger ones."""
    keep_events("mini")
    kept = kept_events.kept_events("mini")
    assert kept is not None
    behind = kept.case[1]
    stale = np.array(kept.head)
    stale[1] += np.uint64(1)
    monkeypatch.setattr(kept_events, "kept_events", lambda city: kept_events.Kept(
        **{name: getattr(kept, name) for name in ("case", "start", *kept_events.EVENTS)}, head=stale, codes=kept.codes, mark=kept.mark,
    ))  # fmt: skip
    asked = read_from_the_database(monkeypatch)
    assert asked == [[int(behind)]]


@pytest.mark.parametrize("lost", ["current", "a build", "a column", "everything"])
def test_files_that_are_gone_or_damaged_cost_time_and_nothing_else(
    cases: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    keep_events("mini")
    folder = tmp_path / "flow" / "mini"
    build = next(one for one in folder.iterdir() if one.is_dir())
    match lost:
        case "current":
            (folder / "current").unlink()
        case "a build":
            shutil.rmtree(build)
        case "a column":
            (build / "at.npy").write_bytes(b"no numbers")
        case _:
            shutil.rmtree(folder)
    assert said() == from_the_database(monkeypatch)
    assert keep_events("mini")
    assert read_from_the_database(monkeypatch) == []


def test_old_builds_are_swept_and_those_just_replaced_stay(
    cases: list[str], report: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_events("mini")
    report(at=datetime.now(UTC) - timedelta(days=1))
    keep_events("mini")
    folder = tmp_path / "flow" / "mini"
    assert len([one for one in folder.iterdir() if one.is_dir()]) == 2
    monkeypatch.setattr(kept_events, "KEEP_SECONDS", -1)
    report(at=datetime.now(UTC) - timedelta(days=1))
    keep_events("mini")
    assert len([one for one in folder.iterdir() if one.is_dir()]) == 1
    newest = kept_events.kept_events("mini")
    assert newest is not None
    assert Event.objects.count() == len(newest.at)
