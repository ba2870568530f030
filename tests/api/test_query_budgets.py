"""How many queries each call and page may cost, however many cases there are.

The figures are what is needed today. More than that is to be earned: raise one with the reason in the commit.
The first call after an installation also reads the city's version; it is made before counting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from yiwang.server.people.models import User

Assert = Callable[..., Any]
READS = {
    "/cities": 0,
    "/cities/mini": 0,
    "/cities/mini/regions": 0,
    "/cities/mini/categories": 0,
    "/cities/mini/units": 0,
    "/cities/mini/workflow": 0,
    "/cities/mini/locate?lon=120.003&lat=31.003": 0,
    # where the city stands in time (one of the past is judged at its last day) is one query of each of these
    "/cities/mini/cases": 3,  # the rows, and what moderators decided about their words
    "/cities/mini/cases?region=9001&step=accepted&q=x&overdue=true": 4,  # a stretch, what it needs to gather, the page
    "/cities/mini/map/cases": 4,  # with a deadline, without one, points that are no place
    "/cities/mini/map/regions": 3,
    "/cities/mini/map/cases/0/0/0.mvt": 2,  # events since the last look, at most once a second; numbers of the points
    "/cities/mini/centre": 1,
    "/cities/mini/components?kind=01001&region=9001&q=x&bbox=120,31,121,32": 2,
    "/cities/mini/map/components?bbox=120,31,121,32": 1,
    "/cities/mini/map/components/near?lon=120.003&lat=31.003": 1,
    "/cities/mini/scores": 2,  # the stores of the tables that are measured
    "/cities/mini/inspections": 1,
    "/cities/mini/lists": 2,
    "/cities/mini/honours": 1,
    "/cities/mini/targets/2026": 3,
    "/cities/mini/tiles/components/0/0/0.mvt": 1,  # the version; what was written since, where it has moved on; names of the points
    "/cases/{number}": 3,  # the case, its photos, what moderators have decided of its words
    "/cases/{number}/events": 4,  # the last is what moderators have decided of its words
}
# what a token adds: the account; where the answer says what the caller may do, the caller's posts
WITH_TOKEN = {"/cases/{number}": 2, "/cities/mini/components?kind=01001&region=9001&q=x&bbox=120,31,121,32": 3}
REPORT = 9  # savepoint and release are two of them; the serials of a busy day come from blocks, else two more
VERB = 10  # savepoint and release included
PAGES = {
    "/": 12,
    "/mini/": 14,
    "/mini/jobs": 4,
    "/mini/map": 6,
    "/mini/centre": 4,
    "/mini/map/regions.json": 6,
    "/mini/map/cases.json": 4,
    "/mini/rules": 4,
    "/mini/report": 4,
    "/mini/cases": 4,
    "/mini/cases/{number}": 10,
    "/sign-in": 4,
}


@pytest.fixture
def number(reported: Any) -> str:
    """One of forty cases, so that a query for each would be seen."""
    return [str(reported()["case"]) for _ in range(40)][7]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: Any) -> None:
    """Whether another version was installed is asked once a second; here not at all, so that counts do not waver."""
    monkeypatch.setattr("yiwang.server.cities.queries.CHECK_EVERY_SECONDS", 3600.0)


@pytest.mark.parametrize("path", READS)
def test_reading(number: str, anybody: Any, caller: Any, path: str, django_assert_max_num_queries: Assert) -> None:
    signed_in = caller("leader")
    address = path.format(number=number)
    assert anybody.get(address).status_code == 200
    with django_assert_max_num_queries(READS[path]):
        assert anybody.get(address).status_code == 200
    with django_assert_max_num_queries(READS[path] + WITH_TOKEN.get(path, 1)):
        assert signed_in.get(address).status_code == 200


def test_a_longer_list_costs_as_many_queries(number: str, anybody: Any, django_assert_max_num_queries: Assert) -> None:
    for limit in (1, 40):
        with django_assert_max_num_queries(3):
            assert len(anybody.get(f"/cities/mini/cases?limit={limit}").json()["items"]) == limit


def test_reporting(number: str, anybody: Any, django_assert_max_num_queries: Assert) -> None:
    body = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}
    with django_assert_max_num_queries(REPORT):
        assert anybody.post("/cities/mini/reports", body).status_code == 201
    with django_assert_max_num_queries(REPORT + 2):  # is the key known, and keep the answer
        assert anybody.post("/cities/mini/reports", body, Idempotency_Key="0123456789abcdef").status_code == 201
    with django_assert_max_num_queries(1):
        assert anybody.post("/cities/mini/reports", body, Idempotency_Key="0123456789abcdef").status_code == 201


def test_doing_a_verb(number: str, caller: Any, django_assert_max_num_queries: Assert) -> None:
    leader = caller("leader")
    with django_assert_max_num_queries(VERB):
        assert leader.post(f"/cases/{number}/verbs/file").status_code == 200
    with django_assert_max_num_queries(VERB):
        assert leader.post(f"/cases/{number}/verbs/file").status_code == 409


@pytest.mark.parametrize("role", ["", "leader"])
@pytest.mark.parametrize("path", PAGES)
def test_pages(number: str, caller: Any, path: str, role: str, django_assert_max_num_queries: Assert) -> None:
    client = Client()
    if role:
        caller(role)
        client.force_login(User.objects.get(username=f"{role}CTR-90"))
    address = path.format(number=number)
    first = client.get(address)
    assert first.status_code in {200, 302}, (address, first.status_code)
    # a session and its account, and the posts of who has signed in
    with django_assert_max_num_queries(PAGES[path] + (3 if role else 0)):
        client.get(address)
