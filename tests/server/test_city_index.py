"""The city's index: aspects scored first, the past first, what is missing said, down to the rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.server.test_scores import MONDAY, lived, refresh, scored

from yiwang.server.cities.queries import runtime
from yiwang.server.scores import queries
from yiwang.server.scores.index_views import index_of

__all__ = ["lived", "scored"]
pytestmark = pytest.mark.django_db(transaction=True)
MONTH = f"{MONDAY:%Y-%m}"


def shown(client: Client, **query: str) -> Any:
    answer = client.get("/mini/score/index", {"month": MONTH, **query}, headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer


def test_the_page_is_what_the_scorecard_says(scored: str, client: Client) -> None:
    place = runtime("mini")
    card = queries.scorecard(place=place, by=("city", "month"))
    row = next(row for row in card.rows if row.keys["month"] == MONTH)
    found, context = row.composites["index"], shown(client).context
    assert found.score is not None
    assert context["score"] == f"{found.score:.1f}"
    assert [one["score"] for one in context["aspects"]] == [
        f"{found.aspects['orderly']:.1f}",
        "",
        f"{found.aspects['satisfied']:.1f}" if found.aspects["satisfied"] is not None else "",
    ]
    # nobody inspected: that aspect is missing, and the others make the whole
    weights = {"orderly": 0.5, "satisfied": 0.2}
    known = {name: score for name, score in found.aspects.items() if score is not None}
    mean = sum(weights[name] * score for name, score in known.items()) / sum(weights[name] for name in known)
    assert found.score == pytest.approx(mean)
    assert sum(found.weights.values()) == pytest.approx(1)


def test_what_is_missing_is_said_and_never_zero(scored: str, client: Client) -> None:
    text = shown(client).content.decode()
    assert "does not count as zero" in text
    aspect = re.search(r"<summary><strong>Clean</strong>(.*?)</summary>", text, re.DOTALL)
    assert aspect
    assert "no data" in aspect[1]


def test_the_past_comes_first_and_each_part_opens_down_to_its_rows(
    scored: str, client: Client, lived: Callable[..., str]
) -> None:
    lived(at=MONDAY - timedelta(days=365))
    lived(at=MONDAY - timedelta(days=10))
    lived(lon=120.013, lat=31.003)
    refresh()
    answer = shown(client)
    months = answer.context["months"]
    assert (len(months), months[0], months[-1]) == (13, "2025-03", MONTH)
    assert all(len(line["values"]) == 13 for line in answer.context["lines"])
    assert [one["words"] for one in answer.context["changes"]] == ["on the month before", "on the year before"]
    text = answer.content.decode()
    assert text.index("Against its own past") < text.index("What it is made of") < text.index("Against the others")
    links = re.findall(r'href="(/mini/score/[^"]+key=90[^"]*)"', text)
    assert links
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link


def test_the_city_is_followed_by_the_regions_below_and_a_region_by_its_like(scored: str, client: Client) -> None:
    assert not any(row["own"] for row in shown(client).context["others"])
    streets = [row["name"] for row in shown(client, key="9001").context["others"]]
    assert [row["own"] for row in shown(client, key="9001").context["others"]].count(True) == 1
    assert len(streets) == len(set(streets))
    assert "There is no index here" in shown(client, key="900101").content.decode(), "no index for communities"


def test_other_weights_of_the_index(scored: str, client: Client) -> None:
    link = shown(client).context["weights_url"]
    assert "of=index" in link
    answer = client.get(link)
    assert answer.status_code == 200
    assert answer.context["of"] == "index"


def test_what_there_is_not(scored: str, client: Client) -> None:
    for query in ("key=nowhere", "month=soon"):
        assert client.get(f"/mini/score/index?{query}").status_code == 404
    empty = shown(client, month="1999-01")
    assert empty.context["score"] == ""
    assert {value for line in empty.context["lines"] for value in line["values"]} == {""}


def test_a_pack_without_an_index_has_no_such_page(mini: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'href="/mini/score/index"' in client.get("/mini/score").content.decode()
    place = runtime("mini")
    plain = tuple(one for one in place.pack.indicators.evaluations if not one.aspects)
    monkeypatch.setitem(place.pack.indicators.__dict__, "evaluations", plain)
    assert index_of(place, month=MONTH) is None
    assert client.get("/mini/score/index").status_code == 404
    assert 'href="/mini/score/index"' not in client.get("/mini/score").content.decode()


def test_the_page_needs_few_queries(scored: str, client: Client, django_assert_max_num_queries: Any) -> None:
    shown(client)
    with django_assert_max_num_queries(12):
        shown(client)


def test_before_anything_is_counted_that_is_said(mini: str, client: Client) -> None:
    for counted in (False, True):
        if counted:
            refresh()
        text = client.get("/mini/score/index", headers={"accept-language": "en"}).content.decode()
        assert "No month has been counted yet." in text
        assert "states no index" not in text
