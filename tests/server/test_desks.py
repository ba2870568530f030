"""The desks: what stands in whose queue, what pages cost, many cases at once, conflicts, likely duplicates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.narrowing import present

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Actor
from yiwang.core.kernel.text import Text
from yiwang.packs import read_pack
from yiwang.server.cases.models import Case, Report
from yiwang.server.cases.storage import rows
from yiwang.server.cities.queries import runtime
from yiwang.server.desks import duties, intake_help, queue
from yiwang.server.people.operations import create_person

ROOT = Path(__file__).resolve().parents[2]
PACKS = [ROOT / "packs" / "wuxi", ROOT / "packs" / "boston", ROOT / "tests" / "packs" / "fixtures" / "mini"]
ROLES = ["inspector", "intake", "leader", "dispatcher", "handler"]
POSTS = [("CTR-90", ""), ("CTR-9001", "9001"), ("SWEEP-9001", ""), ("DEPT-WORKS", "9002"), ("", "900101")]
POINTS = [(120.003, 31.003), (120.013, 31.003), (120.003, 31.013), (120.013, 31.013)]
Make = Callable[..., Any]


@pytest.fixture
def caseload(report: Make, act: Make, actor: Make) -> list[str]:
    """Cases all over the toy city and its steps."""
    numbers = []
    leader, dispatcher = actor("leader"), actor("dispatcher")
    for turn in range(24):
        lon, lat = POINTS[turn % 4]
        category = ("01001", "02001", "03001", "01002")[turn % 4 if turn < 12 else (turn + 1) % 4]
        number = report(category=category, lon=lon, lat=lat, text=f"第 {turn} 件")["case"]
        numbers.append(number)
        state = Case.objects.get(number=number)
        if state.step == "accepted" and turn % 5:
            act(number, "file", leader)
        state.refresh_from_db()
        if state.step == "filed" and turn % 3:
            act(number, "dispatch", dispatcher)
        state.refresh_from_db()
        if state.step == "dispatched" and turn % 2:
            handler = actor("handler", unit=state.holder)
            act(number, "take", handler)
            if turn % 4 == 1:
                act(number, "finish", handler, note="好了")
    Case.objects.filter(number__in=numbers[::3]).update(assignee="user:1")
    return numbers


def naive(place: Any, desk: queue.Desk, kind: str, at: datetime) -> set[str]:
    """Every case, looked at one by one."""
    found = set()
    for row in Case.objects.values(*rows.LOADED):
        state = rows.state_of(row)
        if kind == duties.MINE and state.assignee != "user:1":
            continue
        wanted = {verb.id for verb in duties.steps_of(place.rules.workflow, desk.role, kind).get(state.step, ())}
        choices = [choice for one in desk.actors for choice in permitted(state, one, rules=place.rules, at=at)]
        if any(choice.allowed and choice.verb in wanted for choice in choices):
            found.add(state.number)
    return found


def all_pages(place: Any, desk: queue.Desk, kind: str, at: datetime, limit: int = 5) -> list[queue.Entry]:
    found, cursor = [], ""
    while True:
        page = queue.page(place=place, desk=desk, kind=kind, cursor=cursor, limit=limit, at=at)
        found += page.entries
        cursor = page.next
        if not cursor:
            return found


def desk_of(role: str, *posts: tuple[str, str]) -> queue.Desk:
    actors = tuple(Actor(id="user:1", name="x", roles=frozenset({role}), unit=u, region=r) for u, r in posts)
    return queue.Desk(role=role, name=Text(role, role), actors=actors)


@pytest.mark.parametrize("kind", duties.KINDS)
@pytest.mark.parametrize("role", ROLES)
def test_a_queue_holds_what_a_scan_with_permitted_finds(caseload: list[str], role: str, kind: str) -> None:
    place, at = runtime("mini"), datetime.now(UTC)
    some = False
    for posts in [(post,) for post in POSTS] + [(POSTS[1], POSTS[3])]:
        desk = desk_of(role, *posts)
        entries = all_pages(place, desk, kind, at)
        numbers = [entry.state.number for entry in entries]
        assert len(numbers) == len(set(numbers))
        assert set(numbers) == naive(place, desk, kind, at), (role, posts)
        dues = [(entry.state.deadline is None, entry.state.deadline or at) for entry in entries]
        assert dues == sorted(dues)
        some = some or bool(numbers)
    assert some or kind == duties.ASKED or role == "inspector"


def test_a_request_comes_to_whoever_may_answer_it(caseload: list[str], act: Make, actor: Make) -> None:
    place, at = runtime("mini"), datetime.now(UTC)
    ask = next(
        (verb for verb in place.rules.workflow.verbs.values() if verb.effect in {"extend_ask", "suspend_ask"}), None
    )
    assert ask is not None
    row = Case.objects.filter(step__in=ask.origins).exclude(deadline=None).first()
    assert row is not None
    values = {"reason": "缺件", "until": (at + timedelta(days=3)).date().isoformat()}
    act(row.number, ask.id, actor(ask.roles[0], unit=row.holder), **{k: values[k] for k in ask.requires})
    found: list[str] = []
    for role in ROLES:
        desk = desk_of(role, ("CTR-90", ""))
        numbers = {entry.state.number for entry in all_pages(place, desk, duties.ASKED, at)}
        assert numbers == naive(place, desk, duties.ASKED, at)
        found += numbers
    assert row.number in found


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.name)
def test_every_step_of_every_pack_is_somebodys_work(pack: Path) -> None:
    workflow = read_pack(pack).workflow
    worked = {step for role in workflow.roles for step in duties.steps_of(workflow, role)}
    waiting = {verb.origins[0] for verb in workflow.verbs.values() if verb.effect == "resume"}
    assert {step.id for step in workflow.steps.values() if not step.end} - worked <= waiting
    assert any(duties.sends_down(workflow, role) for role in workflow.roles)
    assert all(
        duties.works(workflow, role)
        for role in workflow.roles
        if duties.steps_of(workflow, role) and workflow.roles[role].axis
    )


# --- pages --------------------------------------------------------------------------------------------------------


def person(role: str, unit: str = "CTR-90", region: str = "") -> Client:
    user, _ = create_person(
        username=f"p-{role}-{unit}", password="x", name=role, name_en=role, city="mini", roles={role: (unit, region)}, demo=False
    )  # fmt: skip
    client = Client(HTTP_ACCEPT_LANGUAGE="zh-hans")
    client.force_login(user)
    return client


HX = {"HX-Request": "true"}


def test_the_way_to_the_desk(mini: str) -> None:
    assert Client().get("/mini/desk")["Location"].startswith("/sign-in")
    client = person("leader")
    assert client.get("/mini/desk")["Location"] == "/mini/desk/leader"
    assert client.get("/mini/desk/dispatcher")["Location"] == "/mini/desk"
    assert client.post("/mini/desk/dispatcher/bulk").status_code == 404
    assert client.get("/mini/desk/leader/new").status_code == 404
    assert "没有岗位" in person("citizen").get("/mini/desk").content.decode()


@pytest.mark.parametrize("role", ROLES)
def test_a_page_costs_few_queries(caseload: list[str], role: str, django_assert_max_num_queries: Make) -> None:
    client = person(role)
    number = caseload[0]
    client.get(f"/mini/desk/{role}")
    for path, headers, most in [
        (f"/mini/desk/{role}", {}, 12),  # the last two: list or board, and which steps have any
        (f"/mini/desk/{role}/queue?kind=all&region=9001&q=件", HX, 11),
        (f"/mini/desk/{role}/cases/{number}", HX, 10),
        (f"/mini/desk/{role}/cases/{number}/pulse?seq=1", HX, 10),
    ]:
        with django_assert_max_num_queries(most):
            assert client.get(path, headers=headers).status_code in {200, 204}


@pytest.mark.parametrize("layout", ["list", "board"])
@pytest.mark.parametrize("role", ROLES)
def test_no_query_of_a_desk_reads_every_case(caseload: list[str], role: str, layout: str) -> None:
    """Whatever the tables hold: PostgreSQL is told to avoid it at nearly any price."""
    client = person(role)
    client.post(f"/mini/desk/{role}/layout", {"layout": layout})
    for kind in (duties.DUE, duties.MINE, duties.ASKED, duties.ALL):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/mini/desk/{role}?kind={kind}").status_code == 200
        for query in captured.captured_queries:
            if 'FROM "cases_case"' in query["sql"]:
                assert not whole_table(query["sql"]), query["sql"]


def whole_table(query: str) -> bool:
    """Whether the database would read all rows of the cases for a query."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {query}")
            return any("Seq Scan on cases_case" in row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        plan = [row[3] for row in cursor.fetchall()]
    bounded = {"CO-ROUTINE cases_case", "MATERIALIZE cases_case"} & set(
        plan
    )  # a query of the first so many, read whole
    return any(re.fullmatch(r"SCAN (cases_case|U\d)", step) for step in plan) and not bounded


def test_an_unchanged_queue_is_304_and_a_change_shows(caseload: list[str], act: Make, actor: Make) -> None:
    client = person("dispatcher")
    first = client.get("/mini/desk/dispatcher/queue")
    tag = first["ETag"]
    assert client.get("/mini/desk/dispatcher/queue", HTTP_IF_NONE_MATCH=tag).status_code == 304
    number = present(Case.objects.filter(step="filed").first()).number
    assert number in first.content.decode()
    act(number, "dispatch", actor("dispatcher"))
    again = client.get("/mini/desk/dispatcher/queue", HTTP_IF_NONE_MATCH=tag)
    assert again.status_code == 200
    assert number not in again.content.decode()


def test_the_panel_gives_the_unit_its_reasons_and_the_second_choice(report: Make, act: Make, actor: Make) -> None:
    case = Case.objects.get(number=report(category="01001")["case"])
    act(case.number, "file", actor("leader"))
    page = person("dispatcher").get(f"/mini/desk/dispatcher/cases/{case.number}", headers=HX).content.decode()
    for text in ("市政处", "R002", "第二选择", "市中心", "R001", 'data-verb-key="1"'):
        assert text in page


def test_a_conflict_shows_both_states_and_keeps_the_words(caseload: list[str], act: Make, actor: Make) -> None:
    case = Case.objects.filter(step="filed").first()
    assert case is not None
    client = person("dispatcher")
    act(case.number, "dispatch", actor("dispatcher", id="user:99"))
    said = {"seq": case.seq, "idempotency_key": "k", "note": "靠近学校，先封路"}
    answer = client.post(f"/mini/desk/dispatcher/cases/{case.number}/verbs/dispatch", said, headers=HX)
    page = answer.content.decode()
    assert answer.status_code == 409
    for text in ("您打开时", "待派遣", "待签收", "靠近学校，先封路"):
        assert text in page
    pulse = client.get(f"/mini/desk/dispatcher/cases/{case.number}/pulse?seq={case.seq}").content.decode()
    assert "案卷已变" in pulse
    assert client.get(f"/mini/desk/dispatcher/cases/{case.number}/pulse?seq={case.seq + 1}").status_code == 204


def test_many_at_once_each_with_its_own_answer(caseload: list[str], act: Make, actor: Make) -> None:
    cases = list(Case.objects.filter(step="filed").order_by("id"))
    assert len(cases) >= 3
    client = person("dispatcher")
    chosen = [f"{case.number}:{case.seq}" for case in cases]
    look = client.post("/mini/desk/dispatcher/bulk", {"case": chosen}, headers=HX).content.decode()
    assert f"办理 {len(cases)} 件" in look
    act(cases[0].number, "dispatch", actor("dispatcher", id="user:99"))
    said = {
        "case": [*chosen, "nothing-like-this:3"],
        "verb": "dispatch",
        "note": "一起办",
        "confirm": "yes",
        "idempotency_key": "many",
    }
    done = client.post("/mini/desk/dispatcher/bulk", said, headers=HX)
    page = done.content.decode()
    assert f"{len(cases) - 1} 件已办" in page
    assert "2 件未办" in page
    assert "nothing-like-this" in page
    assert done["HX-Trigger"] == "queue-changed"
    assert {case.step for case in Case.objects.filter(number__in=[case.number for case in cases])} == {"dispatched"}
    before = {case.number: case.seq for case in Case.objects.all()}
    client.post("/mini/desk/dispatcher/bulk", said, headers=HX)
    assert {case.number: case.seq for case in Case.objects.all()} == before


# --- intake -------------------------------------------------------------------------------------------------------


def test_likely_the_same_are_near_open_and_alike(report: Make, act: Make, actor: Make) -> None:
    place, at = runtime("mini"), datetime.now(UTC)
    near = report(lon=120.0035, lat=31.003)["case"]
    other = report(lon=120.0035, lat=31.003, category="01001")["case"]
    report(lon=120.006, lat=31.003)
    same = partial(intake_help.likely_same, place=place, lon=120.003, lat=31.003)
    assert [row["number"] for row in same(category="02001", at=at)] == [near, other]
    later = at + timedelta(days=40)
    assert [row["number"] for row in same(category="02001", at=later)] == [near]
    act(near, "reject", actor("intake"), reason="不属实") if "reject" in place.rules.workflow.verbs else None
    by_region = intake_help.likely_same(place=place, category="01001", lon=None, lat=None, region="900101", at=at)
    assert [row["number"] for row in by_region] == [other]


def test_places_by_name_and_from_earlier_cases(report: Make) -> None:
    report(address="学前街 12 号门口")
    place = runtime("mini")
    found = intake_help.places_matching("西街道", place=place)
    assert found[0]["region"].startswith("9001")
    earlier = intake_help.places_matching("学前街", place=place)
    assert earlier[0]["name"] == "学前街 12 号门口"
    assert earlier[0]["lon"] == pytest.approx(120.003)


def test_a_call_becomes_a_case_or_joins_one(mini: str, django_assert_max_num_queries: Make) -> None:
    client = person("intake")
    said = {
        "text": "路灯不亮",
        "category": "01002",
        "lon": "120.003",
        "lat": "31.003",
        "contact": "138",
        "address": "门口",
        "idempotency_key": "a",
    }
    made = client.post("/mini/desk/intake/new", said)
    assert made.status_code == 201
    assert "{&#x27;" not in made.content.decode(), "sentences, not Python"
    assert "行，得「" in made.content.decode()
    case = Case.objects.get()
    assert (case.source, case.address) == ("hotline", "门口")
    with django_assert_max_num_queries(8):
        help_ = client.get(
            "/mini/desk/intake/new/assist", {"text": "路灯不亮", "lon": "120.003", "lat": "31.003"}, headers=HX
        ).content.decode()
    assert case.number in help_
    assert "因为" in help_
    joined = client.post("/mini/desk/intake/new", {**said, "idempotency_key": "b", "join": case.number})
    assert joined.status_code == 201
    assert Case.objects.count() == 1
    assert Report.objects.filter(case=case).count() == 2
    bad = client.post("/mini/desk/intake/new", {**said, "text": "", "category": "", "idempotency_key": "c"})
    assert bad.status_code == 422
    assert "门口" in bad.content.decode()


def test_who_signs_in_begins_at_their_own_work(mini: str) -> None:
    """A desk for whoever has one, administration for whoever governs, the cities for everybody else, and whatever was asked for."""
    secret = "a-password-for-tests"
    for name, roles in (("disp", {"dispatcher": ("CTR-90", "")}), ("gov", {"administrator": ("", "")}), ("none", {})):
        create_person(username=name, password=secret, name=name, name_en=name, city=mini, roles=roles)

    def landed(name: str, **asked: str) -> str:
        return str(Client().post("/sign-in", {"username": name, "password": secret, **asked})["Location"])

    assert landed("disp") == "/mini/desk"
    assert landed("gov") == "/mini/admin"
    assert landed("none") == "/"
    assert landed("disp", next="/mini/cases") == "/mini/cases"
    assert landed("disp", next="https://elsewhere.example/") == "/mini/desk"
