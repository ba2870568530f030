"""Values that nobody sends by accident, at every address: an answer, never a fault of ours. Also on PostgreSQL."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, get_resolver

VALUES = (
    "a\0b",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31",
    "0001-01-01",
    "99999999999999999999999",
    "-1",
    "nan",
    "1e400",
    "abc",
    "²",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "' OR 1=1 --",
)
NAMES = (
    "at", "since", "until", "from", "to", "day", "month", "opened_after", "opened_before", "updated_after", "due_before",
    "cursor", "after", "before", "page", "limit", "q", "region", "category", "step", "holder", "lon", "lat", "bbox", "id",
    "number", "seq", "unit", "level", "indicator", "table", "order", "lang", "city", "role", "sort", "overdue", "source",
)  # fmt: skip


def addresses(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern)
        else:
            yield from addresses(pattern.url_patterns, before + str(pattern.pattern))


def filled(address: str, number: str, other: str) -> str:
    """An address with real values, and ``other`` where a text or a number may stand that is no city."""
    parts = []
    for part in address.split("/"):
        if "city>" in part:
            parts.append("mini")
        elif "<int:" in part:
            parts.append(other if other.isdecimal() and other.isascii() else "1")
        elif "number>" in part:
            parts.append(other or number)
        elif part.startswith("<"):
            parts.append(other or "x")
        else:
            parts.append(part)
    return "/" + "/".join(parts)


@pytest.fixture
def leader(mini: str, django_user_model: Any) -> Client:
    """Somebody who may see everything, and whom faults do not stop."""
    from yiwang.server.people.models import RoleAssignment

    client, user = (
        Client(raise_request_exception=False),
        django_user_model.objects.create_user("boss", password="x" * 12),
    )
    for role in ("leader", "administrator", "dispatcher"):
        RoleAssignment.objects.create(user=user, city=mini, role=role, unit="CTR-90")
    client.force_login(user)
    return client


class Reading:
    """Which parameters of a query are asked for while it is active."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        for method in ("__getitem__", "__contains__", "get", "getlist", "pop"):
            monkeypatch.setattr(QueryDict, method, self._told(getattr(QueryDict, method)))

    def _told(self, method: Any) -> Any:
        def asked(data: QueryDict, name: Any, *rest: Any, **named: Any) -> Any:
            self.names.add(name)
            return method(data, name, *rest, **named)

        return asked


def queries(address: str, turn: int, reading: Reading) -> Iterator[dict[str, str]]:
    """Queries for an address: each parameter that it reads alone, for of several wrong ones the first is refused and the others are never
    read; and all names together.

    What a page reads is seen while it is asked, and may grow with what it is given; calls of the API take what they declare, and are given
    every name. Values go round, one further from address to address, so each comes to every parameter over all addresses.
    """
    yield {name: VALUES[(place + turn) % len(VALUES)] for place, name in enumerate(NAMES)}
    if address.startswith("api/"):
        reading.names |= set(NAMES)
    done: set[str] = set()
    while left := sorted(reading.names - done):
        done.add(left[0])
        yield {left[0]: VALUES[(crc32(left[0].encode()) + turn) % len(VALUES)]}


@pytest.mark.django_db(transaction=True)  # as on a real site, where a fault of one request is none of the next
def test_no_value_in_any_address_or_query_is_a_fault_of_ours(
    leader: Client, report: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, found, reading, pairs = report()["case"], [], Reading(monkeypatch), set()

    def ask(address: str, other: str, query: dict[str, str]) -> None:
        answer = leader.get(filled(address, number, other), query)
        if answer.status_code >= 500:
            found.append((answer.status_code, address, other, query))

    for turn, address in enumerate(addresses(get_resolver().url_patterns)):
        if "<drf" in address or address in ("sign-out", "readyz"):
            continue
        reading.names = set()
        ask(address, "", {})
        for query in queries(address, turn, reading):
            ask(address, "", query)
            pairs |= set(query.items())
        if re.search(r"<(?!(slug:)?city>)", address):
            for value in VALUES:
                ask(address, value.replace("/", ""), {})
    assert not found, f"{len(found)}: " + "\n".join(str(item) for item in found[:60])
    assert {name for name, _ in pairs} > set(NAMES), "pages read names that are not in the list"
    assert len({(name, value) for name, value in pairs if name in NAMES}) == len(NAMES) * len(VALUES)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["id", "assignment", "before", "undo", "back", "key", "idea", "seq", "case", "number"])
def test_a_garbled_identifier_in_a_form_is_no_fault_of_ours(leader: Client, report: Any, name: str) -> None:
    number = report()["case"]
    for address in addresses(get_resolver().url_patterns):
        if address.startswith(("api/", "sign-out")):
            continue
        for value in ("abc", "9" * 40, "-1", "²"):
            answer = leader.post(filled(address, number, ""), {name: value, "text": "x", "note": "x"})
            assert answer.status_code < 500 or address == "readyz", (address, value)


@pytest.mark.django_db
def test_nul_is_refused_in_path_query_form_and_json(leader: Client) -> None:
    said = {"text": "a\0b", "category": "02001", "lon": "120.003", "lat": "31.003"}
    answers = [
        leader.get("/mini/portal?q=%00"),
        leader.get("/mini/portal/cases/%00"),
        leader.post("/mini/portal/report", said),
        leader.post("/mini/portal/report", {**said, "photos": SimpleUploadedFile("a.jpg", b"x")}),
        leader.post("/api/v1/cities/mini/reports", json.dumps(said), "application/json"),
        leader.post("/api/v1/cities/mini/reports", '{"text": "half \\ud800", "category": "02001"}', "application/json"),
    ]
    assert [answer.status_code for answer in answers] == [400] * 6
    escaped = {**said, "text": "the six characters \\u0000", "lon": 120.003, "lat": 31.003}
    assert Client().post("/api/v1/cities/mini/reports", json.dumps(escaped), "application/json").status_code == 201


@pytest.mark.django_db
def test_a_body_between_the_two_limits_is_too_large(leader: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    text = "x" * 2000
    answers = [
        leader.post("/api/v1/cities/mini/reports", json.dumps({"text": text}), "application/json"),
        leader.post("/mini/portal/report", {"text": text}),
        leader.post("/mini/portal/report", f"text={text}", "application/x-www-form-urlencoded"),
    ]
    assert [answer.status_code for answer in answers] == [413] * 3
    assert answers[0]["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("database or disk is full"),
        psycopg.errors.DiskFull("设备上没有空间"),  # as PostgreSQL says it in the language of its server
    ],
    ids=["folder", "database", "postgresql"],
)
def test_a_full_disk_is_said_in_words_on_every_face(leader: Client, monkeypatch: Any, fault: Exception) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise fault

    monkeypatch.setattr("yiwang.server.common.sql.run", full)
    said = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003, "seen": "1"}
    fields = {name: value for name, value in said.items() if name != "seen"}
    anybody = Client(raise_request_exception=False)
    api = anybody.post("/api/v1/cities/mini/reports", json.dumps(fields), "application/json")
    page = leader.post("/mini/portal/report", said)
    field = leader.post("/mini/field/reports", said, headers={"Idempotency-Key": "k" * 20})
    assert [api.status_code, page.status_code, field.status_code] == [503] * 3
    for answer in (api, page, field):
        assert "空间已满" in answer.content.decode()
        assert int(answer["Retry-After"]) > 0


@pytest.mark.django_db
def test_a_site_without_room_is_not_ready(client: Client, settings: Any, tmp_path: Path, monkeypatch: Any) -> None:
    from yiwang.server.api import health

    assert client.get("/readyz").json()["checks"]["disk"] == "ok"
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 10**18)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "MB are free" in answer.json()["checks"]["disk"]
    settings.YIWANG_HOME = tmp_path / "gone"
    assert "No such file" in client.get("/readyz").json()["checks"]["disk"]
