"""One case through all faces: a citizen's phone, every desk, a crew without network, the checker, the public page, the stars.

The city is the demonstration pack with four levels, so that the case is handed down from the city to a community and
back up. ``YIWANG_RECORD=folder pytest tests/browser/test_walk.py`` records it; ``make docs`` makes the strip of pictures of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from .choosing import unfold
from .phones import fill_verb, until
from .sites import PASSWORD, ROOT, run_in, running_site
from .test_portal import next_step
from .walking import Walk, street

pytestmark = pytest.mark.browser
PACK = ROOT / "packs" / "wuxi"
LON, LAT = 120.120, 31.562  # in one community of one street
POSTS = {
    "intake": ("intake", "ZX-3202", ""),
    "leader": ("shift_leader", "ZX-3202", ""),
    "dispatcher": ("dispatcher", "ZX-3202", ""),
    "city-office": ("department", "LD-3202", ""),
    "district-office": ("department", "SZ-320211", ""),
    "district-centre": ("dispatcher", "ZX-320211", ""),
    "street-office": ("department", "ZF-320211001", ""),
    "street-centre": ("dispatcher", "ZX-320211001", ""),
    "community": ("department", "SQ-320211001005", ""),
    "crew": ("crew", "SZ-320211-1", ""),
    "inspector": ("inspector", "", "320211001"),
    "supervisor": ("supervisor", "ZX-3202", ""),
}
NAMES = {
    "intake": ("周小燕", "Zhou Xiaoyan"), "leader": ("吴建平", "Wu Jianping"), "dispatcher": ("钱国良", "Qian Guoliang"),
    "city-office": ("陆佳怡", "Lu Jiayi"), "district-office": ("蒋丽萍", "Jiang Liping"), "district-centre": ("顾永明", "Gu Yongming"),
    "street-office": ("徐海涛", "Xu Haitao"), "street-centre": ("杨敏", "Yang Min"), "community": ("朱雅琴", "Zhu Yaqin"),
    "crew": ("丁浩然", "Ding Haoran"), "inspector": ("姚秀兰", "Yao Xiulan"), "supervisor": ("陈志远", "Chen Zhiyuan"),
}  # fmt: skip
PREPARE = f"""
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from yiwang.server.provision.operations import install_pack
from yiwang.server.people.operations import create_person
install_pack({str(PACK)!r})
names = {NAMES!r}
for who, (role, unit, region) in {POSTS!r}.items():
    create_person(
        username=f"wuxi-{{who}}", password={PASSWORD!r}, name=names[who][0], name_en=names[who][1], city="wuxi",
        roles={{role: (unit, region)}}, demo=False,
    )
"""
SCORES = """
import django; django.setup()
from yiwang.server.facts import tasks
tasks.refresh_all()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walk")


@pytest.fixture(scope="module")
def city(home: Path) -> Iterator[str]:
    with running_site(home, prepare=PREPARE) as base:
        yield base


def reported(walk: Walk, *, text: str, category: str) -> tuple[str, str]:
    """In three steps on a citizen's phone; the number of the case and the secret link."""
    page = walk.stranger("citizen", "/wuxi/portal", phone=True)
    walk.shot("portal", page, "市民用手机打开门户", "A citizen opens the portal on a phone")
    page.goto(f"{walk.site}/wuxi/portal/report")
    picture: FilePayload = {"name": "lamp.jpg", "mimeType": "image/jpeg", "buffer": street(lit=False)}
    page.set_input_files("#photos", files=[picture])
    expect(page.locator("[data-preview] img")).to_have_count(1)
    walk.shot("report-photo", page, "第一步：拍照", "Step one: a photo")
    next_step(page)
    page.locator("summary", has_text=re.compile("坐标|coordinates")).click()
    page.fill("#address", "河埒社区健康路" if walk.language.startswith("zh") else "Jiankang Road")
    page.fill("#lon", str(LON))
    page.fill("#lat", str(LAT))
    next_step(page)
    page.fill("#text", text)
    page.locator(f'[data-suggest-here] input[value="{category}"]').check()
    walk.shot(
        "report-words", page, "第三步：一句话；系统提出类别", "Step three: a few words; the category is suggested"
    )
    page.locator("button.big:visible").last.click()
    page.locator(".received").wait_for()
    walk.shot(
        "received", page, "收到：案卷编号和密链，密链只显示一次", "Received: a number, and a secret link shown once"
    )
    number = page.locator(".received strong.number").inner_text()
    return number, page.locator("[data-copy-from]").input_value()


def filed(walk: Walk, number: str) -> None:
    """Intake accepts, the shift leader files."""
    page = walk.at_desk("intake", "intake", number, "accept")
    walk.shot(
        "intake",
        page,
        "受理员：队列里最急的在上面，核对后受理",
        "Intake clerk: the most urgent on top; checks and accepts",
    )
    walk.sent(page, "accept")
    page = walk.at_desk("leader", "shift_leader", number, "file")
    walk.shot("leader", page, "值班长：立案", "Shift leader: files the case")
    walk.sent(page, "file")


def at_the_centre(walk: Walk, number: str) -> None:
    """The wall of the command centre counts the case, and the figure leads to it."""
    page = walk.staff("supervisor", "/wuxi/centre")
    page.wait_for_selector(".centre[data-ready]")
    page.wait_for_selector("[data-part=map][data-idle=yes]")
    expect(page.locator("[data-part=opened_today]")).not_to_have_text("0")
    walk.shot("centre", page, "指挥中心大屏：这件案卷在图上", "The command centre's wall shows the case")
    page.locator("[data-part=open]").click()
    expect(page.locator(f'table.stack a[href$="/cases/{number}"]')).to_be_visible()


def checked_and_closed(walk: Walk, number: str) -> None:
    """Intake asks for a check, the inspector does it on the spot, the shift leader closes."""
    walk.done("intake", "intake", number, "check_ask")
    phone = walk.phone("inspector", "/wuxi/field", lon=LON, lat=LAT)
    expect(phone.locator(f'a[href="#case={number}"]')).to_be_visible()
    fill_verb(phone, number, "check_pass", note="灯亮了" if walk.language.startswith("zh") else "It is lit")
    until(lambda: phone.locator(".field-badge").is_hidden())
    phone.goto(f"{phone.url.split('#', 1)[0]}#queue")
    expect(phone.locator('[data-entry="done"]')).to_have_count(1)
    walk.shot("checker", phone, "监督员现场核查：通过", "The inspector checks on the spot: passed")
    page = walk.at_desk("leader", "shift_leader", number, "close")
    walk.shot("close", page, "值班长：结案", "Shift leader: closes the case")
    walk.sent(page, "close")


def case_file(page: Page, language: str) -> bytes:
    """The PDF behind the link of the case page."""
    address = page.locator(f'a[href$="/file.pdf?lang={language}"]').first
    answer = page.context.request.get(page.evaluate("a => a.href", address.element_handle()))
    assert answer.ok
    assert answer.headers["content-type"] == "application/pdf"
    return answer.body()


def rated(walk: Walk, number: str, link: str) -> None:
    """By the secret link, on another device; then the public page shows it."""
    page = walk.stranger("citizen-later", link, phone=True)
    assert link.rsplit("/", 1)[1] not in page.url, "the secret does not stay in the address bar"
    page.check('input[name="stars"][value="5"]')
    walk.shot(
        "follow", page, "市民凭密链看到结果，给出评价", "By the secret link the citizen sees the result and rates it"
    )
    page.click("form[data-rate] button")
    expect(page.locator("main")).to_contain_text(re.compile("您给了 5 星|You gave 5 stars"))
    anybody = walk.stranger("anybody", f"/wuxi/portal/cases/{number}")
    expect(anybody.locator(".facts .chip").first).to_have_text(re.compile("已结案|Closed"))
    expect(anybody.locator("main")).to_contain_text("5 / 5")
    anybody.goto(f"{walk.site}/wuxi/portal/score")
    expect(anybody.locator("main table, main .figures").first).to_be_visible()
    walk.shot("score", anybody, "公开的成绩单", "The public score")


def test_a_case_goes_through_all_faces(browser: Browser, city: str, home: Path, tmp_path: Path) -> None:
    with Walk(browser=browser, site=city, city="wuxi", name="zh", language="zh-CN", home=tmp_path) as walk:
        number, link = reported(walk, text="健康路的路灯三天不亮了，晚上看不清路", category="01037")
        filed(walk, number)
        page = walk.at_desk("dispatcher", "dispatcher", number, "dispatch")
        expect(page.locator("#panel .route strong")).to_have_text("无锡市路灯管理处")
        assert page.locator('#panel form[action$="/verbs/dispatch"] [name=unit]').input_value() == "LD-3202", (
            "the suggested unit is chosen already"
        )
        walk.shot(
            "dispatch",
            page,
            "派遣员：规则建议单位并说明是哪一行",
            "Dispatcher: the rules suggest a unit and name the row",
        )
        walk.sent(page, "dispatch")
        at_the_centre(walk, number)

        # down: city, district, street, community
        page = walk.at_desk("city-office", "department", number, "hand_down", unit="SZ-320211", note="灯杆属区里养护")
        walk.shot("hand-down", page, "市里的部门：下派到区", "The city's office hands it down to the district's")
        walk.sent(page, "hand_down")
        walk.done("district-office", "department", number, "hand_down", unit="ZF-320211001")
        walk.done("street-office", "department", number, "hand_down", unit="SQ-320211001005")
        # and up again, since the community has no lift
        page = walk.at_desk("community", "department", number, "escalate", reason="要登高车，社区没有")
        walk.shot(
            "hand-up", page, "社区：办不了，写明理由上报", "The community cannot, and hands it up with the reason"
        )
        walk.sent(page, "escalate")
        walk.done("street-centre", "dispatcher", number, "escalate", reason="街道也没有登高车")
        walk.done("district-centre", "dispatcher", number, "hand_down", unit="SZ-320211")
        walk.done("district-office", "department", number, "assign", unit="SZ-320211-1")

        # the crew: without network, and the phone is switched off in between
        phone = walk.phone("crew", "/wuxi/field", lon=LON, lat=LAT)
        expect(phone.locator(f'a[href="#case={number}"]')).to_be_visible()
        walk.shot("crew", phone, "班组的手机：任务和路线", "The crew's phone: tasks and the way")
        phone.context.set_offline(True)
        fill_verb(phone, number, "start")
        phone.goto(f"{phone.url.split('#', 1)[0]}#case={number}")
        phone.locator('[data-of="finish"] summary').click()
        form = phone.locator('form[data-verb="finish"]')
        form.locator('[name="note"]').fill("换了灯头和镇流器，已亮")
        picture: FilePayload = {"name": "lit.jpg", "mimeType": "image/jpeg", "buffer": street(lit=True)}
        form.locator('input[type="file"]:not([capture])').set_input_files(files=[picture])
        expect(form.locator("figure img")).to_have_count(1)
        form.locator(":scope > button").click()
        expect(phone.locator(".field-badge")).to_have_text("2")
        phone.goto(f"{phone.url.split('#', 1)[0]}#queue")
        expect(phone.locator('[data-entry="waiting"]')).to_have_count(2)
        walk.shot("offline", phone, "没有网络：办完的两步留在手机里", "No network: both steps wait on the phone")
        walk.leave("crew")
        assert step_of(walk, number) == "dispatched", "nothing has been sent"
        phone = walk.phone("crew", "/wuxi/field", lon=LON, lat=LAT)
        until(lambda: step_of(walk, number) == "handled")
        phone.goto(f"{phone.url.split('#', 1)[0]}#queue")
        expect(phone.locator('[data-entry="done"]')).to_have_count(2)
        walk.shot("synced", phone, "关机重开、有了网络：自动补发", "Switched on again with a network: sent by itself")

        walk.done("district-office", "department", number, "confirm")
        checked_and_closed(walk, number)

        page = walk.staff("supervisor", f"/wuxi/cases/{number}")
        lanes = page.locator(".picture-lanes")
        for level in ("市", "区（县级市）", "街道（镇）", "社区（村）"):
            expect(lanes.locator("svg")).to_contain_text(level)
        story = page.locator(".story").inner_text()
        said = (
            "上报",
            "受理",
            "立案",
            "派遣",
            "下派",
            "上报上级",
            "派班组",
            "处置完成",
            "确认反馈",
            "核查通过",
            "结案",
        )
        assert [word for word in said if word not in story] == []
        assert page.locator("[data-compare] figure img").count() == 2
        walk.shot("case", page, "督办人员看案卷：处置前后", "A supervisor opens the case: before and after")
        lanes.scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#custody').scrollIntoView()")
        walk.shot(
            "lanes",
            page,
            "承办链：市、区、街道、社区各层的时间",
            "Custody: what each level took, from city to community",
        )
        assert case_file(page, "zh").startswith(b"%PDF-")
        run_in(home, SCORES)  # what the worker does every half minute
        rated(walk, number, link)


# what a case may cost in clicks, from a citizen's phone to the stars; typing is not counted, nor signing in
MOST_CLICKS = 20
SAID = {
    "zh": ("路灯三天不亮了", "换了灯头，已亮", "市"),
    "en": ("The street light has been dark for three days", "New lamp head; lit", "City"),
}


@pytest.mark.parametrize(("name", "language"), [("zh", "zh-CN"), ("en", "en-US")])
def test_from_a_citizens_phone_to_the_stars_in_twenty_clicks(
    name: str, language: str, browser: Browser, city: str, home: Path, tmp_path: Path
) -> None:
    text, done, level = SAID[name]
    with Walk(browser=browser, site=city, city="wuxi", name=f"clicks-{name}", language=language, home=tmp_path) as walk:
        number, link = reported_with_few_clicks(walk, text=text)
        act_at_the_desk(walk, "intake", "intake", number, "accept")
        act_at_the_desk(walk, "leader", "shift_leader", number, "file")
        act_at_the_desk(walk, "dispatcher", "dispatcher", number, "dispatch")
        act_at_the_desk(walk, "city-office", "department", number, "start")
        act_at_the_desk(walk, "city-office", "department", number, "finish", note=done)
        act_at_the_desk(walk, "city-office", "department", number, "confirm")
        act_at_the_desk(walk, "intake", "intake", number, "check_ask")
        phone = walk.phone("inspector", "/wuxi/field", lon=LON, lat=LAT)
        phone.locator(f'a[href="#case={number}"]').click()
        phone.locator('[data-of="check_pass"] summary').click()
        phone.locator('form[data-verb="check_pass"] > button').click()
        until(lambda: step_of(walk, number) == "checked")
        act_at_the_desk(walk, "leader", "shift_leader", number, "close")
        page = walk.stranger("citizen-later", link, phone=True)
        page.check('input[name="stars"][value="5"]')
        page.click("form[data-rate] button")
        expect(page.locator("main")).to_contain_text(re.compile("您给了 5 星|You gave 5 stars"))
        assert 10 < walk.clicks <= MOST_CLICKS, walk.clicks

        page = walk.staff("supervisor", f"/wuxi/cases/{number}")
        expect(page.locator(".picture-lanes svg")).to_contain_text(level)
        assert case_file(page, name).startswith(b"%PDF-")


def reported_with_few_clicks(walk: Walk, *, text: str) -> tuple[str, str]:
    """A photo, where I am, a few words: the system finds the category."""
    page = walk.stranger("citizen", "/wuxi/portal/report", phone=True, at=(LON, LAT))
    picture: FilePayload = {"name": "lamp.jpg", "mimeType": "image/jpeg", "buffer": street(lit=False)}
    page.set_input_files("#photos", files=[picture])
    walk.clicks += 2  # the camera's button and its shutter, which are not the page's
    next_step(page)
    expect(page.locator("#lon")).not_to_have_value("")  # the phone has allowed it before
    next_step(page)
    page.fill("#text", text)
    lamp = page.locator('[data-suggest-here] input[value="01037"]')
    if not lamp.is_checked():  # where the words leave a choice
        lamp.check()
    page.locator("button.big:visible").last.click()
    page.locator(".received").wait_for()
    return page.locator(".received strong.number").inner_text(), page.locator("[data-copy-from]").input_value()


def act_at_the_desk(walk: Walk, who: str, role: str, number: str, verb: str, **fields: str) -> None:
    """The most urgent case stands open beside its queue, and what the desk is for stands ready; a click more for the second."""
    page = walk.staff(who, f"/wuxi/desk/{role}")
    page.locator("#panel [data-case]").wait_for()
    if page.locator(f'#panel [data-case="{number}"]').count() == 0:
        page.locator(f'[data-row="{number}"] a').click()
    form = page.locator(f'#panel [data-case="{number}"] form[action$="/verbs/{verb}"]')
    unfold(form.locator("xpath=.."))
    for name, value in fields.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator(":scope > button").click()
    expect(page.locator("#panel .said")).to_be_visible()


def step_of(walk: Walk, number: str) -> str:
    """The step that the public page of a case is at."""
    answer = walk.browser.contexts[0].request.get(f"{walk.site}/api/v1/cases/{number}")
    return str(answer.json()["step"])
