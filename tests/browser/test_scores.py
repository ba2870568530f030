"""The league table and a figure's cases, in both languages, by keyboard, on a phone, in the dark."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from .choosing import choose
from .sites import AXE, SITE, Opener, serious
from .test_faces import CHINESE, STAYS

pytestmark = pytest.mark.browser
PAGES = [
    "/mini/score",
    "/mini/score?level=department",
    "/mini/score/closing_on_time",
    "/mini/score/intake?level=street&key=9001",
]


def count() -> None:
    """What the worker does every half minute."""
    subprocess.run([sys.executable, "-m", "yiwang.cli", "score", "mini"], env=SITE, check=True, capture_output=True)


@pytest.fixture(scope="module", autouse=True)
def counted(site: str) -> None:
    count()


@pytest.mark.parametrize("path", PAGES)
def test_the_english_pages_are_english_and_fit_a_phone(open_as: Opener, path: str) -> None:
    page = open_as(path, language="en-US", phone=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    assert not set(CHINESE.findall(page.locator("body").inner_text())) - STAYS


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(open_as: Opener, path: str) -> None:
    page = open_as(path)
    assert serious(page) == []


def test_a_figure_leads_to_its_cases_and_a_case_to_its_page(open_as: Opener) -> None:
    reporting = open_as("/mini/report")
    reporting.fill("#text", "路口的垃圾堆了三天")
    choose(reporting, "category", "02001")
    reporting.fill("#lon", "120.005")
    reporting.fill("#lat", "31.005")
    reporting.click("main form button:not(.clear)")
    number = reporting.locator("strong.number").inner_text()
    count()
    page = open_as("/mini/score")
    page.select_option("#level", "community")
    page.wait_for_url(re.compile("level=community"))
    page.locator("td[data-name='上报数'] a").first.click()
    expect(page.locator("h1")).to_have_text("上报数")
    page.get_by_role("link", name=number).click()
    page.wait_for_url(f"**/mini/cases/{number}")
