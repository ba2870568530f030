"""The citizens' pages in a real browser: report on a phone in three steps, follow by link, rate after closing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from .sites import AXE, Opener, serious
from .test_faces import CHINESE, STAYS, act

pytestmark = pytest.mark.browser
PAGES = ["", "/report", "/follow", "/ideas", "/ideas/new", "/map", "/score", "/data"]
BUDGET = 300_000


def next_step(page: Page) -> None:
    page.locator(".step-buttons button.big:visible").click()


def reported(page: Page, *, text: str, place: tuple[str, str] = ("120.005", "31.005")) -> tuple[str, str]:
    """Go through the three steps; the number of the case and the secret link."""
    next_step(page)
    page.locator("summary", has_text=re.compile("坐标|coordinates")).click()
    page.fill("#lon", place[0])
    page.fill("#lat", place[1])
    next_step(page)
    page.fill("#text", text)
    page.locator("[data-suggest-here] input:checked").wait_for()
    page.locator("button.big:visible").last.click()
    page.locator(".received").wait_for()
    return page.locator(".received strong.number").inner_text(), page.locator("[data-copy-from]").input_value()


def test_a_citizen_reports_in_three_steps_follows_by_link_and_rates(open_as: Opener, site: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (400, 300), "brown").save(photo)
    phone = open_as("/mini/portal/report", phone=True)
    assert phone.locator("[data-part]:visible").count() == 1
    phone.set_input_files("#photos", str(photo))
    expect(phone.locator("[data-preview] img")).to_have_count(1)
    number, link = reported(phone, text="路口暴露垃圾成堆，没人清扫")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 391

    path = f"/mini/cases/{number}"
    act(open_as(path, role="leader"), "file")
    act(open_as(path, role="dispatcher"), "dispatch")
    handler = open_as(path, role="handler")
    act(handler, "take")
    act(handler, "finish", note="清走了")
    act(open_as(path, role="intake"), "ask_check")
    act(open_as(path, role="inspector"), "check", note="干净了")

    other = open_as(link.removeprefix(site), phone=True, language="en-US")
    assert link.rsplit("/", 1)[1] not in other.url
    expect(other.locator("[data-step-name]")).to_have_text("Checked")
    assert other.locator("form[data-rate]").count() == 0
    act(open_as(path, role="leader"), "close")
    other.reload()
    other.check('input[name="stars"][value="4"]')
    other.fill("#note", "quick work")
    other.click("form[data-rate] button")
    expect(other.locator("main")).to_contain_text("You gave 4 stars")
    stranger = open_as(other.url.removeprefix(site))
    expect(stranger.locator(".errors")).to_contain_text("密链")


def test_who_meets_the_same_joins_the_open_case(open_as: Opener) -> None:
    number, _ = reported(open_as("/mini/portal/report", phone=True), text="道路积水很深", place=("120.0131", "31.0131"))
    page = open_as("/mini/portal/report", phone=True)
    next_step(page)
    page.locator("summary", has_text="坐标").click()
    page.fill("#lon", "120.0132")
    page.fill("#lat", "31.0132")
    page.locator(f'button[name="join"][value="{number}"]').click()
    expect(page.locator("h1")).to_contain_text("已加上您的一份")
    expect(page.locator(".received strong.number")).to_have_text(number)


def test_the_report_works_without_scripts(open_as: Opener, browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        page.goto(f"{site}/mini/portal/report")
        assert page.locator("[data-part]:visible").count() == 3
        assert page.locator("[data-locate]:visible").count() == 0  # it would do nothing
        page.fill("#address", "西南社区门口")
        page.fill("#text", "路灯不亮好几天了")
        page.click("button.big")
        expect(page.locator("h1")).to_have_text("核对后提交")
        assert page.locator('input[value="01002"]').is_checked()
        page.click("button.big")
        expect(page.locator("h1")).to_contain_text("已收到")
    finally:
        context.close()


def test_the_map_comes_when_asked_for_and_fills_the_place(open_as: Opener) -> None:
    page = open_as("/mini/portal/report", phone=True)
    next_step(page)
    page.click("[data-map]")
    page.wait_for_selector("city-map[data-ready]")
    page.locator("city-map").click(position={"x": 120, "y": 120})
    expect(page.locator("#lon")).to_have_value(re.compile(r"^120\.0\d+$"))


def test_an_idea_is_proposed_and_supported(open_as: Opener) -> None:
    page = open_as("/mini/portal/ideas/new", phone=True)
    page.fill("#title", "公园多设饮水点")
    page.fill("#text", "夏天跑步的人多")
    page.click("main form button:not(.clear)")
    page.locator("button", has_text="支持").first.click()
    expect(page.locator("[data-supporters]")).to_have_text("1")


@pytest.mark.parametrize("path", PAGES)
def test_english_pages_have_no_chinese_left(open_as: Opener, path: str) -> None:
    page = open_as(f"/mini/portal{path}", language="en-US")
    text = page.locator("body").inner_text()
    for words in page.locator(".words, .cards h2").all_inner_texts():  # what citizens wrote stays as it was written
        text = text.replace(words, "")
    if path in {"", "/ideas"}:
        text = text.replace("公园多设饮水点", "")
    assert not set(CHINESE.findall(text)) - STAYS


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone_and_carry_little_script(open_as: Opener, path: str) -> None:
    page = open_as(f"/mini/portal{path}", phone=True)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => /\\.m?js$/.test(e.name)).reduce((n, e) => n + e.decodedBodySize, 0)"
    )
    assert path == "/map" or loaded <= BUDGET


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(open_as: Opener, path: str) -> None:
    page = open_as(f"/mini/portal{path}")
    if page.locator("city-map").count():
        page.wait_for_selector("city-map[data-ready]")
    assert serious(page) == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
def test_axe_finds_nothing_serious_where_people_act(open_as: Opener) -> None:
    page = open_as("/mini/portal/report", phone=True)
    number, _ = reported(page, text="暴露垃圾，请打13812345678")
    assert serious(page) == []
    page.click("text=查看进展")
    page.locator("[data-step-name]").wait_for()
    assert serious(page) == []
    assert serious(open_as(f"/mini/portal/cases/{number}")) == []
    queue = open_as("/mini/portal/moderation", role="leader")
    expect(queue.locator("main")).to_contain_text("13812345678")
    assert serious(queue) == []
