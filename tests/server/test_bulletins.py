"""Daily and weekly bulletins: right for past days, the same numbers as centre and lists, and readable on paper."""

from __future__ import annotations

import random
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from yiwang.core.kernel.errors import BadInput
from yiwang.server.bulletins import bulletin as bulletins
from yiwang.server.bulletins.periods import Period, default_day, read_period
from yiwang.server.cases.models import Case, Event
from yiwang.server.centre import board, centre_figures
from yiwang.server.cities.queries import runtime

NOW = datetime(2026, 3, 18, 6, 30, tzinfo=UTC)  # a Wednesday, 14:30 on the toy city's clocks
REGIONS = ("900101", "900102", "900201", "900202", "")
CATEGORIES = ("02001", "03001", "01001")
HOLDERS = ("CTR-90", "SWEEP-9001", "SWEEP-9002")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def looked_at_once() -> Iterator[None]:
    board.forget()
    yield
    board.forget()


@pytest.fixture
def many(mini: str) -> list[Case]:
    """Four hundred cases of forty days; each came from the centre to a crew, and a third of the open ones moved on since."""
    chance = random.Random(5)
    cases = []
    for serial in range(400):
        opened = NOW - timedelta(hours=chance.randrange(0, 40 * 24), minutes=chance.randrange(60), milliseconds=300)
        closed = opened + timedelta(hours=chance.randrange(1, 200)) if chance.random() < 0.7 else None
        filed = opened + timedelta(hours=chance.randrange(0, 9)) if chance.random() < 0.8 else None
        cases.append(
            Case(
                city=mini, number=f"M{serial:05}", seq=2, step="closed" if closed else "dispatched", stage="",
                category=chance.choice(CATEGORIES), condition="", region=chance.choice(REGIONS), grid="",
                lon=round(120.003 + chance.randrange(5) * 0.01, 6), lat=round(31.003 + chance.randrange(5) * 0.01, 6),
                text="", address="", source="public", priority="", holder=chance.choice(HOLDERS), level="city",
                opened_at=opened, filed_at=filed if filed and filed < NOW else None, closed_at=closed if closed and closed < NOW else None,
                deadline=opened + timedelta(hours=chance.randrange(2, 60)) if chance.random() < 0.9 else None,
                overdue=chance.random() < 0.2, rating=chance.choice((0, 0, 3, 5)), merged_into="", flag="", head=b"", rest="{}",
            )
        )  # fmt: skip
    Case.objects.bulk_create(cases)
    made = list(Case.objects.order_by("id"))
    events = []
    for case in made:
        events.append(_event(case, 1, case.opened_at, "", "CTR-90"))
        crew = chance.choice(HOLDERS[1:])
        events.append(_event(case, 2, case.opened_at + HOUR, "CTR-90", crew))
        case.holder = "CTR-90" if case.closed_at else case.holder
        if case.holder != crew:
            events.append(_event(case, 3, case.closed_at or case.opened_at + 30 * HOUR, crew, case.holder))
    Event.objects.bulk_create(events)
    Case.objects.bulk_update(made, ["holder"])
    return made


def _event(case: Case, seq: int, at: datetime, before: str, holder: str) -> Event:
    return Event(
        case=case, city=case.city, seq=seq, at=at, verb="report", actor="", actor_name="", actor_unit="", role="",
        from_step="", to_step=case.step, from_holder=before, holder=holder, reason="", payload="{}", hash=b"",
    )  # fmt: skip


def period_of(day: str = "", week: str = "") -> Period:
    return read_period(day=day, week=week, zone=runtime("mini").info.zone, default=date(2026, 3, 17))


def made(period: Period, region: str = "", now: datetime = NOW) -> bulletins.Bulletin:
    place = runtime("mini")
    of = place.regions[region] if region else place.regions.roots[0]
    found = bulletins.bulletin(place=place, region=of, period=period, now=now)
    assert found is not None
    return found


def plainly(cases: list[Case], period: Period, now: datetime = NOW) -> dict[str, int]:
    """The figures of a period, said as one says them."""
    start, end, at = period.start, period.end, min(period.end, now)
    closed = [c for c in cases if c.closed_at and start <= c.closed_at < end]
    still = [c for c in cases if c.opened_at < at and (c.closed_at is None or c.closed_at >= at)]
    return {
        "opened": sum(start <= c.opened_at < end for c in cases),
        "filed": sum(c.filed_at is not None and start <= c.filed_at < end for c in cases),
        "closed": len(closed),
        "closed_on_time": sum(not c.overdue and c.deadline is not None for c in closed),
        "open": len(still),
        "overdue": sum(c.deadline is not None and c.deadline < at for c in still),
    }


PERIODS = [
    ("2026-03-17", ""),
    ("2026-03-01", ""),
    ("2026-03-18", ""),
    ("2026-02-12", ""),
    ("", "2026-W11"),
    ("", "2026-W12"),
]


@pytest.mark.parametrize(("day", "week"), PERIODS)
@pytest.mark.parametrize("region", ["", "9001"])
def test_a_past_period_is_counted_as_it_was(many: list[Case], day: str, week: str, region: str) -> None:
    period = period_of(day, week)
    mine = [case for case in many if case.region.startswith(region)]
    found = made(period, region)
    expected, before = plainly(mine, period), plainly(mine, period.back())
    assert {one["id"]: one["value"] for one in found.figures} == expected
    assert {one["id"]: one["change"] for one in found.figures} == {
        name: expected[name] - before[name] for name in expected
    }
    oldest = min(case.opened_at for case in many)
    earlier = [one for weeks in (1, 2, 3, 4) if (one := period.weeks_back(weeks)).start >= oldest]
    assert found.since == len(earlier)
    if earlier:
        usual = {name: statistics.mean(plainly(mine, one)[name] for one in earlier) for name in expected}
        assert {one["id"]: one["usual"] for one in found.figures} == pytest.approx(usual)
    drawn = {one["value"]: (one["opened"], one["closed"], one["overdue"]) for one in found.points}
    assert len(drawn) == (8 if week else 14)
    for back in range(len(drawn)):
        counted = plainly(mine, one := period.back(back))
        assert drawn[one.value] == (counted["opened"], counted["closed"], counted["overdue"])
    kinds = Counter(case.category for case in mine if period.start <= case.opened_at < period.end)
    assert {one["code"]: one["value"] for one in found.categories} == kinds


def test_parts_of_the_region_add_up(many: list[Case]) -> None:
    for region in ("", "9001"):
        found = made(period_of(), region)
        for name in ("opened", "filed", "closed", "closed_on_time", "open", "overdue"):
            whole = next(one["value"] for one in found.figures if one["id"] == name)
            assert sum(row[name] for row in found.regions) == whole, name
    assert [row["code"] for row in found.regions if row["code"]]


def test_centre_and_lists_have_the_same_numbers(many: list[Case], admin_client: Client) -> None:
    place, period = runtime("mini"), period_of("2026-03-10")
    found = made(period)
    values = {one["id"]: one["value"] for one in found.figures}
    centre = centre_figures.side_figures(place=place, region="", at=found.at, past=True)
    assert {name: values[name] for name in ("open", "overdue")} == {
        name: centre["now"][name] for name in ("open", "overdue")
    }
    last = centre["days"][-1]
    assert (values["opened"], values["closed"], values["closed_on_time"]) == (
        last["opened"], last["closed"], last["closed_on_time"],
    )  # fmt: skip
    assert {one["value"]: one["opened"] for one in found.points}.items() <= {
        one["day"]: one["opened"] for one in centre["days"]
    }.items()
    asked = [(one["link"], one["value"]) for one in found.figures]
    asked += [(cell["link"], cell["value"]) for row in found.regions for cell in row["values"] if cell["link"]]
    asked += [
        (one["link"], one["value"]) for one in (*found.categories, *found.late_units, *found.spots) if one["link"]
    ]
    assert len(asked) > 12
    for link, value in asked:
        page = admin_client.get(link, headers={"accept-language": "en"}).content.decode()
        total = re.search(r"([\d,]+) cases?<", page)
        assert total, link
        assert total[1] == str(value), link


def test_units_are_those_of_that_day_and_not_of_today(many: list[Case]) -> None:
    found = made(period_of("2026-03-05"))
    at = found.period.end
    then: Counter[str] = Counter()
    for case in many:
        if (
            case.opened_at < at
            and (case.closed_at is None or case.closed_at >= at)
            and case.deadline
            and case.deadline < at
        ):
            last = Event.objects.filter(case=case, at__lt=at).order_by("-seq").first()
            assert last is not None
            then[last.holder] += 1
    assert {one["unit"]: one["value"] for one in found.late_units} == then
    assert any(
        not one["link"] for one in found.late_units
    )  # some have moved on since: their list would not be these cases
    waiting = [case for case in many if case.opened_at < at and (case.closed_at is None or case.closed_at >= at)]
    oldest = sorted(waiting, key=lambda case: (int(case.opened_at.timestamp()), case.pk))[:8]
    assert [one["number"] for one in found.waiting] == [case.number for case in oldest]
    assert found.waiting[0]["days"] == (at - oldest[0].opened_at).days


def test_quick_units_handled_what_was_closed_and_are_no_centre(many: list[Case]) -> None:
    found = made(period_of("", "2026-W11"))
    times: dict[str, list[float]] = {}
    for case in many:
        if case.closed_at and found.period.start <= case.closed_at < found.period.end:
            crew = Event.objects.filter(case=case, seq=2, at__lte=case.closed_at).first()
            times.setdefault(crew.holder if crew else "", []).append((case.closed_at - case.opened_at).total_seconds())
    expected = {unit: statistics.median(taken) for unit, taken in times.items() if unit and len(taken) >= 3}
    assert {one["unit"]: one["seconds"] for one in found.quick_units} == pytest.approx(expected, abs=1)
    stars = Counter(
        case.rating for case in many
        if case.rating and case.closed_at and found.period.start <= case.closed_at < found.period.end
    )  # fmt: skip
    assert {one["stars"]: one["count"] for one in found.ratings if one["count"]} == stars


def test_a_summary_has_three_lines_at_most_and_says_the_figures(many: list[Case]) -> None:
    for day, week in PERIODS:
        with translation.override("zh-hans"):
            found = made(period_of(day, week))
        assert 2 <= len(found.lines) <= 3
        values = {one["id"]: one["value"] for one in found.figures}
        assert f"上报 {values['opened']} 件" in found.lines[0]
        assert f"在办 {values['open']} 件" in found.lines[1]


# --- periods ----------------------------------------------------------------------------------------------------------


def test_a_day_that_the_clocks_change_is_a_day() -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/New_York")
    for day, hours in (("2011-03-13", 23), ("2011-11-06", 25), ("2011-11-07", 24)):
        period = read_period(day=day, week="", zone=zone, default=date(2011, 1, 1))
        assert (period.end.astimezone(UTC) - period.start.astimezone(UTC)) == hours * HOUR
        assert period.back().end.astimezone(UTC) == period.start.astimezone(UTC)
    week = read_period(day="", week="2011-W44", zone=zone, default=date(2011, 1, 1))
    assert (week.first, week.last) == (date(2011, 10, 31), date(2011, 11, 6))
    assert (week.end.astimezone(UTC) - week.start.astimezone(UTC)) == (7 * 24 + 1) * HOUR


def test_yesterday_is_the_citys() -> None:
    from zoneinfo import ZoneInfo

    late = datetime(2026, 11, 28, 17, 0, tzinfo=UTC)  # one in the morning of the 29th in China
    assert default_day(stands=None, zone=ZoneInfo("Asia/Shanghai"), now=late) == date(2026, 11, 28)
    assert default_day(stands=None, zone=ZoneInfo("America/New_York"), now=late) == date(2026, 11, 27)
    assert read_period(day="", week="last", zone=UTC, default=date(2026, 11, 28)).value == "2026-W47"
    assert read_period(day="", week="last", zone=UTC, default=date(2026, 11, 29)).value == "2026-W48"


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ("2026-13-01", ""),
        ("20261128", ""),
        ("²", ""),
        ("", "2026-W54"),
        ("", "2026-48"),
        ("0001-01-01", ""),
        ("", "9999-W52"),
    ],
)
def test_what_is_no_period_is_refused(day: str, week: str) -> None:
    with pytest.raises(BadInput):
        read_period(day=day, week=week, zone=UTC, default=date(2026, 1, 1))


# --- pages ------------------------------------------------------------------------------------------------------------


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def staff(mini: str, django_user_model: Any) -> Client:
    from yiwang.server.people.models import RoleAssignment

    user = django_user_model.objects.create_user("desk", password="x" * 12)
    RoleAssignment.objects.create(user=user, city=mini, role="dispatcher", unit="CTR-90")
    client = Client()
    client.force_login(user)
    return client


def test_it_is_for_staff_of_the_city(mini: str, many: list[Case], staff: Client, django_user_model: Any) -> None:
    path, file = "/mini/bulletin?day=2026-03-17", "/mini/bulletin/file.pdf?day=2026-03-17"
    for one in (path, file):
        assert Client().get(one).status_code == 302
        stranger = Client()
        stranger.force_login(django_user_model.objects.get_or_create(username="citizen")[0])
        assert stranger.get(one).status_code == 403
        assert staff.get(one).status_code == 200


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_says_what_was_counted(many: list[Case], staff: Client, language: str) -> None:
    expected = plainly(many, period_of("2026-03-17"), datetime.now(UTC))
    page = words(staff.get("/mini/bulletin?day=2026-03-17", headers={"accept-language": language}))
    name = {"zh": "上报", "en": "Reported"}[language]
    assert f"{name} {expected['opened']} " in page
    assert {"zh": "2026年3月17日（星期二）", "en": "Tuesday 17 March 2026"}[language] in page
    week = staff.get("/mini/bulletin?week=2026-W11", headers={"accept-language": language})
    assert {"zh": "2026 年第 11 周", "en": "Week 11 of 2026"}[language] in words(week)
    assert "week=2026-W10" in week.content.decode()
    assert "week=2026-W12" in week.content.decode()


def test_wrong_and_future_days_are_refused_with_a_sentence(many: list[Case], staff: Client) -> None:
    for query, said in (
        ("day=yesterday", "Write a day as"),
        ("week=2026-W60", "Write a day as"),
        ("day=2100-01-01", "still to come"),
    ):
        answer = staff.get(f"/mini/bulletin?{query}", headers={"accept-language": "en"})
        assert answer.status_code == 404
        assert said in words(answer)
    for query in ("region=777", "region_words=Nowhere"):
        assert staff.get(f"/mini/bulletin?{query}").status_code == 404


def test_a_region_is_chosen_by_words_too(many: list[Case], staff: Client) -> None:
    place = runtime("mini")
    region = place.regions["900101"]
    by_code = staff.get("/mini/bulletin?day=2026-03-10&region=900101")
    by_words = staff.get("/mini/bulletin", {"day": "2026-03-10", "region_words": region.name["zh"]})
    assert by_words.context["bulletin"].figures == by_code.context["bulletin"].figures
    assert f'name="region" value="{region.code}"' in by_words.content.decode()
    assert 'name="region" value=""' in staff.get("/mini/bulletin?day=2026-03-10").content.decode()


def test_a_city_without_cases_says_so(mini: str, staff: Client) -> None:
    assert "No cases by then" in words(staff.get("/mini/bulletin", headers={"accept-language": "en"}))
    assert staff.get("/mini/bulletin/file.pdf").status_code == 404


def test_it_takes_few_queries(
    many: list[Case], staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    staff.get("/mini/bulletin?day=2026-03-10")
    with django_assert_max_num_queries(12):
        assert staff.get("/mini/bulletin?day=2026-03-11").status_code == 200


# --- paper ------------------------------------------------------------------------------------------------------------


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", content))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_paper_has_two_pages_at_most(many: list[Case], staff: Client, language: str) -> None:
    for query in ("day=2026-03-17", "week=2026-W11", "day=2026-03-17&region=900101"):
        answer = staff.get(f"/mini/bulletin/file.pdf?{query}&lang={language}")
        assert answer["Content-Type"] == "application/pdf"
        assert 1 <= pages(answer.content) <= 2


@pytest.mark.django_db(transaction=True)
def test_the_command_line_writes_the_same(many: list[Case], tmp_path: Path) -> None:
    from yiwang.cli.main import main

    run: Callable[..., Any] = lambda *said: CliRunner().invoke(main, ["bulletin", *said])  # noqa: E731 - three calls
    out = tmp_path / "day.pdf"
    done = run("mini", "--day", "2026-03-17", "--lang", "en", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF")
    assert [one.name for one in tmp_path.iterdir()] == ["day.pdf"]
    for wrong in (("mini", "--day", "x"), ("nowhere",), ("mini", "--region", "7"), ("mini", "--week", "2100-W01")):
        assert run(*wrong, "--out", str(out)).exit_code == 2


def test_a_replayed_city_stands_at_its_last_day(
    many: list[Case], staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yiwang.server.bulletins import views

    zone = runtime("mini").info.zone
    stands = datetime(2026, 3, 14, 23, 55, tzinfo=zone)
    monkeypatch.setattr(views, "stands_at", lambda city: stands)
    page = words(staff.get("/mini/bulletin", headers={"accept-language": "en"}))
    assert "Saturday 14 March 2026" in page
    assert staff.get("/mini/bulletin?day=2026-03-15").status_code == 404
