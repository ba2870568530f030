"""Callers without an account do not meet: neither their idempotency keys, nor their allowances; and tokens that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.models import Case
from yiwang.server.common import throttling
from yiwang.server.people import operations as people
from yiwang.server.people.models import ApiToken, User
from yiwang.server.portal.models import Follow

BODY = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}
KEY = "0123456789abcdef"


def post(key: str | None, *, address: str = "192.0.2.1", **body: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return Client(REMOTE_ADDR=address).post(
        "/api/v1/cities/mini/reports", {**BODY, **body}, "application/json", headers=headers
    )


def test_the_same_caller_may_repeat(mini: str) -> None:
    first, again = post(KEY), post(KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Case.objects.count() == 1
    assert post(KEY, text="别的").status_code == 422


def test_keys_of_strangers_do_not_meet(mini: str) -> None:
    """Whoever used the key before, from elsewhere: a report is neither refused nor answered with another's."""
    first = post(KEY, text="张三的事")
    other = post(KEY, text="李四的事", address="198.51.100.7")
    assert other.status_code == 201
    assert other.json()["case"] != first.json()["case"]


@pytest.mark.parametrize("key", ["", " ", "\t", "short", "a" * 40, "ключ-0123456789abcdef", "0123456789abcdef\x7f"])
def test_a_key_that_cannot_be_used_is_refused(mini: str, key: str) -> None:
    answer = post(key)
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not Case.objects.exists(), "dropping the key would do the work twice"


def test_a_known_key_gives_nobody_a_link_later(mini: str) -> None:
    """Within minutes the answer may have been lost on the way: the link is renewed. After that the key opens nothing."""
    first = post(KEY, follow=True).json()["follow"]
    renewed = post(KEY, follow=True).json()["follow"]
    assert first
    assert renewed
    assert first != renewed
    assert post(KEY, follow=True, address="198.51.100.7").json()["follow"] not in {first, renewed, None}
    follow = Follow.objects.order_by("id")[0]
    Follow.objects.filter(pk=follow.pk).update(created_at=timezone.now() - timedelta(minutes=11))
    before = Follow.objects.get(pk=follow.pk).digest
    assert post(KEY, follow=True).json()["follow"] is None
    assert Follow.objects.get(pk=follow.pk).digest == before, "the reporter's own link goes on"


def test_the_page_gives_no_link_for_a_known_key_either(mini: str) -> None:
    said = {"text": "垃圾", "key": KEY, "seen": "1", "lon": 120.003, "lat": 31.003}
    assert "/portal/open/" in Client().post("/mini/portal/report", said).content.decode()
    Follow.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    stranger = Client()
    answer = stranger.post("/mini/portal/report", said)
    assert answer.status_code == 201
    assert "/portal/open/" not in answer.content.decode()
    assert "yw-follow" not in stranger.cookies


# --- who is counted as one --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("::ffff:192.0.2.7", "192.0.2.7"), ("", ""), ("unix:", "unix:"),
    ],
)  # fmt: skip
def test_networks(address: str, counted: str) -> None:
    assert throttling.network(address) == counted


def test_an_address_may_not_report_without_end_on_any_page(mini: str, settings: Any) -> None:
    """A household has a whole /64 of addresses; they share one allowance, on the page as on the API."""
    settings.YIWANG_REPORTS_PER_MINUTE = 3
    codes = []
    for index in range(5):
        client = Client(REMOTE_ADDR=f"2001:db8:1:2::{index}")
        said = {"text": "垃圾", "lon": "120.003", "lat": "31.003", "category": "02001"}
        codes.append(client.post("/mini/report", said).status_code)
    assert codes == [201, 201, 201, 429, 429]
    assert Client(REMOTE_ADDR="2001:db8:1:3::1").post("/mini/report", said).status_code == 201


def test_a_proxy_that_nobody_told_of_is_said(settings: Any, caplog: Any) -> None:
    settings.YIWANG_HTTPS = False
    throttling._warn_of_proxy.cache_clear()
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "203.0.113.9"}, REMOTE_ADDR="10.0.0.1")
    with caplog.at_level("WARNING", logger="yiwang.throttling"):
        assert throttling.caller(request).network == "10.0.0.1"
    assert "YIWANG_HTTPS" in caplog.text
    settings.YIWANG_HTTPS = True
    assert throttling.caller(request).network == "203.0.113.9"


def test_check_deploy_says_it(settings: Any) -> None:
    from yiwang.server.common.checks import check_proxy

    settings.YIWANG_HTTPS = False
    assert [found.id for found in check_proxy(None)] == ["yiwang.W001"]
    settings.YIWANG_HTTPS = True
    assert check_proxy(None) == []


# --- tokens -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(mini: str) -> User:
    user, _ = people.create_person(
        username="zhao",
        password="long-and-odd-1",
        name="赵",
        name_en="Zhao",
        city=mini,
        roles={"leader": ("CTR-90", ""), "inspector": ("CTR-90", "")},
    )
    return user


def called(token: str, method: str, path: str, body: Any = None) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    if method == "get":
        return int(Client().get(f"/api/v1{path}", headers=headers).status_code)
    return int(Client().post(f"/api/v1{path}", body, "application/json", headers=headers).status_code)


@pytest.mark.parametrize(
    ("scopes", "read", "report", "act"),
    [(("read",), 200, 403, 403), (("report",), 403, 201, 403), (("act",), 403, 403, 200), (people.SCOPES, 200, 201, 200)],
)  # fmt: skip
def test_a_token_is_for_what_it_was_made_for(account: User, scopes: Any, read: int, report: int, act: int) -> None:
    number = post(None).json()["case"]
    token = people.create_token(user="zhao", scopes=scopes)
    assert called(token, "get", f"/cases/{number}") == read
    assert called(token, "post", "/cities/mini/reports", BODY) == report
    assert called(token, "post", f"/cases/{number}/verbs/note", {"note": "好"}) == act


def test_a_token_ends(account: User) -> None:
    token = people.create_token(user="zhao", days=1)
    assert called(token, "get", "/cities/mini/cases") == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert called(token, "get", "/cities/mini/cases") == 401
    assert not ApiToken.objects.filter(expires_at=None).exists()
    faults: tuple[dict[str, Any], ...] = ({"days": 0}, {"days": 100_000}, {"scopes": ["write"]}, {"scopes": []})
    for wrong in faults:
        with pytest.raises(BadInput):
            people.create_token(user="zhao", **wrong)


@pytest.mark.parametrize("how", ["reset", "own", "disable"])
def test_a_new_password_ends_tokens_and_sessions(account: User, how: str) -> None:
    boss, _ = people.create_person(
        username="boss", password=None, name="b", name_en="b", city="mini", roles={"administrator": ("", "")}
    )
    token = people.create_token(user="zhao")
    browser = Client()
    browser.force_login(account)
    assert browser.get("/mini/desk/leader").status_code == 200
    match how:
        case "reset":
            people.reset_password(actor=boss, account=account, city="mini")
        case "own":
            people.change_own_password(user=account, old="long-and-odd-1", new="another-odd-one-2")
        case "disable":
            people.set_active(actor=boss, account=account, city="mini", active=False)
    assert called(token, "get", "/cities/mini/cases") == 401
    assert browser.get("/mini/desk/leader").status_code == 302
