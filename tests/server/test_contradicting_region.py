"""A region in a report that contradicts its point is said, not dropped in silence."""

from __future__ import annotations

from typing import Any

import pytest

from yiwang.server.cases.models import Case

pytestmark = pytest.mark.django_db


def test_the_answer_says_that_the_point_was_taken(report: Any) -> None:
    said = report(region="900202")
    assert Case.objects.get(number=said["case"]).region == "900101"
    assert "900202" in said["notice"]
    assert "900202" in said["notice_zh"]
    assert "已按坐标登记" in said["notice_zh"]
    for agreeing in ("900101", "9001", ""):
        assert report(region=agreeing)["notice"] == ""


def test_the_clerk_reads_it_on_the_page(mini: str, client: Any) -> None:
    from yiwang.server.people.operations import create_person

    create_person(
        username="i",
        password="long-enough-1",
        name="i",
        name_en="i",
        city="mini",
        roles={"intake": ("CTR-90", "")},
        demo=False,
    )
    assert client.login(username="i", password="long-enough-1")
    said = {
        "text": "垃圾",
        "category": "02001",
        "lon": "120.003",
        "lat": "31.003",
        "region": "900202",
        "source": "hotline",
    }
    answer = client.post("/mini/desk/intake/new", said)
    assert answer.status_code == 201, answer.content.decode()[:500]
    assert "已按坐标登记" in answer.content.decode()
