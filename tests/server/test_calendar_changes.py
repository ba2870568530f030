"""A calendar that changes moves the deadlines of open cases: one deadline everywhere, with an event that says why."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.toy_city import MINI

from yiwang.server.cases.models import Case, Event
from yiwang.server.cases.reading import queries
from yiwang.server.cases.storage import rows
from yiwang.server.cases.writing.recounting import recount_all, recount_deadlines
from yiwang.server.cities.queries import runtime
from yiwang.server.provision.operations import install_pack
from yiwang.server.verification import verifying

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
    state = rows.state_of(rows.load([filed], lock=False)[filed])
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
    from yiwang.server.cities.queries import forget

    moved = changed_calendar(tmp_path / "mini", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-09")
    import yiwang.server.provision.operations as provision

    provision.install_pack(moved)
    forget()
    assert Event.objects.filter(case__number=filed, verb="recount").count() == 1


@pytest.fixture
def unannounced(report: Any, act: Any, actor: Any, tmp_path: Path) -> str:
    """A case whose main clock runs into a year that nobody has announced, in a city that takes Monday to Friday for it."""
    folder = changed_calendar(tmp_path / "mini")
    file = folder / "calendar.toml"
    text = file.read_text(encoding="utf-8").replace('fallback = "error"', 'fallback = "weekdays"')
    file.write_text(text.replace("2025, 2026]", "2025]"), encoding="utf-8")
    install_pack(folder)
    at = datetime(2025, 12, 31, 17, 30, tzinfo=SHANGHAI)
    number: str = report(category="01001", at=at)["case"]
    act(number, "file", actor("leader"), at=at)
    act(number, "dispatch", actor("dispatcher"), at=at)
    return number


def test_every_face_says_that_a_deadline_is_an_estimate(unannounced: str, report: Any, client: Any) -> None:
    plain = report()["case"]
    row = Case.objects.get(number=unannounced)
    assert row.deadline is not None
    assert row.deadline.astimezone(SHANGHAI).year == 2026
    assert row.deadline.astimezone(SHANGHAI).date().isoformat() != "2026-01-01"  # free by law, announced or not
    assert client.get(f"/api/v1/cases/{unannounced}").json()["deadline_estimated"] is True
    listed = {item["number"]: item for item in client.get("/api/v1/cities/mini/cases").json()["items"]}
    assert listed[unannounced]["deadline_estimated"] is True
    assert listed[plain]["deadline_estimated"] is False  # an intake clock goes day and night
    for path in (f"/mini/cases/{unannounced}", "/mini/cases", f"/mini/portal/cases/{unannounced}"):
        assert "（估计）" in client.get(path).content.decode(), path


def test_a_limit_by_the_clock_is_no_estimate(unannounced: str) -> None:
    from yiwang.core.worktime import Limit, start_clock
    from yiwang.server.cases.reading import estimates

    place = runtime("mini")
    state = rows.state_of(rows.load([unannounced], lock=False)[unannounced])
    assert estimates.is_estimated(state, place=place)
    assert state.opened_at is not None
    round_the_clock = start_clock(limit=Limit.parse("72 urgent_hours"), calendar=place.calendar, at=state.opened_at)
    changed = state.with_changes({"clocks": {state.deadline_clock: round_the_clock}})
    assert not estimates.is_estimated(changed, place=place)
