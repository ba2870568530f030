"""The case page in a browser: what is typed survives another's act, and the proof comes by key."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import Opener, serious
from .test_faces import act

pytestmark = pytest.mark.browser


def test_two_people_open_one_case_and_neither_loses_a_word(open_as: Opener) -> None:
    citizen = open_as("/mini/report", role="intake")
    citizen.fill("#text", "路灯不亮")
    citizen.select_option("#category", "02001")
    citizen.fill("#lon", "120.005")
    citizen.fill("#lat", "31.005")
    citizen.click("main form button")
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
    page.select_option("#category", "02001")
    page.fill("#lon", "120.005")
    page.fill("#lat", "31.005")
    page.click("main form button")
    page.goto(page.url.split("/mini/")[0] + f"/mini/cases/{page.locator('strong.number').inner_text()}")
    page.locator('a[hx-get$="/proof"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#proof")).to_contain_text("The chain is whole")
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    assert serious(page) == []
