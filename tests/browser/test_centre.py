"""The command centre, as a shift in a control room uses it: looks, goes down, follows what happens, looks back."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from .sites import Opener

pytestmark = pytest.mark.browser


def reported(site: str, **said: object) -> str:
    body = {"text": "路口的垃圾", "category": "02001", "lon": 120.003, "lat": 31.003, **said}
    request = urllib.request.Request(
        f"{site}/api/v1/cities/mini/reports", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    answer: str = json.load(urllib.request.urlopen(request))["case"]
    return answer


def ready(page: Page) -> Page:
    page.wait_for_selector(".centre[data-ready]")
    page.wait_for_selector("[data-part=map][data-idle=yes]")
    return page


def count(page: Page, part: str) -> int:
    return int(page.locator(f"[data-part={part}]").inner_text())


def test_what_is_reported_appears_without_a_reload(open_as: Opener, site: str) -> None:
    reported(site)
    page = ready(open_as("/mini/centre", role="dispatcher"))
    before = count(page, "opened_today")
    tiles: list[str] = []
    page.on("request", lambda request: tiles.append(request.url) if ".mvt" in request.url else None)
    reported(site, lon=120.007)
    expect(page.locator("[data-part=opened_today]")).to_have_text(str(before + 1), timeout=20_000)
    page.wait_for_timeout(500)
    assert tiles, "the map asked for its tiles again"
    expect(page.locator("[data-part=live]")).to_have_attribute("data-state", "live")


def test_every_figure_leads_to_the_cases_behind_it(open_as: Opener, site: str) -> None:
    reported(site)
    page = ready(open_as("/mini/centre"))
    for part in ("open", "overdue", "soon", "opened_today", "closed_today", "closed_on_time"):
        assert "/mini/cases" in (page.locator(f"[data-part={part}]").get_attribute("href") or ""), part
    number = count(page, "opened_today")
    page.locator("[data-part=opened_today]").click()
    page.wait_for_selector("table.stack")
    # the toy city has fewer cases than a page of the list holds
    assert page.locator("table.stack tbody tr").count() == min(number, 50)
    page.go_back()
    ready(page)
    chart = page.locator("city-chart[data-part=steps]")
    chart.locator("summary").click()
    link = chart.locator("tbody a").first
    name = link.inner_text()
    link.click()
    page.wait_for_selector("table.stack")
    assert set(page.locator("table.stack td[data-column=step]").all_inner_texts()) == {name}


def test_going_down_and_up_again(open_as: Opener, site: str) -> None:
    reported(site)
    page = ready(open_as("/mini/centre"))
    city = page.locator("[data-part=chain] strong").inner_text()
    below = page.locator("[data-part=below] button").first
    street = below.inner_text()
    below.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"region=90\d\d$"))
    expect(below).not_to_have_text(street)  # the address is there before what lies below it
    below.click()
    page.wait_for_url(re.compile(r"region=90\d{4}$"))
    expect(page.locator("[data-part=below-empty]")).to_be_visible()
    page.locator("[data-part=chain] button", has_text=city).click()
    expect(page.locator("[data-part=chain] strong")).to_have_text(city)
    # the address can be kept and sent: it opens where one was
    page.goto(f"{site}/mini/centre?region=9001")
    ready(page)
    expect(page.locator("[data-part=chain] button")).to_have_count(1)


def test_clicking_the_map_goes_down_too(open_as: Opener) -> None:
    page = ready(open_as("/mini/centre"))
    page.locator('input[data-layer="cases"]').uncheck()
    box = page.locator("[data-part=map]").bounding_box()
    assert box
    for share in (0.35, 0.65, 0.5):
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.6)
        page.wait_for_timeout(300)
        if "region=" in page.url:
            break
    assert re.search(r"region=90\d\d", page.url)


def test_looking_back_and_to_now_again(open_as: Opener, site: str) -> None:
    reported(site)
    page = ready(open_as("/mini/centre", language="en-US"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.fill("input[name=day]", "2020-03-02")
    expect(page.locator("[data-part=live]")).to_have_attribute("data-state", "past")
    expect(page.locator("[data-part=open]")).to_have_text("0")
    assert page.locator("[data-part=open]").get_attribute("href") is None
    expect(page.locator("[data-part=units-empty]")).to_contain_text("as of now only")
    page.locator("input[name=minutes]").focus()
    page.keyboard.press("Home")
    expect(page.locator("output")).to_have_text("2020-03-02 00:00")
    page.wait_for_timeout(600)
    assert any("at=2020-03-02T00%3A00%3A00%2B08%3A00" in url and ".mvt" in url for url in asked)
    page.click("[data-now]")
    expect(page.locator("[data-part=live]")).to_have_attribute("data-state", "live")
    assert count(page, "open") > 0


def test_layers_and_filters(open_as: Opener, site: str) -> None:
    reported(site)
    page = ready(open_as("/mini/centre"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.check('input[data-layer="heat"]')
    page.wait_for_timeout(600)
    assert any("form=heat" in url for url in asked)
    page.select_option('select[data-filter="state"]', "all")
    page.select_option('select[data-filter="category"]', "02001")
    page.select_option('select[data-filter="step"]', "dispatched")
    page.wait_for_timeout(600)
    assert any("state=all" in url and "category=02001" in url and "step=dispatched" in url for url in asked)
    # what does not exist yet says so instead of showing an empty layer
    assert page.locator("label.absent input:disabled").count() == 1


def test_a_lost_connection_is_said(open_as: Opener) -> None:
    page = ready(open_as("/mini/centre"))
    page.context.set_offline(True)
    expect(page.locator("[data-part=live]")).to_have_attribute("data-state", "lost", timeout=15_000)
    page.context.set_offline(False)
    expect(page.locator("[data-part=live]")).to_have_attribute("data-state", "live", timeout=15_000)
