"""What is deleted on schedule: answers for repeated calls, contacts; and that history does not notice."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from tests.outsiders import CITIZEN

from yiwang.server.cases.models import Case, Report
from yiwang.server.cases.writing import chores, forgetting, operations
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.common import chores as common_chores
from yiwang.server.common import environment, idempotency
from yiwang.server.common.console import EmailBackend
from yiwang.server.common.models import IdempotencyKey
from yiwang.server.portal.models import Follow
from yiwang.server.provision import worker
from yiwang.server.verification import ledger

DAY = timedelta(days=1)
KEY = "0123456789abcdef-{}"
SAID = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}
DRAFT = ReportDraft(text="垃圾", category="02001", lon=120.003, lat=31.003)


def test_keys_of_long_ago_go_and_later_ones_still_answer(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "BATCH", 2)
    answers = [operations.report(city=mini, draft=DRAFT, actor=CITIZEN, key=KEY.format(n)) for n in range(6)]
    IdempotencyKey.objects.filter(key__in=[KEY.format(n) for n in range(5)]).update(
        created_at=timezone.now() - 31 * DAY
    )
    assert idempotency.forget(older_than=30 * DAY) == 5
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == [KEY.format(5)]
    assert operations.report(city=mini, draft=DRAFT, actor=CITIZEN, key=KEY.format(5)) == answers[5]
    assert operations.report(city=mini, draft=DRAFT, actor=CITIZEN, key=KEY.format(0))["case"] != answers[0]["case"]


def test_the_worker_forgets_after_the_days_that_are_set(mini: str, settings: Any) -> None:
    operations.report(city=mini, draft=DRAFT, actor=CITIZEN, key=KEY.format(0))
    IdempotencyKey.objects.update(created_at=timezone.now() - 5 * DAY)
    settings.YIWANG_KEY_DAYS = 6
    assert common_chores.forget_keys() == 0
    settings.YIWANG_KEY_DAYS = 4
    assert common_chores.forget_keys() == 1
    names = {chore.name for chore in worker.chores()}
    assert {"old keys", "old contacts"} <= names


def test_contacts_go_after_the_end_of_the_case_and_the_chain_stays_whole(
    mini: str, report: Any, act: Any, actor: Any, settings: Any
) -> None:
    numbers = [report(contact=f"1390000000{n}")["case"] for n in range(3)]
    for number in numbers[:2]:
        act(number, "reject", actor("leader"), reason="不属实")
    Case.objects.filter(number=numbers[0]).update(closed_at=timezone.now() - 200 * DAY)
    settings.YIWANG_CONTACT_DAYS = 0
    assert chores.forget_contacts() == 0
    settings.YIWANG_CONTACT_DAYS = 180
    assert chores.forget_contacts() == 1
    kept = dict(Report.objects.values_list("case__number", "contact"))
    assert kept == {numbers[0]: "", numbers[1]: "13900000001", numbers[2]: "13900000002"}
    assert forgetting.forget_contacts(older_than=timedelta(0)) == 1
    assert [fault for fault in ledger.verify(city=mini).faults if "hash" in str(fault).lower()] == []


def test_logged_mail_says_nobody() -> None:
    assert environment.email("NO_SUCH_VARIABLE")["EMAIL_BACKEND"] == "yiwang.server.common.console.EmailBackend"
    written = StringIO()
    message = mail.EmailMessage("subject", "body", "from@example.org", ["someone@example.org"], bcc=["b@example.org"])
    EmailBackend(stream=written).send_messages([message])
    assert "someone" not in written.getvalue()
    assert "To: hidden@example.org" in written.getvalue()
    assert message.to == ["someone@example.org"]


# --- a secret link from the API -------------------------------------------------------------------------------------


def asked(**more: Any) -> dict[str, Any]:
    answer = Client().post(
        "/api/v1/cities/mini/reports", json.dumps({**SAID, **more}), content_type="application/json",
        headers={"Idempotency-Key": "0123456789abcdef"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


@pytest.mark.usefixtures("mini")
def test_a_program_gets_a_link_when_it_asks_for_one_and_the_same_case_again() -> None:
    first, again = asked(follow=True, contact="139"), asked(follow=True, contact="139")
    assert first["case"] == again["case"]
    assert Case.objects.count() == Follow.objects.count() == 1
    assert first["follow"] != again["follow"], "the link is renewed"
    leads_to = [Client().get("/" + said["follow"].split("/", 3)[3])["Location"] for said in (first, again)]
    assert leads_to == ["/mini/portal/follow", f"/mini/portal/follow/{first['number']}"], "only the newest one opens it"
    assert Report.objects.get().contact == "139"


@pytest.mark.usefixtures("mini")
def test_without_asking_there_is_no_link() -> None:
    assert asked().get("follow", "") == ""
    assert not Follow.objects.exists()
