"""What the API answers, call by call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.api.calling import Caller

Report = Callable[..., dict[str, Any]]
Callers = Callable[..., Caller]


@pytest.mark.django_db
def test_report_says_where_it_went_and_why(anybody: Caller) -> None:
    answer = anybody.post(
        "/cities/mini/reports", {"text": "井盖没了", "category": "03001", "lon": 120.013, "lat": 31.003}
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["region"] == "900201"
    assert body["step"] == "filed"
    assert answer["Location"] == f"/api/v1/cases/{body['case']}"
    assert [why["table"] for why in body["why"]] == ["triage"]


def test_list_filters_and_pages(anybody: Caller, reported: Report) -> None:
    numbers = [reported()["case"] for _ in range(5)]
    other = reported(lon=120.013, category="02002")["case"]
    seen, cursor = [], ""
    while True:
        page = anybody.get(f"/cities/mini/cases?limit=2&cursor={cursor}").json()
        seen += [row["number"] for row in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == [other, *reversed(numbers)]
    assert [row["number"] for row in anybody.get("/cities/mini/cases?region=9002").json()["items"]] == [other]
    assert anybody.get("/cities/mini/cases?category=02002&step=accepted").json()["items"][0]["number"] == other
    assert anybody.get("/cities/mini/cases?overdue=true").json()["items"] == []
    assert len(anybody.get("/cities/mini/cases?bbox=120,31,120.01,31.01").json()["items"]) == 5
    assert len(anybody.get(f"/cities/mini/cases?q={other}").json()["items"]) == 1


def test_verb_with_token_etag_and_conflict(anybody: Caller, reported: Report, caller: Callers) -> None:
    number = reported()["case"]
    found = anybody.get(f"/cases/{number}")
    tag = found["ETag"]
    leader = caller("leader")
    assert anybody.post(f"/cases/{number}/verbs/file").status_code == 401
    done = leader.post(f"/cases/{number}/verbs/file", {}, If_Match=tag)
    assert done.status_code == 200, done.content
    assert done.json()["step"] == "filed"
    late = leader.post(f"/cases/{number}/verbs/cancel", {"reason": "x"}, If_Match=tag)
    assert late.status_code == 412, late.content
    late = leader.post(f"/cases/{number}/verbs/cancel", {"reason": "x", "seq": 2})
    assert late.status_code == 409, late.content
    assert late["Content-Type"] == "application/problem+json"
    now = anybody.get(f"/cases/{number}")
    assert anybody.get(f"/cases/{number}", If_None_Match=now["ETag"]).status_code == 304
    assert leader.get(f"/cases/{number}", If_None_Match=now["ETag"]).status_code == 200, "another reader's tag"
    events = anybody.get(f"/cases/{number}/events").json()["items"]
    assert [event["verb"] for event in events] == ["report", "accept", "file"]
    assert events[2]["actor"] == "user"


def test_a_verb_takes_the_number_of_a_receipt_in_any_letter_case(reported: Report, caller: Callers) -> None:
    leader = caller("leader")
    spellings: tuple[Callable[[dict[str, str]], str], ...] = (
        lambda said: said["number"],
        lambda said: said["number"].lower(),
        lambda said: said["case"].lower(),
    )
    for written in spellings:
        said = reported()
        assert said["number"] != said["case"]
        done = leader.post(f"/cases/{written(said)}/verbs/file", {})
        assert done.status_code == 200, done.content
        assert (done.json()["number"], done.json()["step"]) == (said["case"], "filed")
    assert leader.post("/cases/mnr1/verbs/file", {}).status_code == 404


def test_refusal_names_the_role(reported: Report, caller: Callers) -> None:
    number = reported()["case"]
    refused = caller("handler", unit="DEPT-WORKS").post(f"/cases/{number}/verbs/file")
    assert refused.status_code == 403
    assert "leader" in refused.json()["roles"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/cities/nowhere/cases", 404),
        ("/cases/none", 404),
        ("/nothing", 404),
        ("/cities/mini/cases?limit=0", 422),
        ("/cities/mini/cases?order=text", 422),
        ("/cities/mini/cases?cursor=abc", 422),
        ("/cities/mini/cases?bbox=1,2,3", 422),
        ("/cities/mini/cases?opened_after=yesterday", 422),
        ("/cities/mini/locate?lon=500&lat=0", 422),
    ],
)
def test_errors_are_problem_documents(anybody: Caller, path: str, status: int) -> None:
    answer = anybody.get(path)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "errors"} <= answer.json().keys()


def test_wrong_method_broken_json_and_bad_token(anybody: Caller, mini: str) -> None:
    wrong = anybody.client.delete("/api/v1/cities/mini/cases")
    assert wrong.status_code == 405
    assert wrong["Content-Type"] == "application/problem+json"
    assert "GET" in wrong["Allow"]
    broken = anybody.client.post("/api/v1/cities/mini/reports", b"{", "application/json")
    assert broken.status_code == 400
    assert broken["Content-Type"] == "application/problem+json"
    assert anybody.get("/cities/mini/cases", Authorization="Bearer nonsense").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/regions",
        "/categories",
        "/units",
        "/workflow",
        "/map/cases",
        "/map/regions",
        "/locate?lon=120.003&lat=31.003",
    ],
)
def test_the_city_as_installed(anybody: Caller, reported: Report, path: str) -> None:
    reported()
    answer = anybody.get(f"/cities/mini{path}")
    assert answer.status_code == 200, answer.content
    assert answer.json()


def test_health(client: Client, mini: str) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "ok"
    from yiwang.server.common.operations import beat

    beat("worker")
    assert client.get("/readyz").status_code == 200
    assert b"yiwang_outbox_waiting" in client.get("/metrics").content


def test_description_is_openapi_3_1(client: Client, mini: str) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/cities/{city}/reports" in described["paths"]
    assert client.get("/api/v1/docs").status_code == 200


def test_anonymous_callers_read_words_as_moderated(anybody: Caller, reported: Report, caller: Callers) -> None:
    """A telephone number in somebody's words is neither shown to everybody nor found by them."""
    number = reported(text="垃圾成堆，请打 13812345678 找我")["case"]
    assert caller("leader").get(f"/cases/{number}").json()["text"].endswith("13812345678 找我")
    assert "138" not in anybody.get(f"/cases/{number}").json()["text"]
    assert "13812345678" not in str(anybody.get(f"/cases/{number}").json())
    assert "13812345678" not in str(anybody.get(f"/cases/{number}/events").json())
    assert anybody.get("/cities/mini/cases?q=13812345678").json()["items"] == []
    assert [row["number"] for row in anybody.get("/cities/mini/cases?q=垃圾成堆").json()["items"]] == [number]
    assert [row["number"] for row in caller("intake").get("/cities/mini/cases?q=13812345678").json()["items"]] == [
        number
    ]


def test_the_description_names_every_error_as_a_problem_document(anybody: Caller) -> None:
    described = anybody.get("/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            statuses = {int(status) for status in operation["responses"]}
            assert {400, 401, 403, 404, 422, 500, 503} <= statuses, (method, path)
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (method, path, status)
    for path, status in (("/cases/none", 404), ("/cities/mini/cases?limit=0", 422)):
        assert anybody.get(path)["Content-Type"] == "application/problem+json"
        assert anybody.get(path).status_code == status
