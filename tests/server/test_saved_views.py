"""Views under a name: private or shared with a unit, of the list and of a desk; the old filters become views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from yiwang.server.casepage import operations
from yiwang.server.casepage.models import SavedView
from yiwang.server.people.models import User
from yiwang.server.people.operations import create_person

Make = Callable[..., Any]
KEEP = "/mini/views/keep"


def signed_in(name: str, role: str = "dispatcher", unit: str = "CTR-9001") -> Client:
    create_person(username=name, password=None, name=name, name_en=name, city="mini", roles={role: (unit, "")})
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def kept(client: Client, **said: str) -> Any:
    return client.post(KEEP, {"role": "", "query": "state=open", **said})


def shown(client: Client, path: str = "/mini/views") -> str:
    page = client.get(path)
    assert page.status_code == 200
    return page.content.decode()


def test_a_view_is_a_named_query_of_the_list(report: Make) -> None:
    report()
    ann = signed_in("ann")
    query = "?state=open&order=deadline&columns=number%2Cstep&cursor=abc&nonsense=1"
    answer = kept(ann, name="在办", query=query)
    assert answer["Location"] == "/mini/cases?state=open&order=deadline&columns=number%2Cstep"
    page = shown(ann, answer["Location"])
    assert 'href="?state=open&amp;order=deadline&amp;columns=number%2Cstep" aria-current="page"' in page
    assert "存为视图" not in page, "what is kept already is not offered to be kept"
    assert page.count("<th ") + page.count("<th>") == 3  # the box, the number, the step
    kept(ann, name="在办", query="state=closed")
    assert SavedView.objects.get().query == "state=closed", "the same name again replaces it"


def test_a_view_of_a_desk(mini: str) -> None:
    ann = signed_in("ann")
    page = shown(ann, "/mini/desk/dispatcher?region=9001")
    assert 'name="query" value="region=9001"' in page
    kept(ann, role="dispatcher", name="甲字视图", query="region=9001&q=x")
    assert "?q=x&amp;region=9001" in shown(ann, "/mini/desk/dispatcher")
    assert "甲字视图" not in shown(ann, "/mini/cases")
    refused = kept(ann, role="leader", name="别人的")
    assert refused.status_code == 422
    assert "这个工作台不归您" in refused.content.decode()


def test_who_holds_a_post_at_the_unit_sees_copies_and_cannot_change(mini: str) -> None:
    ann, bob, far = signed_in("ann"), signed_in("bob", "leader"), signed_in("far", unit="CTR-9002")
    kept(ann, name="乙字视图", unit="CTR-9001")
    kept(ann, name="私人的")
    view = SavedView.objects.get(name="乙字视图")
    for client, sees in ((bob, True), (far, False)):
        for path in ("/mini/cases", "/mini/views"):
            page = shown(client, path)
            assert ("乙字视图" in page) is sees
            assert "私人的" not in page
    assert far.post(f"/mini/views/{view.pk}/copy").status_code == 404
    for client, status in ((bob, 422), (far, 404)):
        assert client.post(f"/mini/views/{view.pk}/delete").status_code == status
        said = {"name": "x", "query": "", "unit": ""}
        assert client.post(f"/mini/views/{view.pk}/change", said).status_code == status
    assert "不能" not in shown(bob)
    bob.post(f"/mini/views/{view.pk}/copy")
    bob.post(f"/mini/views/{view.pk}/copy")
    own = SavedView.objects.filter(user__username="bob").order_by("id")
    assert [(one.name, one.query, one.unit) for one in own] == [
        ("乙字视图", "state=open", ""),
        ("乙字视图 2", "state=open", ""),
    ]


def test_who_leads_the_unit_from_above_changes_and_deletes(mini: str) -> None:
    ann, above, other = signed_in("ann"), signed_in("above", unit="CTR-90"), signed_in("other", "leader", "CTR-90")
    kept(ann, name="乙字视图", unit="CTR-9001")
    view = SavedView.objects.get()
    assert "下级单位共享的" in shown(above)
    assert "乙字视图" not in shown(above, "/mini/cases"), "chips are for whoever is at the unit"
    assert other.post(f"/mini/views/{view.pk}/delete").status_code == 404, "the supervision axis leads nobody here"
    said = {"name": "改名", "query": "state=closed", "unit": "CTR-9001"}
    above.post(f"/mini/views/{view.pk}/change", said)
    view.refresh_from_db()
    assert (view.name, view.query, view.unit, view.user.username) == ("改名", "state=closed", "CTR-9001", "ann")
    above.post(f"/mini/views/{view.pk}/delete")
    assert not SavedView.objects.exists()


def test_names_are_unique_and_nothing_typed_is_lost(mini: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = signed_in("ann"), signed_in("bob")
    kept(ann, name="早班", unit="CTR-9001")
    refused = kept(bob, name="早班", unit="CTR-9001", query="state=closed")
    page = refused.content.decode()
    assert refused.status_code == 422
    for text in ("已有同名的视图", 'value="早班"', 'value="state=closed"'):
        assert text in page
    assert kept(bob, name="早班").status_code == 302, "a private one may have the name"
    assert kept(ann, name="x" * 61).status_code == 422
    assert kept(ann, name="x", unit="CTR-9002").status_code == 422
    kept(ann, name="晚班", unit="CTR-9001")
    late = SavedView.objects.get(name="晚班")
    again = ann.post(f"/mini/views/{late.pk}/change", {"name": "早班", "query": "q=x", "unit": "CTR-9001"})
    assert again.status_code == 422
    assert 'value="q=x"' in again.content.decode()
    monkeypatch.setattr(operations, "MOST_VIEWS", 2)
    assert kept(ann, name="第三个").status_code == 422
    assert kept(ann, name="早班", unit="CTR-9001").status_code == 302, "one that is there already may be replaced"


def test_counts_come_lazily(report: Make) -> None:
    report()
    report()
    ann, far = signed_in("ann"), signed_in("far", unit="CTR-9002")
    kept(ann, name="全部", query="order=opened_at")
    kept(ann, role="dispatcher", name="台", query="q=没有")
    of_list, of_desk = SavedView.objects.order_by("id")
    assert f'hx-get="/mini/cases/views/{of_list.pk}/count"' in shown(ann, "/mini/cases")
    assert ann.get(f"/mini/cases/views/{of_list.pk}/count").content == b"2"
    assert ann.get(f"/mini/desk/dispatcher/views/{of_desk.pk}/count").content == b"0"
    assert far.get(f"/mini/cases/views/{of_list.pk}/count").status_code == 404
    assert far.get(f"/mini/desk/dispatcher/views/{of_desk.pk}/count").status_code == 404
    assert "saved" not in Client().get("/mini/cases").content.decode()
    assert Client().post(KEEP)["Location"].startswith("/sign-in")


@pytest.mark.django_db(transaction=True)
def test_old_filters_become_private_views() -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    MigrationExecutor(connection).migrate([("desks", "0001_initial")])
    try:
        old = MigrationExecutor(connection).loader.project_state([("desks", "0001_initial")]).apps
        user = old.get_model("people", "User").objects.create(username="old")
        old.get_model("desks", "SavedFilter").objects.create(
            user=user, city="mini", role="leader", name="甲字视图", query="region=9001"
        )
    finally:
        MigrationExecutor(connection).migrate(newest)
    view = SavedView.objects.get()
    assert (view.user.username, view.city, view.role, view.name, view.query, view.unit) == (
        "old", "mini", "leader", "甲字视图", "region=9001", "",
    )  # fmt: skip
