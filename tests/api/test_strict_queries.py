"""A misspelt filter is an error, not a list of everything."""

from __future__ import annotations

from typing import Any

import pytest

from yiwang.core.cases.payloads import REQUIREMENTS
from yiwang.server.api.application import api
from yiwang.server.api.schemas import VerbIn
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

pytestmark = pytest.mark.django_db
READS = sorted(path for path, calls in api.get_openapi_schema()["paths"].items() if "get" in calls)


def test_an_unknown_filter_is_named_with_the_nearest_known_one(mini: str, client: Any) -> None:
    answer = client.get("/api/v1/cities/mini/cases?regoin=9001&limit=5", headers={"accept-language": "en"})
    assert answer.status_code == 422
    body = answer.json()
    assert body["errors"] == [
        {"field": "regoin", "detail": "There is no parameter 'regoin'.", "hint": "Did you mean 'region'?"}
    ]
    assert client.get("/api/v1/cities/mini/cases?region=9001&limit=5").status_code == 200


@pytest.mark.parametrize("path", READS)
def test_every_read_refuses_what_it_does_not_know(path: str, mini: str, client: Any) -> None:
    said = {"text": "bins", "lon": 120.003, "lat": 31.003}
    number = client.post("/api/v1/cities/mini/reports", said, content_type="application/json").json()["case"]
    address = path.replace("{city}", "mini").replace("{number}", number).replace("{z}/{x}/{y}", "12/3413/1671")
    if "{" in address:
        address = address.split("{")[0] + "1"
    needed = {"lon": "120.003", "lat": "31.003"} if path.endswith(("locate", "near")) else {}
    if path.endswith("map/components"):
        needed = {"bbox": "120,31,120.02,31.02"}
    answer = client.get(address, {**needed, "nonesuch": "1"})
    if answer.status_code == 401:  # for staff only
        create_person(username="s", password=None, name="s", name_en="s", city="mini", roles={"intake": ("CTR-90", "")})
        client.force_login(User.objects.get(username="s"))
        answer = client.get(address, {**needed, "nonesuch": "1"})
    assert answer.status_code == 422, answer.content
    assert "nonesuch" in answer.content.decode()


def test_the_body_of_a_verb_has_every_field_that_a_workflow_may_ask_for() -> None:
    described = set(VerbIn.model_fields) | {"photo"}
    assert described >= REQUIREMENTS
