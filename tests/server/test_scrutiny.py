"""The case log in files that other tools read, and the page that says where time goes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from yiwang.server.cases.models import Case, Event
from yiwang.server.cities.queries import runtime
from yiwang.server.scrutiny import exporting, flow_tables, flowing, reading
from yiwang.server.scrutiny.pseudonyms import Pseudonyms

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "packs"
MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
SECRET = "13800001234"
XES = "{http://www.xes-standard.org/}"
Make = Callable[..., Any]
of_files = pytest.mark.first_run_only(
    reason="the time goes into pm4py, which reads files; other tests compare the files"
)


@pytest.fixture
def cases(report: Make, act: Make, actor: Make) -> list[str]:
    """A case that is closed, one in hand and one just reported."""
    numbers = []
    for place, name in enumerate(("closed", "handling", "reported")):
        who = actor("inspector", id="user:8")
        told = report(actor=who, text=f"{name} <&> {SECRET}", contact=SECRET, at=MONDAY + timedelta(days=place))
        numbers.append(told["case"])
    for number, goes_on in zip(numbers[:2], (True, False), strict=True):
        at = Case.objects.get(number=number).opened_at + timedelta(hours=1)
        act(number, "dispatch", actor("dispatcher"), at=at)
        crew = actor("handler", unit=Case.objects.get(number=number).holder, id="user:7")
        act(number, "take", crew, at=at)
        if goes_on:
            act(number, "finish", crew, at=at + timedelta(hours=2), note=SECRET)
            for verb, role in (("ask_check", "intake"), ("check", "inspector"), ("close", "leader")):
                act(number, verb, actor(role), at=at + timedelta(hours=3))
    return numbers


def replayed(log: Path, net: Path, *, closed_only: bool) -> dict[str, float]:
    """Fitness as pm4py finds it by replaying tokens."""
    pm4py = pytest.importorskip("pm4py")
    frame = pm4py.read_xes(str(log))
    if closed_only:
        frame = frame[frame["case:closed_at"].notna()]
    found: dict[str, float] = pm4py.fitness_token_based_replay(frame, *pm4py.read_pnml(str(net)))
    return found


# --- files ------------------------------------------------------------------------------------------------------------


@of_files
def test_pm4py_replays_the_log_on_the_workflow_without_a_fault(cases: list[str], tmp_path: Path) -> None:
    log, strict, relaxed = tmp_path / "log.xes.gz", tmp_path / "strict.pnml", tmp_path / "relaxed.pnml"
    written = exporting.export_xes(city="mini", path=log)
    assert written == {"cases": 3, "events": Event.objects.count()}
    exporting.export_pnml(city="mini", path=strict)
    exporting.export_pnml(city="mini", path=relaxed, open_cases=True)
    assert replayed(log, relaxed, closed_only=False)["log_fitness"] == 1.0
    assert replayed(log, strict, closed_only=True)["log_fitness"] == 1.0
    assert replayed(log, strict, closed_only=False)["log_fitness"] < 1.0  # two cases have not ended


@of_files
def test_a_log_that_was_tampered_with_does_not_fit(cases: list[str], tmp_path: Path) -> None:
    log, net = tmp_path / "log.xes", tmp_path / "net.pnml"
    exporting.export_xes(city="mini", path=log)
    exporting.export_pnml(city="mini", path=net, open_cases=True)
    text = log.read_text(encoding="utf-8")
    log.write_text(text.replace('"concept:name" value="finish"', '"concept:name" value="close"', 1), encoding="utf-8")
    assert replayed(log, net, closed_only=False)["log_fitness"] < 1.0


def test_xes_says_what_happened_in_order_and_the_file_appears_only_when_whole(cases: list[str], tmp_path: Path) -> None:
    path = tmp_path / "log.xes.gz"
    exporting.export_xes(city="mini", path=path)
    assert [each.name for each in tmp_path.iterdir()] == ["log.xes.gz"]
    root = ElementTree.fromstring(gzip.decompress(path.read_bytes()))
    traces = {_value(trace, "concept:name"): trace for trace in root.iter(f"{XES}trace")}
    assert set(traces) == set(cases)
    for number, trace in traces.items():
        told = [_value(event, "concept:name") for event in trace.iter(f"{XES}event")]
        assert told == list(Event.objects.filter(case__number=number).order_by("seq").values_list("verb", flat=True))
    assert {each.get("prefix") for each in root.iter(f"{XES}extension")} == {"concept", "time", "lifecycle", "org"}


def _value(node: ElementTree.Element, key: str) -> str:
    return next(str(each.get("value")) for each in node if each.get("key") == key)


@pytest.mark.parametrize("name", ["log.xes", "log.json", "log.sqlite"])
def test_no_file_holds_contacts_words_or_accounts(cases: list[str], tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write = exporting.export_xes if name.endswith("xes") else exporting.export_ocel
    write(city="mini", path=path)
    content = path.read_bytes()
    assert SECRET.encode() not in content
    assert b"user:7" not in content
    assert Pseudonyms(city="mini")("user:7").encode() in content
    write(city="mini", path=path, reveal=True)
    assert b"user:7" in path.read_bytes()


def test_a_pseudonym_is_the_same_word_in_one_city_and_another_elsewhere() -> None:
    here = Pseudonyms(city="mini")
    assert here("user:7") == here("user:7") == Pseudonyms(city="mini")("user:7")
    assert here("user:7") != here("user:8")
    assert here("user:7") != Pseudonyms(city="other")("user:7")
    assert here("system") == "system"


def test_both_forms_of_ocel_say_the_same_and_every_relation_leads_somewhere(cases: list[str], tmp_path: Path) -> None:
    plain, base = tmp_path / "log.json", tmp_path / "log.sqlite"
    counts = exporting.export_ocel(city="mini", path=plain)
    assert exporting.export_ocel(city="mini", path=base) == counts
    log = json.loads(plain.read_text(encoding="utf-8"))
    assert len(log["events"]) == counts["events"] == Event.objects.count()
    objects = {each["id"] for each in log["objects"]}
    assert len(objects) == len(log["objects"]) == counts["objects"]
    named = {(each["id"], to["objectId"], to["qualifier"]) for each in log["objects"] for to in each["relationships"]}
    touched = {(each["id"], to["objectId"], to["qualifier"]) for each in log["events"] for to in each["relationships"]}
    assert {to for _, to, _ in named | touched} <= objects
    assert {each["name"] for each in log["objectTypes"]} == {"case", "report", "unit", "region", "component"}
    with closing(sqlite3.connect(base)) as connection:
        assert set(connection.execute("SELECT * FROM object_object")) == named
        assert set(connection.execute("SELECT * FROM event_object")) == touched
        assert connection.execute("SELECT count(*) FROM event_report").fetchone() == (3,)
        assert connection.execute("SELECT count(*) FROM object_case").fetchone() == (3,)


@of_files
def test_pm4py_reads_both_forms_of_ocel(cases: list[str], tmp_path: Path) -> None:
    pm4py = pytest.importorskip("pm4py")
    plain, base = tmp_path / "log.json", tmp_path / "log.sqlite"
    exporting.export_ocel(city="mini", path=plain)
    exporting.export_ocel(city="mini", path=base)
    for found in (pm4py.read_ocel2_json(str(plain)), pm4py.read_ocel2_sqlite(str(base))):
        assert len(found.events) == Event.objects.count()
        assert {"case", "report", "unit", "region"} == set(found.objects["ocel:type"])


def test_cases_are_read_a_chunk_at_a_time_in_three_queries_each(
    cases: list[str], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1 + 3 * 3 + 1):
        found = list(reading.log_cases(city="mini", pseudonym=Pseudonyms(city="mini"), chunk=1))
    assert [case.number for case in found] == cases


@pytest.fixture
def fresh(db: None) -> Iterator[None]:
    """Nothing remembered of another test's cities."""
    from yiwang.server.cases.storage import numbering
    from yiwang.server.cities import queries

    for forget in (queries.forget, numbering.forget):
        forget()
    yield
    for forget in (queries.forget, numbering.forget):
        forget()


def _fits(city: str, folder: Path, *, least: int) -> None:
    log, net = folder / "log.xes", folder / "net.pnml"
    assert exporting.export_xes(city=city, path=log)["cases"] >= least
    exporting.export_pnml(city=city, path=net, open_cases=True)
    found = replayed(log, net, closed_only=False)
    assert found["log_fitness"] == 1.0
    assert found["percentage_of_fitting_traces"] == 100.0


@of_files
@pytest.mark.slow
def test_real_cases_of_boston_run_through_the_workflow(fresh: None, tmp_path: Path) -> None:
    from yiwang.server.imports.replay import replay_file
    from yiwang.server.provision.operations import install_pack

    install_pack(PACKS / "boston")
    replay_file(city="boston", path=PACKS / "boston" / "demo" / "requests.csv.gz", limit=600)
    _fits("boston", tmp_path, least=500)


@of_files
@pytest.mark.slow
def test_simulated_cases_of_wuxi_run_through_the_workflow(fresh: None, tmp_path: Path) -> None:
    from yiwang.server.provision.operations import install_pack
    from yiwang.server.provision.simulation import run_past

    install_pack(PACKS / "wuxi")
    run_past(city="wuxi", days=1, now=MONDAY + timedelta(days=1))
    _fits("wuxi", tmp_path, least=100)


# --- where time goes --------------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(mini: str) -> Client:
    from yiwang.server.people.operations import create_person

    person, _ = create_person(
        username="clerk", password="a-password-for-tests", name="clerk", name_en="clerk", city="mini",
        roles={"intake": ("CTR-9001", "")}, demo=False,
    )  # fmt: skip
    client = Client()
    client.force_login(person)
    return client


def asked(**more: Any) -> flowing.FlowQuery:
    usual = flowing.FlowQuery(first=MONDAY.date(), last=MONDAY.date() + timedelta(days=9), region="")
    return replace(usual, **more)


def test_the_figures_are_those_of_the_events(cases: list[str]) -> None:
    place = runtime("mini")
    found = flowing.flow(place, asked(), now=MONDAY + timedelta(days=30))
    assert found.cases == 3
    assert found.events == Event.objects.count()
    steps = {found.columns.steps[each.key]: each for each in found.steps}
    assert steps["handling"].cases == 2
    assert steps["handling"].waiting == 0.0  # who took it up kept it in hand
    assert steps["handling"].median == 2 * 3600
    assert steps["handling"].most is None  # the other is in hand to this day
    assert sum(way.cases for way in found.paths) == 3


def test_region_and_period_choose_the_cases(cases: list[str]) -> None:
    place = runtime("mini")
    assert flowing.flow(place, asked(last=MONDAY.date())).cases == 1
    assert flowing.flow(place, asked(region="900101")).cases == 3
    assert flowing.flow(place, asked(region="9002")).cases == 0


@pytest.mark.parametrize(
    ("kind", "key", "count"), [("step", "handling", 2), ("move", "handling>dispatched", 0), ("step", "x", 0)]
)
def test_every_figure_leads_to_its_cases(cases: list[str], kind: str, key: str, count: int) -> None:
    assert len(flowing.behind(runtime("mini"), asked(), kind=kind, key=key)) == count


def test_units_levels_moves_and_ways_lead_to_as_many_cases_as_they_say(cases: list[str]) -> None:
    place = runtime("mini")
    found = flowing.flow(place, asked())
    links = flow_tables.Tables(place, found, link=lambda kind, key: f"{kind} {key}")
    rows = [*links.steps(), *links.units(), *links.levels(), *links.moves(), *links.paths()]
    assert len(rows) > 8
    for row in rows:
        kind, key = row["link"].split(" ", 1)
        assert len(flowing.behind(place, asked(), kind=kind, key=key)) == row["cases"], row


def test_the_page_its_lists_and_its_tables_open_in_both_languages(clerk: Client, cases: list[str]) -> None:
    query = "?from=2026-03-01&to=2026-03-09"
    for language in ("zh-hans", "en"):
        clerk.cookies["django_language"] = language
        page = clerk.get(f"/mini/flow{query}").content.decode()
        assert "<svg" in page
        assert cases[0] in clerk.get(f"/mini/flow/cases{query}&of=step&key=handling").content.decode()
    for table, columns in flow_tables.TABLES.items():
        text = clerk.get(f"/mini/flow/{table}.csv{query}").content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert rows
        assert tuple(rows[0]) == tuple(flow_tables.HEADS[name].en for name in columns)


def test_an_empty_city_says_what_will_be_here(clerk: Client) -> None:
    assert "/mini/report" in clerk.get("/mini/flow").content.decode()


def test_only_those_with_a_post_in_the_city_come_in(clerk: Client, cases: list[str]) -> None:
    from yiwang.server.people.models import User

    stranger = Client()
    assert stranger.get("/mini/flow").status_code == 302
    stranger.force_login(User.objects.create_user(username="citizen", password="a-password-for-tests"))
    for page in ("/mini/flow", "/mini/flow/cases?of=step&key=handling", "/mini/flow/steps.csv"):
        assert stranger.get(page).status_code == 403
        assert clerk.get(page).status_code == 200
    for wrong in (
        "/nowhere/flow",
        "/mini/flow?from=soon",
        "/mini/flow?region=x",
        "/mini/flow/cases?of=x",
        "/mini/flow/x.csv",
    ):
        assert clerk.get(wrong).status_code == 404


def test_the_page_costs_a_query_for_five_hundred_cases_and_a_few_more(
    clerk: Client, cases: list[str], django_assert_max_num_queries: Any
) -> None:
    clerk.get("/mini/flow")
    with django_assert_max_num_queries(12):
        assert clerk.get("/mini/flow").status_code == 200
