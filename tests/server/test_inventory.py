"""Pages of the component inventory: who sees and changes what, by which file it comes, and what a census waits for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from yiwang.server.assets.models import Census, Component, ComponentChange
from yiwang.server.cases.models import Case
from yiwang.server.common.models import Job
from yiwang.server.inventory import operations
from yiwang.server.people import operations as people

HEAD = "id,lon,lat,name,authority,colour\n"
FIRST = HEAD + "A1,120.003,31.003,井盖一,SWEEP-9001,<script>alert(1)</script>\nA2,120.0035,31.0032,井盖二,,red\n"
SECOND = HEAD + "A1,120.0032,31.003,井盖一,SWEEP-9001,<script>alert(1)</script>\nA3,120.004,31.004,井盖三,,blue\n"


def client_of(name: str, **roles: tuple[str, str]) -> Client:
    user, _ = people.create_person(
        username=name, password="a-password-for-tests", name=name, name_en=name, city="mini", roles=roles
    )
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def keeper(mini: str, settings: Any, tmp_path: Path) -> Client:
    settings.YIWANG_HOME = tmp_path
    return client_of("keeper", administrator=("", ""))


def bring(keeper: Client, text: str | bytes, *, name: str = "covers.csv", kind: str = "01001") -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return keeper.post("/mini/censuses/bring", {"kind": kind, "file": SimpleUploadedFile(name, content)})


def columns(text: str) -> dict[str, str]:
    heads = text.partition("\n")[0].split(",")
    named = {"source_id": "id", "lon": "lon", "lat": "lat", "name": "name", "authority": "authority"}
    return {f"column-{field}": head for field, head in named.items() if head in heads}


def take(keeper: Client, text: str) -> Census:
    address = bring(keeper, text)["Location"]
    form = {**columns(text), "within": "10", "tolerance": "2"}
    assert keeper.post(address, {**form, "do": "check"}).status_code == 302
    assert keeper.post(address, {**form, "do": "take"}).status_code == 302
    job = Job.objects.get(kind=operations.TAKE, state="queued")
    result = operations.take_job(job, lambda done, total: None)
    Job.objects.filter(pk=job.pk).update(state="done", result=result)
    return Census.objects.get(pk=result["census"])


@pytest.fixture
def covers(keeper: Client) -> list[Component]:
    assert take(keeper, FIRST).step == "done"
    return list(Component.objects.order_by("source_id"))


def test_the_list_is_for_staff_and_shows_what_lies_in_their_region(covers: list[Component]) -> None:
    assert Client().get("/mini/components").status_code == 302
    assert client_of("stranger").get("/mini/components").status_code == 403
    here = client_of("here", dispatcher=("", "9001")).get("/mini/components").content.decode()
    assert covers[0].code in here
    assert covers[1].code in here
    elsewhere = client_of("elsewhere", dispatcher=("", "9002"))
    assert covers[0].code not in elsewhere.get("/mini/components").content.decode()
    assert elsewhere.get(f"/mini/components/{covers[0].code}").status_code == 404


def test_the_list_is_narrowed_and_says_what_it_does_not_understand(keeper: Client, covers: list[Component]) -> None:
    assert covers[0].code in keeper.get("/mini/components?q=A1").content.decode()
    assert covers[1].code not in keeper.get("/mini/components?q=A1").content.decode()
    assert "No component matches" in keeper.get("/mini/components?state=lost").content.decode()
    for wrong in ("state=bad", "region=77", "cursor=x", "kind_words=qqqq"):
        assert keeper.get(f"/mini/components?{wrong}").status_code == 422


def test_pages_of_the_list_follow_one_another(
    keeper: Client, covers: list[Component], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yiwang.server.inventory.views.PAGE_SIZE", 1)
    first = keeper.get("/mini/components")
    second = keeper.get(f"/mini/components{first.context['next_url']}")
    shown = [row["code"] for page in (first, second) for row in page.context["rows"]]
    assert sorted(shown) == sorted(one.code for one in covers)
    assert second.context["next_url"] == ""


def test_a_list_takes_few_queries(keeper: Client, covers: list[Component], django_assert_max_num_queries: Any) -> None:
    keeper.get("/mini/components")
    with django_assert_max_num_queries(8):
        keeper.get("/mini/components?kind=01001&region=9001")


def test_what_a_file_says_is_shown_as_text(keeper: Client, covers: list[Component]) -> None:
    page = keeper.get(f"/mini/components/{covers[0].code}").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_only_who_keeps_the_inventory_changes_it(keeper: Client, covers: list[Component]) -> None:
    code = covers[0].code
    sent = {"version": "1", "state": "damaged", "name": "改名"}
    assert client_of("d", dispatcher=("", "9001")).post(f"/mini/components/change/{code}", sent).status_code == 403
    regional = client_of("l", leader=("", "9001"))
    assert regional.post(f"/mini/components/change/{code}", sent).status_code == 302
    assert regional.get("/mini/censuses").status_code == 403
    changed = ComponentChange.objects.get()
    assert changed.by == "l"
    assert changed.fields == {"state": ["intact", "damaged"], "name": ["井盖一", "改名"]}


def test_two_people_do_not_overwrite_each_other(keeper: Client, covers: list[Component]) -> None:
    address = f"/mini/components/change/{covers[0].code}"
    assert keeper.post(address, {"version": "1", "state": "damaged"}).status_code == 302
    late = keeper.post(address, {"version": "1", "state": "lost", "note": "my words"})
    assert late.status_code == 409
    assert "my words" in late.content.decode()
    assert Component.objects.get(pk=covers[0].pk).state == "damaged"


@pytest.mark.parametrize("place", [("x", "1"), ("10", "10")])
def test_a_place_must_be_one_in_the_city(keeper: Client, covers: list[Component], place: tuple[str, str]) -> None:
    sent = {"version": "1", "lon": place[0], "lat": place[1]}
    assert keeper.post(f"/mini/components/change/{covers[0].code}", sent).status_code == 422
    assert not ComponentChange.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", b"hello", "notes.txt"),
        ("x.gpkg", b"not a database", "x.gpkg"),
        ("x.geojson", b"<OGRVRTDataSource/>", "x.geojson"),
        ("x.zip", b"PK\x03\x04broken", "x.zip"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(keeper: Client, name: str, content: bytes, says: str) -> None:
    answer = bring(keeper, content, name=name)
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_dry_run_names_rows_and_writes_nothing(keeper: Client) -> None:
    text = FIRST + "A9,10,10,far,,\n"
    address = bring(keeper, text)["Location"]
    keeper.post(address, {**columns(text), "within": "10", "tolerance": "2", "do": "check"})
    checked = keeper.get(address).context["checked"]
    assert [one["row"] for one in checked["problems"]] == [4]
    assert not Component.objects.exists()


def test_columns_of_coordinates_must_be_chosen(keeper: Client) -> None:
    address = bring(keeper, FIRST)["Location"]
    answer = keeper.post(address, {"within": "10", "tolerance": "2", "do": "check"})
    assert answer.status_code == 422
    assert "Choose the columns of longitude" in answer.content.decode()


def test_a_second_census_is_confirmed_finding_by_finding(keeper: Client, covers: list[Component]) -> None:
    census = take(keeper, SECOND)
    assert {one.outcome for one in census.findings.all()} == {"moved", "new", "missing"}
    address = f"/mini/censuses/{census.pk}"
    moved = census.findings.get(outcome="moved")
    page = keeper.get(f"{address}?outcome=moved&finding={moved.pk}").content.decode()
    assert "from-lon" in page
    sent = {"outcome": "moved", "yes": str(moved.pk)}
    keeper.post(f"{address}/decide", sent)
    assert Component.objects.get(source_id="A1").lon == pytest.approx(120.0032)
    again = keeper.post(f"{address}/decide", {**sent, "yes": str(moved.pk)}, follow=True)
    assert "Nothing was decided" in again.content.decode()
    keeper.post(f"{address}/decide", {"outcome": "new", "yes": "all"})
    keeper.post(f"{address}/decide", {"outcome": "missing", "no": "all"})
    census.refresh_from_db()
    assert census.step == "done"
    assert Component.objects.filter(source_id="A3").exists()
    assert Component.objects.get(source_id="A2").state == "intact"
    assert ComponentChange.objects.get().census_id == census.pk


def test_a_census_can_be_dropped(keeper: Client, covers: list[Component]) -> None:
    census = take(keeper, SECOND)
    keeper.post(f"/mini/censuses/{census.pk}/drop")
    census.refresh_from_db()
    assert census.step == "dropped"
    assert Component.objects.count() == 2


def test_files_of_the_inventory(keeper: Client, covers: list[Component]) -> None:
    csv = b"".join(keeper.get("/mini/components/export/csv?kind=01001")).decode("utf-8-sig")
    assert covers[0].code in csv
    shapes = json.loads(b"".join(keeper.get("/mini/components/export/geojson")))
    assert len(shapes["features"]) == 2
    other = client_of("o", dispatcher=("", "9002")).get("/mini/components/export/csv")
    assert covers[0].code.encode() not in b"".join(other)


def test_cases_of_a_component_stand_on_its_page(keeper: Client, covers: list[Component], report: Any) -> None:
    said = report(component=covers[0].code)
    page = keeper.get(f"/mini/components/{covers[0].code}")
    assert [case["number"] for case in page.context["cases"]] == [said["case"]]
    leader = client_of("lead", leader=("CTR-90", ""))
    assert f"/mini/components/{covers[0].code}" in leader.get(f"/mini/cases/{said['case']}").content.decode()


def test_what_was_not_tried_so_is_tried_again_before_it_is_taken_up(keeper: Client) -> None:
    address = bring(keeper, FIRST)["Location"]
    form = {**columns(FIRST), "within": "10", "tolerance": "2"}
    assert keeper.post(address, {**form, "do": "take"}).status_code == 302
    assert not Job.objects.filter(kind=operations.TAKE).exists(), "it was never tried"
    keeper.post(address, {**form, "within": "30", "do": "take"})
    assert not Job.objects.filter(kind=operations.TAKE).exists(), "it was tried with ten metres"
    assert Job.objects.get(kind=operations.CHECK).parameters["within"] == 30
    keeper.post(address, {**form, "within": "30", "do": "take"})
    assert Job.objects.get(kind=operations.TAKE).parameters["within"] == 30


def test_refused_rows_are_told_with_what_is_wrong(keeper: Client) -> None:
    text = FIRST.splitlines()[0] + "\nZ9,121.500000,31.5,elsewhere,,\n"
    address = bring(keeper, text)["Location"]
    keeper.post(address, {**columns(text), "within": "10", "tolerance": "2", "do": "check"})
    page = keeper.get(address).content.decode()
    assert "The place 121.500000, 31.500000 is not in the city." in page


def test_a_file_that_is_too_large_for_the_page_is_left_to_the_command_line(
    keeper: Client, covers: list[Component], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert b"A1" in keeper.get("/mini/components/export/csv").getvalue()
    monkeypatch.setattr("yiwang.server.inventory.views.MOST_EXPORTED", 1)
    assert keeper.get("/mini/components/export/csv").status_code == 302


def test_labels_are_of_a_list_or_of_one_component(
    keeper: Client, covers: list[Component], monkeypatch: pytest.MonkeyPatch
) -> None:
    def texts(address: str) -> str:
        return str(pypdfium2.PdfDocument(keeper.get(address).content)[0].get_textpage().get_text_range())

    assert all(one.code in texts("/mini/components/labels?kind=01001") for one in covers)
    assert covers[1].code not in texts(f"/mini/components/labels?code={covers[0].code}")
    assert keeper.get("/mini/components/labels?region=77").status_code == 404
    assert keeper.get("/mini/components/labels?kind=01002").status_code == 302, "there is nothing to print"
    monkeypatch.setattr("yiwang.server.assets.labels.MOST", 1)
    assert keeper.get("/mini/components/labels").status_code == 302
    elsewhere = client_of("elsewhere", dispatcher=("", "9002"))
    assert elsewhere.get(f"/mini/components/labels?code={covers[0].code}").status_code == 404


def test_staff_report_a_component_from_its_page(keeper: Client, covers: list[Component]) -> None:
    one = covers[0]
    clerk = client_of("clerk", intake=("CTR-90", ""))
    page = clerk.get(f"/mini/components/{one.code}")
    form = clerk.get(page.context["report_url"])
    assert one.name in form.content.decode()
    assert form.context["values"] == {"category": "01001", "lon": f"{one.lon:.6f}", "lat": f"{one.lat:.6f}"}
    sent = clerk.post(
        "/mini/report",
        {**form.context["values"], "component": one.code, "text": "井盖响", "idempotency_key": "cover-1"},
    )
    assert sent.status_code == 201
    assert one.code in keeper.get(f"/mini/components/{one.code}").content.decode()
    assert Case.objects.get().component == one.code
    unknown = keeper.get("/mini/report?component=none-of-ours")
    assert unknown.status_code == 404
    assert "no component" in unknown.content.decode()
