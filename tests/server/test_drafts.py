"""All entrances make one draft and are held back by one throttle."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from tests.outsiders import CITIZEN

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.models import Case, Report
from yiwang.server.cases.writing import joining, operations
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.common.throttling import Caller, TooOften

SPOT = {"lon": "120.003", "lat": "31.003"}
ELSEWHERE = "198.51.100.7"


def test_the_address_that_was_typed_on_the_page_is_kept(mini: str) -> None:
    answer = Client().post("/mini/report", {"text": "垃圾", "category": "02001", "address": "中山路 8 号", **SPOT})
    assert answer.status_code == 201
    assert Case.objects.get().address == Report.objects.get().address == "中山路 8 号"


def test_the_address_alone_finds_the_region_from_the_page_too(mini: str) -> None:
    Client().post("/mini/report", {"text": "垃圾", "category": "02001", "address": "西南社区门口"})
    assert Case.objects.get().region == "900101"


def test_one_limit_holds_at_all_entrances_together(mini: str, settings: Any) -> None:
    settings.YIWANG_REPORTS_PER_MINUTE = 3
    client = Client(headers={"accept-language": "en"})
    form = {"text": "垃圾", "category": "02001", **SPOT}
    assert client.post("/mini/report", form).status_code == 201
    api = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}
    path = "/api/v1/cities/mini/reports"
    assert client.post(path, api, content_type="application/json").status_code == 201
    assert client.post("/mini/portal/report", {**form, "seen": "1"}).status_code < 400
    assert client.post("/mini/report", form).status_code == 429
    refused = client.post(path, api, content_type="application/json")
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused.json()["type"] == "urn:yiwang:problem:too-many"
    assert client.post("/mini/portal/report", {**form, "seen": "1"}).status_code == 429
    assert Report.objects.count() == 3
    assert client.post(path, api, content_type="application/json", REMOTE_ADDR=ELSEWHERE).status_code == 201


def test_the_operation_itself_counts_so_that_no_entrance_can_forget(mini: str, settings: Any) -> None:
    settings.YIWANG_REPORTS_PER_MINUTE = 2
    caller = Caller("203.0.113.9")
    draft = ReportDraft(text="垃圾", category="02001", lon=120.003, lat=31.003)
    number = operations.report(city=mini, draft=draft, actor=CITIZEN, caller=caller)["case"]
    joining.join(city=mini, number=number, draft=ReportDraft(text="我也看到了"), actor=CITIZEN, caller=caller)
    with pytest.raises(TooOften) as caught:
        operations.report(city=mini, draft=draft, actor=CITIZEN, caller=caller)
    assert 0 < caught.value.seconds <= 60
    operations.report(city=mini, draft=draft, actor=CITIZEN)  # our own machinery is not counted


def test_an_account_is_not_held_back(mini: str, settings: Any, actor: Any) -> None:
    settings.YIWANG_REPORTS_PER_MINUTE = 1
    draft = ReportDraft(text="垃圾", category="02001", lon=120.003, lat=31.003)
    for _ in range(3):
        operations.report(city=mini, draft=draft, actor=actor("inspector"))


def test_what_is_too_long_is_named_as_the_draft_names_it(mini: str) -> None:
    draft = ReportDraft(text="x" * 5000, address="路" * 500, contact="1" * 300)
    with pytest.raises(BadInput) as caught:
        operations.report(city=mini, draft=draft, actor=CITIZEN)
    assert [problem.column for problem in caught.value.problems] == ["text", "address", "contact"]
