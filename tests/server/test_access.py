"""Who reads what: every door that shows words of a case, for every kind of reader, by role, region, unit and city."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pypdfium2
import pytest
from django.test import Client
from PIL import Image
from tests.narrowing import present

from yiwang.core.kernel.characters import clean, fold
from yiwang.server.cases.models import Case, Photo
from yiwang.server.cases.storage import words
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.people.models import PersonalDataRead, User
from yiwang.server.people.operations import create_person

PHONE_SAID = "13912345678"  # stands in the report
PHONE_NOTED = "13812345678"  # stands in a note among staff
NEIGHBOUR = "邻居王五"  # stands in a note among staff, and no mask would find it
REASON = "夜班忙不过来"  # a reason that concerns nobody outside
SECRETS = {"said": PHONE_SAID, "noted": PHONE_NOTED, "neighbour": NEIGHBOUR, "reason": REASON}

# reader → roles with (unit, region), and the city of the post
READERS: dict[str, tuple[dict[str, tuple[str, str]], str]] = {
    "anonymous": ({}, ""),
    "account": ({}, "mini"),
    "elsewhere": ({"leader": ("CTR-90", "")}, "boston"),
    "moderator": ({"moderator": ("", "")}, "mini"),
    "administrator": ({"administrator": ("", "")}, "mini"),
    "leader": ({"leader": ("CTR-90", "")}, "mini"),
    "leader of the street": ({"leader": ("CTR-9001", "9001")}, "mini"),
    "leader of the other street": ({"leader": ("CTR-9002", "9002")}, "mini"),
    "crew that has it": ({"handler": ("SWEEP-9001", "")}, "mini"),
    "crew of the other street": ({"handler": ("SWEEP-9002", "")}, "mini"),
    "dispatcher": ({"dispatcher": ("CTR-90", "")}, "mini"),
}
PERSONAL = {"leader", "leader of the street"}
MODERATORS = {"moderator", "leader"}  # a post within one region moderates nothing
STAFF = PERSONAL | {"crew that has it", "dispatcher"}
OWN_DESK = {"leader": "leader", "leader of the street": "leader", "crew that has it": "handler", "dispatcher": "dispatcher"}  # fmt: skip

Open = Callable[[Client, str], str]


def body(response: Any) -> str:
    content = b"".join(response) if response.streaming else response.content
    if response.get("Content-Type") == "application/pdf":
        return "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content))
    if response.get("Content-Type", "").startswith("application/json"):
        return json.dumps(json.loads(content), ensure_ascii=False)
    return str(content.decode())


def got(path: str) -> Open:
    return lambda client, number: body(client.get(path.format(number=number), headers={"HX-Request": "true"}))


def with_wrong_seq(client: Client, number: str) -> str:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return body(client.post(f"/mini/field/cases/{number}/note", {"seq": "1", "note": "x"}, headers=headers))


# door → who sees which of the secrets there
SINGLE = {"said": PERSONAL, "noted": PERSONAL, "neighbour": STAFF, "reason": STAFF}
MASKED = {"said": set(), "noted": set(), "neighbour": STAFF, "reason": STAFF}
NOTHING: dict[str, set[str]] = {name: set() for name in SECRETS}
DOORS: dict[str, tuple[Open, dict[str, set[str]]]] = {
    "case page": (got("/mini/cases/{number}"), SINGLE),
    "printed file": (got("/mini/cases/{number}/file.pdf"), MASKED),
    "proof": (got("/mini/cases/{number}/proof"), NOTHING),
    "API: case": (got("/api/v1/cases/{number}"), {**NOTHING, "said": PERSONAL, "reason": STAFF}),
    "API: events": (got("/api/v1/cases/{number}/events"), SINGLE),
    "API: list": (got("/api/v1/cities/mini/cases"), NOTHING),
    "API: search by words": (got("/api/v1/cities/mini/cases?q=垃圾"), NOTHING),
    "API: map": (got("/api/v1/cities/mini/map/cases"), NOTHING),
    "list": (got("/mini/cases"), NOTHING),
    "map": (got("/mini/map/cases.json"), NOTHING),
    "field: tasks": (got("/mini/field/tasks.json"), NOTHING),
    "field: conflict": (with_wrong_seq, {**NOTHING, "reason": STAFF}),
    "desk: leader": (got("/mini/desk/leader/queue?kind=all"), NOTHING),
    "desk: handler": (got("/mini/desk/handler/queue?kind=all"), NOTHING),
    "portal: case": (got("/mini/portal/cases/{number}"), NOTHING),
    "portal: moderation": (got("/mini/portal/moderation?number={number}"), {**NOTHING, "said": MODERATORS}),
    "portal: home": (got("/mini/portal"), NOTHING),
    "flow": (got("/mini/flow/cases"), NOTHING),
}  # fmt: skip


@pytest.fixture
def number(report: Any, act: Any, actor: Any) -> str:
    """A case that the sweepers of the western street hold, with things in it that are not for everybody."""
    found = str(report(text=f"路口垃圾成堆，请打 {PHONE_SAID}", contact=PHONE_SAID)["case"])
    act(found, "file", actor("leader"))
    act(found, "dispatch", actor("dispatcher"))
    act(found, "note", actor("intake"), note=f"上报人是{NEIGHBOUR}，电话 {PHONE_NOTED}")
    holder = Case.objects.get(number=found).holder
    assert holder == "SWEEP-9001"
    act(found, "ask_extension", actor("handler", unit=holder), reason=REASON)
    return found


@pytest.fixture
def client_of(mini: str) -> Callable[[str], Client]:
    def make(reader: str) -> Client:
        roles, city = READERS[reader]
        client = Client(raise_request_exception=False)
        if reader != "anonymous":
            name = reader.replace(" ", "-")
            create_person(username=name, password=None, name=name, name_en=name, city=city, roles=roles)
            client.force_login(User.objects.get(username=name))
        return client

    return make


@pytest.fixture(autouse=True)
def indexed(mini: str) -> Iterator[None]:
    yield
    words.index_all()


@pytest.mark.parametrize("reader", READERS)
def test_doors(reader: str, number: str, client_of: Any) -> None:
    """Each door shows each reader what the policy gives them, and what is personal goes on record."""
    client, wrong = client_of(reader), {}
    for door, (show, wanted) in DOORS.items():
        before = PersonalDataRead.objects.filter(subject=number).count()
        answer = show(client, number)
        seen = {name for name, secret in SECRETS.items() if secret in answer}
        reads = PersonalDataRead.objects.filter(subject=number).count() - before
        expected = {name for name in SECRETS if reader in wanted[name]}
        if (seen, reads) != (expected, 1 if expected & {"said", "noted"} else 0):
            wrong[door] = (seen, reads, expected)
    assert not wrong, "door: seen, reads on record, what the policy gives"


@pytest.mark.parametrize("reader", OWN_DESK)
def test_desk_panel(reader: str, number: str, client_of: Any) -> None:
    client = client_of(reader)
    answer = client.get(f"/mini/desk/{OWN_DESK[reader]}/cases/{number}", headers={"HX-Request": "true"})
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert (PHONE_SAID in shown, NEIGHBOUR in shown) == (reader in PERSONAL, True)
    assert PersonalDataRead.objects.filter(subject=number, purpose="desk").count() == (reader in PERSONAL)


def test_a_desk_of_another_street_does_not_open_the_case(number: str, client_of: Any) -> None:
    client = client_of("leader of the other street")
    answer = client.get(f"/mini/desk/leader/cases/{number}", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert NEIGHBOUR not in answer.content.decode()


@pytest.mark.parametrize("reader", READERS)
def test_a_search_is_no_oracle(reader: str, number: str, client_of: Any, report: Any) -> None:
    """Looking for a telephone number finds cases only for those who may read it there, and finding it is on record."""
    report(text=f"又一处，{PHONE_SAID}")
    client = client_of(reader)
    for path in ("/api/v1/cities/mini/cases?limit=1&q={q}", "/mini/cases?q={q}"):
        answer = body(client.get(path.format(q=PHONE_SAID)))
        without = body(client.get(path.format(q="13700000000")))
        if reader in PERSONAL:
            assert answer.count("MN2") > without.count("MN2")
        else:
            assert scrubbed(answer, PHONE_SAID) == scrubbed(without, "13700000000"), (
                "not even that there is a next page"
            )
    recorded = PersonalDataRead.objects.filter(purpose="search by personal data")
    assert recorded.exists() == (reader in PERSONAL)


def scrubbed(answer: str, sought: str) -> str:
    """The page without the word that was looked for and the token of its forms."""
    return re.sub(r'(csrfmiddlewaretoken" value|data-csrf)="[^"]+"', "", answer).replace(sought, "")


@pytest.mark.parametrize("reader", READERS)
def test_photos(reader: str, client_of: Any, mini: str, actor: Any) -> None:
    from tests.outsiders import CITIZEN

    from yiwang.server.cases.writing import operations

    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(picture, "PNG")
    draft = ReportDraft(text="垃圾", category="02001", lon=120.003, lat=31.003, photos=[picture.getvalue()])
    number = operations.report(city=mini, draft=draft, actor=CITIZEN)["case"]
    case = Case.objects.get(number=number)
    Case.objects.filter(pk=case.pk).update(holder="SWEEP-9001")
    photo = Photo.objects.get(case=case)
    answer = client_of(reader).get(f"/mini/cases/{number}/photos/{photo.pk}")
    assert answer.status_code == (200 if reader in STAFF else 404)


def test_who_reported_with_an_account_reads_what_they_wrote(client_of: Any, mini: str, act: Any, actor: Any) -> None:
    client = client_of("account")
    said = {"text": f"垃圾，{PHONE_SAID}", "category": "02001", "lon": 120.003, "lat": 31.003}
    answer = client.post("/api/v1/cities/mini/reports", said, "application/json")
    number = answer.json()["case"]
    act(number, "note", actor("intake"), note=NEIGHBOUR)
    page = body(client.get(f"/mini/cases/{number}"))
    assert PHONE_SAID in page
    assert NEIGHBOUR not in page
    assert PHONE_SAID in body(client.get(f"/api/v1/cases/{number}"))
    assert PHONE_SAID not in body(client_of("anonymous").get(f"/api/v1/cases/{number}"))


# --- what everybody reads, and caches ---------------------------------------------------------------------------------


def test_only_what_the_verb_publishes_is_public(number: str, act: Any, actor: Any) -> None:
    act(number, "cancel", actor("leader"), reason="内部理由", reply="已转交水务处，谢谢您")
    for path in (f"/mini/portal/cases/{number}", f"/mini/cases/{number}", f"/api/v1/cases/{number}/events"):
        shown = body(Client().get(path))
        assert "已转交水务处" in shown, path
        assert "内部理由" not in shown, path


def test_a_published_reason_is_public(report: Any, act: Any, actor: Any) -> None:
    number = report(region="900101", category="")["case"]
    act(number, "reject", actor("leader"), reason="不属于城市管理")
    assert "不属于城市管理" in body(Client().get(f"/mini/portal/cases/{number}"))


def test_the_form_says_who_will_read_it(number: str, client_of: Any) -> None:
    page = body(client_of("leader").get(f"/mini/cases/{number}"))
    assert "内部：只有办理人员能看到，不公开" in page
    assert "公开：任何人都能看到" in page


@pytest.mark.parametrize("path", ["/api/v1/cases/{number}", "/api/v1/cases/{number}/events"])
def test_withheld_words_are_gone_for_whoever_has_the_tag(path: str, number: str, client_of: Any) -> None:
    """The entity tag changes with what a moderator decides, and no two readers share one."""
    from yiwang.server.common.models import PublicText

    path = path.format(number=number)
    client = Client()
    before = client.get(path)
    assert client.get(path, headers={"If-None-Match": before["ETag"]}).status_code == 304
    event = f"{number}/1" if path.endswith("events") else number
    if not path.endswith("events"):
        PublicText.objects.update_or_create(
            kind="case", key=event, defaults={
                "city": "mini", "original": Case.objects.get(number=number).text, "published": "", "state": "withheld",
            },
        )  # fmt: skip
        after = client.get(path, headers={"If-None-Match": before["ETag"]})
        assert after.status_code == 200
        assert "垃圾成堆" not in body(after)
    leader = client_of("leader").get(path, headers={"If-None-Match": before["ETag"]})
    assert leader.status_code == 200
    assert leader["Cache-Control"] == "private, no-cache"
    assert "Authorization" in leader["Vary"]
    assert "Cookie" in leader["Vary"]


# --- characters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\u202eb", "ab"), ("\u200b", ""), ("\u2800\u3164", ""), ("垃\u0000圾", "垃圾"), ("一\u3000二\n三\t四", "一\u3000二\n三\t四"),
        ("\u2066x\u2069", "x"), ("好\r\n的", "好\n的"), ("\ufe0f", ""), ("❤\ufe0f", "❤\ufe0f"), ("\ud800", ""),
    ],
)  # fmt: skip
def test_clean(text: str, kept: str) -> None:
    assert clean(text) == kept


def test_verbs_clean_as_reports_do(number: str, act: Any, actor: Any) -> None:
    from yiwang.core.kernel.refusals import Missing

    with pytest.raises(Missing):
        act(number, "note", actor("leader"), note="\u200b\u2060")
    act(number, "note", actor("leader"), note="好\u202e的\u200b")
    assert "好的" in present(Case.objects.get(number=number).events.last()).payload


def test_fold() -> None:
    assert fold("ＡＢＣ１２３") == fold("abc123") == "abc123"
    assert fold("Straße") == fold("STRASSE")


# --- searching by number ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [False, True])
def test_numbers_find_their_case(index: bool, report: Any, mini: str) -> None:
    """The number on the receipt, of the case or of the report, in any letter case, and by its last digits."""
    answer = report(text="路灯")
    report(text="另一处")
    if index:
        words.index_all()
    case, receipt = answer["case"], answer["number"]
    for sought in (case, case.lower(), receipt, receipt.lower(), case[-5:], receipt[-5:]):
        found = Client().get(f"/api/v1/cities/mini/cases?q={sought}").json()["items"]
        assert [row["number"] for row in found] == [case], sought


def test_width_and_case_do_not_matter(report: Any, mini: str) -> None:
    number = report(text="Ｍａｉｎ Street 路灯")["case"]
    for index in (False, True):
        if index:
            words.index_all()
        for sought in ("main", "MAIN", "ｍａｉｎ", "STREET"):
            found = Client().get("/api/v1/cities/mini/cases", {"q": sought}).json()["items"]
            assert [row["number"] for row in found] == [number], sought
