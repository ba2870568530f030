"""A census in a browser: brought, tried, taken up, the next one compared, and what it found decided on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.choosing import choose
from tests.browser.sites import PASSWORD, SITE, Opener, run_in, serious

pytestmark = pytest.mark.browser

WORK = """
import django; django.setup()
from yiwang.server.common.models import Job
from yiwang.server.provision.tasks import run_job
for job in Job.objects.filter(kind="census-take", state="queued"):
    run_job.func(job.pk)
"""
KEEPER = f"""
import django; django.setup()
from yiwang.server.people.operations import create_person
create_person(
    username="mini-keeper", password={PASSWORD!r}, name="keeper", name_en="keeper", city="mini",
    roles={{"leader": ("CTR-90", "")}}, demo=False
)
"""
HEAD = "编号,名称,经度,纬度,功率\n"
FIRST = HEAD + "1,灯一,120.0021,31.0021,60W\n2,灯二,120.0031,31.0021,60W\n3,灯三,121.5,31.5,60W\n"
SECOND = HEAD + "1,灯一,120.00216,31.0021,60W\n2,灯二,120.0031,31.0021,40W\n4,灯四,120.0041,31.0021,40W\n"


def bring(page: Page, folder: Path, text: str, *, name: str) -> None:
    """Bring a file, try it, take it up, and come to its census."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    choose(page, "kind", "01002")
    page.set_input_files("#file", str(file))
    page.locator("form[enctype] button:visible").last.click()
    expect(page.locator("h1")).to_have_text(name)
    page.locator("button[name=do][value=check]").click()
    page.locator("button[name=do][value=take]").click()
    run_in(Path(SITE["YIWANG_HOME"]), WORK)
    page.reload()
    page.wait_for_url("**/censuses/*")


@pytest.mark.slow
def test_a_census_is_brought_and_what_the_next_one_finds_is_decided(open_as: Opener, tmp_path: Path) -> None:
    run_in(Path(SITE["YIWANG_HOME"]), KEEPER)  # whose unit is the city's: a census is of the whole city
    page = open_as("/mini/censuses", role="keeper", language="en-US")
    assert serious(page) == []
    bring(page, tmp_path, FIRST, name="lamps.csv")
    assert serious(page) == []
    base = page.url.split("/mini/")[0]
    page.goto(f"{base}/mini/components?kind=01002")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert serious(page) == []

    page.goto(f"{base}/mini/censuses")
    bring(page, tmp_path, SECOND, name="again.csv")
    expect(page.locator("main")).to_contain_text("Moved")
    page.get_by_role("link", name="Moved").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert serious(page) == []
    page.locator("tbody button[name=yes]").click()
    expect(page.locator("main")).to_contain_text("1 accepted")
    page.goto(f"{base}/mini/components?kind=01002&q=灯一")
    page.locator("tbody a").first.click()
    page.wait_for_url("**/components/01002-*")
    expect(page.locator("main")).to_contain_text("120.002100 → 120.002160")
    assert serious(page) == []

    phone = open_as(page.url.removeprefix(base), role="handler", phone=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(phone) == []
    for path in ("/mini/components", "/mini/censuses"):
        phone = open_as(path, role="keeper", phone=True)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        assert serious(phone) == []
