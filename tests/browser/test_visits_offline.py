"""A visit is opened and recorded without a network, and sent when there is one."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .phones import photo, until
from .sites import SITE, Opener, run_in

pytestmark = pytest.mark.browser
DRAWN = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from yiwang.server.cities.queries import runtime
from yiwang.server.inspections.planning import CampaignSaid, commit_to, draw_campaign
today = datetime.now(UTC).date()
said = CampaignSaid(
    key="offline", name="离线检查", name_en="Offline", checklist="streets", strata="street", total=4, inspectors=("mini-inspector",),
    avoids={}, team=1, second_share=0.0, begins=today - timedelta(days=1), ends=today + timedelta(days=1),
)
draw_campaign(commit_to(runtime("mini"), said, by="mini-leader"), by="mini-leader")
"""


@pytest.fixture(scope="module")
def drawn(site: str) -> None:
    run_in(Path(SITE["YIWANG_HOME"]), DRAWN)


def kept(page: Page) -> int:
    return int(
        page.evaluate(
            """async () => { if (!(await caches.has("yiwang-visits-mini"))) return 0; const cache = await caches.open("yiwang-visits-mini");
            return (await cache.keys()).filter(one => /visits.[0-9]+$/.test(new URL(one.url).pathname)).length; }"""
        )
    )


def record(page: Page, *, dust: str, litter: str) -> None:
    page.fill("#v-dust", dust)
    page.fill("#v-litter", litter)
    page.locator('input[name="value-stalls"][value="1"]').check()
    page.get_by_role("button", name="提交记录").click()


def test_a_visit_is_recorded_without_a_network(drawn: None, open_as: Opener) -> None:
    page = open_as("/mini/inspections/mine", role="inspector", phone=True)
    links = page.locator("[data-visit-link]")
    count = links.count()
    assert count == 4
    until(lambda: kept(page) == count)
    page.reload()  # from now on the worker stands between this page and the network
    until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    page.context.set_offline(True)
    page.reload()
    expect(links).to_have_count(count)
    links.first.click()
    expect(page.locator("form[data-visit]")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px", "with its styles"
    page.locator("#p-litter").set_input_files(photo())
    record(page, dust="4", litter="3")
    expect(page.locator("[data-said]")).to_contain_text("留在这台手机上")
    page.goto(page.url.rsplit("/", 2)[0] + "/mine")
    waiting = page.locator("[data-unsent]")
    expect(waiting.locator("li")).to_have_count(1)
    expect(waiting).to_contain_text("等待提交")
    page.context.set_offline(False)
    expect(waiting).to_be_hidden(timeout=15_000)
    expect(page.locator("li", has_text="已检查")).to_have_count(1)


def test_what_the_server_refuses_stays_with_its_reason(drawn: None, open_as: Opener) -> None:
    page = open_as("/mini/inspections/mine", role="inspector", phone=True)
    links = page.locator("[data-visit-link]")
    until(lambda: kept(page) == links.count())
    page.reload()
    until(lambda: page.evaluate("navigator.serviceWorker.controller !== null"))
    links.nth(1).click()
    page.wait_for_selector("form[data-visit]")
    page.context.set_offline(True)
    record(page, dust="4", litter="3")  # the photo that this item needs is not there
    expect(page.locator("[data-said]")).to_be_visible()
    page.goto(page.url.rsplit("/", 2)[0] + "/mine")
    page.context.set_offline(False)
    waiting = page.locator("[data-unsent]")
    expect(waiting.locator(".errors")).to_contain_text("照片", timeout=15_000)
    waiting.get_by_role("button", name="放弃这份记录").click()
    expect(waiting.locator("li")).to_have_count(0)
    page.reload()
    expect(waiting).to_be_hidden()


def test_pages_of_visits_go_when_their_person_signs_out(drawn: None, open_as: Opener) -> None:
    page = open_as("/mini/inspections/mine", role="inspector")
    until(lambda: kept(page) > 0)
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(lambda address: "/inspections/mine" not in address)
    assert kept(page) == 0
