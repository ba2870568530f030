"""Photos of the field app: small, one by one over slow lines, waited for, and named when the server does not take one."""

from __future__ import annotations

import io
import re
import time
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Page, Route, expect

from .phones import fill_verb, until, without_worker
from .sites import Desk, Phone

pytestmark = pytest.mark.browser


def test_a_photo_leaves_the_phone_small_and_without_what_the_camera_wrote(phone: Phone, dispatched: str) -> None:
    context, page = phone()
    sent: list[bytes] = []
    page.on(
        "request", lambda request: sent.append(request.post_data_buffer or b"") if request.method == "POST" else None
    )
    context.set_offline(True)
    fill_verb(page, dispatched, "take", picture=True)
    kept = page.evaluate(
        """() => new Promise(done => { const opening = indexedDB.open("yiwang-field"); opening.onsuccess = () => {
        const all = opening.result.transaction("queue").objectStore("queue").getAll();
        all.onsuccess = () => done(Array.from(new Uint8Array(all.result.at(-1).photos[0].bytes))); }; })"""
    )
    content = bytes(kept)
    assert b"Spy Camera" not in content
    assert b"Exif" not in content
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (1600, 1200)
    assert not picture.getexif()


def test_a_large_upload_is_given_time_the_card_says_why_it_waits_and_the_browser_is_asked_to_keep_it(
    phone: Phone,
) -> None:
    context, page = phone("inspector", path="#report")
    page.evaluate(
        """() => {
        window.asked = { persist: 0, patience: [] };
        navigator.storage.persist = async () => { window.asked.persist += 1; return true; };
        const timeout = AbortSignal.timeout.bind(AbortSignal);
        AbortSignal.timeout = (most) => { window.asked.patience.push(most); return timeout(most); };
        }"""
    )
    context.route("**/field/reports", lambda route: route.abort("connectionreset"))
    picture = io.BytesIO()
    Image.effect_noise((1600, 1200), 100).convert("RGB").save(picture, "JPEG", quality=95)
    page.fill("#report-text", f"垃圾 {uuid.uuid4().hex[:8]}")
    upload: FilePayload = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
    page.locator('#report-form input[type="file"][capture]').set_input_files(upload)
    expect(page.locator("#report-form figure")).to_have_count(1)
    page.click("#report-form > button")
    expect(page.locator('[data-entry="waiting"]').last).to_contain_text("网络不通")
    asked = page.evaluate("window.asked")
    assert asked["persist"] >= 1
    # slower than half of 30 kB/s it may be; a minute alone was not enough for several of them
    assert max(asked["patience"]) > 60_000 + 1000 * 400_000 / 15_000
    context.unroute("**/field/reports")


def large_photo(seed: int) -> FilePayload:
    """A picture of noise, some hundred kilobytes also after the phone has made it small; the camera says when it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = f"2026:03:02 08:5{seed}:00"
    exif.get_ifd(0x8769)[0x9011] = "+08:00"
    made = io.BytesIO()
    Image.effect_noise((700, 600), 60 + seed).convert("RGB").save(made, "JPEG", exif=exif, quality=95)
    return {"name": f"IMG_{seed}.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}


def test_photos_arrive_one_by_one_over_a_slow_line_and_none_is_sent_again_after_a_break(
    phone: Phone, desks: dict[str, Desk], site: str
) -> None:
    words = f"垃圾 {uuid.uuid4().hex[:8]}"
    context, page = phone("inspector", path="#report")
    without_worker(page)
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 100, "downloadThroughput": 30_000, "uploadThroughput": 30_000}
    arrived: list[int] = []
    page.on(
        "response", lambda response: arrived.append(response.status) if response.url.endswith("/field/photos") else None
    )
    page.fill("#report-text", words)
    page.locator('#report-form input[type="file"]:not([capture])').set_input_files([large_photo(n) for n in range(3)])
    expect(page.locator("#report-form figure")).to_have_count(3)
    line.send("Network.emulateNetworkConditions", slow)
    page.click("#report-form > button")
    card = page.locator('[data-entry="waiting"]').last
    expect(card).to_contain_text("正在发送照片 1/3")
    expect(card).to_contain_text("正在发送照片 2/3", timeout=60_000)
    line.send("Network.emulateNetworkConditions", {**slow, "offline": True})
    expect(card).to_contain_text("网络不通", timeout=60_000)
    before = len(arrived)
    assert 1 <= before < 3
    expect(card).to_contain_text(f"照片已送达 {before}/3")
    line.send("Network.emulateNetworkConditions", slow)
    until(lambda: bool([case for case in desks["leader"].cases() if words in case["text"]]), 120)
    expect(page.locator('[data-entry="done"]')).to_have_count(1)
    assert arrived == [201, 201, 201], "what had arrived was not sent again"
    (case,) = [case for case in desks["leader"].cases() if words in case["text"]]
    assert len(desks["leader"].http.get(f"/api/v1/cases/{case['number']}").json()["photos"]) == 3
    assert case["text"] == words
    shown = desks["leader"].http.get(f"/mini/cases/{case['number']}").text
    assert "2026-03-02 08:50" in shown, "the camera's own time, with the photo"


def report_with_photos(page: Page, words: str, *, photos: int) -> None:
    page.fill("#report-text", words)
    uploads = [large_photo(n) for n in range(photos)]
    page.locator('#report-form input[type="file"]:not([capture])').set_input_files(uploads)
    expect(page.locator("#report-form figure")).to_have_count(photos)
    page.click("#report-form > button")


def refuse_once(context: BrowserContext, *, body: str, kind: str, wait: str) -> list[float]:
    """The first photo sent ahead is answered with 429, the others get through. When each was sent."""
    sent: list[float] = []

    def answer(route: Route) -> None:
        sent.append(time.monotonic())
        if len(sent) > 1:
            route.continue_()
        else:
            route.fulfill(status=429, content_type=kind, headers={"Retry-After": wait}, body=body)

    context.route("**/field/photos", answer)
    return sent


@pytest.mark.parametrize(
    ("language", "body", "kind", "why"),
    [
        ("zh-CN", '{"code": "too-many", "detail": "最多暂存 60 张"}', "application/json", "最多暂存 60 张"),
        ("zh-CN", "<h1>429</h1>", "text/html", "服务器暂时不收"),
        ("en-US", "<h1>429</h1>", "text/html", "The server takes no more for now"),
    ],
)
def test_a_photo_answered_with_429_waits_and_is_sent_again(
    phone: Phone, desks: dict[str, Desk], language: str, body: str, kind: str, why: str
) -> None:
    words = f"垃圾 {uuid.uuid4().hex[:8]}"
    context, page = phone("inspector", language=language, path="#report")
    without_worker(page)
    sent = refuse_once(context, body=body, kind=kind, wait="1")
    report_with_photos(page, words, photos=2)
    card = page.locator('[data-entry="waiting"]')
    expect(card).to_contain_text(why)
    expect(card).to_contain_text(words)
    expect(card.locator("img")).to_have_count(2)
    expect(page.locator('[data-entry="done"]')).to_have_count(1, timeout=40_000)
    assert sent[1] - sent[0] >= 1
    (case,) = [case for case in desks["leader"].cases() if words in case["text"]]
    assert len(desks["leader"].http.get(f"/api/v1/cases/{case['number']}").json()["photos"]) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_a_proxy_that_says_how_long_to_wait_is_heard(phone: Phone, as_date: bool) -> None:
    context, page = phone("inspector", language="en-US", path="#report")
    without_worker(page)
    wait = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True) if as_date else "1800"
    sent = refuse_once(context, body="<h1>429</h1>", kind="text/html", wait=wait)
    report_with_photos(page, f"垃圾 {uuid.uuid4().hex[:8]}", photos=1)
    expect(page.locator('[data-entry="waiting"]')).to_contain_text(re.compile(r"again in (29|30) min"))
    assert len(sent) == 1
    page.evaluate("dispatchEvent(new Event('online'))")  # nor does it wait when somebody asks
    expect(page.locator('[data-entry="done"]')).to_have_count(1)


@pytest.mark.parametrize(
    ("language", "first", "third", "chip", "line"),
    [
        ("zh-CN", "照片 1 没有收：不是能读的图片", "照片 3 没有收：文件坏了", "已送达，但缺照片", "2 张照片没有收"),
        (
            "en-US",
            "Photo 1 was not taken: It cannot be read as a picture",
            "Photo 3 was not taken: The file is damaged",
            "Sent, but not all photos",
            "Photos not taken: 2",
        ),
    ],
)
def test_the_card_says_which_photos_were_not_taken_and_why(
    phone: Phone, desks: dict[str, Desk], language: str, first: str, third: str, chip: str, line: str
) -> None:
    words = f"垃圾 {uuid.uuid4().hex[:8]}"
    context, page = phone("inspector", language=language, path="#report")
    without_worker(page)
    page.evaluate(
        """() => {
        const encode = HTMLCanvasElement.prototype.toBlob;
        let made = 0;
        HTMLCanvasElement.prototype.toBlob = function (done, ...how) {
          if (made++ === 0) done(new Blob(["no picture"]));
          else encode.call(this, done, ...how);
        };
        }"""
    )

    def one_was_damaged_while_it_waited(route: Route) -> None:
        answer = route.fetch()
        refused = [{"index": 1, "reason": "The file is damaged.", "reason_zh": "文件坏了。"}]
        route.fulfill(response=answer, json={**answer.json(), "photos_refused": refused})

    context.route("**/field/reports", one_was_damaged_while_it_waited)
    report_with_photos(page, words, photos=3)
    card = page.locator('[data-entry="done"]')
    expect(card.locator(".errors")).to_have_count(2)
    expect(card.locator(".errors").first).to_contain_text(first)
    expect(card.locator(".errors").last).to_contain_text(third)
    expect(card.locator("figure")).to_have_count(2)
    expect(card.locator(".chip")).to_have_text(chip)
    expect(page.locator(".field-sync")).to_contain_text(line)
    expect(page.locator(".field-sync")).not_to_contain_text(re.compile("都已送达|All sent"))
    assert [case for case in desks["leader"].cases() if words in case["text"]]
    page.on("dialog", lambda dialog: dialog.accept())
    card.get_by_role("button").click()
    expect(card).to_have_count(0)
