"""The desks in a real browser: clerk, leader and dispatcher by keyboard; two people with one case open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import AXE, Opener, serious
from .test_faces import CHINESE, STAYS

pytestmark = pytest.mark.browser
PAGES = [("intake", "/mini/desk/intake"), ("intake", "/mini/desk/intake/new"), ("dispatcher", "/mini/desk/dispatcher")]


def taken(page: Page, *, text: str, lon: str = "120.0042", lat: str = "31.0042", category: str = "01001") -> str:
    """Take a call; the number of the case."""
    page.keyboard.press("n")
    page.wait_for_url(re.compile("/new$"))
    page.fill("#contact", "13800000000")
    page.fill("#text", text)
    page.fill("#lon", lon)
    page.fill("#lat", lat)
    page.select_option("#category", category)
    page.locator("form.intake button", has_text=re.compile("立为新案卷|Make a new case")).click()
    page.locator("[data-report]").wait_for()
    return page.locator("strong.number").first.inner_text()


def open_case(page: Page, number: str) -> None:
    """Walk to a case with j and open it with Enter."""
    page.locator(f'[data-row="{number}"]').wait_for()
    for _ in range(40):
        if page.locator(f'[data-row="{number}"].at a:focus').count():
            break
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(f'#panel [data-case="{number}"]').wait_for()


def at_top(page: Page) -> None:
    for _ in range(40):
        page.keyboard.press("k")


def test_clerk_leader_dispatcher_by_keyboard(open_as: Opener) -> None:
    clerk = open_as("/mini/desk", role="intake")
    expect(clerk.locator("h1")).to_have_text("受理员")
    clerk.keyboard.press("n")
    clerk.wait_for_url(re.compile("/new$"))
    clerk.fill("#text", "人行道的井盖破了")
    clerk.locator('#assist [data-category="01001"]').click()
    expect(clerk.locator("#category")).to_have_value("01001")
    clerk.goto(clerk.url.removesuffix("/new"))
    number = litter(clerk, "120.0047")

    leader = open_as("/mini/desk", role="leader")
    at_top(leader)
    open_case(leader, number)
    leader.keyboard.press("1")
    leader.keyboard.press("Enter")
    expect(leader.locator("#panel .said")).to_contain_text("立案")
    expect(leader.locator(f'[data-row="{number}"]')).to_have_count(0)

    dispatcher = open_as("/mini/desk", role="dispatcher")
    at_top(dispatcher)
    open_case(dispatcher, number)
    dispatcher.keyboard.press("1")
    dispatcher.keyboard.press("Enter")
    expect(dispatcher.locator("#panel .said")).to_contain_text("派遣")


def test_the_clerk_sees_likely_duplicates_and_joins_one(open_as: Opener) -> None:
    clerk = open_as("/mini/desk/intake", role="intake")
    number = taken(clerk, text="路灯坏了", lon="120.0163", lat="31.0163", category="01002")
    clerk.goto(clerk.url)
    clerk.fill("#text", "灯不亮")
    clerk.fill("#lon", "120.0164")
    clerk.fill("#lat", "31.0163")
    clerk.locator(f'button[name=join][value="{number}"]').click()
    expect(clerk.locator("h1")).to_have_text("已并入案卷")


def litter(page: Page, lon: str) -> str:
    """A case that comes to the dispatcher of the street's centre."""
    return taken(page, text="垃圾", lon=lon, lat="31.0021", category="02001")


def filed(open_as: Opener, *lons: str) -> list[str]:
    clerk = open_as("/mini/desk/intake", role="intake")
    numbers = []
    for lon in lons:
        clerk.goto(re.sub("/new$", "", clerk.url))
        numbers.append(litter(clerk, lon))
    clerk.goto(re.sub("/new$", "", clerk.url))
    leader = open_as("/mini/desk/leader?kind=all", role="leader")
    for number in numbers:
        leader.goto(f"{leader.url.split('?')[0]}?kind=all&q={number}")
        leader.locator(f'[data-row="{number}"] a').click()
        leader.locator(f'#panel [data-case="{number}"]').wait_for()
        verify = leader.locator("#panel details.own")
        verify.first.locator("summary").click()
        verify.first.locator("form > button").click()
        leader.locator("#panel .said").wait_for()
    return numbers


def test_two_people_see_each_other_and_keep_what_they_typed(open_as: Opener) -> None:
    (number,) = filed(open_as, "120.0021")
    first = open_as(f"/mini/desk/dispatcher?q={number}", role="dispatcher")
    second = open_as(f"/mini/desk/dispatcher?q={number}", role="dispatcher")
    for page in (first, second):
        page.locator(f'[data-row="{number}"] a').click()
        page.locator("#panel details.own summary").first.click()
    second.fill("#dispatch-note", "门口有学校")
    first.locator("#panel details.own form > button").first.click()
    first.locator("#panel .said").wait_for()
    # the other one is told, and the text stays
    expect(second.locator(".changed")).to_contain_text("案卷已变", timeout=15_000)
    expect(second.locator("#dispatch-note")).to_have_value("门口有学校")
    expect(second.locator(f'[data-row="{number}"]')).to_have_count(0, timeout=15_000)
    # and who sends all the same is shown both states, with the words
    second.locator("#panel details.own form > button").first.click()
    expect(second.locator("#panel .errors")).to_contain_text("您打开时")
    expect(second.locator("#panel .errors textarea")).to_have_value("门口有学校")


def test_many_are_dispatched_together(open_as: Opener) -> None:
    numbers = filed(open_as, "120.0061", "120.0071")
    page = open_as("/mini/desk/dispatcher", role="dispatcher")
    for number in numbers:
        page.locator(f'[data-row="{number}"] input').check()
    page.locator("h1").click()
    page.keyboard.press("b")
    page.locator("[data-bulk-do]").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator("[data-bulk-done] h2")).to_contain_text("2 件已办")
    expect(page.locator(f'[data-row="{numbers[0]}"]')).to_have_count(0)


def test_a_case_is_dragged_onto_its_unit(open_as: Opener) -> None:
    (number,) = filed(open_as, "120.0081")
    page = open_as("/mini/desk/dispatcher", role="dispatcher")
    page.drag_and_drop(f'[data-row="{number}"]', '.target[data-unit="SWEEP-9001"]')
    expect(page.locator("#bulk-unit")).to_have_value("SWEEP-9001")


def test_a_call_that_was_typed_is_not_left_without_asking(open_as: Opener) -> None:
    page = open_as("/mini/desk/intake/new", role="intake")
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.goto(page.url)
    page.reload()
    assert asked == [], "nothing has been typed"
    page.locator("#text").press_sequentially("路灯")
    page.reload()
    assert asked == ["beforeunload"]
    number = taken(open_as("/mini/desk/intake", role="intake"), text="路灯不亮", lon="120.0177", lat="31.0177")
    assert number.startswith("MN"), "sending it is no leaving"


def test_the_help_sheet_and_search_by_keys(open_as: Opener) -> None:
    page = open_as("/mini/desk", role="leader")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_pages_are_bilingual_fit_a_phone_and_please_axe(open_as: Opener, role: str, path: str) -> None:
    page = open_as(path, role=role, language="en-US", phone=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    page.locator("#queue .where").evaluate_all("nodes => nodes.forEach(node => node.remove())")
    page.locator(".near li > div > div").evaluate_all("nodes => nodes.forEach(node => node.remove())")
    assert not set(CHINESE.findall(page.locator("body").inner_text())) - STAYS
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci in web/)")
    assert serious(page) == []
