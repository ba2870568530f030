"""Take the screenshots of docs/guide from a seeded site: ``make docs``, or with --base from a site already up.

``--walk`` writes only the strip of pictures of docs/guide/walk.md, from the recorded walk of tests/browser/test_walk.py."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from yiwang.packs import read_pack
from yiwang.server.scrutiny.workflow_svg import workflow_svg

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "guide" / "images"
PICTURES = ROOT / "docs" / "reference" / "images"
WALK = ROOT / "docs" / "guide" / "walk.md"
DESKTOP: ViewportSize = {"width": 1360, "height": 850}
PHONE: ViewportSize = {"width": 390, "height": 844}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# name, path, who is signed in ("" = nobody), window, language
SHOTS = [
    ("overview", "/wuxi/", "", DESKTOP),
    ("cases", "/wuxi/cases?state=open", "", DESKTOP),
    ("case", "CASE", "wuxi-dispatcher", DESKTOP),
    ("case-phone", "CASE", "wuxi-dispatcher", PHONE),
    ("centre", "/wuxi/centre", "wuxi-dispatcher", DESKTOP),
    ("centre-night", "/wuxi/centre?region=320213", "wuxi-dispatcher", DESKTOP),
    ("centre-phone", "/wuxi/centre", "wuxi-dispatcher", PHONE),
    ("map", "/wuxi/map", "", DESKTOP),
    ("report", "/wuxi/report", "", DESKTOP),
    ("report-phone", "/wuxi/report", "", PHONE),
    ("rules", "/wuxi/rules", "", DESKTOP),
    ("field", "/wuxi/field", "wuxi-inspector", PHONE),
    ("field-desktop", "/wuxi/field", "wuxi-inspector", DESKTOP),
    ("field-map", "/wuxi/field#map", "wuxi-inspector", PHONE),
    ("field-report", "/wuxi/field#report", "wuxi-inspector", PHONE),
    ("score", "/boston/score?month=2011-10", "", DESKTOP),
    ("score-explained", "/boston/score/closing_on_time?level=district&month=2011-10&key=BO10B", "", DESKTOP),
    ("score-phone", "/boston/score?month=2011-10", "", PHONE),
    ("score-own", "/wuxi/score/of/district?key=320213", "", DESKTOP),
    ("admin", "/wuxi/admin", "wuxi-administrator", DESKTOP),
    ("admin-phone", "/wuxi/admin", "wuxi-administrator", PHONE),
    ("admin-rules", "/wuxi/admin/rules", "wuxi-administrator", DESKTOP),
    ("help", "/wuxi/help", "wuxi-dispatcher", DESKTOP),
    ("help-phone", "/wuxi/help", "wuxi-dispatcher", PHONE),
    ("portal", "/wuxi/portal", "", DESKTOP),
    ("portal-phone", "/wuxi/portal", "", PHONE),
    ("portal-report-phone", "/wuxi/portal/report", "", PHONE),
    ("portal-follow-phone", "FOLLOW", "", PHONE),
    ("portal-idea", "IDEA", "wuxi-evaluator", DESKTOP),
    ("portal-score", "/wuxi/portal/score", "", DESKTOP),
    ("desk-dispatcher", "/wuxi/desk/dispatcher?kind=all", "wuxi-dispatcher", DESKTOP),
    ("desk-phone", "/wuxi/desk/dispatcher?kind=all", "wuxi-dispatcher", PHONE),
    ("desk-intake", "/wuxi/desk/intake/new", "wuxi-intake", DESKTOP),
    ("portal-moderation", "/wuxi/portal/moderation", "wuxi-shift_leader", DESKTOP),
]


# every face, on a desktop and on a phone: the page docs/guide/pictures.md
FACES = [
    ("一屏统览 · Command centre", "centre", "centre-phone"),
    ("工作台 · Desks", "desk-dispatcher", "desk-phone"),
    ("案卷页 · Case page", "case", "case-phone"),
    ("现场应用 · Field app", "field-desktop", "field"),
    ("市民门户 · Citizens' portal", "portal", "portal-phone"),
    ("评分 · Score", "score", "score-phone"),
    ("管理 · Administration", "admin", "admin-phone"),
    ("帮助 · Help", "help", "help-phone"),
]


def gallery() -> str:
    """The page that shows each face in both languages."""
    parts = ["# 各界面 · Every face", "", "<!-- written by scripts/make_docs.py; do not edit -->"]
    for title, desktop, phone in FACES:
        parts += ["", f"## {title}", "", "| 中文 | English |", "|---|---|"]
        for name in (desktop, phone):
            cells = [f"![{title}]({IMAGES.name}/{name}-{language}.webp)" for language in ("zh", "en")]
            parts.append(f"| {cells[0]} | {cells[1]} |")
    return "\n".join([*parts, ""])


def draw_workflows() -> None:
    """The workflow of each pack as a picture, from the file that the engine runs."""
    for city in ("wuxi", "boston"):
        workflow = read_pack(ROOT / "packs" / city).workflow
        for language in ("zh", "en"):
            drawing = workflow_svg(workflow, language=language)
            (PICTURES / f"workflow-{city}-{language}.svg").write_text(drawing, encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(base: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if urllib.request.urlopen(f"{base}/healthz", timeout=2).status == 200:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    sys.exit(f"the site at {base} did not come up within {seconds:.0f} s")


def wait_for_jobs(base: str, seconds: float) -> None:
    """Let the simulated month and the replay fill the pages."""
    until = time.monotonic() + seconds
    for city in ("wuxi", "boston"):
        while (
            time.monotonic() < until and b"hx-get" in urllib.request.urlopen(f"{base}/{city}/jobs", timeout=10).read()
        ):
            time.sleep(2)


def open_page(browser: Browser, base: str, *, language: str, window: ViewportSize, user: str, dark: bool) -> Page:
    locale = "zh-CN" if language == "zh" else "en-US"
    page = browser.new_context(viewport=window, locale=locale, color_scheme="dark" if dark else "light").new_page()
    if user:
        page.goto(f"{base}/sign-in")
        page.click(f'[data-sign-in="{user}"]')
        page.wait_for_load_state("networkidle")
    return page


def reported(page: Page, base: str) -> str:
    """Report as a citizen does; the path on which this browser may follow it."""
    page.goto(f"{base}/wuxi/portal/report")
    page.evaluate("document.querySelector('form.steps').classList.remove('stepped')")
    page.evaluate("document.querySelectorAll('[data-part]').forEach(part => part.hidden = false)")
    page.fill("#address", "滨湖区")
    page.fill("#text", "湖边步道的垃圾箱满了两天，请打13812345678")
    page.evaluate("document.querySelector('[name=seen]').value = '1'")
    page.locator("button.big", has_text=re.compile("提交|Send")).click()
    page.wait_for_selector(".received")
    return page.locator('a[href*="/portal/follow/"].button').get_attribute("href") or "/"


def proposed(page: Page, base: str) -> str:
    """Propose an idea and answer it; its path."""
    page.goto(f"{base}/wuxi/portal/ideas/new")
    page.fill("#title", "公园里多设直饮水点")
    page.fill("#text", "夏天跑步的人多，建议湖边每两公里设一个。")
    page.click("main form button")
    page.wait_for_selector("#answer")
    page.fill("#answer", "已请市政处评估管网，下月底前答复。")
    page.click('form[action$="/answer"] button')
    page.wait_for_selector(".answer")
    return page.url.removeprefix(base)


def take(browser: Browser, base: str, only: str) -> None:
    for name, path, user, window in SHOTS:
        if only and not re.search(only, name):
            continue
        for language in ("zh", "en"):
            page = open_page(browser, base, language=language, window=window, user=user, dark="night" in name)
            if path == "CASE":
                page.goto(f"{base}/wuxi/cases?state=open&order=deadline")
                path = page.locator('td a[href*="/cases/"]').first.get_attribute("href") or "/"
            asked = reported(page, base) if path == "FOLLOW" else proposed(page, base) if path == "IDEA" else path
            page.goto(f"{base}{asked}")
            page.wait_for_load_state("networkidle")
            if page.locator(".centre").count():
                page.wait_for_selector(".centre[data-ready]", timeout=20_000)
                page.wait_for_selector("[data-part=map][data-idle=yes]", timeout=20_000)
                page.wait_for_timeout(1200)
            if page.locator("city-map").count():
                page.wait_for_selector("city-map[data-ready]", timeout=20_000)
                page.wait_for_timeout(1200)
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                picture.convert("RGB").save(IMAGES / f"{name}-{language}.webp", quality=38, method=6)
            page.context.close()
            print(f"{name}-{language}.webp", file=sys.stderr)


def walk() -> None:
    """Walk a case through all faces and write what was seen as a strip of small pictures with captions."""
    strip = IMAGES / "walk"
    with tempfile.TemporaryDirectory(prefix="yiwang-walk-") as folder:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "tests/browser/test_walk.py", "-k", "all_faces"]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "YIWANG_RECORD": folder}, check=True)
        seen = Path(folder, "zh")
        steps = json.loads((seen / "strip.json").read_text(encoding="utf-8"))
        shutil.rmtree(strip, ignore_errors=True)
        strip.mkdir(parents=True)
        for step in steps:
            with Image.open(seen / step["picture"]) as picture:
                width = 300 if picture.width < 600 else 760
                small = picture.convert("RGB").resize((width, round(picture.height * width / picture.width)))
                small.save(strip / Path(step["picture"]).with_suffix(".webp").name, quality=62, method=6)
    lines = [
        "# 一件案卷走遍全网 · One case through all faces",
        "",
        "<!-- written by scripts/make_docs.py --walk from tests/browser/test_walk.py; do not edit -->",
        "",
        "同一次浏览器走查的截图：测试每次都这样走一遍，人员和照片都是编造的。",
        "The pictures of one run of the browser test that walks this way every time; people and photos are invented.",
        "`YIWANG_RECORD=folder pytest tests/browser/test_walk.py` records it again: traces (`playwright show-trace`),",
        "videos where Playwright's ffmpeg is installed (`playwright install ffmpeg`), pictures.",
        "",
    ]
    for number, step in enumerate(steps, start=1):
        name = Path(step["picture"]).with_suffix(".webp").name
        lines += [f"{number}. {step['zh']} · {step['en']}", "", f"   ![{step['en']}](images/walk/{name})", ""]
    WALK.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="", help="a site that is already up, e.g. http://127.0.0.1:8000")
    parser.add_argument("--only", default="", help="regular expression over the pictures' names")
    parser.add_argument("--walk", action="store_true", help="only the strip of pictures of the walk")
    arguments = parser.parse_args()
    if arguments.walk:
        return walk()
    IMAGES.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    draw_workflows()
    if not arguments.base and not arguments.only:
        walk()
    (IMAGES.parent / "pictures.md").write_text(gallery(), encoding="utf-8")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium is not installed; screenshots need it (Debian: apt-get install chromium fonts-noto-cjk)")
    site = None
    with tempfile.TemporaryDirectory(prefix="yiwang-docs-") as home:
        base = arguments.base
        if not base:
            port = free_port()
            base = f"http://127.0.0.1:{port}"
            command = [str(Path(sys.executable).parent / "yiwang"), "demo", "--port", str(port)]
            site = subprocess.Popen(command, env={**os.environ, "YIWANG_HOME": home}, stdout=subprocess.DEVNULL)
        try:
            wait_for(base, 300)
            if site:
                wait_for_jobs(base, 600)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                take(browser, base, arguments.only)
                browser.close()
        finally:
            if site:
                site.terminate()
                site.wait(timeout=30)


if __name__ == "__main__":
    main()
