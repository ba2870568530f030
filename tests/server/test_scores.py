"""The facts kept up to date are those counted anew; the pages say what the command line says, on every engine."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook
from tests.forging import allow_forging
from tests.spots import Spot

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.models import Case, Event
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.cities.queries import runtime
from yiwang.server.facts import files, operations
from yiwang.server.facts.models import FactStore
from yiwang.server.facts.sources import context_of
from yiwang.server.scores import exporting, queries
from yiwang.server.scores.weights import study_weights

MONDAY = datetime.fromisoformat("2026-03-02T09:00:00+08:00")
HOUR = timedelta(hours=1)
NEAR: Spot = {"lon": 120.0031, "lat": 31.0031}
FAR: Spot = {"lon": 120.0038, "lat": 31.0038}
Rows = dict[str, dict[str, Any]]
Act = Callable[..., dict[str, Any]]


def facts() -> Rows:
    """Every row that holds now, by number."""
    store, shelf = queries.store_of(runtime("mini")), operations.shelf_of(runtime("mini"), "cases")
    with files.workshop(shelf) as connection:
        relation = shelf.facts(base=store.base, delta=store.delta) + " as facts"
        found = files.rows_of(connection, relation, table=shelf.table)
    rows = {row["number"]: row for row in found}
    assert len(rows) == len(found), "a case stands twice"
    return rows


def refresh(at: datetime | None = None) -> dict[str, Any]:
    return operations.refresh_measured(city="mini", at=at)


def anew() -> Rows:
    operations.rebuild(city="mini")
    return facts()


@pytest.fixture
def lived(report: Act, act: Act, actor: Any) -> Callable[..., str]:
    """A case that was closed: `hours` of handling, `rework` once."""

    def live(*, at: datetime = MONDAY, hours: float = 1, rework: bool = False, stars: int = 0, **where: Any) -> str:
        number = report(at=at, actor=actor("inspector", id="user:ins"), channel="inspector", **where)["case"]
        step = at + HOUR / 6
        act(number, "dispatch", actor("dispatcher", id="user:dis"), at=step)
        holder = Case.objects.get(number=number).holder
        act(number, "take", actor("handler", unit=holder), at=step)
        for _ in range(1 + rework):
            step += HOUR * hours
            act(number, "finish", actor("handler", unit=holder), at=step, note="done", photos=())
            act(number, "ask_check", actor("intake"), at=step)
            if rework:
                act(number, "rework", actor("leader"), at=step, reason="not clean")
                act(number, "take", actor("handler", unit=holder), at=step)
                rework = False
                step += HOUR * hours
                act(number, "finish", actor("handler", unit=holder), at=step, note="done")
                act(number, "ask_check", actor("intake"), at=step)
                break
        act(number, "check", actor("inspector", id="user:chk"), at=step + HOUR / 2)
        act(number, "close", actor("leader"), at=step + HOUR)
        if stars:
            act(number, "rate", actor("citizen", unit=""), at=step + 2 * HOUR, stars=stars)
        return str(number)

    return live


@pytest.mark.django_db(transaction=True)
def test_a_row_says_what_happened(mini: str, lived: Callable[..., str]) -> None:
    number = lived(hours=2, rework=True)
    refresh()
    row = facts()[number]
    assert row["end_kind"] == "closed"
    assert (row["reworks"], row["dispatches"] >= 1, row["handovers"]) == (1, True, row["handovers"])
    assert (row["region_city"], row["region_street"], row["region_community"]) == ("90", "9001", "900101")
    assert (row["unit"], row["department"]) == ("SWEEP-9001", "SWEEP-9001")
    assert row["unit_chain"] == "CTR-90/CTR-9001/SWEEP-9001"
    assert (row["opened_by"], row["post_dispatcher"], row["post_inspector"]) == ("user:ins", "user:dis", "user:chk")
    assert row["wall_s"] == (row["closed_at"] - row["opened_at"]).total_seconds()
    stages = [name for name in row if name.startswith("stage_") and name.endswith("_wall_s")]
    assert sum(row[name] for name in stages) == row["wall_s"]
    links = json.loads(row["custody"])
    assert sum(link[4] for link in links) == row["wall_s"]
    assert sum(row[f"level_{level}_wall_s"] for level in ("city", "street", "community")) == row["wall_s"]
    assert row["seq"] == row["events"] == Event.objects.filter(case__number=number).count()


@pytest.mark.django_db(transaction=True)
def test_kept_up_to_date_is_the_same_as_counted_anew(
    mini: str, report: Act, act: Act, actor: Any, lived: Callable[..., str]
) -> None:
    assert refresh()["rebuilt"] == "there are none yet"
    first = lived(rework=True, **NEAR)
    still = report(at=MONDAY, **FAR)["case"]
    assert refresh()["changed"] == 2
    assert refresh()["changed"] == 0, "nothing happened since"
    # an old case is corrected, another one comes back within 50 m, an open one is rejected
    act(still, "correct", actor("intake"), category="02002", reason="wrong")
    later = lived(at=MONDAY + timedelta(days=4), **NEAR)
    refresh()
    assert facts()[first]["recurrences"] == 1, "the row of a case that did nothing itself"
    act(still, "reject", actor("intake"), reason="no case")
    refresh()
    kept = facts()
    assert kept == anew()
    assert kept[still]["category"] == "02002"
    assert kept[still]["end_kind"] == "rejected"
    assert kept[later]["recurrences"] == 0
    assert FactStore.objects.get(city="mini", table="cases").rows == 3


@pytest.mark.django_db(transaction=True)
def test_what_comes_back_is_what_a_slow_count_says(mini: str, lived: Callable[..., str]) -> None:
    from math import cos, radians

    places = [NEAR, FAR, {"lon": 120.00315, "lat": 31.0033}, {"lon": 120.0035, "lat": 31.0032}]
    for day, where in enumerate(places * 2):
        lived(at=MONDAY + timedelta(days=7 * day), category="02001" if day % 3 else "02002", **where)
        refresh()
    rows = facts()
    context = context_of(queries_place())
    east = 111_319.49 * cos(radians(context.latitude))
    for row in rows.values():
        again = [
            other
            for other in rows.values()
            if other["category"] == row["category"]
            and timedelta() < other["opened_at"] - row["closed_at"] <= timedelta(days=30)
            and ((other["lon"] - row["lon"]) * east) ** 2 + ((other["lat"] - row["lat"]) * 111_319.49) ** 2 <= 2500
        ]
        assert row["recurrences"] == len(again)
    assert any(row["recurrences"] for row in rows.values())
    assert rows == anew()


def queries_place() -> Any:
    return runtime("mini")


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.django_db(transaction=True)
def test_an_event_that_appears_behind_others_is_found(
    mini: str, report: Act, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    """On PostgreSQL ids are given before a transaction ends. Without the look back the case would be lost."""
    monkeypatch.setattr(operations, "OVERLAP", 0)
    if not settled:
        monkeypatch.setattr(operations, "SETTLED", timedelta())
    start = datetime.now(UTC)
    refresh(start)
    slow, quick = report()["case"], report()["case"]
    with allow_forging():
        Event.objects.filter(case__number=slow).update(city="not yet")  # its transaction is still open …
    from yiwang.server.cases.models import Report

    Report.objects.filter(case__number=slow).update(city="not yet")
    refresh(start + timedelta(minutes=1))
    assert set(facts()) == {quick}
    with allow_forging():
        Event.objects.filter(case__number=slow).update(city="mini")  # … and now it has ended
    Report.objects.filter(case__number=slow).update(city="mini")
    refresh(start + timedelta(minutes=2))
    assert set(facts()) == ({slow, quick} if settled else {quick})


@pytest.mark.django_db(transaction=True)
def test_the_delta_goes_into_the_base(mini: str, lived: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    refresh()
    monkeypatch.setattr(operations, "COMPACT_ROWS", 1)
    numbers = [lived(at=MONDAY + timedelta(days=20 * place)) for place in range(3)]
    refresh()
    store = FactStore.objects.get(city="mini", table="cases")
    assert (sorted(store.base), store.delta) == (["2026-03", "2026-04"], [])
    assert set(facts()) == set(numbers)
    assert facts() == anew()


@pytest.mark.django_db(transaction=True)
def test_files_that_are_gone_and_a_changed_pack_make_everything_counted_anew(
    mini: str, lived: Callable[..., str]
) -> None:
    lived()
    refresh()
    shutil.rmtree(operations.shelf_of(queries_place(), "cases").folder)
    assert refresh()["rebuilt"] == "files are missing"
    FactStore.objects.update(digest="other")
    assert "pack" in refresh()["rebuilt"]
    FactStore.objects.update(marks=[[MONDAY.isoformat(), 10**9, 0]])
    assert "older" in refresh()["rebuilt"], "a backup was brought back"
    assert refresh()["rebuilt"] == ""


@pytest.mark.django_db(transaction=True)
def test_two_that_refresh_at_once_leave_one_truth(mini: str, report: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh()
    number = report()["case"]
    usual = operations._changes

    def slowly(*arguments: Any) -> Any:
        found = usual(*arguments)
        monkeypatch.setattr(operations, "_changes", usual)
        assert refresh()["changed"] == 1  # somebody else, in the meantime
        return found

    monkeypatch.setattr(operations, "_changes", slowly)
    assert refresh() | {"rows": 0} == {"city": "mini", "rows": 0, "changed": 0, "rebuilt": "", "complete": False}
    assert set(facts()) == {number}
    assert FactStore.objects.get(city="mini", table="cases").rows == 1


@pytest.mark.django_db(transaction=True)
def test_a_report_that_joins_a_case_is_counted(mini: str, report: Act) -> None:
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.writing.joining import join

    number = report()["case"]
    refresh()
    join(city="mini", number=number, draft=ReportDraft(text="me too", **NEAR), actor=CITIZEN)
    refresh()
    assert facts()[number]["reports"] == 2
    assert facts() == anew()


@pytest.fixture
def scored(mini: str, report: Act, lived: Callable[..., str]) -> str:
    lived(stars=0)
    lived(hours=60, rework=True)
    lived(at=MONDAY + timedelta(days=31), lon=120.013, lat=31.003)
    report(at=MONDAY)
    refresh()
    return "mini"


SPARK = [pytest.mark.slow, pytest.mark.first_run_only(reason="Spark reads the files that DuckDB reads")]
ENGINES = ["duckdb", "memory", pytest.param("spark", marks=SPARK)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.django_db(transaction=True)
def test_the_page_says_what_the_command_line_says(scored: str, client: Client, engine: str) -> None:
    from click.testing import CliRunner

    from yiwang.cli import main

    if engine == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not here")
    asked = ["score", "mini", "--no-refresh", "--by", "street,month", "--engine", engine]
    said = CliRunner().invoke(main, [*asked, "--format", "json"])
    assert said.exit_code == 0, said.output
    rows = {row["street"]: row for row in json.loads(said.stdout)["rows"] if row["month"] == "2026-03"}
    # the page's own file of numbers
    answer = client.get("/mini/score.csv", {"level": "street", "month": "2026-03"})
    written = CliRunner().invoke(main, [*asked, "--format", "csv"])  # the same columns, under their ids
    ids = next(csv.reader(io.StringIO(written.stdout)))
    heads, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (heads[0], len(heads)) == ("街道", len(ids))
    table = [dict(zip(ids, line, strict=True)) for line in lines]
    assert {line["street"] for line in table} == set(rows)
    for line in table:
        for name, cell in rows[line["street"]]["values"].items():
            found = (line[name], line[f"{name}_numerator"], line[f"{name}_denominator"])
            assert found == tuple(
                "" if value is None else str(value) for value in (cell["value"], cell["numerator"], cell["denominator"])
            )
        for name, composite in rows[line["street"]]["scores"].items():
            assert line[f"score_{name}"] == ("" if composite["score"] is None else str(composite["score"]))
            assert line[f"grade_{name}"] == composite["grade"]
    # and what people see
    page = client.get(
        "/mini/score", {"level": "street", "month": "2026-03"}, headers={"accept-language": "en"}
    ).content.decode()
    west = rows["9001"]["values"]
    shown = re.findall(r'data-name="On-time closing"><span><a[^>]*>([^<]*)</a> <small[^>]*>([^<]*)</small>', page)
    cell = west["closing_on_time"]
    assert (f"{cell['value']:.1f}%", f"{cell['numerator']}/{cell['denominator']}") in shown
    assert "no data" in page


@pytest.mark.django_db(transaction=True)
def test_a_figure_is_explained_down_to_the_case(scored: str, client: Client) -> None:
    place = queries_place()
    card = queries.scorecard(place=place, by=("street", "month"))
    from yiwang.server.scores.explaining import explain
    from yiwang.server.scores.periods import bounds

    for row in card.rows:
        since, until = bounds(row.keys["month"])
        for name, cell in row.cells.items():
            found = explain(place=place, indicator=name, only={"street": row.keys["street"]}, since=since, until=until)
            assert found.cell == cell
            assert sum(row_["above"] for row_ in found.rows) == cell.numerator
            if cell.denominator is not None:
                assert sum(row_["below"] for row_ in found.rows) == cell.denominator
    page = client.get(
        "/mini/score/rework_rate",
        {"level": "street", "month": "2026-03", "key": "9001"},
        headers={"accept-language": "en"},
    )
    text = page.content.decode()
    assert "50.0%" in text
    assert "reworks &gt; 0" in text
    numbers = set(Case.objects.exclude(closed_at=None).values_list("number", flat=True))
    assert numbers & set(re.findall(r"/mini/cases/([A-Z0-9]+)\"", text))


@pytest.mark.django_db(transaction=True)
def test_the_page_teaches_while_nothing_has_been_counted(mini: str, client: Client) -> None:
    assert "yiwang score mini" in client.get("/mini/score").content.decode()
    assert client.get("/mini/score.csv").status_code == 404
    with pytest.raises(queries.NoFacts):
        queries.scorecard(place=queries_place(), by=("street",))


@pytest.mark.django_db(transaction=True)
def test_facts_of_another_pack_or_without_files_are_not_shown(scored: str, client: Client) -> None:
    FactStore.objects.update(digest="other")
    assert "yiwang score mini" in client.get("/mini/score").content.decode()
    assert client.get("/mini/score/intake").status_code == 404
    refresh()
    assert "yiwang score mini" not in client.get("/mini/score").content.decode()
    shutil.rmtree(operations.shelf_of(queries_place(), "cases").folder)
    assert client.get("/mini/score").status_code == 200


@pytest.mark.parametrize(
    "path", ["/mini/score?level=planet", "/mini/score?month=soon", "/mini/score/luck", "/mini/score/intake?level=week"]
)
@pytest.mark.django_db(transaction=True)
def test_what_there_is_not_is_not_found(scored: str, client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_pages_need_few_queries(scored: str, client: Client, django_assert_max_num_queries: Any) -> None:
    for path in ("/mini/score", "/mini/score?level=department", "/mini/score/closing_on_time?month=2026-03"):
        client.get(path)
        # the fifth looks, once a second, whether another pack has been installed
        with django_assert_max_num_queries(5):
            assert client.get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_lake_holds_every_case_by_city_and_month(scored: str, tmp_path: Path) -> None:
    import duckdb

    said = exporting.export_parquet(city="mini", path=tmp_path / "lake")
    assert (said["rows"], said["months"]) == (4, 2)
    rows = (
        duckdb.connect()
        .execute(
            f"select city, month, count(*) from read_parquet('{tmp_path}/lake/*/*/*.parquet', hive_partitioning=true)"
            " group by all order by all"
        )
        .fetchall()
    )
    assert rows == [("mini", "2026-03", 3), ("mini", "2026-04", 1)]
    with pytest.raises(BadInput, match="holds mini already"):
        exporting.export_parquet(city="mini", path=tmp_path / "lake")


@pytest.mark.django_db(transaction=True)
def test_the_worker_keeps_the_facts_and_leaves_large_cities_to_a_job(
    mini: str, lived: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from yiwang.server.common.app import jobs
    from yiwang.server.common.models import Job
    from yiwang.server.facts import tasks

    number = lived()
    monkeypatch.setattr(tasks, "AT_ONCE", 0)
    assert tasks.refresh_all() == 0
    job = Job.objects.get(kind="facts", city="mini")
    assert jobs()["facts"](job, lambda done, total: None)["rows"] == 1
    Job.objects.update(state="done")
    assert set(facts()) == {number}
    lived()
    assert tasks.refresh_all() == 1


def test_a_units_own_page_says_where_it_stands_and_what_would_lift_it(scored: str, client: Client) -> None:
    league = client.get("/mini/score", {"level": "street", "month": ""}).content.decode()
    own = re.search(r'href="(/mini/score/of/street\?key=[^"]+)"', league)
    assert own, league[:2000]
    page = client.get(own[1].replace("&amp;", "&"))
    assert page.status_code == 200
    text = page.content.decode()
    assert "怎样提高等级" in text
    assert page.context["shown"].composite.evaluation == page.context["evaluation"].id
    rows = json.loads(page.context["chart"])["rows"]
    assert [row["name"] for row in rows] == [one.month for one in page.context["months"]]
    for row, one in zip(rows, page.context["months"], strict=True):
        score, low, high = row["values"]
        if score is not None and low is not None:
            assert low <= score <= high, one.month
    for path in ("of/street", "of/street?key=nowhere", "of/planet?key=9001", "of/street?key=9001&month=soon"):
        assert client.get(f"/mini/score/{path}").status_code == 404, path


def test_the_page_on_weights_says_which_places_they_decide(scored: str, client: Client) -> None:
    place = runtime("mini")
    card = queries.scorecard(place=place, by=("street",))
    study = study_weights(card, place=place, by="street", share=0.5)
    assert study is not None
    assert study.bounds.lows == pytest.approx((0.25, 0.15, 0.1))
    scores = {row.keys["street"]: row.composites["region"].score for row in card.rows if row.composites}
    for key, score in zip(study.found.order, study.found.scores, strict=True):
        assert scores[key] == pytest.approx(score)
    assert set(study.found.order) | set(study.left_out) == {key for key, score in scores.items() if score is not None}
    assert "/mini/score/of/street/weights?month=" in client.get("/mini/score?level=street&month=").content.decode()
    answer = client.get("/mini/score/of/street/weights", {"share": "50", "month": ""})
    assert answer.status_code == 200
    assert [row["score"] for row in answer.context["rows"]] == [f"{score:.1f}" for score in study.found.scores]
    assert answer.context["share"] == 50
    assert client.get("/mini/score/of/street/weights?share=7").context["share"] == 20
    assert client.get("/mini/score/of/planet/weights").status_code == 404
    empty = client.get("/mini/score/of/street/weights?month=1999-01").content.decode()
    assert "没有可以比较的得分" in empty


def test_the_table_is_a_workbook_and_a_sheet_of_paper_too(scored: str, client: Client) -> None:
    query = {"level": "street", "month": ""}
    answer = client.get("/mini/score.xlsx", query)
    assert answer.status_code == 200
    found = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    lines = list(csv.reader(io.StringIO(client.get("/mini/score.csv", query).content.decode("utf-8-sig"))))
    assert [f"{cell}" for cell in found[0]] == lines[0]
    for row, line in zip(found[1:], lines[1:], strict=True):
        for cell, text in zip(row, line, strict=True):
            assert cell == pytest.approx(float(text)) if isinstance(cell, float) else f"{cell}" == text
    pdf = client.get("/mini/score.pdf", {**query, "lang": "en"})
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")
    assert client.get("/mini/score.pdf?level=planet").status_code == 404
    FactStore.objects.update(digest="other")
    for kind in ("csv", "xlsx", "pdf"):
        assert client.get(f"/mini/score.{kind}").status_code == 404
