"""The page of the list of cases, and the files that are made of it: the same rows for the same reader."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image
from python_calamine import load_workbook

from yiwang.server.casepage import exporting, lists
from yiwang.server.cases.models import Case, Photo
from yiwang.server.cities.queries import runtime
from yiwang.server.people.models import PersonalDataRead, User
from yiwang.server.people.operations import create_person

PHONE = "13912345678"
HOSTILE = '=HYPERLINK("http://x","y")'


@pytest.fixture
def person(mini: str) -> Callable[..., Client]:
    def make(role: str, unit: str = "CTR-90") -> Client:
        name = f"{role}-{unit}".lower()
        create_person(
            username=name, password=None, name=name, name_en=name, city="mini", roles={role: (unit, "")}, demo=False
        )
        client = Client()
        client.force_login(User.objects.get(username=name))
        return client

    return make


@pytest.fixture
def cases(report: Any) -> list[str]:
    picture = io.BytesIO()
    Image.new("RGB", (800, 600), "green").save(picture, "PNG")
    return [
        report(text=HOSTILE)["case"],
        report(text=f"井盖破损，电话 {PHONE}", photos=[picture.getvalue()])["case"],
        report(text="路灯不亮", category="03001")["case"],
    ]


def content(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def csv_rows(client: Client, query: str = "") -> list[list[str]]:
    raw = content(client.get(f"/mini/cases/export/csv{query}"))
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_rows_show_masked_words_and_the_first_photo_to_staff_only(cases: list[str], person: Any) -> None:
    photo = Photo.objects.get()
    address = f"/mini/cases/{cases[1]}/photos/{photo.pk}/small"
    staff, visitor = person("leader"), Client()
    shown, public = (client.get("/mini/cases").content.decode() for client in (staff, visitor))
    assert "井盖破损" in shown
    assert PHONE not in shown
    assert "井盖破损" in public
    assert PHONE not in public
    assert (address in shown, address in public) == (True, False)
    assert visitor.get(address).status_code == 404
    for _ in range(2):  # made, then as it was kept
        with Image.open(io.BytesIO(content(staff.get(address)))) as small:
            assert small.size == (240, 180)


@pytest.mark.parametrize("query", ["", "?category=03001", "?q=井盖", "?order=deadline", "?order=-deadline&state=open"])
@pytest.mark.parametrize(("role", "unit"), [("leader", "CTR-90"), ("leader", "CTR-9002")])
def test_a_file_has_the_rows_of_the_list(cases: list[str], person: Any, query: str, role: str, unit: str) -> None:
    client = person(role, unit)
    listed = client.get(f"/mini/cases{query}").context["cases"]
    table = csv_rows(client, query)
    book = load_workbook(io.BytesIO(content(client.get(f"/mini/cases/export/xlsx{query}")))).get_sheet_by_index(0)
    sheet = book.to_python()
    assert [row[0] for row in table[1:]] == [row["number"] for row in listed] == [row[0] for row in sheet[1:]]
    assert [row[1].removeprefix("'") for row in table[1:]] == [row["text"] for row in listed]
    assert [row[1] for row in sheet[1:]] == [row["text"] for row in listed]
    assert PHONE not in str(table) + str(sheet)
    time = listed[0]["opened_at"].astimezone(runtime("mini").info.zone)
    column = table[0].index("上报时间")
    assert table[1][column] == f"{time:%Y-%m-%d %H:%M}"
    moment = sheet[1][column]
    assert isinstance(moment, datetime)
    assert abs((moment - time.replace(tzinfo=None)).total_seconds()) < 1


def test_hostile_cells_are_texts(cases: list[str], person: Any) -> None:
    client = person("leader")
    assert [row[1] for row in csv_rows(client) if row[0] == cases[0]] == [f"'{HOSTILE}"]
    raw = content(client.get("/mini/cases/export/xlsx?columns=number,words"))
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<row" in sheet
    assert b"<f>" not in sheet, "no cell is a formula"


def test_files_are_for_staff_and_on_record(cases: list[str], person: Any) -> None:
    create_person(username="nobody", password=None, name="n", name_en="n", city="mini", roles={}, demo=False)
    account = Client()
    account.force_login(User.objects.get(username="nobody"))
    assert account.get("/mini/cases/export/csv").status_code == 404
    assert Client().get("/mini/cases/export/csv").status_code == 302
    client = person("leader")
    csv_rows(client, "?columns=number,step")
    assert not PersonalDataRead.objects.exists()
    csv_rows(client)
    assert PersonalDataRead.objects.get().count == len(cases)


def test_a_file_of_more_pages_costs_the_same_queries_for_each(
    report: Any, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yiwang.server.cities.queries.CHECK_EVERY_SECONDS", 3600.0)
    client = person("leader")
    for _ in range(9):
        report()
    csv_rows(client)

    def queries(chunk: int) -> int:
        monkeypatch.setattr(exporting, "CHUNK", chunk)
        with CaptureQueriesContext(connection) as captured:
            assert len(csv_rows(client)) == 1 + 9
        return len(captured)

    one, three, nine = queries(9), queries(3), queries(1)
    assert nine - three == 3 * (three - one), "each page of the walk asks the same"
    assert (three - one) // 2 <= 4


def test_too_many_rows_are_refused_in_words(cases: list[str], person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 2)
    answer = person("leader").get("/mini/cases/export/xlsx")
    assert answer.status_code == 422
    assert "符合条件的案卷超过 2 件。" in answer.content.decode()


def test_total(cases: list[str], person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = person("leader")
    assert "共 3 件" in client.get("/mini/cases").content.decode()
    monkeypatch.setattr(lists, "PAGE_SIZE", 1)
    assert "共 3 件" in client.get("/mini/cases").content.decode()
    assert "共 1 件" in client.get("/mini/cases?q=井盖").content.decode()
    assert (
        "共 3 件" not in Client().get("/mini/cases?q=M").content.decode()
    )  # a search of what all may read is not counted


def test_sorting_by_heads(cases: list[str], person: Any) -> None:
    client = Client()
    page = client.get("/mini/cases").content.decode()
    assert 'aria-sort="descending"><a href="?order=opened_at"' in page
    rising = client.get("/mini/cases?order=deadline")
    assert 'aria-sort="ascending"><a href="?order=-deadline"' in rising.content.decode()
    falling = client.get("/mini/cases?order=-deadline").context["cases"]
    assert [row["id"] for row in falling] == [row["id"] for row in rising.context["cases"]][::-1]
    assert len(falling) == Case.objects.exclude(deadline=None).count() > 0


def test_columns_are_kept_for_a_person_and_in_the_address_of_a_visitor(cases: list[str], person: Any) -> None:
    client, visitor = person("leader"), Client()
    for who in (client, visitor):
        page = who.get("/mini/cases?columns=number&columns=source").content.decode()
        assert 'data-column="source"' in page
        assert 'data-column="step"' not in page
    assert 'data-column="step"' not in client.get("/mini/cases").content.decode()
    assert 'data-column="step"' in visitor.get("/mini/cases").content.decode()
    assert (
        "order=opened_at&amp;columns=number%2Copened_at"
        in visitor.get("/mini/cases?columns=opened_at").content.decode()
    )


def test_queries_do_not_grow_with_the_rows(
    report: Any, person: Any, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("yiwang.server.cities.queries.CHECK_EVERY_SECONDS", 3600.0)
    client = person("leader")
    for _ in range(12):
        report()
    client.get("/mini/cases")
    for size in (2, 10):
        monkeypatch.setattr(lists, "PAGE_SIZE", size)
        with django_assert_max_num_queries(12):
            client.get("/mini/cases")
