"""The desks in a real browser: clerk, leader and dispatcher by keyboard; two people with one case open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from .choosing import choose, unfold
from .sites import AXE, Opener, serious
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
    choose(page, "category", category)
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
    expect(clerk.locator("form.intake [name=category]")).to_have_value("01001")
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


def test_a_press_on_a_suggestion_counts_though_newer_ones_come_in_between(open_as: Opener) -> None:
    clerk = open_as("/mini/desk/intake/new", role="intake")
    clerk.fill("#text", "人行道的井盖破了")
    suggestion = clerk.locator('#assist [data-category="01001"]')
    box = suggestion.bounding_box()
    assert box
    clerk.mouse.move(box["x"] + 5, box["y"] + 5)
    with clerk.expect_response(re.compile("/new/assist")):  # the text is left by the press, and is asked about again
        clerk.mouse.down()
    clerk.wait_for_timeout(200)
    clerk.mouse.up()
    expect(clerk.locator("form.intake [name=category]")).to_have_value("01001")


def test_the_clerk_sees_likely_duplicates_and_joins_one(open_as: Opener) -> None:
    clerk = open_as("/mini/desk/intake", role="intake")
    number = taken(clerk, text="路灯坏了", lon="120.0163", lat="31.0163", category="01002")
    clerk.goto(clerk.url)
    clerk.fill("#text", "灯不亮")
    clerk.fill("#lon", "120.0164")
    clerk.fill("#lat", "31.0163")
    clerk.locator(f'button[name=join][value="{number}"]').click()
    expect(clerk.locator("h1")).to_have_text("已并入案卷")


def litter(page: Page, lon: str, text: str = "垃圾") -> str:
    """A case that comes to the dispatcher of the street's centre."""
    return taken(page, text=text, lon=lon, lat="31.0021", category="02001")


def filed(open_as: Opener, *lons: str, text: str = "垃圾") -> list[str]:
    clerk = open_as("/mini/desk/intake", role="intake")
    numbers = []
    for lon in lons:
        clerk.goto(re.sub("/new$", "", clerk.url))
        numbers.append(litter(clerk, lon, text))
    clerk.goto(re.sub("/new$", "", clerk.url))
    leader = open_as("/mini/desk/leader?kind=all", role="leader")
    for number in numbers:
        leader.goto(f"{leader.url.split('?')[0]}?kind=all&q={number}")
        leader.locator(f'[data-row="{number}"] a').click()
        leader.locator(f'#panel [data-case="{number}"]').wait_for()
        verify = leader.locator("#panel details.own")
        unfold(verify.first)
        verify.first.locator("form > button").click()
        leader.locator("#panel .said").wait_for()
    return numbers


@pytest.mark.parametrize("open_already", [True, False])
def test_of_cases_opened_one_after_the_other_the_last_one_stays(open_as: Opener, open_already: bool) -> None:
    clerk = open_as("/mini/desk/intake", role="intake")
    numbers = []
    for lon in ("120.0026", "120.0028", "120.0030")[: 2 if open_already else 3]:
        clerk.goto(re.sub("/new$", "", clerk.url))
        numbers.append(litter(clerk, lon))
    early, last = numbers[:2]
    leader = open_as(f"/mini/desk/leader?case={numbers[-1]}", role="leader")
    held: list[Route] = []
    leader.route(re.compile(f"/cases/{early}$"), lambda route: held.append(route))
    for number in (early, last):
        leader.locator(f'[data-row="{number}"] a').click()
    expect(leader.locator(f'#panel [data-case="{last}"]')).to_be_visible()
    with leader.expect_response(re.compile(f"/cases/{early}$")):
        held[0].continue_()
    leader.locator(f'[data-row="{last}"].shown').wait_for()
    leader.wait_for_load_state("networkidle")
    expect(leader.locator(f'#panel [data-case="{last}"]')).to_be_visible()


def test_two_people_see_each_other_and_keep_what_they_typed(open_as: Opener) -> None:
    (number,) = filed(open_as, "120.0021")
    first = open_as(f"/mini/desk/dispatcher?q={number}", role="dispatcher")
    second = open_as(f"/mini/desk/dispatcher?q={number}", role="dispatcher")
    for page in (first, second):
        page.locator(f'[data-row="{number}"] a').click()
        unfold(page.locator("#panel details.own").first)
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
    expect(page.locator("form:has(#bulk-verb) [name=unit]")).to_have_value("SWEEP-9001")


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
    expect(page.locator("#q")).to_be_focused()


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


def test_the_address_names_the_case_and_the_next_one_opens(open_as: Opener) -> None:
    first, second = filed(open_as, "120.0062", "120.0072")
    page = open_as(f"/mini/desk/dispatcher?case={first}", role="dispatcher")
    expect(page.locator(f'#panel [data-case="{first}"]')).to_be_visible()
    page.locator(f'[data-row="{second}"] a').click()
    expect(page.locator(f'#panel [data-case="{second}"]')).to_be_visible()
    assert page.url.endswith(f"case={second}")
    page.go_back()
    expect(page.locator(f'#panel [data-case="{first}"]')).to_be_visible()
    order = page.locator("[data-row]").evaluate_all("rows => rows.map(row => row.dataset.row)")
    following = [*order, *order[-2:-1]][order.index(first) + 1]
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#panel .said")).to_contain_text(first)
    expect(page.locator(f'#panel [data-case="{following}"]')).to_be_visible()
    expect(page).to_have_url(re.compile(f"case={following}$"))


def test_on_a_phone_a_case_is_a_view_of_its_own(open_as: Opener) -> None:
    (number,) = filed(open_as, "120.0064")
    page = open_as(f"/mini/desk/dispatcher?q={number}", role="dispatcher", phone=True)
    page.locator(f'[data-row="{number}"] a').click()
    expect(page.locator(f'#panel [data-case="{number}"]')).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()
    page.locator("[data-back]").click()
    expect(page.locator("#queue")).to_be_visible()
    expect(page.locator(f'[data-row="{number}"]')).to_be_visible()
    assert f"q={number}" in page.url, "the filter is kept"


def test_what_ends_a_case_is_asked_for_once_more(open_as: Opener) -> None:
    clerk = open_as("/mini/desk/intake", role="intake")
    number = litter(clerk, "120.0066")
    leader = open_as(f"/mini/desk/leader?case={number}", role="leader")
    reject = leader.locator("#panel details.verb.apart", has_text="不予立案").first
    reject.locator("summary").click()
    reject.locator("[data-phrases] button").first.click()  # words that are written often
    expect(reject.locator("textarea").first).to_have_value("不属于本单位。")
    reject.locator("form > button").click()
    expect(leader.locator("dialog[open]")).to_contain_text("案卷就此结束")
    leader.locator("dialog[open] button.plain").click()
    expect(leader.locator("dialog[open]")).to_have_count(0)
    expect(leader.locator("#panel .said")).to_have_count(0)
    reject.locator("form > button").click()
    leader.locator("dialog[open] button.danger").click()
    expect(leader.locator("#panel .said")).to_contain_text("不予立案")


def carry(page: Page, number: str, step: str) -> None:
    """Drag a card straight to the side onto another column, as a hand does: nothing scrolls while the button is down."""
    card = page.locator(f'[data-row="{number}"]')
    card.scroll_into_view_if_needed()
    start, column = card.bounding_box(), page.locator(f".column[data-step={step}]").bounding_box()
    assert start is not None
    assert column is not None
    page.mouse.move(start["x"] + 20, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(column["x"] + column["width"] / 2, start["y"] + 14, steps=4)
    page.mouse.up()


def test_a_card_is_moved_by_hand_or_key_and_only_its_form_does_it(open_as: Opener) -> None:
    # a board of these alone, so that none is beyond its last card; the most urgent is open at once, and so read
    words = "垃圾 70717"
    *_, first, second = filed(open_as, "120.00507", "120.00517", "120.00527", text=words)
    page = open_as("/mini/desk/dispatcher?q=70717", role="dispatcher")
    page.locator("button[name=layout][value=board]").click()
    try:
        card = page.locator(f'.column[data-step=filed] [data-row="{first}"]')
        page.locator("#panel [data-case]").wait_for()  # the desk opens a case, and the board makes room for it
        expect(card.locator(".fresh")).to_have_count(1)
        carry(page, first, "dispatched")
        expect(page.locator(f'#panel [data-case="{first}"] [data-moved]')).to_contain_text("派遣")
        expect(page.locator("#panel details.verb[open]")).to_have_count(1)
        expect(card).to_be_visible()  # nothing is done yet
        expect(card.locator(".fresh")).to_have_count(0)
        page.locator("#panel details.verb[open] form > button").click()
        expect(page.locator(f'[data-row="{first}"]')).to_have_count(0)
        # the same by keys
        page.goto(f"{page.url.split('?')[0]}?q=70717&case={second}")
        page.keyboard.press("m")
        page.keyboard.press("Enter")
        expect(page.locator("#panel [data-moved]")).to_contain_text("派遣")
        expect(page.locator(f'.column[data-step=filed] [data-row="{second}"]')).to_be_visible()
        # and a step to which nothing leads
        carry(page, second, "handling")
        expect(page.locator("#panel [data-moved][role=alert]")).to_contain_text("不能移到")
        phone = open_as("/mini/desk/dispatcher?kind=all", role="dispatcher", language="en-US", phone=True)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 391
        assert phone.evaluate("getComputedStyle(document.querySelector('.board')).scrollSnapType") == "x mandatory"
        phone.locator("#queue .where").evaluate_all("nodes => nodes.forEach(node => node.remove())")
        assert not set(CHINESE.findall(phone.locator("body").inner_text())) - STAYS
        if AXE.exists():
            assert serious(phone) == []
    finally:
        page.locator("button[name=layout][value=list]").click()
    expect(page.locator("ol.queue")).to_be_visible()


def test_rows_of_the_list_are_acted_on_and_its_filter_is_kept(open_as: Opener) -> None:
    numbers = filed(open_as, "120.0068", "120.0078")
    page = open_as("/mini/cases?step=filed&order=-opened_at", role="dispatcher")
    for number in numbers:
        page.locator(f'input[name=case][value^="{number}:"]').check()
    expect(page.locator("[data-many] [data-count]")).to_have_text("2")
    page.locator("[data-many] button:not([name])").click()
    expect(page.locator(".results .yes")).to_have_count(2)
    page.locator("[data-bulk-do]").click()
    expect(page.locator("[data-bulk-done] h2")).to_contain_text("2 件已办")
    page.locator(".crumbs a").click()
    expect(page).to_have_url(re.compile("step=filed"))
    page.locator(".saved summary").click()
    page.fill("#view-name", "待派遣的")
    page.locator(".saved form button").click()
    chip = page.locator(".saved a[aria-current]")
    expect(chip).to_contain_text("待派遣的")
    expect(chip.locator(".count")).to_have_text(re.compile(r"^\d+\+?$"))
    phone = open_as("/mini/views", role="dispatcher", language="en-US", phone=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 391
    if AXE.exists():
        assert serious(phone) == []
    page.goto(page.url.replace("/mini/cases", "/mini/views"))
    page.locator("button.danger", has_text="删除").first.click()
    page.locator("dialog[open] button.danger, dialog[open] button:not(.plain)").first.click()
    expect(page.locator("main")).to_contain_text("还没有")
