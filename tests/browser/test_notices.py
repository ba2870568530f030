"""The bell in a browser: in sight on a phone, lazily counted, and the page that it leads to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.sites import SITE, Desk, Opener, run_in, serious

pytestmark = pytest.mark.browser

CASE = """
import django; django.setup()
from yiwang.core.cases.events import Actor, Command
from yiwang.server.cases.api import ReportDraft, act_on_case, drain_outbox, report_case
from yiwang.server.notices.operations import take_note
def actor(*roles): return Actor(id="user:0", name="t", roles=frozenset(roles), unit="CTR-90")
draft = ReportDraft(text="垃圾", category="02001", lon=120.004, lat=31.003)
number = report_case(city="mini", draft=draft, actor=actor("citizen"))["case"]
act_on_case(number=number, command=Command(verb="file", actor=actor("leader")))
act_on_case(number=number, command=Command(verb="dispatch", actor=actor("dispatcher"), payload={"unit": "SWEEP-9001"}))
drain_outbox(correspondents=[take_note])
"""


@pytest.mark.slow
def test_a_handler_sees_the_bell_and_comes_to_the_case(open_as: Opener, desks: dict[str, Desk]) -> None:
    run_in(Path(SITE["YIWANG_HOME"]), CASE)
    number = desks["handler"].cases()[0]["number"]
    page = open_as("/mini/notices", role="handler", language="en", phone=True)
    bell = page.locator(".bell")
    assert bell.is_visible()
    before = int(bell.locator(".count").inner_text().split()[0])
    assert before >= 1
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    line = page.locator(".notices li", has_text=number).first
    line.locator("a").click()
    page.wait_for_url(f"**/mini/cases/{number}")
    page.wait_for_load_state("networkidle")
    left = bell.locator(".count")
    assert (int(left.inner_text().split()[0]) if left.count() else 0) == before - 1
    page.goto(page.url.split("/mini/")[0] + "/mini/notices/settings")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
