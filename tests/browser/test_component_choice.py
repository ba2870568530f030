"""A report names a component near its place, in each of the three forms; the command centre shows them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.sites import AXE, PASSWORD, PREPARE, running_site, serious

pytestmark = pytest.mark.browser

LAMP = "01002"
AT = (120.004, 31.004)
COMPONENTS = f"""
from pathlib import Path
import os
from yiwang.server.assets.api import Options, take_census
file = Path(os.environ["YIWANG_HOME"], "lamps.csv")
file.write_text("编号,名称,经度,纬度\\n1,灯一,120.0041,31.004\\n2,灯二,120.0043,31.004\\n3,灯三,120.009,31.009\\n", "utf-8")
take_census(city="mini", kind={LAMP!r}, path=file, options=Options())
"""


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose toy city has three lamps, two of them within 50 m of `AT`."""
    with running_site(tmp_path_factory.mktemp("lamps"), prepare=PREPARE + COMPONENTS) as base:
        yield base


class Opened:
    """Opens pages of the site, as a role or as nobody; what went wrong in their scripts is kept."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser, self.site, self.faults = browser, site, list[str]()

    def __call__(self, path: str, *, role: str = "", language: str = "zh-CN", scripts: bool = True) -> Page:
        context = self.browser.new_context(
            viewport={"width": 1280, "height": 900}, locale=language, java_script_enabled=scripts
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{self.site}/sign-in?next={path}" if role else f"{self.site}{path}")
        if role:
            page.fill("#username", f"mini-{role}")
            page.fill("#password", PASSWORD)
            page.click("form[data-sign-in-form] button")
        return page


@pytest.fixture
def opened(browser: Browser, lamps: str) -> Iterator[Opened]:
    found = Opened(browser, lamps)
    yield found
    for context in browser.contexts:
        context.close()
    assert found.faults == []


def pin(page: Page, lon: float = AT[0], lat: float = AT[1]) -> None:
    """Click the map there, seen from near by."""
    page.wait_for_selector("city-map[data-ready]")
    map_ = "document.querySelector('city-map').canvas"
    page.evaluate(f"{map_}.jumpTo({{center: [{lon}, {lat}], zoom: 17}})")
    x, y = page.evaluate(f"(({{x, y}}) => [x, y])({map_}.project([{lon}, {lat}]))")
    page.locator(".maplibregl-canvas").click(position={"x": x, "y": y})


def wait_until(page: Page, condition: str) -> None:
    """Wait in the page for a condition: what polls from outside evaluates texts again, which the page's policy forbids."""
    page.evaluate(
        f"() => new Promise(done => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 100); look(); }})"
    )


def code(page: Page) -> str:
    return page.locator("input[name=component]").input_value()


def codes(lamps: str) -> dict[str, str]:
    rows = httpx.get(f"{lamps}/api/v1/cities/mini/components").json()["items"]
    return {row["name"]: row["code"] for row in rows}


def test_the_staffs_report_names_the_one_that_is_chosen_and_it_can_be_taken_back(opened: Opened, lamps: str) -> None:
    page = opened("/mini/report", role="inspector")
    choice = page.locator("component-choice")
    expect(choice.locator("h3")).to_be_hidden()
    pin(page)
    items = choice.locator("li button")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text(re.compile("灯一.*约 (9|10|11) 米"))
    items.nth(1).click()
    expect(choice.locator("[data-chosen]")).to_contain_text("灯二")
    assert code(page) == codes(lamps)["灯二"]
    expect(items.nth(1)).to_have_attribute("aria-pressed", "true")
    choice.get_by_role("button", name="取消选择").click()
    assert code(page) == ""
    expect(choice.locator("[data-chosen]")).to_be_hidden()
    items.first.click()
    page.fill("#text", "灯杆歪了")
    page.get_by_role("button", name="提交").click()
    page.wait_for_selector("main a[href*='/cases/']")
    link = page.locator("main a[href*='/cases/']").first.get_attribute("href") or ""
    page.goto(lamps + link)
    expect(page.locator("main")).to_contain_text(codes(lamps)["灯一"])


def test_one_that_is_hit_on_the_map_is_chosen_and_one_left_behind_is_said(opened: Opened, lamps: str) -> None:
    page = opened("/mini/report", role="inspector", language="en-US")
    pin(page)
    choice = page.locator("component-choice")
    expect(choice.locator("li")).to_have_count(2)
    wait_until(
        page, "document.querySelector('city-map').canvas.queryRenderedFeatures({layers: ['near-components']}).length"
    )
    pin(page, 120.0041, 31.004)
    expect(page.locator("#lon")).to_have_value("120.004100")
    assert code(page) == codes(lamps)["灯一"]
    expect(choice.locator("[data-away]")).to_be_hidden()
    page.fill("#lon", "120.007")  # typed coordinates move the pin, and what is near is asked again
    expect(choice.locator("[data-away]")).to_be_visible()
    assert code(page) == codes(lamps)["灯一"], "nothing is lost"
    expect(choice.locator("li")).to_have_count(0)


def test_a_place_that_is_found_by_its_name_puts_the_pin_there(opened: Opened) -> None:
    page = opened("/mini/report", role="inspector", language="en-US")
    page.wait_for_selector("city-map[data-ready]")
    page.get_by_role("button", name="Find a place").click()
    page.locator(".map-tools input[type=search]").fill("120.004, 31.004")
    page.locator(".map-tools input[type=search]").press("Enter")  # which sends no form
    page.locator(".map-tools li button").first.click()
    expect(page.locator("#lon")).to_have_value("120.004000")
    expect(page.locator("component-choice li")).to_have_count(2)
    page.get_by_role("button", name="Layers").click()
    page.locator(".map-tools label", has_text="Components").locator("input").check()
    wait_until(page, "document.querySelector('city-map').canvas.getLayer('components') !== undefined")


def test_the_desks_intake_form_offers_them_and_keeps_the_choice_after_an_error(opened: Opened, lamps: str) -> None:
    page = opened("/mini/desk/intake/new", role="intake")
    pin(page)
    page.locator("component-choice li button").nth(1).click()
    page.evaluate("document.querySelector('#text').required = false")
    page.locator("form.intake button", has_text="立为新案卷").click()
    expect(page.locator(".errors")).to_be_visible()
    assert code(page) == codes(lamps)["灯二"]
    expect(page.locator("[data-chosen]")).to_contain_text("灯二")
    page.fill("#text", "路灯不亮")
    page.locator("form.intake button", has_text="立为新案卷").click()
    page.locator("[data-report]").wait_for()
    page.goto(f"{lamps}/mini/cases/{page.locator('strong.number').first.inner_text()}")
    expect(page.locator("main")).to_contain_text(codes(lamps)["灯二"])


def test_the_portal_offers_class_and_code_and_no_names(opened: Opened, lamps: str) -> None:
    page = opened("/mini/portal/report", language="en-US")
    page.locator(".step-buttons button.big").first.click()
    page.click("[data-map]")
    pin(page)
    items = page.locator("component-choice li button")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text(codes(lamps)["灯一"])
    assert "灯一" not in page.locator("component-choice").inner_text()
    items.first.click()
    expect(page.locator("[data-chosen]")).to_contain_text(codes(lamps)["灯一"])
    page.locator(".step-buttons:visible button.big").click()
    page.fill("#text", "The lamp is dark")
    page.locator("button.big:visible", has_text="Send").click()
    number = page.locator(".received strong.number").inner_text()
    staff = opened(f"/mini/cases/{number}", role="leader")
    expect(staff.locator("main")).to_contain_text(codes(lamps)["灯一"])


def test_a_scanned_label_is_chosen_from_the_beginning_and_without_scripts(opened: Opened, lamps: str) -> None:
    lamp = codes(lamps)["灯一"]
    plain = opened(f"/mini/portal/report?component={lamp}", scripts=False)
    assert code(plain) == lamp
    expect(plain.locator("[data-scanned]")).to_contain_text(lamp)
    expect(plain.locator("[data-take-back]")).to_be_hidden()
    page = opened(f"/mini/report?component={lamp}", role="inspector")
    expect(page.locator("component-choice li button[aria-pressed=true]")).to_have_count(1)
    page.click("[data-take-back]")
    assert code(page) == ""
    expect(page.locator("[data-scanned]")).to_be_hidden()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
def test_axe_finds_nothing_in_a_form_with_a_choice(opened: Opened) -> None:
    page = opened("/mini/report", role="inspector")
    pin(page)
    page.locator("component-choice li button").first.click()
    assert serious(page) == []


def test_the_command_centre_shows_components_when_they_are_wanted(opened: Opened) -> None:
    page = opened("/mini/centre", language="en-US")
    page.wait_for_selector(".centre[data-ready]")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    layer, legend = page.locator("input[data-layer=components]"), page.locator("[data-part=components]")
    expect(layer).not_to_be_checked()
    expect(legend).to_be_hidden()
    layer.check()
    expect(legend).to_contain_text("Street lamp out 3")
    expect(legend).to_contain_text("Damaged")
    drawn = """document.querySelector('city-map').canvas.queryRenderedFeatures(
        {layers: ['components', 'component-counts']}).length > 0"""
    wait_until(page, drawn)
    assert any("/tiles/components/" in url for url in asked)
    layer.uncheck()
    expect(legend).to_be_hidden()
    wait_until(page, f"!({drawn})")
