"""People who walk through a site: each with a browser of their own, and a strip of pictures of what they saw.

With the environment variable ``YIWANG_RECORD=folder`` the walk is recorded: a Playwright trace of every person (open it
with ``playwright show-trace``), a video where Playwright's ffmpeg is installed, and ``strip.json`` with the pictures.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .choosing import enter, unfold
from .sites import CHROMIUM, FLAGS, PASSWORD

DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
FOLDER = os.environ.get("YIWANG_RECORD", "")


def can_film() -> bool:
    """Whether Playwright has its own ffmpeg; a system's is not used by it."""
    kept = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "") or Path.home() / ".cache" / "ms-playwright")
    return any(kept.glob("ffmpeg*"))


class Walk:
    """A site, the people who use it, and what is recorded."""

    def __init__(self, *, browser: Browser, site: str, city: str, name: str, language: str, home: Path) -> None:
        self.browser, self.site, self.city, self.language, self.home = browser, site, city, language, home
        self.folder = Path(FOLDER) / name if FOLDER else None
        self.open: dict[str, tuple[BrowserContext, Page]] = {}
        self.strip: list[dict[str, str]] = []
        self.errors: list[str] = []
        self.traces = 0
        self.clicks = 0

    def __enter__(self) -> Self:
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for who in list(self.open):
            self.leave(who)
        if self.folder:
            (self.folder / "strip.json").write_text(json.dumps(self.strip, ensure_ascii=False, indent=1), "utf-8")
        assert kind or not self.errors, self.errors

    def _options(self, *, phone: bool) -> dict[str, Any]:
        options: dict[str, Any] = {"viewport": PHONE if phone else DESKTOP, "locale": self.language}
        if self.folder and can_film():
            options |= {"record_video_dir": str(self.folder), "record_video_size": options["viewport"]}
        return options

    def _met(self, who: str, context: BrowserContext, page: Page) -> Page:
        if self.folder:
            context.tracing.start(screenshots=True, snapshots=True)
        # every click of a person, by hand or by Enter on a button; not what a script does
        context.expose_function("countClick", self._click)
        context.add_init_script(
            "addEventListener('click', event => { if (event.isTrusted) countClick(); }, { capture: true });"
        )
        page.on("pageerror", lambda error: self.errors.append(f"{who}: {error}"))
        self.open[who] = (context, page)
        return page

    def _click(self) -> None:
        self.clicks += 1

    def leave(self, who: str) -> None:
        """Close somebody's browser, whatever it was doing."""
        context, _ = self.open.pop(who)
        if self.folder:
            self.traces += 1
            context.tracing.stop(path=self.folder / f"trace-{self.traces:02d}-{who}.zip")
        context.close()

    def stranger(self, who: str, path: str, *, phone: bool = False, at: tuple[float, float] | None = None) -> Page:
        """Somebody without an account; ``at`` is where their phone says that they are."""
        options = self._options(phone=phone)
        if at:
            options |= {"permissions": ["geolocation"], "geolocation": {"longitude": at[0], "latitude": at[1]}}
        context = self.browser.new_context(**options)
        page = self._met(who, context, context.new_page())
        page.goto(path if path.startswith("http") else f"{self.site}{path}")
        return page

    def staff(self, who: str, path: str) -> Page:
        """Somebody with an account, who stays signed in."""
        if who not in self.open:
            context = self.browser.new_context(**self._options(phone=False))
            self._signed_in(who, self._met(who, context, context.new_page()), path)
        else:
            self.open[who][1].goto(f"{self.site}{path}")
        return self.open[who][1]

    def phone(self, who: str, path: str, *, lon: float, lat: float) -> Page:
        """Somebody's own phone: opened again, it is the one that it was, with what it kept."""
        context = self.browser.browser_type.launch_persistent_context(
            str(self.home / who), executable_path=CHROMIUM, args=FLAGS, has_touch=True, permissions=["geolocation"],
            geolocation={"longitude": lon, "latitude": lat, "accuracy": 9}, **self._options(phone=True),
        )  # fmt: skip
        page = self._met(who, context, context.pages[0])
        page.goto(f"{self.site}{path}")
        if "/sign-in" in page.url:
            self._signed_in(who, page, path)
        page.wait_for_selector("field-app[data-synced]")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        return page

    def _signed_in(self, who: str, page: Page, path: str) -> None:
        page.goto(f"{self.site}/sign-in?next={quote(path)}")
        page.fill("#username", f"{self.city}-{who}")
        page.fill("#password", PASSWORD)
        before = self.clicks
        page.click("form[data-sign-in-form] button")
        page.wait_for_load_state("networkidle")
        self.clicks = before  # to sign in is no step of a case

    def shot(self, name: str, page: Page, zh: str, en: str) -> None:
        """A picture of the strip, with what happens on it."""
        if not self.folder:
            return
        page.wait_for_load_state("networkidle")
        path = self.folder / f"{len(self.strip) + 1:02d}-{name}.png"
        page.screenshot(path=path)
        self.strip.append({"picture": path.name, "zh": zh, "en": en})

    def at_desk(self, who: str, role: str, number: str, verb: str, **fields: str) -> Page:
        """Find a case in the queue, open it, fill the form of a verb and send it; the page after it."""
        page = self.staff(who, f"/{self.city}/desk/{role}?kind=all&q={number}")
        page.locator(f'[data-row="{number}"] a').click()
        page.locator(f'#panel [data-case="{number}"]').wait_for()
        form = page.locator(f'#panel form[action$="/verbs/{verb}"]')
        unfold(form.locator("xpath=.."))
        for name, value in fields.items():
            enter(form, name, value)
        return page

    def sent(self, page: Page, verb: str) -> Page:
        """Send the form that `at_desk` has filled."""
        page.locator(f'#panel form[action$="/verbs/{verb}"] > button').click()
        expect(page.locator("#panel .said")).to_be_visible()
        return page

    def done(self, who: str, role: str, number: str, verb: str, **fields: str) -> Page:
        """`at_desk` and `sent`."""
        return self.sent(self.at_desk(who, role, number, verb, **fields), verb)


def street(*, lit: bool) -> bytes:
    """A photo of a street by night with its lamp, dark or lit: invented, so that nobody's photo is needed."""
    picture = Image.new("RGB", (960, 720), "#141a26" if not lit else "#2a3140")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 520, 960, 720), fill="#2b2e33" if not lit else "#6d675a")
    for left in range(40, 960, 180):
        pen.rectangle((left, 200 + left % 110, left + 130, 520), fill="#1c2331" if not lit else "#3b4354")
    if lit:
        for size in range(240, 40, -20):
            tone = 255 - size // 2
            pen.ellipse((560 - size, 190 - size // 2, 560 + size, 190 + size), fill=(tone, tone - 18, tone - 90))
        pen.polygon([(520, 200), (600, 200), (860, 720), (260, 720)], fill="#c9b778")
    pen.rectangle((690, 170, 702, 640), fill="#0d0f14")
    pen.rectangle((548, 166, 702, 178), fill="#0d0f14")
    pen.ellipse((530, 172, 590, 196), fill="#fff6cf" if lit else "#3c4048")
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=85)
    return made.getvalue()
