"""What makes the phone a crew's own: photos, the next step first, lists, a word of success, two languages, a slow line."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from .phones import fill_verb, photo, until, without_worker
from .sites import Desk, Phone

pytestmark = pytest.mark.browser
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
LATIN = re.compile(r"[A-Za-z]{2,}")
DATA = {
    "km",
    "leader",
    "handler",
    "inspector",
    "MapLibre",
    "OpenStreetMap",
}  # units, the names of people and of products
FIRST_VIEW = 80_000  # bytes transferred; docs/guide/field.md states it


def picture(colour: str, seed: int = 0) -> bytes:
    made = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 40, (300, 400, 3), dtype=np.uint8)
    Image.blend(Image.new("RGB", (400, 300), colour), Image.fromarray(noise), 0.3).save(made, "JPEG")
    return made.getvalue()


def send_photo(desk: Desk, content: bytes) -> str:
    token = desk.http.get("/mini/field/session.json").json()["csrf"]
    files = {"photo": ("p.jpg", content, "image/jpeg")}
    return str(desk.http.post("/mini/field/photos", files=files, headers={"X-CSRFToken": token}).json()["photo"])


@pytest.fixture
def pictured(desks: dict[str, Desk]) -> Callable[..., str]:
    """A case with a photo of the report, at the sweepers."""

    def make(words: str = "12345") -> str:
        digest = send_photo(desks["inspector"], picture("green", seed=uuid.uuid4().int % 2**32))
        said = desks["inspector"].do(
            "reports", text=words, category="02001", lon="120.005", lat="31.005", photo_digest=digest
        )
        desks["dispatcher"].act(said["number"], "dispatch")
        return str(said["number"])

    return make


def finished(desks: dict[str, Desk], number: str) -> None:
    desks["handler"].act(number, "take")
    digest = send_photo(desks["handler"], picture("navy", seed=uuid.uuid4().int % 2**32))
    desks["handler"].act(number, "finish", note="1", photo_digest=digest)
    desks["leader"].act(number, "ask_check")


def go(page: Page, view: str) -> None:
    page.goto(f"{page.url.split('#', 1)[0]}#{view}")
    page.wait_for_selector(f'.field-body[data-view="#{view}"]', state="attached")


def is_drawn(page: Page, selector: str) -> bool:
    """Whether a picture has come, and is not the sign of a broken one."""
    return bool(
        page.evaluate(
            """selector => { const image = document.querySelector(selector); image?.scrollIntoView();
            return image?.complete && image.naturalWidth > 0; }""",
            selector,
        )
    )


# --- photos -------------------------------------------------------------------------------------------------------


def test_photos_show_without_a_network_and_open_large(phone: Phone, pictured: Callable[..., str]) -> None:
    number = pictured()
    context, page = phone()
    page.reload()
    page.wait_for_selector("field-app[data-synced]")
    count = """async () => { const cache = await caches.open("yiwang-field-photos-mini"); return (await cache.keys()).length; }"""
    until(lambda: page.evaluate(count) > 0)
    until(
        lambda: page.evaluate(
            """async number => { const cache = await caches.open("yiwang-field-photos-mini");
            return (await cache.keys()).some(request => request.url.includes(number)); }""",
            number,
        )
    )
    context.set_offline(True)
    page.reload()
    card = f'a[href="#case={number}"] img.field-first'
    until(lambda: is_drawn(page, card))
    go(page, f"case={number}")
    until(lambda: is_drawn(page, ".field-photo img"))
    here = page.url
    for close in (
        lambda: page.keyboard.press("Escape"),
        lambda: page.locator("dialog.field-large").click(),
        lambda: page.get_by_role("button", name="关闭").click(),
        lambda: page.evaluate("history.back()"),
    ):
        page.locator(".field-photo").first.click()
        large = page.locator("dialog.field-large")
        expect(large).to_be_visible()
        # the large one was never seen: the small one stands in for it, and the page says so
        expect(large.locator("[role=status]")).to_contain_text("联网后可看")
        until(lambda: is_drawn(page, "dialog.field-large img"))
        close()
        expect(large).to_have_count(0)
        page.wait_for_timeout(100)  # the step that was taken out of the history
        assert page.url == here
    page.get_by_role("link", name="返回").click()
    expect(page.locator("#tasks-title")).to_be_attached()


def test_the_worker_keeps_photos_within_its_bounds_and_signing_out_takes_them(
    phone: Phone, pictured: Callable[..., str]
) -> None:
    number = pictured()
    _, page = phone()
    page.reload()
    page.wait_for_selector("field-app[data-synced]")
    # a photo of a case that is not on the list any more, and more addresses than it keeps
    kept = page.evaluate(
        """async number => {
        const cache = await caches.open("yiwang-field-photos-mini");
        await cache.put("/mini/cases/MN1/photos/1/small", new Response(new Blob([new Uint8Array(1000)])));
        const item = await fetch("/mini/field/tasks.json").then(answer => answer.json());
        const photo = item.items.find(each => each.number === number).photos[0][0];
        const real = `/mini/cases/${number}/photos/${photo}/small`;
        const mine = Array.from({length: 250}, (_, n) => `/mini/cases/MN9/photos/${n}/small`);
        for (const url of mine) await cache.put(url, new Response(new Blob([new Uint8Array(1000)])));
        // two that are too large together
        await cache.put(mine[5], new Response(new Blob([new Uint8Array(7_000_000)])));
        await cache.put(mine[6], new Response(new Blob([new Uint8Array(7_000_000)])));
        navigator.serviceWorker.controller.postMessage({keep: [real, ...mine]});
        const size = async request => (await (await cache.match(request))?.blob())?.size ?? 0;
        const sizes = async () => Promise.all((await cache.keys()).map(size));
        for (let n = 0; n < 100; n += 1) {
          const all = await sizes();
          const stays = (await cache.keys()).map(request => request.url);
          const bytes = all.reduce((a, b) => a + b, 0);
          if (all.length <= 200 && bytes <= 8_000_000 && !stays.some(url => url.includes("MN1/")) && stays.some(url => url.endsWith(real)))
            return {count: all.length, bytes};
          await new Promise(done => setTimeout(done, 100));
        }
        return {count: (await sizes()).length, bytes: -1}; }""",
        number,
    )
    assert kept["count"] <= 200
    assert 7_000_000 < kept["bytes"] <= 8_000_000
    page.get_by_role("button", name="退出").click()
    page.wait_for_url(re.compile(r"/$"))
    names = page.evaluate("caches.keys()")
    assert not [name for name in names if "photos" in name]


def test_before_and_after_stand_side_by_side_where_somebody_checks(
    phone: Phone, desks: dict[str, Desk], pictured: Callable[..., str]
) -> None:
    number = pictured()
    finished(desks, number)
    _, page = phone("inspector", path=f"#case={number}")
    before, after = page.locator('[data-side="before"]'), page.locator('[data-side="after"]')
    expect(before).to_contain_text("处置前")
    expect(after).to_contain_text("处置后")
    expect(before.locator("img")).to_have_count(1)
    expect(after.locator("img")).to_have_count(1)
    left, right = before.bounding_box(), after.bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 391


# --- what comes first, lists, success ------------------------------------------------------------------------------


def test_the_next_step_is_one_big_button_and_what_sends_back_stands_apart(
    phone: Phone, desks: dict[str, Desk], dispatched: str
) -> None:
    _, page = phone(path=f"#case={dispatched}")
    order = page.locator("[data-of]").evaluate_all("all => all.map(each => each.dataset.of)")
    assert order[0] == "take"
    assert order.index("note") < order.index("return")
    groups = page.locator(".field-group").all_inner_texts()
    assert groups == ["其他动作", "退回或终止"]
    box = page.locator(".field-next button").first.bounding_box()
    assert box is not None
    assert box["height"] >= 56
    assert box["width"] >= 300
    page.locator(".field-next form > button").click()  # nothing has to be said, so one tap does it
    until(lambda: desks["leader"].events(dispatched)[-1]["verb"] == "take")


def test_lists_count_and_what_was_done_is_confirmed_with_the_next_a_tap_away(
    phone: Phone, desks: dict[str, Desk], pictured: Callable[..., str]
) -> None:
    one, other = pictured(), pictured()
    context, page = phone()
    count = page.locator('.field-lists a[href="#tasks"] .field-count')
    before, waiting = int(count.inner_text()), int(page.locator('a[href="#waiting"] .field-count').inner_text())
    done = page.locator('.field-lists a[href="#done"] .field-count')
    expect(done).to_be_visible()
    done_before = int(done.inner_text())

    page.goto(f"{page.url.split('#', 1)[0]}#case={one}")
    page.locator(".field-next form > button").click()
    said = page.locator("field-app > .said")
    expect(said).to_contain_text("签收：已送达，案卷现为「处置中」")
    expect(said).to_contain_text(f"还有 {before} 件")
    said.get_by_role("link", name="接着办这件").click()
    expect(page.locator("#task-title")).to_be_visible()
    assert page.url.endswith(f"#case={one}")

    context.set_offline(True)
    fill_verb(page, one, "finish", picture=True, note="清走了")
    expect(said).to_contain_text("已保存在手机，联网后自动发送")
    expect(said).to_contain_text(f"还有 {before - 1} 件")
    assert said.get_by_role("link", name="下一件").get_attribute("href") != f"#case={one}"
    expect(count).to_have_text(str(before - 1))
    context.set_offline(False)
    until(lambda: desks["leader"].events(one)[-1]["verb"] == "finish")
    expect(said).to_contain_text("处置完成：已送达，案卷现为「待核查」")
    expect(done).to_have_text(str(done_before + 2))
    page.locator('.field-lists a[href="#done"]').click()
    expect(page.locator(".field-list li").first).to_contain_text("处置完成")
    expect(page.locator(".field-list li").first).to_contain_text("现为待核查")

    desks["handler"].act(other, "ask_extension", reason="1")
    page.locator('.field-lists a[href="#tasks"]').click()
    page.get_by_role("button", name="刷新").click()
    expect(page.locator(f'a[href="#case={other}"]')).to_contain_text("已申请延期")
    expect(count).to_have_text(str(before - 1))
    assert int(page.locator('a[href="#waiting"] .field-count').inner_text()) == waiting + 1


# --- camera -------------------------------------------------------------------------------------------------------


def test_the_camera_is_one_big_control_and_a_thumbnail_can_be_removed(
    phone: Phone, desks: dict[str, Desk], dispatched: str
) -> None:
    desks["handler"].act(dispatched, "take")
    _, page = phone(path=f"#case={dispatched}")
    page.locator('[data-of="finish"] summary').click()
    form = page.locator('form[data-verb="finish"]')
    camera = form.locator('input[type="file"][capture="environment"]')
    label = form.locator(".field-shoot label").bounding_box()
    assert label is not None
    assert label["height"] >= 72
    with page.expect_file_chooser() as choosing:
        form.get_by_text("拍照", exact=True).click()
    choosing.value.set_files(photo())
    expect(form.locator("figure img")).to_have_count(1)
    form.get_by_role("button", name="去掉").click()
    expect(form.locator("figure img")).to_have_count(0)
    camera.set_input_files(photo())
    expect(form.locator("figure img")).to_have_count(1)


def test_a_required_photo_is_said_and_asked_for_before_anything_is_sent(
    phone: Phone, desks: dict[str, Desk], dispatched: str
) -> None:
    """The toy city requires none, so the shell that reaches the phone is made to."""
    desks["handler"].act(dispatched, "take")
    context, page = phone()

    def requiring(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        text = answer.text()
        finish = re.sub(r'("name": "photo", "label": "[^"]*", "required": )false', r"\1true", text)
        assert finish != text
        route.fulfill(response=answer, body=finish)  # type: ignore[attr-defined]

    without_worker(page)  # it would fetch the shell where no route of the test is
    context.route(re.compile(r"/mini/field\?fresh$"), requiring)
    page.goto(page.url.split("#", 1)[0] + f"?fresh#case={dispatched}")
    page.wait_for_selector("field-app[data-synced]")
    page.locator('[data-of="finish"] summary').click()
    form = page.locator('form[data-verb="finish"]')
    expect(form.locator(":scope > button")).to_have_text("处置完成（须拍照）")
    form.locator("[name=note]").fill("1")
    form.locator(":scope > button").click()
    expect(form.locator(".errors")).to_have_text("这个动作要有照片。")
    expect(form.locator("[capture=environment]")).to_be_focused()
    assert desks["leader"].events(dispatched)[-1]["verb"] == "take"
    expect(page.locator(".field-badge")).to_be_hidden()


# --- two languages ------------------------------------------------------------------------------------------------


def foreign(page: Page, language: str) -> list[str]:
    """Pieces of the page's text, names and hints that are in the other language; numbers of cases are in none."""
    texts = page.evaluate(
        """() => {
        const found = [document.title];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
          const parent = walk.currentNode.parentElement;
          if (!parent.closest("script, style, template")) found.push(walk.currentNode.data.trim());
        }
        for (const element of document.querySelectorAll("[aria-label], [alt], [title], [placeholder]"))
          for (const name of ["aria-label", "alt", "title", "placeholder"]) found.push(element.getAttribute(name) ?? "");
        return found; }"""
    )
    if language == "en-US":
        return [text for text in texts if CJK.search(text)]
    return [text for text in texts if set(LATIN.findall(re.sub(r"MN\d+", "", text))) - DATA]


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_no_state_of_the_page_has_a_word_of_the_other_language(
    phone: Phone, desks: dict[str, Desk], language: str, pictured: Callable[..., str]
) -> None:
    """What people wrote here is a number, so that every word on the page is the page's own."""
    checked, mine, waits, taken = (pictured(str(n)) for n in range(4))
    finished(desks, checked)
    desks["handler"].act(waits, "ask_extension", reason="1")
    wrong: dict[str, list[str]] = {}

    def look(page: Page, name: str) -> None:
        # names of cases that other tests wrote are theirs
        page.evaluate(
            """() => { for (const each of document.querySelectorAll(".field-text, .field-words"))
            if (/[\\u4e00-\\u9fff]/.test(each.textContent)) each.textContent = "1"; }"""
        )
        if found := foreign(page, language):
            wrong[name] = found

    context, page = phone("handler", language=language, name=f"handler-{language}")
    for view in ("tasks", "waiting", "done", f"case={mine}", f"case={waits}", "report", "queue"):
        go(page, view)
        for summary in page.locator("details[data-of] > summary, .field-next details > summary").all():
            summary.click()
        look(page, view)
    for order in ("distance", "route"):
        go(page, "tasks")
        page.select_option("#field-sort", order)
        look(page, order)
    go(page, "map")
    page.wait_for_selector("city-map[data-ready]")
    page.wait_for_timeout(300)
    look(page, "map")
    fill_verb(page, mine, "take")
    until(lambda: desks["leader"].events(mine)[-1]["verb"] == "take")
    page.wait_for_timeout(500)
    look(page, "success")
    go(page, f"case={mine}")
    page.locator('[data-of="finish"] summary').click()
    page.locator('form[data-verb="finish"] input[capture]').set_input_files(
        {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    )
    expect(page.locator('form[data-verb="finish"] .errors')).to_be_visible()
    look(page, "no picture")
    go(page, "tasks")
    context.set_offline(True)
    fill_verb(page, mine, "finish", picture=True, note="1")
    look(page, "offline")
    fill_verb(page, taken, "take", note="1")
    for view in ("queue", "waiting", f"case={mine}", "map"):
        go(page, view)
        look(page, f"offline {view}")
    desks["leader"].act(taken, "cancel", reason="1")
    context.set_offline(False)
    expect(page.locator(".field-badge.bad")).to_be_visible()
    go(page, "queue")
    expect(page.locator('[data-entry="conflict"]')).to_be_visible()
    look(page, "conflict")
    page.locator('[data-entry="conflict"] button.plain').click()
    expect(page.locator('[data-entry="kept"]')).to_be_visible()
    look(page, "kept")
    context.clear_cookies()
    page.reload()
    page.wait_for_load_state("networkidle")
    assert wrong == {}
    context.close()

    _, page = phone("inspector", language=language, name=f"inspector-{language}", path=f"#case={checked}")
    look(page, "check")
    page.locator(".field-photo").first.click()
    look(page, "large")
    assert wrong == {}


# --- a slow line --------------------------------------------------------------------------------------------------


def slow(context: BrowserContext, page: Page) -> list[float]:
    """30 kB/s and 400 ms, as at the edge of a cell; gives the bytes that came, as they come."""
    line = context.new_cdp_session(page)
    came: list[float] = []
    line.send("Network.enable")
    line.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    conditions = {"offline": False, "latency": 400, "downloadThroughput": 30_000, "uploadThroughput": 30_000}
    line.send("Network.emulateNetworkConditions", conditions)
    return came


def test_it_works_at_thirty_kilobytes_a_second(
    phone: Phone, desks: dict[str, Desk], dispatched: str, browser: object, site: str
) -> None:
    desks["handler"].act(dispatched, "take")
    # a phone that has signed in and kept nothing: the first view is what comes over the line
    context = browser.new_context(  # type: ignore[attr-defined]
        viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True, service_workers="block"
    )
    page = context.new_page()
    page.goto(f"{site}/sign-in?next=/mini/rules")
    from .sites import PASSWORD

    page.fill("#username", "mini-handler")
    page.fill("#password", PASSWORD)
    page.click("form[data-sign-in-form] button")
    page.wait_for_load_state("networkidle")
    context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto("about:blank")
    came = slow(context, page)
    page.goto(f"{site}/mini/field")
    page.wait_for_selector(".field-list a")
    first_view = sum(came)
    print(f"first view: {first_view:.0f} bytes")
    assert 0 < first_view <= FIRST_VIEW
    page.wait_for_selector("field-app[data-synced]")
    page.goto(f"{site}/mini/field#case={dispatched}")
    page.locator('[data-of="finish"] summary').click()
    form = page.locator('form[data-verb="finish"]')
    form.locator("[name=note]").fill("1")
    form.locator("input[capture]").set_input_files(
        {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture("navy")}
    )
    expect(form.locator("figure img")).to_have_count(1)
    form.locator(":scope > button").click()
    until(lambda: desks["leader"].events(dispatched)[-1]["verb"] == "finish", seconds=90)
    assert len(desks["leader"].events(dispatched)[-1]["payload"]["photos"]) == 1
    expect(page.locator("field-app > .said")).to_contain_text("处置完成：已送达", timeout=30_000)
    context.close()
