"""One language in what leaves by other doors than pages: papers, letters, files for spreadsheets, errors of the API.

What people wrote is a number here, so that every word is the product's own. Names that a pack has in one language only, and the
names by which the API knows its fields, are data: see `test_languages_of_pages`, which reads the pages.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from django.core import mail
from django.test import Client
from python_calamine import load_workbook
from tests.server.citizens import Citizen
from tests.server.test_languages_of_pages import faults_of, one_language_only

from yiwang.server.api.application import api
from yiwang.server.cases.writing import outbox
from yiwang.server.cities.queries import runtime
from yiwang.server.common.models import Attempts
from yiwang.server.ledger import api as ledger
from yiwang.server.notices import channels, confirming, operations, sending
from yiwang.server.notices.kinds import KINDS
from yiwang.server.notices.models import Recipient
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person
from yiwang.server.portal import mailing
from yiwang.server.scores.exporting import catch_up

LANGUAGES = ("zh", "en")
MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
# on paper: who acted, the source of the toy pack's rules, its one priority, which has no name, and what is typed or found in files
PRINTED = frozenset(
    {"test", "invented", "normal", "clock intake", "clock dispatching", "clock closing", "yiwang ledger prove"}
)


def foreign(text: str, language: str, *, also: frozenset[str] = frozenset()) -> list[str]:
    """The words of a text that are of the other language; ``also`` are further names that are data."""
    names = sorted({*one_language_only("mini", language), *also}, key=len, reverse=True)
    data = re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])" for name in names) or r"(?!)")
    return faults_of(text, language, lambda said: data.sub(" ", said))


def language_of(text: str) -> str:
    return "zh" if re.search(r"[\u3400-\u9fff]", text) else "en"


@pytest.fixture
def lived(report: Any, act: Any, actor: Any) -> list[str]:
    """A case that was closed and one in hand, with numbers for words."""
    numbers = []
    for done in (True, False):
        said = report(text="1", address="2", lon=120.003, lat=31.003, actor=actor("inspector", id="user:8"), at=MONDAY)
        numbers.append(str(said["case"]))
        act(numbers[-1], "dispatch", actor("dispatcher"), unit="SWEEP-9001", at=MONDAY + timedelta(hours=1))
        crew = actor("handler", unit="SWEEP-9001", id="user:7")
        act(numbers[-1], "take", crew, at=MONDAY + timedelta(hours=1))
        act(numbers[-1], "ask_extension", crew, reason="3", at=MONDAY + timedelta(hours=2))
        if done:
            act(numbers[-1], "finish", crew, note="4", at=MONDAY + timedelta(hours=3))
            for hour, verb, role in ((4, "ask_check", "intake"), (5, "check", "inspector"), (6, "close", "leader")):
                act(numbers[-1], verb, actor(role), at=MONDAY + timedelta(hours=hour))
    return numbers


@pytest.fixture
def clerk(mini: str) -> Client:
    create_person(
        username="clerk", password=None, name="7", name_en="7", city=mini, roles={"dispatcher": ("CTR-90", "")}
    )
    client = Client()
    client.force_login(User.objects.get(username="clerk"))
    return client


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


# --- papers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_papers(lived: list[str], clerk: Client, language: str) -> None:
    papers = [f"/mini/cases/{number}/file.pdf?lang={language}" for number in lived]
    papers += [f"/mini/bulletin/file.pdf?{query}&lang={language}" for query in ("day=2026-03-02", "week=2026-W10")]
    for url in papers:
        paper = pypdfium2.PdfDocument(content(clerk.get(url)))
        text = "\n".join(page.get_textpage().get_text_bounded() for page in paper)
        assert len(text) > 100, url
        assert not foreign(text, language, also=PRINTED), (url, text)


# --- letters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_and_the_letter_that_confirms_an_address(
    lived: list[str], clerk: Client, report: Any, act: Any, actor: Any, language: str
) -> None:
    wants: dict[str, Any] = {
        "user": User.objects.get(username="clerk"), "place": runtime("mini"), "chosen": {"email": list(KINDS)},
        "contacts": {"email": "1@2.example"}, "quiet": ("", ""), "channels": [channels.EmailChannel()],
        "language": {"zh": "zh-hans"}.get(language, language), "origin": "https://3.example",
    }  # fmt: skip
    operations.save_settings(**wants)
    assert confirming.send(lambda: False) == 1
    confirming.confirm(Recipient.objects.get())
    number = report(text="1")["case"]
    act(number, "file", actor("leader"))
    act(number, "dispatch", actor("dispatcher"), unit="SWEEP-9001")
    crew = actor("handler", unit="SWEEP-9001", id="user:7")
    act(number, "take", crew)
    act(number, "ask_extension", crew, reason="3")
    outbox.drain(correspondents=[operations.take_note])
    assert sending.send(lambda: False, at=datetime.now(UTC) + timedelta(minutes=5)) == 1
    assert len(mail.outbox) == 2
    for letter in mail.outbox:
        text = re.sub(r"https?://\S+", "", f"{letter.subject}\n{letter.body}")
        assert not foreign(text, language), text


def test_letters_to_citizens_say_all_in_one_language_and_then_in_the_other(citizen: Citizen, close: Any) -> None:
    number, _ = citizen.link(email="1@2.example", text="1", category="02001", contact="3@4.example")
    correspondents = [mailing.letters]
    outbox.relay(at=datetime.now(UTC) + timedelta(seconds=1), correspondents=correspondents)
    close(number)
    outbox.relay(at=datetime.now(UTC) + timedelta(seconds=1), correspondents=correspondents)
    assert len(mail.outbox) >= 2
    both_say_the_same(mail.outbox)


def test_the_letter_with_the_root_of_a_day(mini: str, report: Any, settings: Any) -> None:
    settings.YIWANG_PUBLISH_ROOTS = ["mailto:1@2.example"]
    report(at=MONDAY)
    ledger.seal_days(stream="cases", city=mini, at=MONDAY + timedelta(days=1))
    assert ledger.publish() == 1
    both_say_the_same(mail.outbox, also=frozenset({"mini", "cases", "yiwang ledger verify --roots"}))


def both_say_the_same(letters: Any, *, also: frozenset[str] = frozenset()) -> None:
    """Every paragraph of letters is in one language, and there are as many lines of either."""
    for letter in letters:
        said = [part for part in re.split(r" / |\n+(?:— — —\n+)?", f"{letter.subject}\n{letter.body}") if part.strip()]
        found = []
        for part in said:
            text = re.sub(r"https?://\S+|\b[0-9a-f]{64}\b", "", part)
            tag = language_of(text)
            assert not foreign(text, tag, also=also), part
            if re.search(r"[A-Za-z\u3400-\u9fff]{2}", re.sub("|".join(map(re.escape, also)) or "(?!)", "", text)):
                found.append(tag)
        assert found.count("zh") == found.count("en"), found


# --- files for spreadsheets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.django_db(transaction=True)
def test_files_for_spreadsheets(lived: list[str], clerk: Client, language: str) -> None:
    catch_up(city="mini")

    def rows(url: str) -> list[list[str]]:
        raw = content(clerk.get(url, headers={"accept-language": language}))
        if "/xlsx" in url:
            sheet = load_workbook(io.BytesIO(raw)).get_sheet_by_index(0)
            return [[str(cell) for cell in row] for row in sheet.to_python()]
        return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))

    place = runtime("mini")
    codes = frozenset({*place.rules.workflow.steps, *(level.id for level in place.info.levels)})
    urls = [
        "/mini/cases/export/csv",
        "/mini/cases/export/xlsx",
        "/mini/score.csv?level=street",
        "/mini/score.csv?level=department",
    ]
    urls += [
        f"/mini/flow/{table}.csv?from=2026-03-01&to=2026-03-09"
        for table in ("steps", "units", "levels", "moves", "paths")
    ]
    for url in urls:
        head, *lines = rows(url)
        assert lines, url
        assert all(head), url
        wrong = foreign("\n".join(head), language) + foreign(
            "\n".join(cell for line in lines for cell in line), language, also=codes
        )
        assert not wrong, (url, wrong, head)


# --- errors of the API ------------------------------------------------------------------------------------------------


def names_of(description: Any) -> Iterator[str]:
    """The names that the API's description gives to fields, parameters, headers and values: a caller writes them so."""
    if isinstance(description, dict):
        yield from description.get("properties", ())
        yield from (str(value) for value in description.get("enum", ()))
        if isinstance(name := description.get("name"), str):
            yield name
        for value in description.values():
            yield from names_of(value)
    elif isinstance(description, list):
        for value in description:
            yield from names_of(value)


def bad_calls(number: str) -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    """Method, path, body and headers of calls that are refused, of every kind."""
    cases, reports, verb = "/cities/mini/cases", "/cities/mini/reports", f"/cases/{number}/verbs"
    for query in (
        "limit=0", "limit=x", "limit=501", "limt=5", "state=new", "bbox=1", "bbox=5,5,1,1", "cursor=!", "opened_after=soon",
        "opened_after=0001-01-01T00:00:00Z", "order=x", "region=%00", "overdue=perhaps", f"q={'x' * 101}",
    ):  # fmt: skip
        yield "get", f"{cases}?{query}", None, {}
    for path in (
        "/cities/nowhere",
        "/cities/nowhere/cases",
        "/cases/X1",
        "/cases/X1/events",
        "/nothing",
        "/cities/mini/x",
    ):
        yield "get", path, None, {}
    yield "get", "/cities/mini/locate?lon=500&lat=1", None, {}
    yield "get", "/cities/mini/locate?lon=1", None, {}
    yield "get", "/cities/mini/notices", None, {}
    yield "get", "/cities/mini/notices", None, {"Authorization": "Bearer x"}
    yield "delete", cases, None, {}
    bodies: list[Any] = [
        "{", "[]", "7", {}, {"txt": "1"}, {"text": 5}, {"text": "1", "lon": "x"}, {"text": "1", "lon": 500, "lat": 1},
        {"text": "1", "lon": 120.0}, {"text": "1", "region": "7777"}, {"category": "99999"},
        {"text": "1", "photos": [1] * 9}, {"text": "1", "crs": "mars", "lon": 120.003, "lat": 31.003}, {"text": "x" * 5000},
    ]  # fmt: skip
    for body in bodies:
        yield "post", reports, body, {}
    yield "post", reports, {"text": "1", "region": "9001"}, {"Idempotency-Key": "x"}
    yield "post", f"{verb}/file", {}, {}
    acts: list[tuple[str, Any]] = [
        ("x", {}), ("dispatch", {"unit": "7777"}), ("dispatch", {"seq": 1}), ("cancel", {}), ("close", {}), ("take", {}),
        ("cancel", {"reason": 5}), ("rate", {"stars": 9}), ("assign", {"person": "5"}), ("split", {"parts": [{"x": 1}]}),
        ("merge", {"into": number}), ("dispatch", {"place": 5}),
    ]  # fmt: skip
    for name, body in acts:
        yield "post", f"{verb}/{name}", body, {"session": "yes"}
    yield "post", f"{verb}/dispatch", {}, {"session": "yes", "If-Match": '"1"'}
    yield "post", "/cities/mini/notices/read", {}, {"session": "yes"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_of_the_api(report: Any, act: Any, actor: Any, clerk: Client, language: str) -> None:
    number = str(report(text="1", region="9001")["case"])
    act(number, "file", actor("leader"))
    written = frozenset(names_of(api.get_openapi_schema())) | {"CSRF", "UUID", "true", "false", "GET", "POST", "DELETE"}
    verbs = frozenset(runtime("mini").rules.workflow.verbs)
    wrong, kinds = [], set()
    for method, path, body, headers in bad_calls(number):
        Attempts.objects.all().delete()
        given = dict(headers)
        client = clerk if given.pop("session", "") else Client(raise_request_exception=False)
        say: Callable[..., Any] = getattr(client, method)
        sent: tuple[Any, ...] = () if body is None else (body, "application/json")
        answer = say(f"/api/v1{path}", *sent, headers={"accept-language": language, **given})
        said = answer.json()
        assert answer.status_code >= 400, (method, path, body, said)
        kinds.add(said["type"])
        texts = [said["title"], said["detail"]]
        texts += [error.get(name, "") for error in said["errors"] for name in ("detail", "hint")]
        for text in texts:
            found = foreign(re.sub(r"「[^」]*」|“[^”]*”|'[^']*'", " ", text), language, also=written | verbs)
            wrong += [f"{method} {path} {body}: {found} in {text!r}"] if found else []
    assert not wrong, "\n".join(wrong)
    assert len(kinds) > 8, kinds
