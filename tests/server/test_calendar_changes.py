"""A calendar that changes moves the deadlines of open cases: one deadline everywhere, with an event that says why."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.server.conftest import MINI

from yiwang.server.cases import queries, rows, verifying
from yiwang.server.cases.models import Case, Event
from yiwang.server.cases.recounting import recount_all, recount_deadlines
from yiwang.server.places.queries import runtime
from yiwang.server.provision.operations import install_pack

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")


def changed_calendar(folder: Path, *days: str) -> Path:
    """The toy city, taking some more days off."""
    shutil.copytree(MINI, folder)
    listed = ", ".join(f'"{day}"' for day in days)
    file = folder / "calendar.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("extra_holidays = []", f"extra_holidays = [{listed}]"), encoding="utf-8")
    return folder


@pytest.fixture
def filed(report: Any, act: Any, actor: Any) -> str:
    """A case whose main clock runs over a working day that is soon taken off."""
    number: str = report(category="01001", at=datetime(2026, 3, 2, 9, tzinfo=SHANGHAI))["case"]
    at = datetime(2026, 3, 2, 10, tzinfo=SHANGHAI)
    act(number, "file", actor("leader"), at=at)
    act(number, "dispatch", actor("dispatcher"), at=at)
    return number


def test_a_day_taken_off_moves_running_clocks_with_an_event_each(filed: str, tmp_path: Path, client: Any) -> None:
    before = Case.objects.get(number=filed)
    assert before.deadline is not None
    day = before.deadline.astimezone(SHANGHAI).date()
    install_pack(changed_calendar(tmp_path / "mini", day.isoformat()))
    after = Case.objects.get(number=filed)
    assert after.deadline is not None
    assert after.deadline - before.deadline >= timedelta(days=1)
    state = rows.state_of(rows.loaded([filed], lock=False)[filed])
    clock = state.clocks[state.deadline_clock]
    assert clock.deadline(calendar=runtime("mini").calendar) == after.deadline == state.main_deadline
    detail = queries.get_case(city="mini", number=filed)
    assert detail is not None
    event = detail.events[-1]
    assert (event.verb, event.actor, event.payload["was"]) == (
        "recount", "system", {"deadline": before.deadline.astimezone(UTC).isoformat()},
    )  # fmt: skip
    assert "日历" in event.reason
    assert "calendar" in event.reason
    assert recount_deadlines(city="mini") == 0 == recount_all()  # again, nothing
    assert Event.objects.filter(case__number=filed, verb="recount").count() == 1
    assert verifying.verify(city="mini").faults == []
    page = client.get(f"/mini/cases/{filed}").content.decode()
    assert "截止时间重算" in page
    old, new = (f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for moment in (before.deadline, after.deadline))
    assert f"截止：{old} → {new}" in page


def test_closed_and_paused_cases_and_other_calendars_are_left_alone(filed: str, report: Any, close: Any) -> None:
    done = report()["case"]
    close(done)
    seen = dict(Case.objects.values_list("number", "seq"))
    assert recount_deadlines(city="mini") == 0
    assert dict(Case.objects.values_list("number", "seq")) == seen


def test_a_replayed_past_asks_nothing_after_a_recount(filed: str, tmp_path: Path) -> None:
    Case.objects.filter(number=filed).update(next_due=None)
    from yiwang.server.places.queries import forget

    moved = changed_calendar(tmp_path / "mini", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-09")
    import yiwang.server.provision.operations as provision

    provision.install_pack(moved)
    forget()
    assert Event.objects.filter(case__number=filed, verb="recount").count() == 1
