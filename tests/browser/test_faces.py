"""The first face, driven as people drive it: one case from a citizen's phone through every desk to its rating."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .choosing import choose, enter
from .sites import AXE, Opener, serious

pytestmark = pytest.mark.browser
PAGES = [
    "/",
    "/sign-in",
    "/mini/",
    "/mini/cases",
    "/mini/map",
    "/mini/centre",
    "/mini/report",
    "/mini/rules?category=02001&region=900101",
    "/mini/styleguide",
]
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
# what stays Chinese in the English pages: the mark, the switch to Chinese
STAYS = {"一网", "中文"}


def act(page: Page, verb: str, **fields: str) -> None:
    """Open a verb's form on the case page, fill it, send it."""
    form = page.locator(f'form[action$="/verbs/{verb}"]')
    form.locator("xpath=..").locator("summary").click()
    for name, value in fields.items():
        enter(form, name, value)
    form.locator(":scope > button").click()
    page.wait_for_load_state("networkidle")


def test_a_case_goes_from_a_phone_through_every_desk_to_its_rating(open_as: Opener) -> None:
    citizen = open_as("/mini/report", phone=True)
    citizen.fill("#text", "路口的垃圾堆了三天")
    choose(citizen, "category", "02001")
    citizen.fill("#lon", "120.005")
    citizen.fill("#lat", "31.005")
    citizen.click("main form button:not(.clear)")
    expect(citizen.locator("h1")).to_contain_text("已收到")
    number = citizen.locator("strong.number").inner_text()
    path = f"/mini/cases/{number}"
    on_phone = open_as(path, role="dispatcher", phone=True)
    assert on_phone.evaluate("document.documentElement.scrollWidth") <= 391

    act(open_as(path, role="leader"), "file")
    act(open_as(path, role="dispatcher", language="en-US"), "dispatch")
    handler = open_as(path, role="handler")
    act(handler, "take")
    act(handler, "finish", note="清走了，地面冲洗过")
    act(open_as(path, role="intake"), "ask_check")
    act(open_as(path, role="inspector"), "check", note="干净了")
    leader = open_as(path, role="leader", language="en-US")
    act(leader, "close")
    expect(leader.locator(".head .chip").first).to_have_text("Closed")
    story = leader.locator(".story").inner_text()
    assert [word for word in ("Report", "File", "Dispatch", "Take", "Done", "Close") if word not in story] == []


def test_two_people_on_one_case_neither_loses_what_the_other_did(open_as: Opener) -> None:
    citizen = open_as("/mini/report")
    citizen.fill("#text", "占道经营")
    choose(citizen, "category", "02001")
    citizen.fill("#lon", "120.005")
    citizen.fill("#lat", "31.005")
    citizen.click("main form button:not(.clear)")
    path = f"/mini/cases/{citizen.locator('strong.number').inner_text()}"
    first, second = open_as(path, role="leader"), open_as(path, role="leader")
    act(first, "note", note="我先看到")
    act(second, "file")
    expect(second.locator(".errors")).to_contain_text("别人先动了")
    expect(second.locator(".story")).to_contain_text("我先看到")


def test_a_bad_report_says_what_is_wrong_and_keeps_what_was_typed(open_as: Opener) -> None:
    page = open_as("/mini/report")
    page.fill("#text", "坐标写错了")
    page.fill("#lon", "一百二十")
    page.fill("#lat", "31.005")
    page.click("main form button:not(.clear)")
    expect(page.locator(".errors")).to_contain_text("lon")
    expect(page.locator("#text")).to_have_value("坐标写错了")


def test_clicking_the_map_fills_the_coordinates(open_as: Opener) -> None:
    page = open_as("/mini/report")
    page.wait_for_selector("city-map[data-ready]")
    page.locator("city-map").click(position={"x": 150, "y": 150})
    expect(page.locator("#lon")).to_have_value(re.compile(r"^120\.0\d+$"))


def test_the_map_draws_regions_and_leads_on(open_as: Opener) -> None:
    page = open_as("/mini/map")
    page.wait_for_selector("city-map[data-ready]")
    page.locator("city-map").click(position={"x": 500, "y": 300})
    expect(page.locator(".map-popup")).to_contain_text("在办")
    page.get_by_role("link", name="查看该区域").click()
    page.wait_for_url(re.compile(r"region=90\d\d"))


@pytest.mark.parametrize("path", PAGES)
def test_english_pages_have_no_chinese_left(open_as: Opener, path: str) -> None:
    page = open_as(path, language="en-US")
    page.evaluate(
        "document.querySelectorAll('[translate=no], .words[lang], span[lang]').forEach((words) => words.remove())"
    )  # as they were reported
    left = set(CHINESE.findall(page.locator("body").inner_text())) - STAYS
    assert not left


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(open_as: Opener, path: str) -> None:
    page = open_as(path, phone=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 391


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(open_as: Opener, path: str) -> None:
    page = open_as(path)
    if page.locator(".centre").count():
        page.wait_for_selector(".centre[data-ready]")
    if page.locator("city-map").count():
        page.wait_for_selector("city-map[data-ready]")
    assert serious(page) == []


def test_everything_can_be_reached_by_keyboard(open_as: Opener) -> None:
    page = open_as("/mini/cases")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


LIGHT_PAGES = [
    ("/", ""),
    ("/sign-in", ""),
    ("/mini/cases", ""),
    ("/mini/rules", ""),
    ("/mini/help", ""),
    ("/mini/portal", ""),
    ("/mini/desk/dispatcher", "dispatcher"),
]


@pytest.mark.parametrize(("path", "role"), LIGHT_PAGES)
def test_a_page_without_a_map_loads_at_most_300_kb_of_scripts(open_as: Opener, path: str, role: str) -> None:
    page = open_as("/sign-in", role=role)
    sizes: dict[str, int] = {}
    page.on(
        "response",
        lambda answer: (
            sizes.update({answer.url: len(answer.body())}) if answer.request.resource_type == "script" else None
        ),
    )
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path)
    page.wait_for_load_state("networkidle")
    assert sizes, "the page has its script"
    assert sum(sizes.values()) <= 300_000, sizes
