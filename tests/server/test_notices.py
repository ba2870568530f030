"""通知: who is told of what, exactly once, and never of what they did themselves or may not see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.narrowing import present

from yiwang.server.cases.models import Case, Outbox
from yiwang.server.cases.writing import outbox, tick
from yiwang.server.cities.queries import runtime
from yiwang.server.notices import deriving, operations, queries
from yiwang.server.notices.models import Notice, ReadMark, Recipient
from yiwang.server.people.models import RoleAssignment, User
from yiwang.server.people.operations import create_person, create_token, set_active

Act = Callable[..., Any]
BELL = "/mini/notices/bell"


def person(name: str, unit: str, role: str = "handler") -> User:
    create_person(
        username=name, password=None, name=f"{name}师傅", name_en=name.title(), city="mini", roles={role: (unit, "")}
    )
    return User.objects.get(username=name)


@pytest.fixture
def crew(mini: str) -> tuple[User, User]:
    return person("wang", "SWEEP-9001"), person("li", "SWEEP-9001")


@pytest.fixture
def centre(mini: str) -> User:
    return person("zhou", "CTR-90", "dispatcher")


@pytest.fixture
def sent(crew: tuple[User, User], report: Act, act: Act, actor: Act) -> str:
    number: str = report(category="02001", lon=120.004, lat=31.003, text="味道很大 13812345678")["case"]
    act(number, "file", actor("leader"))
    act(number, "dispatch", actor("dispatcher"), unit="SWEEP-9001")
    return number


@pytest.fixture
def handler(crew: tuple[User, User], actor: Act) -> Any:
    return actor("handler", unit="SWEEP-9001", id=f"user:{crew[0].pk}")


def relay(**more: Any) -> int:
    return outbox.drain(correspondents=[operations.take_note], **more)


def told(user: User) -> list[tuple[str, bool]]:
    """Kinds of somebody's notices as the page lists them, each with whether it is unread."""
    found = queries.page(queries.mine(user, place=runtime("mini"))).items
    return [(item["kind"], item["unread"]) for item in found]


def kinds(user: User) -> list[str]:
    return [kind for kind, _ in told(user)]


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language, "Host": "localhost"})
    client.force_login(user)
    return client


# --- who is told of what ----------------------------------------------------------------------------------------------


def test_a_case_that_comes_to_my_unit(sent: str, crew: tuple[User, User], centre: User) -> None:
    relay()
    assert kinds(crew[0]) == kinds(crew[1]) == ["arrived"]
    assert kinds(centre) == [], "a new report at a centre stands in its queue; that is no news"
    assert Notice.objects.count() == 1, "one row for the unit, however many work there"


def test_assigned_to_me_and_not_to_my_colleague(sent: str, crew: tuple[User, User], act: Act, actor: Act) -> None:
    act(sent, "to_person", actor("handler", unit="SWEEP-9001", id=f"user:{crew[1].pk}"), person="wang")
    relay()
    assert kinds(crew[0]) == ["assigned", "arrived"]
    assert kinds(crew[1]) == ["arrived"]


def test_nobody_is_told_of_what_they_did_themselves(sent: str, crew: tuple[User, User], act: Act, handler: Any) -> None:
    act(sent, "to_person", handler, person="wang")
    wang = crew[0]
    Notice.objects.all().delete()
    relay()
    assert kinds(wang) == ["arrived"]
    Outbox.objects.all().delete()
    act(sent, "hand_up", handler, reason="做不了")
    RoleAssignment.objects.create(user=wang, city="mini", role="dispatcher", unit=Case.objects.get(number=sent).holder)
    relay()
    assert kinds(wang) == ["arrived"], "the unit above is told, not who handed it up"
    assert Notice.objects.filter(kind="arrived").count() == 2


def test_a_request_waits_for_the_nearest_unit_and_its_answer_goes_to_who_asked(
    sent: str, crew: tuple[User, User], centre: User, act: Act, actor: Act, handler: Any
) -> None:
    near = person("near", "CTR-9001", "dispatcher")
    act(sent, "ask_extension", handler, reason="要吊车")
    relay()
    above = [one.code for one in runtime("mini").rules.units.above("SWEEP-9001")]
    nearest = next(code for code in above if code in ("CTR-9001", "CTR-90"))
    assert Notice.objects.get(kind="to_answer").addressee == f"unit:{nearest}"
    answerer = near if nearest == "CTR-9001" else centre
    assert "to_answer" in kinds(answerer)
    act(sent, "refuse", actor("dispatcher", unit=nearest, id=f"user:{answerer.pk}"), reason="不行")
    relay()
    assert kinds(crew[0]) == ["answered", "arrived"]
    assert "answered" not in kinds(crew[1])
    assert "answered" not in kinds(answerer)


def test_a_request_that_was_answered_before_the_worker_came_waits_for_nobody(
    sent: str, centre: User, act: Act, actor: Act, handler: Any, crew: tuple[User, User]
) -> None:
    act(sent, "ask_extension", handler, reason="要吊车")
    act(sent, "grant_extension", actor("dispatcher"))
    relay()
    assert not Notice.objects.filter(kind="to_answer").exists()
    assert "answered" in kinds(crew[0])


def test_a_request_that_lapses_is_said(
    sent: str, act: Act, handler: Any, crew: tuple[User, User], centre: User
) -> None:
    act(sent, "ask_extension", handler, reason="要吊车")
    act(sent, "return", crew_mate := handler_of(crew[1]), reason="不是我们的")
    assert crew_mate.id != handler.id
    relay()
    assert "answered" in kinds(crew[0])


def handler_of(user: User) -> Any:
    from yiwang.core.cases.events import Actor

    return Actor(id=f"user:{user.pk}", name="t", roles=frozenset({"handler"}), unit="SWEEP-9001")


def test_an_appeal_waits_for_somebody_who_may_grant_it(
    sent: str, act: Act, actor: Act, handler: Any, close: Any, centre: User, crew: tuple[User, User]
) -> None:
    boss = person("boss", "CTR-90", "leader")
    at = present(Case.objects.get(number=sent).deadline) + timedelta(days=1)
    act(sent, "take", handler, at=at)
    act(sent, "finish", handler, note="清走了", at=at)
    act(sent, "ask_check", actor("intake"), at=at)
    act(sent, "check", actor("inspector"), note="干净了", at=at)
    act(sent, "close", actor("leader"), at=at)
    act(sent, "appeal", handler, reason="雨太大", at=at)
    relay()
    assert "to_answer" in kinds(boss)
    act(sent, "grant_appeal", actor("leader", id=f"user:{boss.pk}"), opinion="成立", at=at)
    relay()
    assert "answered" in kinds(crew[0])


def test_assistance_is_asked_of_a_unit_and_its_end_is_told_to_who_asked(
    sent: str, act: Act, actor: Act, centre: User, crew: tuple[User, User]
) -> None:
    helper = person("helper", "SWEEP-9002")
    act(sent, "ask_assistance", actor("dispatcher", id=f"user:{centre.pk}"), units=["SWEEP-9002"])
    relay()
    assert kinds(helper) == ["to_answer"]
    act(sent, "assisted", actor("handler", unit="SWEEP-9002", id=f"user:{helper.pk}"), note="好了")
    relay()
    assert kinds(centre) == ["answered"]
    assert kinds(helper) == ["to_answer"]


def test_supervision_of_a_case_that_my_unit_holds(sent: str, act: Act, actor: Act, crew: tuple[User, User]) -> None:
    act(sent, "supervise", actor("leader"), opinion="今天办完")
    relay()
    assert kinds(crew[0]) == ["supervised", "arrived"]


def test_a_deadline_near_and_past_by_the_workflows_escalations(
    sent: str, act: Act, actor: Act, crew: tuple[User, User]
) -> None:
    act(sent, "to_person", actor("handler", unit="SWEEP-9001", id="user:boss"), person="wang")
    case = Case.objects.get(number=sent)
    tick.tick(at=present(case.next_due) + timedelta(seconds=1))
    relay()
    assert kinds(crew[0]) == ["due", "assigned", "arrived"]
    tick.tick(at=present(case.deadline) + timedelta(hours=1))
    relay()
    assert kinds(crew[0]) == ["overdue", "due", "assigned", "arrived"]
    assert kinds(crew[1]) == ["overdue", "due", "arrived"]
    told_of = Notice.objects.filter(kind="overdue").values_list("addressee", flat=True)
    assert {"unit:SWEEP-9001", f"user:{crew[0].pk}"} < set(told_of), "and the unit above"


def test_one_event_is_one_notice_for_somebody_at_two_units(sent: str, crew: tuple[User, User]) -> None:
    wang = crew[0]
    case = Case.objects.get(number=sent)
    above = next(runtime("mini").rules.units.above("SWEEP-9001")).code
    RoleAssignment.objects.create(user=wang, city="mini", role="dispatcher", unit=above)
    tick.tick(at=present(case.next_due) + timedelta(seconds=1))
    relay()
    assert Notice.objects.filter(kind="due").count() == 2
    assert kinds(wang).count("due") == 1
    assert queries.unread_count(queries.mine(wang, place=runtime("mini"))) == len(kinds(wang))


def test_a_case_that_goes_on_within_one_command_is_told_to_who_gets_it(report: Act, crew: tuple[User, User]) -> None:
    report()
    relay()
    for notice in Notice.objects.filter(kind="arrived"):
        assert notice.addressee == f"unit:{Case.objects.get(number=notice.number).holder}"


# --- exactly once -----------------------------------------------------------------------------------------------------


def test_told_twice_is_kept_once(sent: str) -> None:
    relay()
    before = list(Notice.objects.values_list("id", flat=True))
    Outbox.objects.update(sent_at=None)
    relay()
    assert list(Notice.objects.values_list("id", flat=True)) == before


def test_a_worker_that_dies_in_the_middle_keeps_none_or_all(sent: str, monkeypatch: Any) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(operations, "_wake", die)
        with pytest.raises(Killed):
            relay()
    assert Notice.objects.count() == 0
    assert Outbox.objects.filter(sent_at=None).exists()
    relay()
    assert Notice.objects.count() == 1


def test_a_case_that_cannot_be_understood_holds_up_no_other(
    sent: str, report: Act, act: Act, actor: Act, monkeypatch: Any
) -> None:
    other = report(text="另一个")["case"]
    act(other, "file", actor("leader"))
    act(other, "dispatch", actor("dispatcher"), unit="SWEEP-9001")
    whole = deriving._Told._of_event

    def fails(self: Any, event: Any, *rest: Any) -> Any:
        if event.number == sent:
            raise KeyError("odd")
        return whole(self, event, *rest)

    monkeypatch.setattr(deriving._Told, "_of_event", fails)
    relay()
    assert set(Notice.objects.values_list("number", flat=True)) == {other}
    assert not Outbox.objects.filter(sent_at=None).exists()


def test_a_batch_costs_a_fixed_number_of_queries(
    report: Act,
    act: Act,
    actor: Act,
    crew: tuple[User, User],
    handler: Any,
    centre: User,
    django_assert_max_num_queries: Any,
) -> None:
    for index in range(12):
        number = report(text=f"{index}", key=f"notices-batch-{index:012d}")["case"]
        act(number, "file", actor("leader"))
        act(number, "dispatch", actor("dispatcher"), unit="SWEEP-9001")
        act(number, "ask_extension", handler, reason="r")
    # any due; begin; which; cases; events; histories, states, posts; keep: begin, (lock), insert, wake, end; reports; 2 updates; end
    with django_assert_max_num_queries(20):
        outbox.relay(correspondents=[operations.take_note])
    assert Notice.objects.filter(kind="to_answer").count() == 12


def test_five_hundred_people_at_a_unit_are_one_row(sent: str, crew: tuple[User, User]) -> None:
    people = User.objects.bulk_create(User(username=f"p{index}") for index in range(500))
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=one, city="mini", role="handler", unit="SWEEP-9001", created_at=timezone.now() - timedelta(days=1))
        for one in people
    )  # fmt: skip
    relay()
    assert Notice.objects.count() == 1
    assert kinds(people[0]) == kinds(people[499]) == ["arrived"]
    operations.mark_read(queries.mine(people[0], place=runtime("mini")), [Notice.objects.get().pk])
    assert ReadMark.objects.count() == 1
    assert told(people[0]) == [("arrived", False)]
    assert told(people[499]) == [("arrived", True)]


# --- reading ----------------------------------------------------------------------------------------------------------


def many(user: User, count: int, kind: str = "told", number: str = "MN-1") -> None:
    now = timezone.now()
    Notice.objects.bulk_create(
        Notice(
            city="mini", addressee=f"user:{user.pk}", number=number, seq=1000 + index, kind=kind, verb="note", actor="system",
            at=now, created_at=now,
        )
        for index in range(count)
    )  # fmt: skip


def test_pages_walk_through_unread_then_read_and_leave_out_none(crew: tuple[User, User]) -> None:
    wang = crew[0]
    many(wang, 25)
    own = queries.mine(wang, place=runtime("mini"))
    ids = list(Notice.objects.order_by("id").values_list("id", flat=True))
    operations.mark_read(own, ids[::3])
    seen: list[tuple[bool, int]] = []
    cursor = ""
    while True:
        page = queries.page(own, cursor=cursor, limit=4)
        seen += [(not item["unread"], -item["id"]) for item in page.items]
        cursor = page.next
        if not cursor:
            break
    assert seen == sorted(seen)
    assert sorted(-negative for _, negative in seen) == ids
    assert [read for read, _ in seen].count(True) == len(ids[::3])


def test_all_read_means_all_that_was_shown(crew: tuple[User, User]) -> None:
    wang = crew[0]
    many(wang, 3)
    client, place = signed_in(wang), runtime("mini")
    shown = queries.newest_id()
    operations.mark_read(queries.mine(wang, place=place), [shown])
    many(wang, 1, number="MN-2")
    client.post("/mini/notices/read", {"until": str(shown)})
    assert [unread for _, unread in told(wang)] == [True, False, False, False]
    assert ReadMark.objects.count() == 0, "the marks that it covers are gone"
    client.post("/mini/notices/read", {"until": "99999999999999"})
    assert Recipient.objects.get().read_to == queries.newest_id(), "nothing that is still to come is read"


def test_nobody_marks_or_opens_what_is_not_theirs(sent: str, crew: tuple[User, User]) -> None:
    relay()
    notice = Notice.objects.get()
    stranger = person("stranger", "SWEEP-9002")
    client = signed_in(stranger)
    assert client.get(f"/mini/notices/{notice.pk}").status_code == 404
    client.post("/mini/notices/read", {"id": str(notice.pk)})
    assert ReadMark.objects.count() == 0
    assert sent not in client.get("/mini/notices").content.decode()


def test_a_case_that_i_may_not_see_any_more_is_named_to_me_no_more(
    sent: str, crew: tuple[User, User], act: Act, actor: Act
) -> None:
    act(sent, "to_person", actor("handler", unit="SWEEP-9001", id="user:x"), person="wang")
    relay()
    wang = crew[0]
    RoleAssignment.objects.filter(user=wang).update(unit="SWEEP-9002", region="900102")
    page = signed_in(wang).get("/mini/notices").content.decode()
    assert kinds(wang) == ["assigned"]
    assert "no longer yours to see" in page
    assert sent not in page
    RoleAssignment.objects.filter(user=wang).delete()
    assert kinds(wang) == []


def test_who_comes_to_a_unit_is_not_told_its_past(sent: str) -> None:
    relay()
    assert kinds(person("late", "SWEEP-9001")) == []


@pytest.mark.parametrize(("language", "words"), [("en", "The case came to your unit"), ("zh", "案卷转到您的单位承办")])
def test_the_page_leads_to_the_case_in_both_languages(
    sent: str, crew: tuple[User, User], language: str, words: str
) -> None:
    relay()
    client = signed_in(crew[0], language)
    page = client.get("/mini/notices").content.decode()
    assert words in page
    assert sent in page
    assert "13812345678" not in page
    assert "味道很大" not in page, "no words of the report"
    notice = Notice.objects.get()
    answer = client.get(f"/mini/notices/{notice.pk}")
    assert (answer.status_code, answer["Location"]) == (302, f"/mini/cases/{sent}")
    assert told(crew[0]) == [("arrived", False)]


def test_the_bell_counts_and_says_304_when_nothing_changed(
    sent: str, crew: tuple[User, User], django_assert_max_num_queries: Any
) -> None:
    client = signed_in(crew[0])
    frame = client.get("/mini/notices").content.decode()
    assert f'hx-get="{BELL}"' in frame
    nothing = client.get(BELL)
    assert "count" not in nothing.content.decode()
    relay()
    first = client.get(BELL, headers={"If-None-Match": nothing["ETag"]})
    assert first.status_code == 200
    assert '<span class="count">1<' in first.content.decode()
    with django_assert_max_num_queries(7):
        again = client.get(BELL, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in first["Cache-Control"]
    assert "Cookie" in first["Vary"]
    many(crew[0], 120)
    assert "99+" in client.get(BELL).content.decode()
    other = signed_in(crew[1]).get(BELL, headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200, "the tag is one person's"


def test_strangers_are_led_to_sign_in(mini: str) -> None:
    client = Client(headers={"Host": "localhost"})
    assert "/sign-in" in client.get("/mini/notices")["Location"]
    assert client.get(BELL, headers={"HX-Request": "true"}).status_code == 204
    assert "notices/bell" not in client.get("/mini/cases").content.decode()


@pytest.mark.parametrize("query", ["kind=nonsense", "cursor=x9", "cursor=u99999999999999999999", "cursor=u²"])
def test_wrong_filters_are_said_and_lead_back(crew: tuple[User, User], query: str) -> None:
    answer = signed_in(crew[0]).get(f"/mini/notices?{query}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_an_empty_page_says_what_comes_here(crew: tuple[User, User], django_user_model: Any) -> None:
    assert "No notices" in signed_in(crew[0]).get("/mini/notices").content.decode()
    nobody = django_user_model.objects.create_user("nobody")
    assert "You have no post in this city" in signed_in(nobody).get("/mini/notices").content.decode()


def test_old_notices_are_deleted_and_addresses_of_who_left(sent: str, crew: tuple[User, User]) -> None:
    relay()
    many(crew[0], 2)
    Notice.objects.filter(kind="told").update(created_at=datetime.now(UTC) - operations.KEPT - timedelta(days=1))
    Recipient.objects.create(user=crew[0], city="mini", email="w@example.org", phone="13800000000")
    set_active(actor=crew[1], account=crew[0], city="mini", active=False)
    assert operations.forget() == 2
    assert list(Notice.objects.values_list("kind", flat=True)) == ["arrived"]
    assert Recipient.objects.values_list("email", "phone").get() == ("", "")


# --- the API ----------------------------------------------------------------------------------------------------------


def api(user: User, *scopes: str) -> Client:
    token = create_token(user=user.username, name="t", scopes=scopes or ("read", "act"))
    return Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost", "Accept-Language": "en"})


def test_a_token_reads_and_marks(sent: str, crew: tuple[User, User]) -> None:
    relay()
    client, url = api(crew[0]), "/api/v1/cities/mini/notices"
    body = client.get(url).json()
    assert body["unread"] == 1
    assert body["next"] is None
    item = body["items"][0]
    assert (item["kind"], item["number"], item["unread"]) == ("arrived", sent, True)
    assert client.post(f"{url}/read", {"ids": [item["id"]]}, "application/json").json() == {"unread": 0}
    assert client.post(f"{url}/read", {"ids": [item["id"]]}, "application/json").json() == {"unread": 0}
    assert client.get(f"{url}?unread=true").json()["items"] == []
    many(crew[0], 3)
    first = client.get(f"{url}?limit=2").json()
    rest = client.get(f"{url}?limit=2&cursor={first['next']}").json()
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 4
    assert client.post(f"{url}/read", {"until": queries.newest_id()}, "application/json").json() == {"unread": 0}


def test_the_api_refuses_strangers_readers_and_nonsense(crew: tuple[User, User]) -> None:
    url = "/api/v1/cities/mini/notices"
    assert Client(headers={"Host": "localhost"}).get(url).status_code == 401
    assert api(crew[0], "read").post(f"{url}/read", {"ids": [1]}, "application/json").status_code == 403
    client = api(crew[0])
    assert client.get(f"{url}?kind=x").status_code == 422
    assert client.get(f"{url}?limit=0").status_code == 422
    assert client.get(f"{url}?sort=x").status_code == 422
    for body in ({}, {"ids": [0]}, {"ids": [2**70]}, {"ids": ["x"]}, {"until": -1}):
        assert client.post(f"{url}/read", body, "application/json").status_code == 422, body
