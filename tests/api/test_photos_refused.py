"""One bad photo among good ones: the good ones are kept, and the answer names the bad one."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from yiwang.server.cases.models import Photo

SAID = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}
KEY = "0f1e2d3c4b5a69788796"


def picture(colour: str) -> str:
    made = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(made, "JPEG")
    return base64.b64encode(made.getvalue()).decode()


PHOTOS = [picture("red"), base64.b64encode(b"GIF89a").decode(), picture("blue"), "no base64!"]


def assert_named(answer: Any) -> None:
    refused = answer.json()["photos_refused"]
    assert [photo["index"] for photo in refused] == [1, 3]
    assert all("JPEG" in photo["reason"] and "图片" in photo["reason_zh"] for photo in refused)
    assert Photo.objects.count() == 2


@pytest.mark.parametrize("follow", [False, True])
def test_a_report_keeps_the_good_photos_and_a_second_call_says_the_same(anybody: Any, follow: bool) -> None:
    said = {**SAID, "photos": PHOTOS, "follow": follow}
    for _ in range(2):
        answer = anybody.post("/cities/mini/reports", said, Idempotency_Key=KEY)
        assert answer.status_code == 201, answer.content
        assert_named(answer)


def test_a_verb_keeps_the_good_photos(reported: Any, caller: Any) -> None:
    number = reported()["case"]
    answer = caller("leader").post(f"/cases/{number}/verbs/note", {"note": "看过", "photos": PHOTOS})
    assert answer.status_code == 200, answer.content
    assert_named(answer)


def test_without_a_bad_photo_nothing_is_said(anybody: Any) -> None:
    answer = anybody.post("/cities/mini/reports", {**SAID, "photos": PHOTOS[:1]})
    assert answer.status_code == 201
    assert "photos_refused" not in answer.json()


def test_the_description_has_it(anybody: Any) -> None:
    schemas = anybody.get("/openapi.json").json()["components"]["schemas"]
    assert all("photos_refused" in schemas[name]["properties"] for name in ("ReportAnswer", "VerbAnswer"))
    assert set(schemas["RefusedPhoto"]["required"]) == {"index", "reason", "reason_zh"}


def test_a_verb_that_requires_a_photo_and_has_no_good_one_is_refused(
    reported: Any, caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from yiwang.server.cities.queries import runtime

    plans = runtime("mini").rules.workflow.plans
    monkeypatch.setitem(plans, "note", replace(plans["note"], needs=("photos",)))
    number, leader = reported()["case"], caller("leader")
    answer = leader.post(f"/cases/{number}/verbs/note", {"note": "看过", "photos": [PHOTOS[1]]})
    assert answer.status_code == 422, answer.content
    assert Photo.objects.count() == 0
    answer = leader.post(f"/cases/{number}/verbs/note", {"note": "看过", "photos": PHOTOS})
    assert answer.status_code == 200, answer.content
