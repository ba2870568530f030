"""A project is proposed on a map and voted on by a citizen's phone; neither page has a serious fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from .sites import PASSWORD, SITE, Opener, run_in, serious

pytestmark = pytest.mark.browser
DONE = f"""
import django; django.setup()
import io
from datetime import date, timedelta
from PIL import Image
from yiwang.server.cities.queries import runtime
from yiwang.server.people.operations import create_person
from yiwang.server.projects import operations, work_operations
people = []
for number in (1, 2):
    user, _ = create_person(
        username=f"projects-{{number}}", password={PASSWORD!r}, name="P", name_en="P", city="mini", roles={{"administrator": ("", "")}}
    )
    people.append(user)
first, second = people
said = operations.ProjectSaid(
    name="西南口袋公园", name_en="Pocket park", description="荒地变公园", region="900101", unit="DEPT-WORKS", year=2026, lon=120.003,
    lat=31.003,
)
project = operations.propose(runtime("mini"), said, user=first)
project = operations.choose(project, budget_cents=100, milestones=[("种树", date(2026, 1, 1))], user=second)
operations.begin(project, user=first)
work_operations.finish_milestone(
    project, milestone=project.milestones.get().pk, done_on=date.today() - timedelta(days=1), user=first
)
for moment, colour in (("before", "brown"), ("after", "green")):
    file = io.BytesIO()
    Image.new("RGB", (400, 300), colour).save(file, "JPEG")
    file.seek(0)
    work_operations.add_photos(project, files=[file], moment=moment, user=first)
work_operations.report_done(project, user=first)
"""


@pytest.fixture(scope="module")
def project(site: str) -> str:
    """The path of a project that was reported done."""
    run_in(Path(SITE["YIWANG_HOME"]), DONE)
    return "/mini/projects/2026-001"


def test_a_citizen_votes_on_a_phone(project: str, open_as: Opener) -> None:
    page = open_as(project, phone=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing runs out of the screen"
    before, after = (page.locator(".photos.pair img").nth(number).bounding_box() for number in (0, 1))
    assert before is not None
    assert after is not None
    assert (before["y"], before["x"] < after["x"]) == (after["y"], True), "side by side"
    assert serious(page) == []
    page.get_by_role("button", name="满意", exact=True).click()
    expect(page.get_by_text("您已经评议过了")).to_be_visible()
    expect(page.get_by_text("满意 1，不满意 0")).to_be_visible()


def test_a_project_is_proposed_with_its_place_from_the_map(project: str, open_as: Opener) -> None:
    page = open_as("/mini/projects/new", role="leader", language="en-GB")
    expect(page.locator("city-map canvas")).to_be_visible()
    assert serious(page) == []
    page.fill("#name", "路灯")
    page.fill("#description", "太暗")
    for field, words in (("region", "West Street"), ("unit", "Public works")):
        page.fill(f"#{field}", words)
        page.locator(f"#{field}-list [role=option]").first.click()
    page.locator("city-map canvas").click()
    expect(page.locator("#lon")).not_to_have_value("")
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_role("heading", name="路灯")).to_be_visible()
    expect(page.get_by_text("Proposed", exact=True).first).to_be_visible()
