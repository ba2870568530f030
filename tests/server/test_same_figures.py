"""A figure that stands on several pages has one name, one definition and one value."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client

from yiwang.server.cases.models import Case
from yiwang.server.cases.reading import map_points, presentation, queries
from yiwang.server.centre import board, centre_figures, map_tiles
from yiwang.server.cities.queries import runtime
from yiwang.server.facts import operations as scores

ROOT = Path(__file__).resolve().parents[2]
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LATE = timedelta(days=10)  # longer than any holidays: some working hours have passed


@pytest.fixture
def lived(report: Any, act: Any, actor: Any) -> Iterator[str]:
    """The toy city after a month: closed in time, closed late, rejected, merged, open and late, open in time."""
    board.forget()
    now = datetime.now(UTC)
    begun = now - timedelta(days=1) - LATE
    while f"{begun + LATE:%m}" != f"{begun - timedelta(days=1):%m}":  # in one month, on any clock
        begun -= timedelta(days=1)

    def opened(at: datetime) -> str:
        return str(report(at=at, actor=actor("inspector", id="user:ins"), channel="inspector")["case"])

    def closed(at: datetime, hours: float) -> None:
        number = opened(at)
        act(number, "dispatch", actor("dispatcher"), at=at)
        unit = Case.objects.get(number=number).holder
        act(number, "take", actor("handler", unit=unit), at=at)
        act(number, "finish", actor("handler", unit=unit), at=at + hours * HOUR, note="done")
        act(number, "ask_check", actor("intake"), at=at + hours * HOUR)
        act(number, "check", actor("inspector"), at=at + hours * HOUR)
        act(number, "close", actor("leader"), at=at + hours * HOUR)

    for hours in (0.1, 0.1, 0.1, LATE / HOUR):
        closed(begun, hours)
    act(str(report(at=begun)["case"]), "reject", actor("intake"), reason="no case", at=begun + HOUR)
    twin = opened(begun)
    for at in (begun, now - HOUR / 60):
        number = opened(at)
        act(number, "dispatch", actor("dispatcher"), at=at)
        act(number, "take", actor("handler", unit=Case.objects.get(number=number).holder), at=at)
    act(twin, "merge", actor("intake"), into=number, reason="the same")
    yield "mini"
    board.forget()


def english(client: Client, path: str) -> Any:
    answer = client.get(path, headers={"accept-language": "en"})
    assert answer.status_code == 200, path
    return answer


def figures_of(page: str) -> dict[str, str]:
    """Name → value of every figure of a page's tops."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {re.sub(r"<[^>]*>", "", name).strip(): re.sub(r"<[^>]*>", "", value).strip() for name, value in found}


def walked(client: Client, city: str, month: str) -> dict[str, dict[str, str]]:
    """Name → value of every figure on the tops of the pages, by address. A name that stands twice has one value."""
    tops = {
        path: figures_of(english(client, path).content.decode())
        for path in ("/", f"/{city}/?month={month}", f"/{city}/portal", f"/{city}/portal/score?month={month}")
    }
    values: dict[str, dict[str, str]] = {}
    for path, figures in tops.items():
        for name, value in figures.items():
            values.setdefault(name, {})[path] = value
    assert not {name: where for name, where in values.items() if len(set(where.values())) > 1}
    return tops


def every_case(client: Client, city: str, asked: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found, cursor = [], ""
    while True:
        page = client.get(f"/api/v1/cities/{city}/cases?limit=500&{asked}&cursor={cursor}").json()
        found += page["items"]
        if not page["next"]:
            return found
        cursor = page["next"]


def counts_agree(client: Client, city: str, overview: dict[str, str]) -> None:
    """The centre, the lists, the regions' maps and the portal have the overview's counts."""
    centre = client.get(f"/api/v1/cities/{city}/centre").json()["now"]
    assert overview["Open"] == str(centre["open"])
    assert overview["Open and overdue"] == str(centre["overdue"])
    assert overview["All cases"] == str(centre["cases"])
    for state, key in (("open", "Open"), ("overdue", "Open and overdue"), ("closed", "Closed"), ("", "All cases")):
        listed = every_case(client, city, f"state={state}")
        assert str(len({case["number"] for case in listed})) == overview[key] == str(len(listed)), state
        if state == "overdue":
            assert all(case["late"] for case in listed)
    by_deadline = every_case(client, city, "state=overdue&order=deadline")
    assert str(len(by_deadline)) == overview["Open and overdue"]
    undrawn = every_case(client, city, "state=open&flag=undrawn")
    assert len(undrawn) == centre["undrawn"]
    for path in (f"/api/v1/cities/{city}/map/regions", f"/{city}/map/regions.json"):
        regions = [one["properties"] for one in client.get(path).json()["features"]]
        nowhere = sum(not case["region"] for case in every_case(client, city, "state=open"))
        assert str(sum(one["open"] for one in regions) + nowhere) == overview["Open"], path
        late = sum(not case["region"] for case in by_deadline)
        assert str(sum(one["overdue"] for one in regions) + late) == overview["Open and overdue"], path
    points = client.get(f"/api/v1/cities/{city}/map/cases?limit=2000").json()["features"]
    assert len(points) == centre["open"] - centre["undrawn"]
    drawn_late = centre["overdue"] - sum(case["late"] for case in undrawn)
    assert sum(point["properties"]["overdue"] for point in points) == drawn_late
    page = client.get(f"/{city}/map/cases.json").json()["features"]
    assert sum(point["properties"].get("light") == "red" for point in page) == drawn_late


@pytest.mark.django_db(transaction=True)
def test_what_stands_twice_has_one_value(lived: str) -> None:
    from yiwang.cli.main import main

    client = Client()
    scores.refresh_measured(city=lived)
    begun = Case.objects.earliest("opened_at").opened_at
    month = f"{begun.astimezone(runtime(lived).info.zone):%Y-%m}"
    tops = walked(client, lived, month)
    # the programs' answers and the command line say the same
    said = CliRunner().invoke(main, ["score", lived, "--by", "city,month", "--json"], catch_exceptions=False)
    row = next(row for row in json.loads(said.output)["rows"] if row["month"] == month)
    cell = row["values"]["closing_on_time"]
    share = f"{cell['value']:.1f} %"
    name = f"On-time closing · {month}"
    assert (cell["numerator"], cell["denominator"]) == (3, 5)
    assert [figures[name] for figures in tops.values() if name in figures] == [share] * 3
    assert tops[f"/{lived}/portal/score?month={month}"][f"Reported · {month}"] == str(
        row["values"]["intake"]["numerator"]
    )
    league = english(client, f"/{lived}/score?level=city&month={month}").content.decode()
    assert f"{cell['value']:.1f}%" in league

    overview = tops[f"/{lived}/?month={month}"]
    counts_agree(client, lived, overview)
    centre = client.get(f"/api/v1/cities/{lived}/centre").json()["now"]
    assert overview["Closed"] == str(centre["closed"])
    # what is counted otherwise is called otherwise
    assert "<dt>Closed on time</dt>" in english(client, f"/{lived}/centre").content.decode()


@pytest.fixture
def replayed(db: None, tmp_path: Path) -> Iterator[str]:
    """Boston with every fifth of its records of October 2011: of those open on the last day many were closed later."""
    from yiwang.server.cases.storage import numbering
    from yiwang.server.cities import queries as places
    from yiwang.server.imports.replay import replay_file
    from yiwang.server.provision.operations import install_pack

    for forget in (places.forget, numbering.forget, board.forget):
        forget()
    install_pack(ROOT / "packs" / "boston")
    with gzip.open(ROOT / "packs" / "boston" / "demo" / "requests.csv.gz", "rt", encoding="utf-8") as whole:
        head, *records = whole.readlines()
    (tmp_path / "records.csv").write_text("".join([head, *records[::5]]), encoding="utf-8")
    replay_file(city="boston", path=tmp_path / "records.csv")
    yield "boston"
    for forget in (places.forget, numbering.forget, board.forget):
        forget()


@pytest.mark.django_db(transaction=True)
def test_what_stands_twice_has_one_value_in_a_replayed_city(replayed: str) -> None:
    """A city is judged at its last recorded moment everywhere: what was closed after it is open, and late if it was late."""
    from yiwang.server.cases.reading.city_moment import stands_at

    at = stands_at(city=replayed)
    assert at is not None
    cases = list(Case.objects.filter(city=replayed).values("number", "region", "closed_at", "deadline", "opened_at"))
    still = [case for case in cases if case["closed_at"] is None or case["closed_at"] > at]
    late = [case for case in still if case["deadline"] is not None and case["deadline"] < at]
    assert max(case["opened_at"] for case in cases) <= at
    assert sum(case["closed_at"] is not None for case in still) > 20
    assert any(case["closed_at"] is not None for case in late)

    client = Client()
    scores.refresh_measured(city=replayed)
    month = f"{at:%Y-%m}"
    tops = walked(client, replayed, month)
    overview = tops[f"/{replayed}/?month={month}"]
    assert (overview["Open"], overview["Open and overdue"]) == (str(len(still)), str(len(late)))
    assert overview["Closed"] == str(len(cases) - len(still))
    counts_agree(client, replayed, overview)
    page = english(client, f"/{replayed}/").content.decode()
    assert "a past moment has no counts by step" in page
    assert "No cases yet" not in page

    begun = datetime(at.year, at.month, 1, tzinfo=at.tzinfo)
    score = tops[f"/{replayed}/portal/score?month={month}"]
    assert score[f"Reported · {month}"] == str(sum(case["opened_at"] >= begun for case in cases))
    asked = client.get(f"/api/v1/cities/{replayed}/centre", {"at": at.isoformat()}).json()
    assert asked["now"] == client.get(f"/api/v1/cities/{replayed}/centre").json()["now"]


@pytest.mark.django_db
def test_a_case_is_late_when_its_deadline_has_passed_and_not_before(mini: str, report: Any) -> None:
    """At the very moment of the deadline it is in time, wherever that is asked."""
    due = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    number = report(at=due - HOUR)["case"]
    Case.objects.filter(number=number).update(deadline=due)
    place = runtime(mini)
    board.forget()
    for at, late in ((due - SECOND, False), (due, False), (due + SECOND, True)):
        row = queries.list_cases(city=mini, filters=queries.CaseFilters(), at=at).items[0]
        assert (presentation.row(row, runtime=place, at=at)["light"] == "red") is late
        assert len(queries.list_cases(city=mini, filters=queries.CaseFilters(state="overdue"), at=at).items) == late
        assert queries.figures(city=mini, region="90", at=at)["overdue"] == late
        with board.board(mini).fresh() as seen:
            rows = map_tiles.matching_rows(seen, map_tiles.CaseFilter(at=at, past=True, state="overdue"))
            assert len(rows) == late
            everything = map_tiles.matching_rows(seen, map_tiles.CaseFilter(at=at, past=True, state="all"))
            assert (map_tiles.lights(seen, everything, at)[0] == 3) == late
    counted = centre_figures.side_figures(place=place, region="", at=due, past=True)
    assert counted["now"]["overdue"] == 0
    board.forget()


@pytest.mark.django_db(transaction=True)
def test_a_city_without_deadlines_has_no_share_on_time(lived: str) -> None:
    """Nothing to compare is a dash, never 100 %."""
    Case.objects.update(deadline=None, overdue=False)
    board.forget()
    counted = centre_figures.side_figures(place=runtime(lived), region="", at=datetime.now(UTC), past=False)
    assert (counted["now"]["closed_with_deadline"], counted["now"]["closed_on_time"]) == (0, 0)
    assert {day["closed_on_time"] for day in counted["days"]} == {0}
    assert {day["closed_with_deadline"] for day in counted["days"]} == {0}


def test_on_time_indicators_leave_out_what_had_no_deadline() -> None:
    """Of both packs and the toy city: a closed case without a deadline is in no on-time rate."""
    from tests.engines.tables import day, fact

    from yiwang.core.indicators.scorecard import Wish, score
    from yiwang.engines.memory import MemoryEngine
    from yiwang.packs.pack import read_pack

    for folder in (ROOT / "packs" / "wuxi", ROOT / "packs" / "boston", ROOT / "tests/packs/fixtures/mini"):
        pack = read_pack(folder)
        context = pack.fact_context()
        row = fact("A", opened_at=day("03-02"), filed_at=day("03-02"), dispatched_at=day("03-02"), disposed_at=day("03-03"),
                   closed_at=day("03-03"), end_kind="closed", handlers=1)  # fmt: skip
        row = {**context.blank, **{name: value for name, value in row.items() if name in context.blank}}
        of_cases = tuple(one.id for one in pack.indicators.indicators if one.table == "cases")
        wish = Wish(by=(), as_of=day("04-30"), indicators=of_cases)
        engines = {"cases": MemoryEngine([row])}
        tables, zone = pack.fact_tables(), pack.info.zone
        counted = score(wish, book=pack.indicators, tables=tables, engines=engines, zone=zone)[0].cells
        names = [
            name for name in counted if re.fullmatch("(closing|disposal)_(on_time|late)|closed_on_time_share", name)
        ]
        assert names
        assert {name: counted[name].value for name in names} == dict.fromkeys(names), folder.name
        assert counted["intake"].numerator == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_published_while_records_are_imported(lived: str) -> None:
    """Half an import is no month: the portal waits, and counts again what it published before the end."""
    from yiwang.server.common import operations as jobs

    def months() -> list[str]:
        page = english(Client(), f"/{lived}/portal/score").content.decode()
        return re.findall(r"<option [^>]*>(\d{4}-\d{2})</option>", page)

    scores.refresh_measured(city=lived)
    assert months()
    job, _ = jobs.ask_job(kind="replay", city=lived)
    assert jobs.claim_job(job=job.pk)
    assert not months()
    page = english(Client(), f"/{lived}/portal/score").content.decode()
    assert "Records are being imported" in page
    assert "Records are being imported" in english(Client(), f"/{lived}/portal").content.decode()
    jobs.finish(job=job.pk)
    assert not months(), "what has been counted is older than the end of the import"
    scores.refresh_measured(city=lived)
    assert months()
    assert "Records are being imported" not in english(Client(), f"/{lived}/portal").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_portal_waits_for_a_replay_from_the_command_line(
    replayed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command makes a job like the worker's; killed, it is not waited for for ever: the worker takes it and ends it."""
    from yiwang.cli.main import main
    from yiwang.server.common import operations as jobs
    from yiwang.server.common import queries as known
    from yiwang.server.common.models import Job
    from yiwang.server.imports import replay
    from yiwang.server.provision import tasks

    file, seen = tmp_path / "records.csv", []
    asked = ["replay", replayed, str(file), "--limit", "20", "--json"]
    whole = replay.replay_file

    def watched(**values: Any) -> dict[str, Any]:
        seen.append(known.is_importing(city=replayed))
        seen.append(CliRunner().invoke(main, asked).exit_code == 1)  # a second one is told to wait
        return whole(**values)

    monkeypatch.setattr(replay, "replay_file", watched)
    said = CliRunner().invoke(main, asked, catch_exceptions=False)
    assert json.loads(said.output)["known"] == 20
    assert seen == [True, True]
    assert not known.is_importing(city=replayed)
    assert known.last_import_at(city=replayed) is not None
    job = Job.objects.get(kind="replay", city=replayed)
    assert (job.state, job.result["known"]) == ("done", 20)

    def interrupted(**values: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(replay, "replay_file", interrupted)
    assert CliRunner().invoke(main, asked).exit_code == 1
    assert Job.objects.get(pk=job.pk).state == "failed"

    # killed: the row says "running", and nobody says anything any more
    silent = datetime.now(UTC) - timedelta(seconds=jobs.LOST_AFTER_SECONDS + 1)
    Job.objects.filter(pk=job.pk).update(state="running", updated_at=silent)
    assert known.is_importing(city=replayed)
    assert jobs.requeue_lost_jobs(older_than_seconds=jobs.LOST_AFTER_SECONDS) == 1
    monkeypatch.setattr(replay, "replay_file", whole)
    assert jobs.claim_job(job=job.pk)
    tasks.run_job.func(job.pk)
    assert Job.objects.get(pk=job.pk).state == "done"
    assert not known.is_importing(city=replayed)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_has_nothing_to_tell_is_not_taken_for_dead() -> None:
    from yiwang.server.common import operations as jobs
    from yiwang.server.common.models import Job

    job = jobs.begin_job(kind="replay", city="x", key="f", parameters={})
    assert job is not None
    long_ago = datetime.now(UTC) - 2 * HOUR
    Job.objects.update(updated_at=long_ago)
    with jobs.keep_alive(job=job, every_seconds=0.01):
        until = time.monotonic() + 20
        while Job.objects.get(pk=job).updated_at == long_ago and time.monotonic() < until:
            time.sleep(0.02)
    assert jobs.requeue_lost_jobs(older_than_seconds=jobs.LOST_AFTER_SECONDS) == 0
    assert jobs.begin_job(kind="replay", city="x", key="f", parameters={}) is None


@pytest.mark.django_db
def test_what_no_map_draws_is_counted_and_listed(mini: str, report: Any) -> None:
    board.forget()
    numbers = [report(text=f"垃圾{index}")["case"] for index in range(5)]
    faults: list[dict[str, str | None]] = [{"flag": "outside"}, {"flag": "default_point"}, {"lon": None, "lat": None}]
    for number, values in zip(numbers, faults, strict=False):
        Case.objects.filter(number=number).update(**values)
    client = Client()
    drawn = {case["number"] for case in map_points.map_cases(city=mini)}
    assert drawn == set(numbers[3:])
    # points that are no place are drawn apart, with their count
    apart = {("outside", 1), ("default_point", 1)}
    answer = client.get(f"/api/v1/cities/{mini}/map/cases").json()
    assert {(point["flag"], point["open"]) for point in answer["apart"]} == apart
    assert client.get(f"/api/v1/cities/{mini}/map/cases?bbox=0,0,1,1").json()["apart"] == []
    assert {feature["properties"]["number"] for feature in answer["features"]} == drawn
    features = [one["properties"] for one in client.get(f"/{mini}/map/cases.json").json()["features"]]
    assert {(one["flag"], one["open"]) for one in features if "flag" in one} == apart
    assert {one["number"] for one in features if "flag" not in one} == drawn
    listed = client.get(f"/api/v1/cities/{mini}/cases?state=open&flag=undrawn").json()["items"]
    assert {row["number"] for row in listed} == set(numbers[:3])
    assert [
        row["number"] for row in client.get(f"/api/v1/cities/{mini}/cases?flag=outside").json()["items"]
    ] == numbers[:1]
    assert client.get(f"/api/v1/cities/{mini}/cases?flag=nowhere").status_code == 422
    assert client.get(f"/api/v1/cities/{mini}/centre").json()["now"]["undrawn"] == 3
    for path in (f"/{mini}/", f"/{mini}/map", f"/{mini}/portal/map"):
        page = english(client, path).content.decode()
        assert "3 more open cases are not drawn as cases" in page, path
        assert "state=open&amp;flag=undrawn" in page, path
    shown = english(client, f"/{mini}/cases?state=open&flag=undrawn").content.decode()
    assert {number for number in numbers if number in shown} == set(numbers[:3])
    board.forget()


@pytest.mark.django_db(transaction=True)
def test_the_regions_of_a_past_moment_are_those_of_that_moment(lived: str) -> None:
    """Going back in time moves the regions on the map and in the list beside it, not only the figures."""
    client = Client()
    begun = Case.objects.earliest("opened_at").opened_at
    for at in (begun - HOUR, begun + HOUR, begun + LATE - HOUR):
        moment = at.isoformat()
        centre = client.get(f"/api/v1/cities/{lived}/centre", {"at": moment}).json()["now"]
        below = client.get(f"/{lived}/map/regions.json", {"at": moment}).json()["features"]
        for name in ("cases", "open", "overdue"):
            assert sum(one["properties"][name] for one in below) == centre[name], (name, moment)
    assert centre["overdue"] > 0
    assert client.get(f"/{lived}/map/regions.json", {"at": "yesterday"}).status_code == 404
