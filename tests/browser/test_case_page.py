"""The case page in a browser: what is typed survives another's act, and the proof comes by key."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .choosing import choose
from .sites import Opener, serious
from .test_faces import act

pytestmark = pytest.mark.browser


def test_two_people_open_one_case_and_neither_loses_a_word(open_as: Opener) -> None:
    citizen = open_as("/mini/report", role="intake")
    citizen.fill("#text", "路灯不亮")
    choose(citizen, "category", "02001")
    citizen.fill("#lon", "120.005")
    citizen.fill("#lat", "31.005")
    citizen.click("main form button:not(.clear)")
    path = f"/mini/cases/{citizen.locator('strong.number').inner_text()}"
    slow = open_as(path, role="leader")
    form = slow.locator('form[action$="/verbs/file"]')
    form.locator("xpath=..").locator("summary").click()
    form.locator('[name="note"]').fill("写了很久的一段话")
    act(open_as(path, role="leader"), "file")
    form.locator("button").click()
    slow.wait_for_load_state("networkidle")
    expect(slow.locator("main .errors")).to_contain_text("写了很久的一段话")


def test_the_proof_is_shown_by_key_and_axe_finds_nothing_serious(open_as: Opener) -> None:
    page = open_as("/mini/report", role="intake", language="en-US", phone=True)
    page.fill("#text", "bins")
    choose(page, "category", "02001")
    page.fill("#lon", "120.005")
    page.fill("#lat", "31.005")
    page.click("main form button:not(.clear)")
    page.goto(page.url.split("/mini/")[0] + f"/mini/cases/{page.locator('strong.number').inner_text()}")
    page.locator('a[hx-get$="/proof"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#proof")).to_contain_text("The chain is whole")
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    assert serious(page) == []


@pytest.mark.parametrize("phone", [False, True])
def test_the_pin_is_moved_on_the_map_and_the_region_follows(open_as: Opener, phone: bool) -> None:
    page = open_as("/mini/report", role="intake", language="en-US", phone=phone)
    page.fill("#text", "bins")
    choose(page, "category", "02001")
    page.fill("#lon", "120.005")
    page.fill("#lat", "31.005")
    page.click("main form button:not(.clear)")
    page.goto(page.url.split("/mini/")[0] + f"/mini/cases/{page.locator('strong.number').inner_text()}")
    form = page.locator('form[action$="/verbs/correct"]')
    form.locator("xpath=..").locator("summary").click()
    expect(form.locator("city-map[data-ready=yes]")).to_be_visible()
    marker = form.locator(".maplibregl-marker")
    form.locator('[name="lon"]').fill("120.012")  # typed: the marker follows
    form.locator('[name="lon"]').blur()
    expect(marker).to_be_visible()
    form.locator("city-map").scroll_into_view_if_needed()
    before = form.locator('[name="lon"]').input_value()
    box = form.locator("city-map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5)  # clicked: the fields follow
    expect(form.locator('[name="lon"]')).not_to_have_value(before)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
    assert serious(page) == []
    form.locator('[name="lon"]').fill("120.015")
    form.locator('[name="lat"]').fill("31.003")
    form.locator("button:not([class])").last.click()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".story")).to_contain_text("→ East Street · South-East")
    expect(page.locator("dl.facts").filter(has_text="Holder").first).to_contain_text("120.015")
