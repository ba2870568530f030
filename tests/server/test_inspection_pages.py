"""Pages of inspections: everybody reads the proof, staff the results, who was drawn records, who may plans."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.server.test_inspections import PEOPLE, TODAY, city, drawn, found, picture, said, who
from tests.server.test_inventory import client_of

from yiwang.server.cities.queries import runtime
from yiwang.server.inspections.models import Campaign, Visit
from yiwang.server.inspections.planning import commit_to, end_campaign
from yiwang.server.inspections.recording import record_visit
from yiwang.server.people import operations as people
from yiwang.server.people.models import User

__all__ = ["city", "drawn"]
FORM = {
    "key": "april", "name": "四月检查", "name_en": "April", "checklist": "streets", "strata": "street", "total": "4",
    "inspector": ["ann", "bob", "cid"], "recused": "on", "team": "1", "second_share": "50", "beacon": "",
    "begins": f"{TODAY}", "ends": f"{TODAY}",
}  # fmt: skip


def as_(username: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(username=username))
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_an_inspection_is_planned_drawn_and_ended_on_pages(city: str) -> None:
    planner = client_of("planner", administrator=("", ""))
    assert "No inspections yet" in page(planner, "/mini/inspections")
    people.create_person(
        username="near", password=None, name="near", name_en="near", city="mini", roles={"inspector": ("", "9002")}
    )
    form = page(planner, "/mini/inspections/new")
    assert form.count('<option value="streets"') == 1
    assert f'value="{TODAY:%Y-%m}-1"' in form
    assert form.count('name="inspector"') == 4  # who only administers is not sent
    assert (
        planner.post("/mini/inspections/new", {**FORM, "inspector": [*PEOPLE, "near"]})["Location"]
        == "/mini/inspections/april"
    )
    campaign = Campaign.objects.get()
    assert campaign.plan["inspectors"] == [
        *({"id": f"I0{number}", "avoids": []} for number in (1, 2, 3)),
        {"id": "I04", "avoids": ["9002"]},  # holds a post there
    ]
    before = page(planner, "/mini/inspections/april")
    assert campaign.commitment in before
    assert campaign.seed not in before
    assert planner.post("/mini/inspections/april/draw").status_code == 302
    after = page(planner, "/mini/inspections/april")
    assert campaign.seed in after
    assert "Drawn again, it gives what is published." in after
    assert planner.post("/mini/inspections/april/end").status_code == 302
    assert "Ended" in page(planner, "/mini/inspections/april")


def test_who_may_plan(city: str) -> None:
    assert Client().get("/mini/inspections/new").status_code == 302
    for client in (as_("ann"), client_of("near", leader=("CTR-9001", "9001"))):
        assert client.get("/mini/inspections/new").status_code == 403
        assert client.post("/mini/inspections/new", FORM).status_code == 403
    assert client_of("lead", leader=("CTR-90", "")).get("/mini/inspections/new").status_code == 200
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"key": "A B"}, "small letters"),
        ({"total": "many"}, "Draw 1 to"),
        ({"second_share": "half"}, "between 0 and 100"),
        ({"ends": "soon"}, "ends before it begins"),
        ({"inspector": []}, "Choose the inspectors"),
        ({"inspector": ["nobody"]}, "nobody called"),
        ({"team": "7"}, "inspectors may go"),
        ({"strata": "community"}, None),
    ],
)
def test_what_cannot_be_planned_is_said_and_what_was_typed_stays(
    city: str, other: dict[str, Any], words: str | None
) -> None:
    planner = client_of("planner", administrator=("", ""))
    answer = planner.post("/mini/inspections/new", {**FORM, **other})
    if words is None:
        assert answer.status_code == 302
        return
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert 'value="四月检查"' in text


def test_where_inspectors_go_is_told_at_the_end_only(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    record_visit(visit, found(dust=10), username=who(visit))
    User.objects.filter(username="ann").update(display_name="Ann Example", display_name_en="Ann Example")
    path, own = "/mini/inspections/march", f"/mini/inspections/visits/{visit.pk}"
    stranger, planner = Client(headers={"accept-language": "en"}), client_of("planner", administrator=("", ""))
    street, drawn_one = client_of("street", dispatcher=("", "9001")), as_(who(visit))
    for client in (stranger, street, drawn_one):
        text = page(client, path)
        assert drawn.commitment in text
        for secret in (drawn.seed, "Scores", "Places that were drawn"):
            assert secret not in text
        assert client.get(f"{path}/visits.json").status_code == 404
    assert drawn_one.get(own).status_code == 200
    assert street.get(own).status_code == 404
    text = page(planner, path)
    assert drawn.seed in text
    assert "Ann Example" in text
    assert "Scores" in text
    end_campaign(drawn, by="ann")
    text = page(stranger, path)
    assert drawn.seed in text
    assert "95 % interval" in text
    assert "Drawn again, it gives what is published." in text
    assert "Ann Example" not in text
    assert "Ann Example" in page(street, path)
    assert street.get(own).status_code == 200
    plan = json.loads(page(stranger, f"{path}/plan.json"))
    assert {one["id"] for one in plan["inspectors"]} == {"I01", "I02", "I03"}
    assert len(json.loads(page(stranger, f"{path}/visits.json"))) == 4
    assert stranger.get(own).status_code == 302


def test_nothing_is_published_before_the_draw(city: str) -> None:
    campaign = commit_to(runtime(city), said(), by="ann")
    planner = client_of("planner", administrator=("", ""))
    for client in (Client(), as_("ann"), planner):
        assert client.get("/mini/inspections/march/visits.json").status_code == 404
        for path in ("/mini/inspections/march", "/mini/inspections/march/plan.json"):
            assert campaign.seed not in page(client, path)


def test_a_visit_is_recorded_on_a_phone(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    client = as_(who(visit))
    assert f"/mini/inspections/visits/{visit.pk}" in page(client, "/mini/inspections/mine")
    path = f"/mini/inspections/visits/{visit.pk}"
    assert 'name="value-dust"' in page(client, path)
    form: dict[str, Any] = {
        "outcome": "done",
        "value-dust": "10",
        "value-litter": "3",
        "value-stalls": "none",
        "lon": "",
        "lat": "",
    }
    refused = client.post(path, form)
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "It needs a photo" in text
    assert 'value="10"' in text
    photo = SimpleUploadedFile("p.jpg", picture().getvalue(), "image/jpeg")
    assert client.post(path, {**form, "photos-litter": photo, "note-litter": "<b>x</b>"}).status_code == 302
    text = page(client, path)
    assert "does not apply" in text
    assert "&lt;b&gt;x" in text
    key = visit.findings.get(item="litter").photos.get().pk
    assert client.get(f"/mini/inspections/photos/{key}")["Content-Type"] == "image/jpeg"
    assert client.get(f"/mini/inspections/photos/{key}/small").status_code == 200
    assert Client().get(f"/mini/inspections/photos/{key}").status_code == 302
    assert client_of("street", dispatcher=("", "9001")).get(f"/mini/inspections/photos/{key}").status_code == 404
    assert client.post(path, {**form, "outcome": "refused"}).status_code in (409, 422)


def test_a_place_that_refuses_needs_no_answers(drawn: Campaign) -> None:
    visit = drawn.visits.filter(turn=1)[0]
    client = as_(who(visit))
    other = next(name for name in PEOPLE if name != who(visit))
    path = f"/mini/inspections/visits/{visit.pk}"
    assert as_(other).get(path).status_code == 404
    assert as_(other).post(path, {"outcome": "refused"}).status_code == 404
    assert "Not recorded yet" in page(client_of("planner", administrator=("", "")), path)
    assert client.post(path, {"outcome": "refused", "note": "gate closed", "value-dust": "1"}).status_code == 302
    visit.refresh_from_db()
    assert (visit.outcome, visit.score, visit.note) == ("refused", None, "gate closed")
    assert Visit.objects.exclude(outcome="").count() == 1


@pytest.mark.parametrize("tag", ["zh-hans", "en"])
def test_pages_cost_as_many_queries_however_many_visits_there_are(
    drawn: Campaign, tag: str, django_assert_max_num_queries: Any
) -> None:
    client = client_of("planner", administrator=("", ""))
    client.get("/mini/inspections/march")
    with django_assert_max_num_queries(22):
        client.get("/mini/inspections/march", headers={"accept-language": tag})
    with django_assert_max_num_queries(12):
        client.get("/mini/inspections/mine", headers={"accept-language": tag})
