"""The field app's server side: whose task a case is, what the phone gets, what it may send."""

from __future__ import annotations

import io
import json
import os
import re
import uuid
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from tests.narrowing import present

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Actor
from yiwang.server.cases.models import Case, Event, Photo, Report
from yiwang.server.cases.storage import rows
from yiwang.server.cities.queries import runtime
from yiwang.server.field import tasks
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

PASSWORD = "a-password-for-tests"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether another version was installed is asked once a second; here not at all, so that counts do not waver."""
    monkeypatch.setattr("yiwang.server.cities.queries.CHECK_EVERY_SECONDS", 3600.0)


@pytest.fixture
def field_client(mini: str) -> Callable[..., Client]:
    """The phone of somebody in a role at a unit."""

    def make(role: str, unit: str = "CTR-9001", *, region: str = "", csrf: bool = False) -> Client:
        name = f"{role}-{unit.lower()}"
        if not User.objects.filter(username=name).exists():
            create_person(
                username=name, password=PASSWORD, name=role, name_en=role, city=mini, roles={role: (unit, region)}, demo=False
            )  # fmt: skip
        client = Client(enforce_csrf_checks=csrf)
        client.force_login(User.objects.get(username=name))
        return client

    return make


@pytest.fixture
def case_at_sweepers(report: Any, act: Any, actor: Any) -> Callable[..., str]:
    """A case that the sweepers hold."""

    def make(**data: Any) -> str:
        number = report(actor=actor("inspector"), **data)["case"]
        for verb, role in (("accept", "intake"), ("file", "leader"), ("dispatch", "dispatcher")):
            if verb in {
                choice.verb
                for choice in permitted(state(number), actor(role), rules=runtime("mini").rules, at=state(number).opened_at)
                if choice.allowed
            }:  # fmt: skip
                act(number, verb, actor(role))
        return str(number)

    return make


def state(number: str) -> Any:
    return rows.state_of(Case.objects.filter(number=number).values(*rows.LOADED).get())


def picture() -> io.BytesIO:
    """A photo with a camera's writing in it."""
    exif = Image.Exif()
    exif[0x010F] = "Spy Camera"
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(made, "JPEG", exif=exif)
    made.seek(0)
    made.name = "p.jpg"
    return made


def send(client: Client, path: str, *, key: str = "", **fields: Any) -> Any:
    return client.post(path, fields, headers={"Idempotency-Key": key or str(uuid.uuid4())})


# --- whose task it is -------------------------------------------------------------------------------------------------


def scanned(actor: Actor) -> set[str]:
    """The slow, obvious answer: every open case, one by one."""
    place, found = runtime("mini"), set()
    workflow = place.rules.workflow
    crew = any(verb.who == "holder" and actor.roles & set(verb.roles) for verb in workflow.verbs.values())
    for row in Case.objects.filter(closed_at=None).values(*rows.LOADED):
        case = rows.state_of(row)
        choices = permitted(case, actor, rules=place.rules, at=present(case.updated_at))
        moves = any(choice.allowed and workflow.verbs[choice.verb].to != "=" for choice in choices)
        if moves or (crew and case.holder == actor.unit):
            found.add(case.number)
    return found


def test_tasks_are_what_a_scan_of_all_cases_finds(
    report: Any, act: Any, actor: Any, now: Any, case_at_sweepers: Any
) -> None:
    east = {"lon": 120.013, "lat": 31.003}
    for index in range(12):
        where = east if index % 3 == 0 else {}
        if index % 2:
            case_at_sweepers(**where, category="02001" if index % 4 == 1 else "01001")
        else:
            number = report(**where, category="")["case"]
            if state(number).step == "reported":
                act(number, "ask_verify", actor("intake"))
    roles = ("inspector", "handler", "dispatcher", "leader", "intake", "citizen")
    units = ("", "CTR-90", "CTR-9001", "CTR-9002", "SWEEP-9001", "SWEEP-9002", "DEPT-WORKS")
    place, some = runtime("mini"), 0
    for role, unit, region in product(roles, units, ("", "9001", "9002")):
        who = actor(role, unit=unit, region=region)
        found, more = tasks.tasks_for(place=place, actors=[who], at=now)
        assert {task.state.number for task in found} == scanned(who), (role, unit, region)
        assert not more
        some += bool(found)
    assert some > 20


def test_the_list_is_bounded_and_says_so(report: Any, actor: Any, now: Any) -> None:
    for _ in range(5):
        report()
    who = actor("intake")
    found, more = tasks.tasks_for(place=runtime("mini"), actors=[who], at=now, limit=3)
    assert (len(found), more) == (3, True)
    dues = [present(task.state.deadline) for task in found]
    assert dues == sorted(dues)


def test_the_phone_gets_no_word_about_who_reported(
    field_client: Any, report: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        report(contact="13800000000")
    client = field_client("inspector")
    client.get("/mini/field/tasks.json")
    with django_assert_max_num_queries(5):  # session, account, posts, cases, photos
        answer = client.get("/mini/field/tasks.json")
    assert len(answer.json()["items"]) == 30
    assert "13800000000" not in answer.text
    assert "reporter" not in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_the_map_has_the_same_cases(field_client: Any, case_at_sweepers: Any) -> None:
    number = case_at_sweepers()
    points = field_client("handler", "SWEEP-9001").get("/mini/field/points.json").json()["features"]
    assert [point["properties"]["number"] for point in points] == [number]


# --- the shell --------------------------------------------------------------------------------------------------------


def test_the_shell_is_the_same_for_everybody(field_client: Any) -> None:
    one, other = (field_client(role).get("/mini/field").text for role in ("inspector", "handler"))
    assert one == other
    shell = json.loads(present(re.search(r'<script id="field-shell"[^>]*>(.*?)</script>', one, re.S))[1])
    finish = {field["name"]: field["required"] for field in shell["verbs"]["finish"]["fields"]}
    assert finish == {"note": True, "photo": False}
    assert shell["verbs"]["hand_down"]["fields"] is None, "who is to have it is chosen at a desk"
    assert "<script>" not in one


def test_nobody_is_sent_to_the_sign_in(mini: str, client: Client) -> None:
    assert client.get("/mini/field")["Location"].startswith("/sign-in?next=")
    for path in ("session.json", "tasks.json", "points.json"):
        assert client.get(f"/mini/field/{path}").status_code == 401


def test_the_worker_may_serve_the_field_and_no_more(mini: str, client: Client) -> None:
    answer = client.get("/mini/field/sw.js")
    assert answer["Service-Worker-Allowed"] == "/mini/field"
    assert answer["Content-Type"] == "text/javascript"
    known = json.loads(answer.text.split("\n", 1)[0].removeprefix("self.YIWANG_FIELD = ").rstrip(";"))
    assert known["shell"] == "/mini/field"
    for asset in known["assets"]:
        assert client.get(asset).status_code == 200, asset


def test_it_can_be_installed(mini: str, client: Client) -> None:
    said = client.get("/mini/field/manifest.webmanifest?language=en").json()
    assert said["scope"] == said["start_url"] == "/mini/field"
    assert said["short_name"] == "Yiwang Field"
    assert {icon["sizes"] for icon in said["icons"]} == {"192x192", "512x512"}
    for icon in said["icons"]:
        content = client.get(icon["src"]).getvalue()
        assert "x".join(map(str, Image.open(io.BytesIO(content)).size)) == icon["sizes"]


# --- doing ------------------------------------------------------------------------------------------------------------


def test_a_verb_with_a_photo_is_done_once_however_often_it_is_sent(field_client: Any, case_at_sweepers: Any) -> None:
    number, client, key = case_at_sweepers(), field_client("handler", "SWEEP-9001"), str(uuid.uuid4())
    seq = state(number).seq
    assert send(client, f"/mini/field/cases/{number}/take", seq=seq).json()["seq"] == seq + 1
    said = {
        "seq": seq + 1,
        "note": "清走了",
        "made_at": "2026-03-02T01:00:00Z",
        "lon": "120.003",
        "lat": "31.003",
        "accuracy": "12",
    }
    answers = [
        send(client, f"/mini/field/cases/{number}/finish", key=key, photo=picture(), taken_at="2026-03-02T00:59:00.000Z", **said)
        for _ in range(3)
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {200}
    events = Event.objects.filter(case__number=number, verb="finish")
    assert events.count() == Photo.objects.filter(case__number=number).count() == 1
    payload = json.loads(events.get().payload)
    assert payload["note"] == "清走了"
    assert payload["evidence"] == {
        "on_site": {"lon": 120.003, "lat": 31.003, "accuracy_m": 12.0, "at": "2026-03-02T09:00:00+08:00"}
    }
    assert "现场：2026-03-02 09:00，120.00300, 31.00300 ±12 米" in client.get(f"/mini/cases/{number}").content.decode()
    assert "现场：" not in Client().get(f"/mini/cases/{number}").content.decode()
    kept = Photo.objects.get(case__number=number)
    assert (kept.width, kept.height) == (40, 30)


def test_a_photo_of_the_gallery_is_not_taken_on_the_spot(field_client: Any, case_at_sweepers: Any) -> None:
    number, client = case_at_sweepers(), field_client("handler", "SWEEP-9001")
    said = {"seq": state(number).seq, "made_at": "2026-03-02T01:00:00Z", "taken_at": "2019-05-04T00:59:00Z"}
    assert send(client, f"/mini/field/cases/{number}/take", photo=picture(), **said).status_code == 200
    payload = json.loads(Event.objects.get(case__number=number, verb="take").payload)
    assert payload["evidence"] == {"by_phone": {"at": "2026-03-02T09:00:00+08:00"}}


def test_a_conflict_shows_how_the_case_stands(field_client: Any, case_at_sweepers: Any, act: Any, actor: Any) -> None:
    number, client = case_at_sweepers(), field_client("handler", "SWEEP-9001")
    seq = state(number).seq
    act(number, "note", actor("leader"), note="小心电线")
    answer = send(client, f"/mini/field/cases/{number}/take", seq=seq)
    assert answer.status_code == 409
    said = answer.json()
    assert said["code"] == "conflict"
    assert (said["now"]["seq"], said["now"]["step"]) == (seq + 1, "dispatched")
    assert "take" in said["now"]["verbs"]
    assert len(said["now"]["since"]) == 1
    assert state(number).seq == seq + 1


def test_what_another_unit_holds_is_refused_with_its_state(field_client: Any, case_at_sweepers: Any) -> None:
    number = case_at_sweepers()
    answer = send(field_client("handler", "SWEEP-9002"), f"/mini/field/cases/{number}/take", seq=state(number).seq)
    assert answer.status_code == 403
    assert answer.json()["now"]["holder"] == "SWEEP-9001"
    assert "take" not in answer.json()["now"]["verbs"]


def test_commands_need_session_csrf_and_key(field_client: Any, case_at_sweepers: Any, client: Client) -> None:
    number = case_at_sweepers()
    path, seq = f"/mini/field/cases/{number}/take", state(number).seq
    assert send(client, path, seq=seq).status_code == 401
    strict = field_client("handler", "SWEEP-9001", csrf=True)
    assert send(strict, path, seq=seq).status_code == 403
    token = strict.get("/mini/field/session.json").json()["csrf"]
    without_key = strict.post(path, {"seq": seq}, headers={"X-CSRFToken": token})
    assert without_key.status_code == 422
    assert state(number).seq == seq
    allowed = strict.post(path, {"seq": seq}, headers={"X-CSRFToken": token, "Idempotency-Key": str(uuid.uuid4())})
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    "fields", [{"lon": "east", "lat": "31"}, {"made_at": "yesterday"}, {"accuracy": "nan"}, {"seq": "x"}]
)
def test_what_cannot_be_read_is_refused_whole(field_client: Any, case_at_sweepers: Any, fields: dict[str, str]) -> None:
    number = case_at_sweepers()
    before = state(number).seq
    answer = send(
        field_client("handler", "SWEEP-9001"), f"/mini/field/cases/{number}/take", **{"seq": str(before), **fields}
    )
    assert answer.status_code == 422
    assert state(number).seq == before


@pytest.mark.parametrize(
    ("role", "unit", "source"), [("inspector", "CTR-9001", "inspector"), ("handler", "SWEEP-9001", "public")]
)
def test_reports_on_the_spot_come_from_inspectors_and_crews(
    field_client: Any, role: str, unit: str, source: str
) -> None:
    client, key = field_client(role, unit), str(uuid.uuid4())
    said = {
        "text": "井盖翘起",
        "category": "01001",
        "lon": "120.003",
        "lat": "31.003",
        "made_at": "2026-03-02T01:00:00Z",
    }
    answers = [send(client, "/mini/field/reports", key=key, photo=picture(), **said) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    report = Report.objects.get()
    assert (report.source, report.region, report.text.splitlines()[0]) == (source, "900101", "井盖翘起")
    assert Photo.objects.count() == 1
    assert report.reporter == f"user:{User.objects.get(username=f'{role}-{unit.lower()}').pk}"


def test_an_empty_report_is_none(field_client: Any) -> None:
    answer = send(
        field_client("inspector"), "/mini/field/reports", made_at="2026-03-02T01:00:00Z", lon="120.003", lat="31.003"
    )
    assert answer.status_code == 422
    assert not Report.objects.exists()


# --- photos ahead of their command --------------------------------------------------------------------------------


def ahead(client: Client, **fields: Any) -> Any:
    return client.post("/mini/field/photos", {"photo": picture(), **fields})


def test_photos_go_ahead_one_by_one_and_the_verb_names_them(field_client: Any, case_at_sweepers: Any) -> None:
    number, client = case_at_sweepers(), field_client("handler", "SWEEP-9001")
    seq = state(number).seq
    send(client, f"/mini/field/cases/{number}/take", seq=seq)
    first = ahead(client, original="2026-03-02T00:59:00.000Z")
    assert first.status_code == 201
    digests = [first.json()["photo"], ahead(client).json()["photo"]]
    assert ahead(client, original="2026-03-02T00:59:00.000Z").json()["photo"] == digests[0], "sent again it is the same"
    key = str(uuid.uuid4())
    said = {"seq": seq + 1, "note": "清走了", "photo_digest": digests, "key": key}
    answers = [send(client, f"/mini/field/cases/{number}/finish", **said) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    kept = list(Photo.objects.filter(case__number=number).order_by("id"))
    assert [photo.taken_at and photo.taken_at.isoformat() for photo in kept] == ["2026-03-02T00:59:00+00:00", None]
    assert Event.objects.filter(case__number=number, verb="finish").count() == 1


def test_a_report_names_photos_and_may_carry_others_as_before(field_client: Any) -> None:
    client = field_client("inspector")
    digest = ahead(client, original="2026-03-02T00:59:00+00:00").json()["photo"]
    said = {"text": "井盖翘起", "category": "01001", "lon": "120.003", "lat": "31.003"}
    other = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(other, "PNG")
    other.seek(0)
    other.name = "o.png"
    assert send(client, "/mini/field/reports", photo_digest=digest, photo=other, **said).status_code == 201
    assert Photo.objects.count() == 2


def test_nobody_names_the_photos_of_another_and_what_is_gone_is_said(field_client: Any, case_at_sweepers: Any) -> None:
    from datetime import timedelta

    from yiwang.server.field import waiting_photos

    number, mine, other = case_at_sweepers(), field_client("handler", "SWEEP-9001"), field_client("inspector")
    seq = state(number).seq
    theirs = ahead(other, original="2019-05-04T00:59:00Z").json()["photo"]
    for digest in (theirs, "0" * 64, "../" + "0" * 61, "x\u00b2"):
        answer = send(mine, f"/mini/field/cases/{number}/take", seq=seq, photo_digest=digest)
        assert (answer.status_code, answer.json().get("code")) == (409, "photo-gone"), (digest, answer.text)
    assert state(number).seq == seq
    digest = ahead(mine).json()["photo"]
    assert waiting_photos.forget() == 0
    assert waiting_photos.forget(older_than=timedelta(seconds=-1)) >= 2
    answer = send(mine, f"/mini/field/cases/{number}/take", seq=seq, photo_digest=digest)
    assert answer.json()["code"] == "photo-gone"


def test_what_is_no_photo_is_refused_before_the_command(field_client: Any, client: Client) -> None:
    mine = field_client("inspector")
    bad = io.BytesIO(b"no picture")
    bad.name = "a.jpg"
    answer = mine.post("/mini/field/photos", {"photo": bad})
    assert (answer.status_code, answer.json()["detail"][:8]) == (422, "不是能读的图片，")
    assert mine.post("/mini/field/photos", {}).status_code == 422
    for wrong in ("yesterday", "2026-03-02T00:59:00", "0001-01-01T00:00:00+14:00"):
        assert ahead(mine, original=wrong).status_code == 422, wrong
    assert ahead(client).status_code == 401
    strict = field_client("inspector", csrf=True)
    assert ahead(strict).status_code == 403


def test_a_verb_that_carries_a_bad_photo_keeps_the_good_one(field_client: Any, case_at_sweepers: Any) -> None:
    number = case_at_sweepers()
    bad = io.BytesIO(b"GIF89a")
    bad.name = "bad.jpg"
    answer = send(
        field_client("handler", "SWEEP-9001"),
        f"/mini/field/cases/{number}/take",
        seq=state(number).seq,
        photo=[bad, picture()],
    )
    assert answer.status_code == 200, answer.text
    assert [photo["index"] for photo in answer.json()["photos_refused"]] == [0]
    assert Photo.objects.filter(case__number=number).count() == 1


def test_an_account_leaves_no_more_photos_waiting_than_it_may_in_a_day(
    field_client: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    from yiwang.server.field import waiting_photos

    assert waiting_photos.MOST_WAITING == 60
    settings.YIWANG_HOME = tmp_path
    monkeypatch.setattr(waiting_photos, "MOST_WAITING", 3)
    mine, other = field_client("handler", "SWEEP-9001"), field_client("inspector")
    hours = [f"2026-03-02T0{hour}:59:00Z" for hour in range(4)]
    assert [ahead(mine, original=hour).status_code for hour in hours] == [201, 201, 201, 429]
    refused = ahead(mine, original=hours[3])
    assert (refused.json()["code"], "3 张照片" in refused.json()["detail"]) == ("too-many", True)
    assert refused["Retry-After"] == "300"
    said = {"text": "垃圾", "category": "02001", "lon": "120.003", "lat": "31.003", "key": str(uuid.uuid4())}
    digest = ahead(other, original=hours[0]).json()["photo"]
    for _ in range(2):
        answer = send(other, "/mini/field/reports", photo_digest=digest, **said)
        assert answer.status_code == 201, "sent again it is still there"
    assert [ahead(other, original=hour).status_code for hour in hours[1:]] == [201] * 3, "what was used waits no more"
    assert ahead(other, original="2026-03-03T00:00:00Z").status_code == 429, "each account has its own"
    for file in tmp_path.glob(f"{waiting_photos.FOLDER}/*/*.jpg"):
        os.utime(file, (0, 0))  # a day later
    assert ahead(mine, original=hours[3]).status_code == 201
