"""Administration: two people for every change of rules, faults at their cells, the dry run, the record of reads, sessions."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from tests.narrowing import present
from tests.server.threads import at_once, skip_without_shared_database

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.server.cities import queries as places
from yiwang.server.common.models import Attempts
from yiwang.server.governance import checking, operations, packs, tables
from yiwang.server.governance.models import RuleChange, RuleChangeStep
from yiwang.server.people import operations as people
from yiwang.server.people.masking import mask_contact
from yiwang.server.people.models import AccountChange, PersonalDataRead, User
from yiwang.server.provision.operations import install_pack
from yiwang.server.provision.rule_changes import take_force

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "packs" / "fixtures" / "mini"
ROW = {
    "row": "R003",
    "category": "02",
    "unit": "DEPT-WORKS",
    "valid_from": "2020-01-01",
    "source": "invented",
    "confidence": "test",
}


def account(name: str, **roles: tuple[str, str]) -> User:
    return people.create_person(
        username=name, password="a-password-for-tests", name=name, name_en=name, city="mini", roles=roles
    )[0]


@pytest.fixture
def author(mini: str) -> User:
    return account("author", administrator=("", ""))


@pytest.fixture
def approver(mini: str) -> User:
    return account("approver", approver=("", ""))


def draft(author: User, **rows: dict[str, str] | None) -> RuleChange:
    change = operations.begin(
        city="mini",
        author=author,
        title="Litter to the works",
        reason="as agreed",
        version=places.runtime("mini").version,
    )
    sheet = tables.read_sheet(checking.installed_pack("mini"), "routing")
    operations.save_rows(change=change.pk, user=author, revision=0, sheet=sheet, rows=rows or {"R003": ROW})
    change.refresh_from_db()
    return change


def submitted(author: User, **rows: dict[str, str] | None) -> RuleChange:
    change = draft(author, **rows)
    found = checking.check(change, with_examples=True)
    operations.submit(change=change.pk, user=author, revision=change.revision, effective_at=None, found=found)
    change.refresh_from_db()
    return change


# --- two people ---------------------------------------------------------------------------------------------------


def test_a_change_takes_force_for_new_reports_and_old_cases_stay(author: User, approver: User, report: Any) -> None:
    old = report(channel="inspector")
    change = submitted(author)
    with pytest.raises(NotAllowed, match="author"):
        operations.approve(change=change.pk, user=author, revision=change.revision)
    operations.approve(change=change.pk, user=approver, revision=change.revision, note="good")
    assert take_force() == 1
    change.refresh_from_db()
    assert (change.state, change.installed_version) == ("in_force", 2)
    place = places.runtime("mini")
    facts = {"category": "02001", "condition": "", "region": "900101", "channel": "public", "priority": "normal"}
    assert present(place.rules.unit_for(facts, datetime.now(UTC).date())).value == "DEPT-WORKS"
    assert Client().get(f"/mini/cases/{old['case']}").status_code == 200
    assert places.version_folder("mini", 1) is not None
    actions = list(RuleChangeStep.objects.filter(change=change).order_by("id").values_list("action", flat=True))
    assert actions == ["begin", "edit", "submit", "approve", "in_force"]
    # the pack that was installed, installed again, does not undo it
    assert not install_pack(MINI).changed
    assert places.runtime("mini").version == 2
    # taking it back is a new change that needs two people too
    sheets = [tables.read_sheet(checking.installed_pack("mini"), name) for name in tables.RULE_TABLES]
    back = operations.revert(change=change, author=author, version=2, title="back", sheets=sheets)
    assert (back.state, present(back.edits.get().after)["unit"]) == ("draft", "SWEEP-{street}")


def test_the_database_refuses_an_author_as_approver(author: User) -> None:
    change = submitted(author)
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(approver=author)
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(state="approved")


def test_an_account_that_the_author_made_cannot_approve(author: User) -> None:
    change = submitted(author)
    puppet, _ = people.add_account(
        actor=author, city="mini", username="puppet", name="p", name_en="", role="approver", unit="", region=""
    )
    puppet.must_change_password = False
    puppet.save()
    with pytest.raises(NotAllowed, match="7 days"):
        operations.approve(change=change.pk, user=puppet, revision=change.revision)


def test_what_is_approved_is_what_was_read(author: User, approver: User) -> None:
    change = submitted(author)
    with pytest.raises(Conflict):
        operations.approve(change=change.pk, user=approver, revision=change.revision - 1)
    sheet = tables.read_sheet(checking.installed_pack("mini"), "routing")
    with pytest.raises(NotPossible):
        operations.save_rows(change=change.pk, user=author, revision=change.revision, sheet=sheet, rows={"R003": None})


def test_nobody_but_the_author_edits_and_only_posts_approve(author: User, approver: User) -> None:
    change = draft(author)
    sheet = tables.read_sheet(checking.installed_pack("mini"), "routing")
    other = account("other", administrator=("", ""))
    clerk = account("clerk", intake=("CTR-90", ""))
    with pytest.raises(NotAllowed):
        operations.save_rows(change=change.pk, user=other, revision=1, sheet=sheet, rows={"R003": None})
    with pytest.raises(NotAllowed):
        operations.approve(change=change.pk, user=clerk, revision=1)
    with pytest.raises(NotPossible):  # not submitted
        operations.approve(change=change.pk, user=approver, revision=1)


def test_a_change_waits_for_its_time(author: User, approver: User) -> None:
    change = submitted(author)
    RuleChange.objects.filter(pk=change.pk).update(effective_at=datetime.now(UTC) + timedelta(hours=1))
    operations.approve(change=change.pk, user=approver, revision=change.revision)
    assert take_force() == 0
    assert take_force(now=datetime.now(UTC) + timedelta(hours=2)) == 1


def test_two_changes_of_one_row_conflict_and_the_second_is_not_installed(author: User, approver: User) -> None:
    first, second = submitted(author), submitted(author, R003={**ROW, "unit": "DEPT-WATER"})
    for change in (first, second):
        operations.approve(change=change.pk, user=approver, revision=change.revision)
    assert take_force() == 1
    second.refresh_from_db()
    assert second.state == "failed"
    assert "changed by another change" in json.dumps(second.check_result)
    assert places.runtime("mini").version == 2


# --- faults, dry run ----------------------------------------------------------------------------------------------


def test_a_bad_row_is_named_with_its_cell(author: User) -> None:
    change = draft(author, R003={**ROW, "unit": "NOBODY", "valid_from": "soon"})
    found = checking.check(change, with_examples=False)
    assert not found["ok"]
    sheet = tables.read_sheet(checking.installed_pack("mini"), "routing")
    rows, _ = tables.merge(sheet, change.edits.all())
    checking.with_faults(rows, "routing", found)
    faulty = next(row for row in rows if row.id == "R003")
    assert "no day" in str(faulty.faults["valid_from"])
    with pytest.raises(NotPossible):
        operations.submit(change=change.pk, user=author, revision=1, effective_at=None, found={**found, "full": True})


def test_the_dry_run_says_what_the_command_says(author: User, report: Any, tmp_path: Path) -> None:
    from yiwang.server.governance.dry_run import compare_packs, past_facts

    cases = [report()["case"] for _ in range(3)]
    change = draft(author)
    since = datetime.now(UTC) - timedelta(days=2)
    found = checking.dry_run(change, since=since)
    place = places.runtime("mini")
    facts = past_facts(city="mini", since=since, zone=place.info.zone, step=lambda _n: None)
    with checking.as_pack(change) as folder:
        from yiwang.packs import read_pack

        said = compare_packs(old=place.pack, new=read_pack(folder), facts=facts, most=30)
    routing = found["tables"]["routing"]
    assert (found["cases"], routing["changed"]) == (3, 3)
    assert {name: routing[name] for name in said["tables"]["routing"]} == said["tables"]["routing"]
    assert {one["number"] for one in routing["examples"]} == set(cases)


# --- pages --------------------------------------------------------------------------------------------------------

PAGES = [
    "",
    "/people",
    "/people/new",
    "/units",
    "/permissions",
    "/audit",
    "/regions",
    "/packs",
    "/rules",
    "/rules/tables/limits",
]


@pytest.mark.parametrize("page", PAGES)
def test_administration_is_for_administrators(author: User, page: str, django_assert_max_num_queries: Any) -> None:
    client = Client()
    assert client.get(f"/mini/admin{page}").status_code == 302
    client.force_login(account("clerk", intake=("CTR-90", "")))
    assert client.get(f"/mini/admin{page}").status_code == 403
    client.force_login(author)
    with django_assert_max_num_queries(16):
        assert client.get(f"/mini/admin{page}").status_code == 200


def test_the_pages_of_a_change(author: User, approver: User, report: Any, django_assert_max_num_queries: Any) -> None:
    report()
    client = Client()
    client.force_login(author)
    client.post("/mini/admin/rules/changes/new", {"title": "t", "reason": "r"})
    change = RuleChange.objects.get()
    path = f"/mini/admin/rules/changes/{change.pk}"
    cells = {f"cell:R003:{key}": value for key, value in ROW.items() if key != "row"}
    client.post(f"{path}/routing", {"row": "R003", "revision": "0", **cells})
    change.refresh_from_db()
    assert (change.revision, change.check_result["ok"]) == (1, True)
    with django_assert_max_num_queries(16):
        assert "DEPT-WORKS" in client.get(f"{path}/routing?only=edited").content.decode()
    client.post(f"{path}/do/dry-run", {"since": "2020-01-01"})
    with django_assert_max_num_queries(20):
        page = client.get(f"{path}?category=02001&region=900101").content.decode()
    assert "市政处" in page
    client.post(f"{path}/do/submit", {"revision": "1"})
    client.post(f"{path}/do/approve", {"revision": "1"})
    change.refresh_from_db()
    assert change.state == "submitted"
    client.force_login(approver)
    assert client.post(f"{path}/do/approve", {"revision": "1"}).status_code == 302
    change.refresh_from_db()
    assert change.state == "approved"


def test_who_could_do_what_to_a_case(author: User, report: Any) -> None:
    account("chief", leader=("CTR-9001", ""))
    case = report()["case"]
    client = Client()
    client.force_login(author)
    page = client.get(f"/mini/admin/permissions?case={case}&verb=file").content.decode()
    assert "chief" in page
    assert "只能由" in page  # why the others may not


def test_people_are_made_changed_and_every_step_is_on_record(author: User) -> None:
    client = Client()
    client.force_login(author)
    said = {"username": "new.one", "name": "新人", "role": "leader", "unit": "CTR-9001", "region": ""}
    page = client.post("/mini/admin/people/new", said).content.decode()
    password = re.search(r'password-once">([^<]+)<', page)
    assert password
    made = User.objects.get(username="new.one")
    assert client.post("/mini/admin/people/new", {**said, "username": "x.y", "unit": "CTR-9O01"}).status_code == 422
    theirs = Client()
    theirs.post("/sign-in", {"username": "new.one", "password": password[1]})
    assert theirs.get("/mini/cases")["Location"] == "/account/password"
    new = {"old": password[1], "new": "correct horse battery", "again": "correct horse battery"}
    assert theirs.post("/account/password", new).status_code == 302
    assert theirs.get("/mini/cases").status_code == 200
    client.post(f"/mini/admin/people/{made.pk}/change", {"what": "disable"})
    assert "sign-in" in theirs.get("/mini/admin").get("Location", "")
    actions = AccountChange.objects.filter(subject=made).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["create", "give_role", "own_password", "disable"]


def test_a_citys_administrator_does_not_reach_into_another_city(author: User) -> None:
    elsewhere, _ = people.create_person(
        username="elsewhere", password=None, name="e", name_en="e", city="other", roles={"leader": ("", "")}
    )
    people.give_role(actor=author, account=elsewhere, city="mini", role="leader")
    client = Client()
    client.force_login(author)
    answer = client.post(f"/mini/admin/people/{elsewhere.pk}/change", {"what": "password"})
    assert answer.status_code == 422
    local = account("local", administrator=("", "9001"))
    client.force_login(local)
    assert client.get("/mini/admin").status_code == 403


# --- the record of reads ------------------------------------------------------------------------------------------


def test_reads_of_personal_data_are_kept_one_row_a_view_and_looking_at_them_is_one(author: User) -> None:
    people.log_read(user=author, city="mini", subject=["A1", "A2", "A1"], what=["contact", "name"], purpose="handling")
    row = PersonalDataRead.objects.get()
    assert (row.subject, row.what, row.count) == ("A1 A2", "contact, name", 2)
    with pytest.raises(DatabaseError), transaction.atomic():
        PersonalDataRead.objects.update(subject="nothing")
    client = Client()
    client.force_login(author)
    assert "A1 A2" in client.get("/mini/admin/audit?subject=A1").content.decode()
    assert PersonalDataRead.objects.filter(subject="audit").count() == 1


@pytest.mark.parametrize(
    ("clear", "covered"),
    [("13812345678", "138****5678"), ("wang@example.org", "w***@example.org"), ("张三丰", "张**"), ("", "")],
)
def test_masking(clear: str, covered: str) -> None:
    assert mask_contact(clear) == covered


# --- sessions, sign-in, uploads -----------------------------------------------------------------------------------


def test_sign_in_waits_after_five_failures_from_one_address_and_locks_nobody_else_out(author: User) -> None:
    wrong, right = {"username": "author", "password": "no"}, {"username": "author", "password": "a-password-for-tests"}
    client = Client(REMOTE_ADDR="10.0.0.1")
    answers = [client.post("/sign-in", wrong).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2
    assert client.post("/sign-in", right).status_code == 429
    assert Client(REMOTE_ADDR="10.0.0.2").post("/sign-in", right).status_code == 302
    Attempts.objects.update(since=datetime.now(UTC) - timedelta(minutes=11))
    assert client.post("/sign-in", right).status_code == 302


def test_a_session_gets_a_new_key_at_sign_in_and_ends_when_idle(author: User, settings: Any) -> None:
    client = Client()
    session = client.session
    session["x"] = 1
    session.save()
    before = present(session.session_key)
    client.cookies[settings.SESSION_COOKIE_NAME] = before
    client.post("/sign-in", {"username": "author", "password": "a-password-for-tests"})
    assert client.session.session_key != before
    assert client.get("/mini/admin").status_code == 200
    session = client.session
    session["seen"] -= settings.YIWANG_IDLE_MINUTES * 60 + 5
    session.save()
    assert client.get("/mini/admin").status_code == 302


def test_a_body_beyond_the_limit_is_refused_unread(settings: Any, db: None) -> None:
    settings.YIWANG_UPLOAD_BYTES = 1000
    assert Client().post("/sign-in", {"username": "x" * 2000}).status_code == 413


@pytest.mark.parametrize(
    ("name", "mode", "words"),
    [("../evil.csv", 0, "leads out"), ("/etc/x.csv", 0, "leads out"), ("a\\b.csv", 0, "leads out"),
     ("run.sh", 0, "no file of a pack"), ("link.csv", 0o120777, "link")],
)  # fmt: skip
def test_a_hostile_archive_is_refused(name: str, mode: int, words: str, db: None) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, "x")
        if "\\" in name:
            archive.filelist[0].filename = name
    file.seek(0)
    with pytest.raises(BadInput, match=words):
        packs.unpack(file, size=len(file.getvalue()))


def test_an_uploaded_pack_is_proposed_and_another_person_installs_it(author: User, approver: User) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in MINI.rglob("*"):
            if path.is_file():
                content = path.read_bytes().replace(b"L001,,,,,7,", b"L001,,,,,6,")
                archive.writestr(f"mini/{path.relative_to(MINI)}", content)
    file.seek(0)
    file.name = "mini.zip"
    client = Client()
    client.force_login(author)
    client.post("/mini/admin/packs", {"archive": file, "reason": "faster"})
    change = RuleChange.objects.get()
    page = client.get(f"/mini/admin/rules/changes/{change.pk}").content.decode()
    assert "limits.csv" in page
    client.post(f"/mini/admin/rules/changes/{change.pk}/do/submit", {"revision": "0"})
    operations.approve(change=change.pk, user=approver, revision=0)
    assert take_force() == 1
    assert places.runtime("mini").pack.tables["limits"].row("L001").outputs["amount"] == "6"


def test_check_deploy_is_clean_behind_https(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "YIWANG_HOME": str(tmp_path),
        "YIWANG_HTTPS": "1",
        "YIWANG_ALLOWED_HOSTS": "city.example",
    }
    environment.pop("YIWANG_DATABASE_URL", None)
    command = [str(Path(sys.executable).parent / "yiwang"), "manage", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_template_carries_an_inline_script_and_the_policy_allows_none(mini: str) -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son[a-z]+=\"|hx-on|javascript:", re.I)
    found = [path.name for path in (ROOT / "src").rglob("*.html") if inline.search(path.read_text(encoding="utf-8"))]
    assert not found
    policy = Client().get("/mini/help")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy


def test_help_and_tours(author: User) -> None:
    client = Client()
    assert client.get("/mini/help").status_code == client.get("/mini/help/glossary").status_code == 200
    assert client.get("/mini/help/tour.json").json()["steps"][0]["url"] == "/mini/"
    client.force_login(author)
    assert client.get("/mini/help/tour.json").json()["steps"][0]["url"] == "/mini/admin"
    assert "data-offer" in client.get("/mini/help").content.decode()
    client.post("/mini/help/tour/done")
    assert "data-offer" not in client.get("/mini/help").content.decode()


# --- two threads --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_once_one_wins() -> None:
    skip_without_shared_database()
    places.forget()
    install_pack(MINI)
    change = submitted(account("author", administrator=("", "")))
    first, second = [account(f"judge{n}", approver=("", "")) for n in range(2)]
    given = at_once(
        lambda: operations.approve(change=change.pk, user=first, revision=change.revision),
        lambda: operations.refuse(change=change.pk, user=second, revision=change.revision, note="no"),
        expected=(NotPossible,),
    )
    assert sum(isinstance(one, NotPossible) for one in given) == 1
    places.forget()
