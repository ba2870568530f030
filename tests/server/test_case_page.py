"""The page of one case: who may act, what is shown to whom, what a conflict keeps, what the file contains."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from tests.forging import allow_forging

from yiwang.server.cases.models import Case, Event
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

Report = Callable[..., dict[str, Any]]
Acts = Callable[..., dict[str, Any]]


def person(role: str, unit: str = "CTR-9001") -> Client:
    user, _ = create_person(
        username=f"p-{role}", password=None, name=role, name_en=role, city="mini", roles={role: (unit, "")}
    )
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def number(report: Report) -> str:
    return str(report(text="路口的垃圾，电话 13912345678", contact="13912345678")["case"])


def path(number: str, rest: str = "") -> str:
    return f"/mini/cases/{number}{rest}"


def test_nobody_acts_without_signing_in(number: str, mini: str) -> None:
    assert Case.objects.get(number=number).rest.find('"reporter"') == -1
    before = Event.objects.count()
    verbs = ("rate", "reopen", "file", "accept", "void", "nonsense")
    for verb in verbs:
        answer = Client().post(path(number, f"/verbs/{verb}"), {"stars": "1", "reason": "x", "note": "x"})
        assert answer.status_code == 403, verb
    assert Event.objects.count() == before


def test_the_page_costs_at_most_twelve_queries(number: str, django_assert_max_num_queries: Any) -> None:
    client = person("leader")
    client.get(path(number))
    with django_assert_max_num_queries(12):
        assert client.get(path(number)).status_code == 200
    with django_assert_max_num_queries(12):
        assert Client().get(path(number)).status_code == 200


def test_contacts_are_shown_on_request_to_those_who_need_them(number: str) -> None:
    leader, handler = person("leader"), person("handler", "SWEEP-9001")
    assert b"13912345678" not in Client().get(path(number)).content
    assert b"13912345678" not in handler.get(path(number)).content
    assert handler.post(path(number, "/contacts")).status_code == 403
    assert Client().post(path(number, "/contacts")).status_code == 403
    shown = leader.post(path(number, "/contacts"))
    assert shown.status_code == 200
    assert '联系方式：<span translate="no">13912345678</span>'.encode() in shown.content


def test_a_reading_of_contacts_is_recorded(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from yiwang.server.people import operations

    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(operations, "log_read", lambda **said: calls.append(said), raising=False)
    leader = person("leader")
    leader.get(path(number))
    assert [(call["what"], call["purpose"]) for call in calls] == [("words", "case page")], (
        "a number stands in the text"
    )
    calls.clear()
    leader.post(path(number, "/contacts"))
    assert [(call["city"], call["subject"], call["what"]) for call in calls] == [
        ("mini", number, "contact"),
        ("mini", number, "words"),
    ]


@pytest.mark.parametrize(("language", "said"), [("zh", "已办：立案 → 待派遣"), ("en", "Done: File → ")])
def test_the_page_says_what_was_done_once(number: str, language: str, said: str) -> None:
    leader, headers = person("leader"), {"accept-language": language}
    seq = Case.objects.get(number=number).seq
    page = leader.post(path(number, "/verbs/file"), {"seq": seq}, headers=headers, follow=True).content.decode()
    assert re.search(f'<p class="said" role="status">{said}', page)
    assert said not in leader.get(path(number), headers=headers).content.decode()


def test_a_conflict_says_what_happened_and_keeps_what_was_typed(number: str, act: Acts, actor: Any) -> None:
    leader = person("leader")
    seq = Case.objects.get(number=number).seq
    act(number, "file", actor("leader", unit="CTR-9001"))
    answer = leader.post(path(number, "/verbs/file"), {"seq": seq, "note": "我打的字不能丢"})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "我打的字不能丢" in text
    assert "您打开之后发生的" in text


def test_polling_costs_a_header_while_nothing_happens(number: str, act: Acts, actor: Any) -> None:
    client, seq = Client(), Case.objects.get(number=number).seq
    address = path(number, f"/changed?seen={seq}")
    first = client.get(address)
    assert first.status_code == 200
    assert not first.content.strip()
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    act(number, "file", actor("leader", unit="CTR-9001"))
    after = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert after.status_code == 200
    assert "别人办理了" in after.content.decode()
    assert client.get(path("nothing", "/changed?seen=1")).status_code == 404
    assert client.get(path(number, "/changed?seen=²")).status_code == 200


def test_the_proof_tells_an_altered_event(number: str) -> None:
    client = Client()
    assert "事件链完整" in client.get(path(number, "/proof")).content.decode()
    with allow_forging():
        Event.objects.filter(case__number=number, seq=1).update(reason="forged")
    assert "事件链被改动过" in client.get(path(number, "/proof")).content.decode()


@pytest.mark.parametrize(("language", "word"), [("zh", "存证"), ("en", "Ledger")])
def test_the_file_has_the_case_in_both_languages(number: str, act: Acts, actor: Any, language: str, word: str) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    act(number, "file", actor("leader", unit="CTR-9001"))
    answer = person("handler", "SWEEP-9001").get(path(number, f"/file.pdf?lang={language}"))
    assert answer["Content-Type"] == "application/pdf"
    document = pdfium.PdfDocument(io.BytesIO(answer.content))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert word in text
    assert number in text
    assert "路口的垃圾" in text  # the font is in the file, so its characters are found again
    assert "13912345678" not in text
    assert len(answer.content) < 400_000


def test_photos_stand_before_and_after(report: Report, mini: str) -> None:
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.writing import operations
    from yiwang.server.cases.writing.drafts import ReportDraft

    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(buffer, "JPEG")
    said = operations.report(
        city=mini,
        draft=ReportDraft(text="x", category="02001", lon=120.003, lat=31.003, photos=[buffer.getvalue()]),
        actor=CITIZEN,
    )
    client = person("leader")
    shown = client.get(path(said["case"])).content.decode()
    assert "处置前" in shown
    assert "/photos/" in shown
    assert "/photos/" not in Client().get(path(said["case"])).content.decode()
    assert client.get(path(said["case"], "/file.pdf")).content.startswith(b"%PDF")
