"""The field app as a crew uses it: in a cellar without network, on a phone that is switched off, next to colleagues who act first."""

from __future__ import annotations

import io
import itertools
import math
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from .conftest import AXE, CHROMIUM, FLAGS, PASSWORD, serious

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
HERE = {"longitude": 120.004, "latitude": 31.004, "accuracy": 12}
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


class Desk:
    """Somebody at a desk, without a browser."""

    def __init__(self, site: str, role: str) -> None:
        self.http = httpx.Client(base_url=site, follow_redirects=True, timeout=30)
        self.http.get("/sign-in")
        said = {"username": f"mini-{role}", "password": PASSWORD, "csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        assert self.http.post("/sign-in", data=said).is_success

    def do(self, path: str, **fields: str) -> dict[str, Any]:
        token = self.http.get("/mini/field/session.json").json()["csrf"]
        headers = {"X-CSRFToken": token, "Idempotency-Key": str(uuid.uuid4())}
        answer = self.http.post(f"/mini/field/{path}", data={**fields, "x": ""}, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def act(self, number: str, verb: str, **fields: str) -> None:
        seq = self.http.get(f"/api/v1/cases/{number}").json()["seq"]
        self.do(f"cases/{number}/{verb}", seq=str(seq), **fields)

    def events(self, number: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"/api/v1/cases/{number}/events").json()["items"])

    def cases(self) -> list[dict[str, Any]]:
        return list(self.http.get("/api/v1/cities/mini/cases?limit=200").json()["items"])


@pytest.fixture(scope="module")
def desks(site: str) -> dict[str, Desk]:
    return {role: Desk(site, role) for role in ("inspector", "intake", "leader", "dispatcher", "handler")}


@pytest.fixture
def dispatched(desks: dict[str, Desk]) -> str:
    """A case at the sweepers."""
    said = desks["inspector"].do("reports", text="桥洞下有垃圾", category="02001", lon="120.005", lat="31.005")
    desks["dispatcher"].act(said["number"], "dispatch")
    return str(said["number"])


Phone = Callable[..., tuple[BrowserContext, Page]]


@pytest.fixture
def phone(browser: Browser, site: str, tmp_path: Path) -> Iterator[Phone]:
    """Switch on a phone; with the same name it is the same phone as before, with what it kept. Script errors fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def switched_on(role: str = "handler", *, name: str = "", language: str = "zh-CN", path: str = "") -> Any:
        context = browser.browser_type.launch_persistent_context(
            str(tmp_path / (name or role)), executable_path=CHROMIUM, args=FLAGS, viewport=PHONE, locale=language,
            geolocation=HERE, permissions=["geolocation"], has_touch=True,
        )  # fmt: skip
        contexts.append(context)
        page = context.pages[0]
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{site}/mini/field{path}")
        if "/sign-in" in page.url:
            page.fill("#username", f"mini-{role}")
            page.fill("#password", PASSWORD)
            page.click("form[data-sign-in-form] button")
        page.wait_for_selector("field-app[data-synced]")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        # waited for in the page: what polls evaluates texts again, which the page's policy forbids
        page.evaluate(
            """() => navigator.serviceWorker.controller !== null || new Promise(done =>
            navigator.serviceWorker.addEventListener("controllerchange", () => done(true), { once: true }))"""
        )
        return context, page

    yield switched_on
    for context in contexts:
        context.close()
    assert not errors


def photo() -> dict[str, Any]:
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


def test_what_is_done_offline_survives_closing_and_is_sent_exactly_once(
    phone: Phone, desks: dict[str, Desk], dispatched: str
) -> None:
    context, page = phone()
    expect(page.locator(f'a[href="#case={dispatched}"]')).to_be_visible()
    context.set_offline(True)
    fill_verb(page, dispatched, "take")
    expect(page.locator(".field-badge")).to_have_text("1")
    # the next step can be done on top of what waits
    fill_verb(page, dispatched, "finish", picture=True, note="清走两车，地面冲过")
    expect(page.locator(".field-badge")).to_have_text("2")
    expect(page.locator(".field-sync")).to_contain_text("2 条待发")
    page.reload()  # the shell and the tasks are there without a network
    expect(page.locator(f'a[href="#case={dispatched}"]')).to_contain_text("待发")
    assert [event["verb"] for event in desks["leader"].events(dispatched)][-1] == "dispatch", "nothing was sent"
    context.close()

    context, page = phone()
    until(lambda: desks["leader"].events(dispatched)[-1]["verb"] == "finish")
    page.wait_for_selector(".field-badge", state="hidden")
    page.goto(f"{page.url.split('#', 1)[0]}#queue")
    expect(page.locator('[data-entry="done"]')).to_have_count(2)
    page.reload()
    page.wait_for_selector("field-app[data-synced]")
    events = desks["leader"].events(dispatched)
    assert [event["verb"] for event in events].count("take") == 1
    finished = [event for event in events if event["verb"] == "finish"]
    assert len(finished) == 1
    assert finished[0]["payload"]["note"].startswith("清走两车，地面冲过\n〔现场 on site ")
    assert "120.00400, 31.00400 ±12 m" in finished[0]["payload"]["note"]
    assert len(finished[0]["payload"]["photos"]) == 1


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


def test_a_conflict_is_shown_beside_the_case_and_can_be_redone(
    phone: Phone, desks: dict[str, Desk], dispatched: str
) -> None:
    context, page = phone()
    context.set_offline(True)
    fill_verb(page, dispatched, "take", note="我去")
    desks["leader"].act(dispatched, "note", note="小心电线")
    context.set_offline(False)
    expect(page.locator(".field-badge.bad")).to_have_text("1")
    page.click('.field-tabs a[href="#queue"]')
    card = page.locator('[data-entry="conflict"]')
    expect(card.locator(".errors")).to_contain_text("别人先动了")
    expect(card.locator(".field-beside")).to_contain_text("我去")
    expect(card.locator(".field-since")).to_contain_text("leader")
    assert desks["leader"].events(dispatched)[-1]["verb"] == "note"
    card.get_by_role("button", name="按现状重做").click()
    expect(page.locator('[data-entry="done"]')).to_have_count(1)
    assert desks["leader"].events(dispatched)[-1]["verb"] == "take"


def test_what_cannot_be_redone_is_kept_on_the_phone(phone: Phone, desks: dict[str, Desk], dispatched: str) -> None:
    context, page = phone(language="en-US")
    context.set_offline(True)
    fill_verb(page, dispatched, "take", note="on my way", picture=True)
    desks["leader"].act(dispatched, "cancel", reason="already clean")
    context.set_offline(False)
    expect(page.locator(".field-badge.bad")).to_be_visible()
    page.click('.field-tabs a[href="#queue"]')
    card = page.locator('[data-entry="conflict"]')
    expect(card).to_contain_text("you may no longer")
    expect(card.get_by_role("button", name="Redo on the new state")).to_have_count(0)
    card.get_by_role("button", name="keep the note").click()
    expect(page.locator('[data-entry="kept"]')).to_contain_text("on my way")
    expect(page.locator('[data-entry="kept"] img')).to_have_count(1)


def test_a_report_on_the_spot_waits_for_the_network(phone: Phone, desks: dict[str, Desk]) -> None:
    words = f"井盖翘起 {uuid.uuid4().hex[:8]}"
    context, page = phone("inspector", path="#report")
    page.wait_for_function("document.querySelector('#report-position')?.textContent.includes('12')")
    context.set_offline(True)
    page.select_option("#report-category", "01001")
    page.fill("#report-text", words)
    page.locator('#report-form input[type="file"][capture]').set_input_files(photo())
    expect(page.locator("#report-form figure")).to_have_count(1)
    page.click("#report-form > button")
    expect(page.locator('[data-entry="waiting"]')).to_contain_text(words)
    assert not [case for case in desks["leader"].cases() if words in case["text"]]
    context.set_offline(False)
    until(lambda: bool([case for case in desks["leader"].cases() if words in case["text"]]))
    (case,) = [case for case in desks["leader"].cases() if words in case["text"]]
    assert (case["source"], case["region"], case["category"]) == ("inspector", "900101", "01001")
    expect(page.locator('[data-entry="done"] a')).to_have_text(case["number"])


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
    upload = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
    page.locator('#report-form input[type="file"][capture]').set_input_files(upload)
    expect(page.locator("#report-form figure")).to_have_count(1)
    page.click("#report-form > button")
    expect(page.locator('[data-entry="waiting"]').last).to_contain_text("网络不通")
    asked = page.evaluate("window.asked")
    assert asked["persist"] >= 1
    # slower than half of 30 kB/s it may be; a minute alone was not enough for several of them
    assert max(asked["patience"]) > 60_000 + 1000 * 400_000 / 15_000
    context.unroute("**/field/reports")


def large_photo(seed: int) -> dict[str, Any]:
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
    assert "2026-03-02 08:50" in case["text"], "the camera's own time"


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


def test_a_session_that_ended_keeps_the_queue(phone: Phone, desks: dict[str, Desk], dispatched: str) -> None:
    context, page = phone()
    context.set_offline(True)
    fill_verb(page, dispatched, "take")
    context.clear_cookies()
    context.set_offline(False)
    expect(page.locator("field-app > .errors")).to_contain_text("登录已过期")
    assert desks["leader"].events(dispatched)[-1]["verb"] == "dispatch"
    page.locator("field-app > .errors a").click()
    page.fill("#username", "mini-handler")
    page.fill("#password", PASSWORD)
    page.click("form[data-sign-in-form] button")
    until(lambda: desks["leader"].events(dispatched)[-1]["verb"] == "take")


def test_what_one_did_is_never_sent_in_the_name_of_another(
    phone: Phone, desks: dict[str, Desk], dispatched: str
) -> None:
    context, page = phone("handler", name="shared")
    context.set_offline(True)
    fill_verb(page, dispatched, "take")
    context.clear_cookies()
    context.close()
    context, page = phone("inspector", name="shared", path="#queue")
    expect(page.locator("#main")).to_contain_text("另一位同事")
    expect(page.locator("[data-entry]")).to_have_count(0)
    assert desks["leader"].events(dispatched)[-1]["verb"] == "dispatch"


def test_signing_out_takes_the_tasks_off_the_phone(phone: Phone, dispatched: str) -> None:
    _, page = phone()
    expect(page.locator(f'a[href="#case={dispatched}"]')).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(re.compile(r"/$"))
    kept = page.evaluate(
        """async () => { const opening = indexedDB.open("yiwang-field"); await new Promise(done => opening.onsuccess = done);
        const all = opening.result.transaction("tasks").objectStore("tasks").count(); await new Promise(done => all.onsuccess = done);
        const texts = []; for (const name of await caches.keys()) { const cache = await caches.open(name);
        for (const request of await cache.keys()) texts.push(await (await cache.match(request)).text()); }
        return [all.result, texts.join("")]; }"""
    )
    assert kept[0] == 0
    assert dispatched not in kept[1]
    assert "mini-handler" not in kept[1]


def metres(a: dict[str, float], b: dict[str, float]) -> float:
    dy, dx = math.radians(b["lat"] - a["lat"]), math.radians(b["lon"] - a["lon"])
    s = (
        math.sin(dy / 2) ** 2
        + math.cos(math.radians(a["lat"])) * math.cos(math.radians(b["lat"])) * math.sin(dx / 2) ** 2
    )
    return 2 * 6371008.8 * math.asin(math.sqrt(s))


def test_the_route_is_held_against_brute_force(phone: Phone) -> None:
    _, page = phone()
    rng, ratios = random.Random(7), []
    for stops in [*range(9), 5, 6, 7, 7, 7, 8, 8]:
        start, *points = [{"lon": 120 + rng.random() / 20, "lat": 31 + rng.random() / 20} for _ in range(stops + 1)]
        answer = page.evaluate("([a, b]) => document.querySelector('field-app').tour(a, b)", [start, points])
        assert sorted(answer["order"]) == list(range(stops))

        def length(order: Any, start: Any = start, points: Any = points) -> float:
            path = [start, *(points[index] for index in order)]
            return sum(metres(a, b) for a, b in itertools.pairwise(path))

        best = min(length(order) for order in itertools.permutations(range(stops)))
        assert answer["metres"] == pytest.approx(length(answer["order"]))
        ratios.append(answer["metres"] / best if best else 1.0)
    assert max(ratios) <= 1.02, "at eight stops and fewer, a fiftieth longer than the shortest at the most"
    fifty = [{"lon": 120 + rng.random() / 20, "lat": 31 + rng.random() / 20} for _ in range(51)]
    took = page.evaluate(
        "([a, b]) => { const t = performance.now(); document.querySelector('field-app').tour(a, b); return performance.now() - t }",
        [fifty[0], fifty[1:]],
    )
    assert took < 3000


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_it_fits_a_phone_and_is_read_aloud_well(phone: Phone, dispatched: str, language: str) -> None:
    _, page = phone(language=language)
    for view in ("tasks", f"case={dispatched}", "report", "queue", "map"):
        page.goto(f"{page.url.split('#', 1)[0]}#{view}")
        if view == "map":
            page.wait_for_selector("city-map[data-ready]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 391, view
        if language == "en-US":
            shown = (
                page.locator("body").inner_text().replace("桥洞下有垃圾", "").replace("〔现场", "").replace("照片", "")
            )
            assert not set(CHINESE.findall(shown)) - {"井盖翘起", "垃圾"}, view  # what people wrote
        if not AXE.exists():
            continue
        assert serious(page) == [], view
    if language == "en-US":
        small = page.evaluate(
            "[...document.querySelectorAll('.field-tabs a')].some(a => a.getBoundingClientRect().height < 48)"
        )
        assert not small


def test_it_loads_little_and_can_be_installed(phone: Phone) -> None:
    _, page = phone()
    weighed = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.name.endsWith('.js')).map(e => [e.name, e.decodedBodySize])"
    )
    assert not [name for name, _ in weighed if "city-map" in name]
    assert 0 < sum(size for _, size in weighed) <= 300_000
    assert page.evaluate("navigator.serviceWorker.ready.then(found => new URL(found.scope).pathname)") == "/mini/field"
    icons = page.evaluate(
        "fetch(document.querySelector('link[rel=manifest]').href).then(a => a.json()).then(m => m.icons.length)"
    )
    assert icons == 3
