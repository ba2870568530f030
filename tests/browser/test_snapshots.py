"""What the main pages look like: compared with small references, on a site whose clock stands still.

``YIWANG_RENEW_SNAPSHOTS=1 pytest tests/browser/test_snapshots.py`` (``make snapshots``) writes the references anew;
``YIWANG_SNAPSHOTS=folder`` keeps the screenshots at full size, to be looked at.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from tests.narrowing import present
from tests.toy_city import MINI

from .comparing import MOST, difference, kept
from .sites import AXE, PASSWORD, running_site, serious
from .walking import street

pytestmark = pytest.mark.browser
REFERENCES = Path(__file__).parent / "references"
FOLDER = os.environ.get("YIWANG_SNAPSHOTS", "")
RENEW = bool(os.environ.get("YIWANG_RENEW_SNAPSHOTS"))
NOW = datetime.fromisoformat("2026-03-10T10:00:00+08:00")
Scheme = Literal["light", "dark"]
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 1500}, "phone": {"width": 390, "height": 1300}}
FROZEN = f"""
import time_machine
PASSWORD, PACK = {PASSWORD!r}, {str(MINI)!r}
time_machine.travel({NOW.isoformat()!r}, tick=False).start()
"""
PREPARE = (Path(__file__).parent / "frozen_city.py").read_text("utf-8")
CHANGE, DONE = "/mini/admin/rules/changes/1", "/mini/cases/MN2026030800001"
# name, who (empty: nobody), path
PAGES = [
    ("home", "", "/"),
    ("portal", "", "/mini/portal"),
    ("report", "", "/mini/portal/report"),
    ("desk", "dispatcher", "/mini/desk/dispatcher"),
    ("desk-empty", "intake", "/mini/desk/intake"),
    ("case", "leader", DONE),
    ("field", "handler", "/mini/field"),
    ("grid", "administrator", f"{CHANGE}/routing"),
    ("change", "administrator", CHANGE),
    ("help", "leader", "/mini/help"),
    ("centre", "dispatcher", "/mini/centre"),
]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site where it is always ten o'clock of one Tuesday."""
    home = tmp_path_factory.mktemp("still")
    (home / "frozen.py").write_text(FROZEN, "utf-8")
    (home / "still.py").write_text("import frozen\nfrom yiwang.server.rsgi import site\n", "utf-8")
    (home / "dark.jpg").write_bytes(street(lit=False))
    (home / "lit.jpg").write_bytes(street(lit=True))
    with running_site(home, prepare=PREPARE, application="still:site") as base:
        yield base


Looker = Callable[..., Page]


@pytest.fixture(scope="module")
def look(browser: Browser, still: str) -> Iterator[Looker]:
    """Open a page as somebody, in a size, by day or night, and wait until it stands still."""
    contexts: dict[tuple[str, ...], BrowserContext] = {}

    def at(
        path: str, *, who: str = "", size: str = "desktop", scheme: Scheme = "light", language: str = "zh-CN"
    ) -> Page:
        known = (who, size, scheme, language)
        if known not in contexts:
            context = browser.new_context(
                viewport=SIZES[size], locale=language, color_scheme=scheme, reduced_motion="reduce", service_workers="block"
            )  # fmt: skip
            context.clock.set_fixed_time(NOW)
            if who:
                page = context.new_page()
                page.goto(f"{still}/sign-in")
                page.fill("#username", f"mini-{who}")
                page.fill("#password", PASSWORD)
                page.click("form[data-sign-in-form] button")
                page.wait_for_load_state("networkidle")
                page.close()
            contexts[known] = context
        page = contexts[known].new_page()
        page.goto(f"{still}{path}")
        page.wait_for_load_state("networkidle")
        if page.locator("field-app").count():
            page.wait_for_selector("field-app[data-synced]")
        if page.locator(".centre").count():
            page.wait_for_selector(".centre[data-ready]")
        # maps are drawn by the graphics card: another picture on each machine
        page.add_style_tag(
            content="city-map > *, .centre [data-part=map] > * { visibility: hidden !important } * { caret-color: transparent !important }"
        )
        return page

    yield at
    for context in contexts.values():
        context.close()


@pytest.fixture(scope="module")
def drafted(look: Looker) -> None:
    """A change of rules with one row edited and one that has a fault."""
    page = look("/mini/admin/rules", who="administrator")
    if not page.locator("#title").is_visible():
        page.locator("#changes summary").click()
    page.fill("#title", "垃圾改派市政处")
    page.fill("#reason", "会议纪要第 3 条")
    page.locator("#changes form button").click()
    page.wait_for_url(re.compile(CHANGE))
    page.goto(f"{page.url}/routing")
    page.get_by_label("R005 unit").fill("DEPT-WORKS")
    page.get_by_label("R003 unit").fill("NOBODY")
    page.get_by_role("button", name="保存并检查").click()
    page.locator("td.bad").first.wait_for()
    page.close()


def shown(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize(("name", "who", "path"), PAGES, ids=[name for name, _, _ in PAGES])
@pytest.mark.usefixtures("drafted")
def test_a_page_looks_as_it_did(
    look: Looker, tmp_path: Path, name: str, who: str, path: str, size: str, scheme: Scheme
) -> None:
    page = look(path, who=who, size=size, scheme=scheme)
    picture = shown(page)
    page.close()
    folder = Path(FOLDER) if FOLDER else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    taken, reference = folder / f"{name}-{size}-{scheme}.png", REFERENCES / f"{name}-{size}-{scheme}.webp"
    picture.save(taken)
    if RENEW:
        REFERENCES.mkdir(exist_ok=True)
        kept(picture).save(reference, quality=55, method=6)
    with Image.open(reference) as before:
        apart = difference(picture, before)
    assert apart <= MOST[size], f"{taken} is not like {reference}: {apart:.1%} of it differs"


FONTS = ["'DejaVu Serif', serif", "'Liberation Sans', sans-serif", "'DejaVu Sans Mono', monospace"]


@pytest.mark.parametrize("font", FONTS)
def test_another_font_on_a_desk_is_alike(look: Looker, font: str) -> None:
    for name, who, path in PAGES[:6]:
        page = look(path, who=who)
        before = shown(page)
        page.add_style_tag(content=f"* {{ font-family: {font} !important }}")
        assert difference(shown(page), before) <= MOST["desktop"], name
        page.close()


@pytest.mark.parametrize("size", list(SIZES))
def test_a_missing_part_an_empty_list_and_another_colour_are_seen(look: Looker, size: str) -> None:
    page = look(DONE, who="leader", size=size)
    before = shown(page)
    page.evaluate("document.querySelector('[data-compare]').closest('.card').remove()")
    assert difference(shown(page), before) > MOST[size], "a section is missing"
    assert difference(shown(look(DONE, who="leader", size=size, scheme="dark")), before) > MOST[size], "by night"
    queue, empty = (shown(look(f"/mini/desk/{role}", who=role, size=size)) for role in ("dispatcher", "intake"))
    assert difference(queue, empty) > MOST[size], "an empty list"


def test_the_references_are_few_and_small() -> None:
    found = list(REFERENCES.glob("*.webp"))
    assert len(found) == len(PAGES) * len(SIZES) * 2
    assert sum(path.stat().st_size for path in found) <= 600_000


def test_the_case_page_on_paper_has_no_buttons_and_all_of_the_story(look: Looker, tmp_path: Path) -> None:
    page = look(DONE, who="leader", scheme="dark")
    page.emulate_media(media="print")
    for selector in ("header.bar", ".no-print", ".acts", "main form", "#changed"):
        assert page.locator(f"{selector}:visible").count() == 0, selector
    assert page.locator(".story > li:visible").count() >= 10
    for selector in ("html", ".card"):
        paper = page.locator(selector).first.evaluate("part => getComputedStyle(part).backgroundColor")
        assert paper == "rgb(255, 255, 255)", f"{selector}: white, by night too"
    page.screenshot(path=(Path(FOLDER) if FOLDER else tmp_path) / "case-print.png", full_page=True)


def test_the_banner_stands_over_the_page_when_somebody_acts(look: Looker, tmp_path: Path) -> None:
    path = "/mini/cases/MN2026031000004"
    page = look(path, who="leader", scheme="dark")
    other = look(path, who="dispatcher")
    other.locator('form[action$="/verbs/note"]').locator("xpath=..").locator("summary").click()
    other.fill('form[action$="/verbs/note"] [name="note"]', "现场有车挡着")
    other.locator('form[action$="/verbs/note"] button').click()
    page.locator(".changed").wait_for(timeout=30_000)
    page.set_viewport_size({"width": 1280, "height": 700})
    page.evaluate("scrollTo(0, 500)")
    page.wait_for_function("scrollY > 200")
    assert present(page.locator(".changed").bounding_box())["y"] < 60
    page.screenshot(path=(Path(FOLDER) if FOLDER else tmp_path) / "case-banner.png")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in web/)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("drafted")
def test_axe_finds_nothing_serious_by_day_or_night(look: Looker, scheme: Scheme) -> None:
    for name, who, path in PAGES:
        page = look(path, who=who, scheme=scheme)
        assert serious(page) == [], name
        page.close()
