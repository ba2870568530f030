"""The public portal: reporting with a secret link, what its holder and nobody else may do, ideas, figures, open data."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.server.citizens import PASSWORD, WEST, Citizen, picture

from yiwang.server.cases.models import Case, Photo, Report
from yiwang.server.cities.queries import runtime
from yiwang.server.common.models import PublicText
from yiwang.server.facts import operations as facts
from yiwang.server.people.operations import create_person
from yiwang.server.portal import links, months
from yiwang.server.portal.models import Follow, Idea

# --- reporting and following --------------------------------------------------------------------------------------


KEY = "0123456789abcdef"  # of one form


def test_a_report_gives_a_link_of_which_only_a_keyed_hash_is_kept(citizen: Citizen) -> None:
    number, link = citizen.link()
    follow = Follow.objects.get()
    secret = link.rsplit("/", 1)[1]
    assert len(secret) >= 20
    assert secret not in json.dumps(list(Follow.objects.values()), default=str)
    assert links.fits(follow, secret)
    assert not links.fits(follow, secret[:-1] + ("A" if secret[-1] != "A" else "B"))
    report = Report.objects.get()
    assert (report.reporter, report.contact, report.case.number) == (f"follow:{follow.uid}", "", number)


def test_the_link_leads_to_an_address_without_the_secret(citizen: Citizen) -> None:
    _, link = citizen.link()
    fresh = Client()
    page = fresh.get(link)
    assert page.status_code == 302
    assert link.rsplit("/", 1)[1] not in page["Location"]
    shown = fresh.get(page["Location"])
    assert shown.status_code == 200
    assert page["Referrer-Policy"] == "no-referrer"
    assert shown["Referrer-Policy"] == "same-origin"  # with none at all the browser calls forms' origin null
    assert "no-store" in page["Cache-Control"]
    assert "no-store" in shown["Cache-Control"]
    assert fresh.cookies[links.COOKIE]["httponly"]
    assert Client().get(page["Location"]).status_code == 404


def test_number_and_secret_can_be_typed_and_guessing_is_slow(citizen: Citizen) -> None:
    number, link = citizen.link()
    secret = link.rsplit("/", 1)[1]
    other = Client()
    for _ in range(10):
        assert other.post("/mini/portal/follow", {"number": number, "secret": "guess"}).status_code == 403
    assert other.post("/mini/portal/follow", {"number": number, "secret": secret}).status_code == 429
    assert "follow/" not in other.get(link)["Location"]
    from yiwang.server.common.models import Attempts

    Attempts.objects.all().delete()
    assert other.post("/mini/portal/follow", {"number": number, "secret": secret}).status_code == 302


def test_secrets_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    from yiwang.server.common.logs import HideSecrets

    record = logging.LogRecord(
        "django.request", 40, "", 0, "%s: %s", ("Error", "/wuxi/portal/open/WXR1/s3cr3t-x"), None
    )
    HideSecrets().filter(record)
    assert record.getMessage() == "Error: /wuxi/portal/open/WXR1/***"


def test_only_the_holder_rates_once_and_only_after_closing(citizen: Citizen, close: Any) -> None:
    number, link = citizen.link()
    path = citizen.client.get(link)["Location"]
    assert citizen.client.post(path, {"do": "rate", "stars": "5"}).status_code == 409
    close(number)
    stranger = Citizen()
    stranger.link(text="另一处垃圾", key="other")
    assert stranger.client.post(path, {"do": "rate", "stars": "1"}).status_code == 404
    assert Case.objects.get(number=number).rating == 0
    assert citizen.client.post(path, {"do": "rate", "stars": "9"}).status_code == 422
    assert citizen.client.post(path, {"do": "rate", "stars": "4", "note": "快"}).status_code == 302
    assert Case.objects.get(number=number).rating == 4
    assert citizen.client.post(path, {"do": "rate", "stars": "1"}).status_code == 409
    assert Case.objects.get(number=number).rating == 4


def test_the_holder_reopens_with_a_reason_within_the_workflow_s_terms(citizen: Citizen, close: Any) -> None:
    number, link = citizen.link()
    path = citizen.client.get(link)["Location"]
    close(number)
    assert citizen.client.post(path, {"do": "reopen"}).status_code == 422
    assert citizen.client.post(path, {"do": "reopen", "reason": "又堆满了"}).status_code == 302
    assert Case.objects.get(number=number).step == "filed"
    close(number)
    assert citizen.client.post(path, {"do": "reopen", "reason": "再来"}).status_code == 409  # max = 1


def test_who_joined_may_follow_but_not_rate(citizen: Citizen, close: Any) -> None:
    number, _ = citizen.link()
    other = Citizen()
    joined, link = other.link(key="me-too", join=number, text="我也看到")
    assert joined == number
    assert Case.objects.count() == 1
    assert Report.objects.filter(case__number=number).count() == 2
    close(number)
    path = other.client.get(link)["Location"]
    assert other.client.get(path).status_code == 200
    assert other.client.post(path, {"do": "rate", "stars": "1"}).status_code == 403
    late = Citizen().report(key="late", join=number)
    assert late.status_code == 409
    assert "已结案" in late.content.decode() or "结" in late.content.decode()


def test_nobody_rates_a_report_that_nobody_can_be_shown_to_have_made(report: Any, mini: str) -> None:
    from tests.outsiders import CITIZEN

    from yiwang.core.cases.permissions import objection
    from yiwang.core.kernel.refusals import NotAllowed
    from yiwang.server.cases.reading.queries import get_case
    from yiwang.server.cities.queries import runtime

    number = report()["case"]
    detail = get_case(number=number)
    assert detail is not None
    workflow = runtime(mini).rules.workflow
    plan = workflow.plans["rate"]
    from dataclasses import replace

    asked = replace(plan, verb=replace(plan.verb, who="reporter"), origins=frozenset({detail.state.step}))
    refusal = objection(asked, detail.state, CITIZEN, "citizen", rules=runtime(mini).rules, at=datetime.now(UTC))
    assert isinstance(refusal, NotAllowed)


def test_without_scripts_a_page_to_check_comes_and_keeps_the_photo(citizen: Citizen, report: Any) -> None:
    known = report(text="垃圾成堆", at=datetime.now(UTC))["case"]
    page = citizen.client.post(
        "/mini/portal/report", {"text": "暴露垃圾一大堆", "key": KEY, **WEST, "photos": picture()}
    )
    text = page.content.decode()
    assert page.status_code == 200
    assert Follow.objects.count() == 0
    assert f'name="join" value="{known}"' in text
    assert 'value="02001" checked' in text
    assert "垃圾" in text
    kept = re.search(r'name="kept" value="([^"]+)"', text)
    assert kept
    done = citizen.client.post(
        "/mini/portal/report",
        {"text": "暴露垃圾", "key": KEY, "seen": "1", "category": "02001", "kept": kept[1], **WEST},
    )
    assert done.status_code == 201
    assert Photo.objects.count() == 1
    forged = citizen.report(key="f", kept=kept[1][:-3] + "abc")
    assert forged.status_code == 201
    assert Photo.objects.count() == 1


def test_a_bad_report_says_everything_that_is_wrong_and_keeps_the_words(citizen: Citizen) -> None:
    page = citizen.report(text="<b>垃圾</b>", lon="abc", lat="", place="", email="nobody")
    text = page.content.decode()
    assert page.status_code == 422
    assert "坐标" in text
    assert "邮箱" in text
    assert "&lt;b&gt;垃圾" in text
    assert (
        citizen.client.post("/mini/portal/report", {"text": "x", "photos": io.BytesIO(b"no picture")}).status_code
        == 422
    )


def test_the_same_form_sent_twice_is_one_report(citizen: Citizen) -> None:
    citizen.link(key="same")
    _, link = citizen.link(key="same")
    assert (Case.objects.count(), Follow.objects.count()) == (1, 1)
    assert links.fits(Follow.objects.get(), link.rsplit("/", 1)[1])


def test_reports_from_one_address_are_held_back(citizen: Citizen, settings: Any) -> None:
    settings.YIWANG_REPORTS_PER_MINUTE = 3
    codes = [citizen.report(key=f"n{index}").status_code for index in range(5)]
    assert codes == [201, 201, 201, 429, 429]


def test_nearby_asks_one_neighbourhood_and_shows_no_personal_data(
    citizen: Citizen, report: Any, django_assert_max_num_queries: Any
) -> None:
    near = report(text="垃圾，电话13812345678")["case"]
    far = report(lon=120.009, lat=31.009)["case"]
    with django_assert_max_num_queries(4):
        page = citizen.client.get("/mini/portal/near", WEST).content.decode()
    assert near in page
    assert far not in page
    assert "13812345678" not in page


def test_suggestions_say_why(mini: str) -> None:
    from yiwang.server.cities.queries import runtime
    from yiwang.server.cities.suggesting import suggest

    place = runtime(mini)
    assert suggest("小区门口暴露垃圾没人扫", place=place)[0].category.code == "02001"
    assert "垃圾" in suggest("垃圾", place=place)[0].words
    assert suggest("the street lamps are out", place=place)[0].category.code == "01002"
    assert suggest("啊啊啊", place=place) == []
    assert suggest("", place=place) == []


# --- ideas --------------------------------------------------------------------------------------------------------


def test_an_idea_is_supported_once_discussed_and_answered(citizen: Citizen) -> None:
    made = citizen.client.post("/mini/portal/ideas/new", {"title": "多设饮水点", "text": "公园里，联系13812345678"})
    assert made.status_code == 302
    idea, path = Idea.objects.get(), made["Location"]
    assert "13812345678" not in citizen.client.get(path).content.decode()
    for _ in range(3):
        citizen.client.post(f"{path}/support")
    idea.refresh_from_db()
    assert idea.supporters == 1
    other = Citizen()
    other.client.post(f"{path}/support")
    other.client.post(f"{path}/comment", {"text": "<script>好</script>"})
    page = citizen.client.get(path).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>好" not in page
    idea.refresh_from_db()
    assert (idea.supporters, idea.comments) == (2, 1)
    assert citizen.client.post(f"{path}/answer", {"state": "adopted", "text": "好"}).status_code == 403
    citizen.client.post(f"{path}/support", {"withdraw": "1"})
    idea.refresh_from_db()
    assert idea.supporters == 1
    desk = signed_in("dispatcher", "CTR-90")
    assert desk.post(f"{path}/answer", {"state": "declined", "text": ""}).status_code == 422
    assert desk.post(f"{path}/answer", {"state": "declined", "text": "水压不够，明年再议"}).status_code == 302
    page = citizen.client.get(path).content.decode()
    assert "市中心" in page
    assert "水压不够" in page
    assert "未采纳" in page


def signed_in(role: str, unit: str) -> Client:
    create_person(
        username=f"mini-{role}", password=PASSWORD, name=role, name_en=role, city="mini", roles={role: (unit, "")}
    )
    client = Client()
    assert client.login(username=f"mini-{role}", password=PASSWORD)
    return client


def test_ideas_are_searched_by_what_is_public_and_sorted(citizen: Citizen) -> None:
    from yiwang.server.common.models import Attempts

    for title in ("种树", "修路 13812345678", "种花"):
        citizen.client.post("/mini/portal/ideas/new", {"title": title, "text": "因为"})
        Attempts.objects.all().delete()
    second = Idea.objects.get(text__startswith="修路")
    Citizen().client.post(f"/mini/portal/ideas/{second.pk}/support")
    assert "修路" not in citizen.client.get("/mini/portal/ideas?q=13812345678").content.decode()
    found = citizen.client.get("/mini/portal/ideas?q=种").content.decode()
    assert "种树" in found
    assert "修路" not in found
    first = citizen.client.get("/mini/portal/ideas?order=support").content.decode()
    assert first.index("修路") < first.index("种花")


def test_ideas_and_comments_are_held_back(citizen: Citizen) -> None:
    codes = [
        citizen.client.post("/mini/portal/ideas/new", {"title": f"{index}", "text": "t"}).status_code
        for index in range(7)
    ]
    assert codes == [302] * 5 + [429] * 2


# --- moderation ---------------------------------------------------------------------------------------------------


def test_only_moderators_moderate_and_what_they_say_is_public(citizen: Citizen) -> None:
    number, _ = citizen.link(text="王五家的垃圾13812345678", key="w")
    row = PublicText.objects.get()
    assert (row.key, row.kinds) == (number, "phone")
    assert citizen.client.get("/mini/portal/moderation").status_code == 302
    assert signed_in("handler", "SWEEP-9001").get("/mini/portal/moderation").status_code == 403
    leader = signed_in("leader", "CTR-90")
    page = leader.get("/mini/portal/moderation").content.decode()
    assert "13812345678" in page
    asked = {"kind": "case", "key": number, "state": "edited", "published": "门口的垃圾", "why": "姓名"}
    assert signed_in("inspector", "CTR-90").post("/mini/portal/moderation/decide", asked).status_code == 403
    assert leader.post("/mini/portal/moderation/decide", asked).status_code == 302
    page = citizen.client.get(f"/mini/portal/cases/{number}").content.decode()
    assert "门口的垃圾" in page
    assert "王五" not in page
    row.refresh_from_db()
    assert (row.original, row.by.startswith("user:"), row.why) == ("王五家的垃圾13812345678", True, "姓名")


def test_readers_call_a_moderator(citizen: Citizen, report: Any) -> None:
    number = report(text="难听的话")["case"]
    assert citizen.client.post("/mini/portal/flag", {"kind": "case", "key": number}).status_code == 302
    assert PublicText.objects.get().flags == 1
    assert citizen.client.post("/mini/portal/flag", {"kind": "case", "key": "nothing"}).status_code == 404


def test_what_staff_wrote_is_masked_too(citizen: Citizen, act: Any, actor: Any) -> None:
    number, _ = citizen.link(key="s")
    act(number, "file", actor("leader"), note="内部：李四13912345678")
    act(number, "cancel", actor("leader"), reason="内部：李四13912345678", reply="请找李四13912345678")
    page = citizen.client.get(f"/mini/portal/cases/{number}").content.decode()
    assert "13912345678" not in page
    assert "请找李四***" in page
    assert "内部" not in page, "reasons are for staff unless the verb publishes them"


# --- figures and open data ----------------------------------------------------------------------------------------


def test_the_score_has_the_public_indicators_and_no_data_is_a_dash(
    citizen: Citizen, close: Any, django_assert_max_num_queries: Any
) -> None:
    from yiwang.server.portal.public_score import score

    def total() -> list[tuple[str, str, float | None]]:
        found = score(place=runtime("mini"), month="", region="", category="")
        return [(cell["indicator"].id, cell["figure"], cell["share"]) for cell in found["total"]]

    for path in ("", "/score", "/score?month=2001-01&category=02001&region=9001"):
        page = citizen.client.get(f"/mini/portal{path}")
        assert page.status_code == 200
        assert "0.0 %" not in page.content.decode()
    numbers = [citizen.link(key=f"s{index}")[0] for index in range(3)]
    assert total() == [], "nothing has been counted yet"
    facts.refresh_measured(city="mini")
    assert total() == [("intake", "3", None), ("closing_on_time", "", None)]
    words = citizen.client.get("/mini/portal/score").content.decode()
    assert "—" in words
    assert "0.0 %" not in words
    close(numbers[0])
    close(numbers[1])
    facts.refresh_measured(city="mini", at=datetime.now(UTC) + timedelta(minutes=11))
    assert total() == [("intake", "3", None), ("closing_on_time", "100.0%", 1.0)]
    with django_assert_max_num_queries(8):
        words = citizen.client.get("/mini/portal/score").content.decode()
    assert "100.0 %" in words
    case = Case.objects.get(number=numbers[0])
    district = score(place=runtime("mini"), month="", region=case.region[:4], category=case.category)
    assert [cell["figure"] for cell in district["total"]] == ["3", "100.0%"]
    assert [row["code"] for row in district["districts"]] == [case.region[:4]]
    assert [[cell["figure"] for cell in row["cells"]] for row in district["series"]] == [["3", "100.0%"]]


def test_only_what_the_pack_marks_is_published(citizen: Citizen) -> None:
    citizen.link(key="p")
    facts.refresh_measured(city="mini")
    page = citizen.client.get("/mini/portal/score", headers={"accept-language": "en"}).content.decode()
    assert "On-time closing" in page
    assert "Rework rate" not in page


def test_open_data_has_no_personal_columns_and_no_personal_words(citizen: Citizen, report: Any) -> None:
    citizen.link(text="垃圾，张三13812345678", email="zhang@example.org", key="o")
    report(text="=cmd|' /C calc'!A0", contact="13912345678")
    month = f"{datetime.now(UTC).astimezone(__import__('zoneinfo').ZoneInfo('Asia/Shanghai')):%Y-%m}"
    answer = citizen.client.get(f"/mini/portal/data/cases-{month}.csv")
    content = b"".join(answer).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len(rows) == 2
    assert not set(rows[0]) & {"contact", "reporter", "email", "actor", "place", "phone", "handlers"}
    for secret in ("13812345678", "13912345678", "zhang@", "follow:", "user:"):
        assert secret not in content
    assert all(not row["text"].startswith("=") for row in rows)
    assert {len(row["lon"].split(".")[1]) <= 4 for row in rows} == {True}
    points = json.loads(b"".join(citizen.client.get(f"/mini/portal/data/cases-{month}.geojson")))
    assert [feature["geometry"]["type"] for feature in points["features"]] == ["Point", "Point"]
    assert citizen.client.get("/mini/portal/data/cases-2026-13.csv").status_code == 404


def test_open_data_is_read_by_chunks_without_losing_a_row(citizen: Citizen, report: Any, monkeypatch: Any) -> None:
    from yiwang.server.cities.queries import runtime
    from yiwang.server.portal import open_data

    at = datetime.now(UTC) - timedelta(minutes=5)
    numbers = {report(at=at, text=str(index))["case"] for index in range(7)}
    monkeypatch.setattr(open_data, "CHUNK", 2)
    place = runtime("mini")
    chunks = list(open_data.rows(place=place, month=months.month_of(at, place)))
    assert [len(chunk) for chunk in chunks] == [2, 2, 2, 1]
    assert {row["number"] for chunk in chunks for row in chunk} == numbers


PAGES = ("", "/report", "/follow", "/ideas", "/ideas/new", "/map", "/score", "/data")


@pytest.mark.parametrize("page", PAGES)
def test_pages_keep_their_budget(citizen: Citizen, report: Any, page: str, django_assert_max_num_queries: Any) -> None:
    for index in range(4):
        report(text=f"垃圾{index}")
    facts.refresh_measured(city="mini")
    citizen.client.get("/mini/portal")
    with django_assert_max_num_queries(14):
        assert citizen.client.get(f"/mini/portal{page}").status_code == 200


def test_a_case_s_public_page_keeps_its_budget(citizen: Citizen, django_assert_max_num_queries: Any) -> None:
    number, link = citizen.link(key="b")
    path = citizen.client.get(link)["Location"]
    with django_assert_max_num_queries(10):
        assert citizen.client.get(f"/mini/portal/cases/{number}").status_code == 200
    with django_assert_max_num_queries(12):
        assert citizen.client.get(path).status_code == 200


def test_forms_need_their_token(mini: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    for path in ("report", "follow", "ideas/new", "flag", "follow/forget"):
        assert strict.post(f"/mini/portal/{path}", {}).status_code == 403
