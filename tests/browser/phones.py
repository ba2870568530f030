"""What the tests of the field app do with a phone."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect


def photo() -> FilePayload:
    """What a camera writes: a large picture with its place and maker inside."""
    exif = Image.Exif()
    exif[0x010F] = "Spy Camera"
    exif.get_ifd(0x8825)[1] = "N"
    made = io.BytesIO()
    Image.effect_noise((2400, 1800), 40).convert("RGB").save(made, "JPEG", exif=exif, quality=90)
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}


def fill_verb(page: Page, number: str, verb: str, *, picture: bool = False, **fields: str) -> None:
    page.goto(f"{page.url.split('#', 1)[0]}#case={number}")
    page.locator(f'[data-of="{verb}"] summary').click()
    form = page.locator(f'form[data-verb="{verb}"]')
    for name, value in fields.items():
        form.locator(f'[name="{name}"]').fill(value)
    if picture:
        form.locator('input[type="file"]:not([capture])').set_input_files(photo())
        expect(form.locator("figure img")).to_have_count(1)
    form.locator(":scope > button").click()
    expect(page.locator("field-app > .said").first).to_be_visible()


def without_worker(page: Page) -> None:
    """The worker does not send: the page's line is the only one, and the test can stand in it."""
    page.evaluate(
        "navigator.serviceWorker.getRegistrations().then(all => Promise.all(all.map(one => one.unregister())))"
    )


def until(seen: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.3)
