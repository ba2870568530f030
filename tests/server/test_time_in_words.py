"""Working time is told in working days and hours, and every page says the same of one clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import translation
from tests.narrowing import present

from yiwang.core.worktime import TimeUnit
from yiwang.server.casepage import dossier
from yiwang.server.cases.models import Case
from yiwang.server.cases.reading import explaining, presentation, queries
from yiwang.server.cities.queries import runtime

HOUR = 3600


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "unit", "zh", "en"),
    [
        (56, TimeUnit.WORK_HOURS, "7 工作日", "7 working days"),
        (58, TimeUnit.WORK_DAYS, "7 工作日 2 工作时", "7 working days 2 working h"),
        (8, TimeUnit.WORK_DAYS, "1 工作日", "1 working day"),
        (3.5, TimeUnit.WORK_HOURS, "3 工作时 30 分钟", "3 working h 30 min"),
        (-56, TimeUnit.WORK_HOURS, "7 工作日", "7 working days"),
        (0, TimeUnit.WORK_HOURS, "0 分钟", "0 min"),
        (56, TimeUnit.URGENT_HOURS, "2 天 8 小时", "2 d 8 h"),
        (48, TimeUnit.CALENDAR_DAYS, "2 天", "2 d"),
    ],
)
def test_counted_time_in_words(mini: str, hours: float, unit: TimeUnit, zh: str, en: str) -> None:
    calendar = runtime(mini).calendar
    assert calendar.seconds_per_day == 8 * HOUR
    for language, words in (("zh-hans", zh), ("en", en)):
        with translation.override(language):
            assert presentation.duration_words(hours * HOUR, unit=unit, calendar=calendar) == words


@pytest.mark.django_db
def test_a_row_says_what_the_case_page_says(mini: str, report: Any, act: Any, actor: Any) -> None:
    place = runtime(mini)
    at = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    number = report(at=at, actor=actor("inspector"), channel="inspector", category="03001")["case"]
    act(number, "dispatch", actor("dispatcher"), at=at)
    main = present(queries.get_case(city=mini, number=number)).state.clocks[place.rules.workflow.main_clock]
    for later in (timedelta(hours=1), timedelta(days=4), timedelta(days=40)):
        now = at + later
        detail = queries.get_case(city=mini, number=number)
        assert detail is not None
        shown = next(clock for clock in dossier.clocks(detail, place=place, at=now) if clock["main"])
        listed = presentation.row(
            queries.list_cases(city=mini, filters=queries.CaseFilters()).items[0], runtime=place, at=now
        )
        loaded = presentation.row(detail.values, runtime=place, at=now)
        for row in (listed, loaded):
            assert (row["left_text"], row["is_late"]) == (shown["left_text"], shown["is_late"])
        assert row["working"] is (main.unit in presentation.WORKING)
        if main.unit in presentation.WORKING and later.days == 4:
            assert "工作" in row["left_text"]


@pytest.mark.django_db
def test_each_clock_names_its_own_rule(mini: str, report: Any, act: Any, actor: Any) -> None:
    """A clock with a limit of the workflow's own does not show the row of the limits table, and the main one does."""
    place = runtime(mini)
    number = report(actor=actor("inspector"), channel="inspector")["case"]
    act(number, "dispatch", actor("dispatcher"))
    detail = queries.get_case(city=mini, number=number)
    assert detail is not None
    literals = place.rules.workflow.literals
    shown = dossier.clocks(detail, place=place, at=present(detail.state.updated_at))
    assert {clock["literal"] for clock in shown} == {True, False}
    for clock in shown:
        assert clock["literal"] is (literals[clock["id"]] is not None)
        assert (clock["row"] is None) is clock["literal"]
    page = Client().get(f"/{mini}/cases/{number}", headers={"accept-language": "en"}).content.decode()
    parts = re.findall(r'<details class="clock".*?<ul class="turns">', page, re.DOTALL)
    for clock in shown:
        part = next(part for part in parts if f"<strong>{clock['name'].en}</strong>" in part)
        assert (f"workflow.toml [clock {clock['id']}]" in part) is clock["literal"]
        assert clock["literal"] or clock["row"]["row"]["id"] in part
    assert Case.objects.get(number=number).deadline


@pytest.mark.django_db
def test_a_limit_in_a_sentence_is_in_words(mini: str) -> None:
    why = {"table": "limits", "row": "L1", "value": "7 work_days", "runner_up": "", "verb": "file"}
    assert "7 工作日" in explaining.sentence(why, place=runtime(mini)).zh
    assert "7 working days" in explaining.sentence(why, place=runtime(mini)).en
    none = {**why, "value": "none"}
    assert "none" in explaining.sentence(none, place=runtime(mini)).en
