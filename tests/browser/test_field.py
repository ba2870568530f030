"""The field app as a crew uses it: in a cellar without network, on a phone that is switched off, next to colleagues who act first."""

from __future__ import annotations

import itertools
import math
import random
import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import expect

from .phones import fill_verb, photo, until
from .sites import AXE, PASSWORD, Desk, Phone, serious

pytestmark = pytest.mark.browser
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


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
    page.goto(f"{page.url.split('#', 1)[0]}#waiting")  # after what waits it is others' turn
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
    assert finished[0]["payload"]["note"] == "清走两车，地面冲过"
    seen = finished[0]["payload"]["evidence"]["on_site"]
    assert (seen["lon"], seen["lat"], seen["accuracy_m"]) == (120.004, 31.004, 12)
    assert len(finished[0]["payload"]["photos"]) == 1


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
            shown = page.locator("body").inner_text().replace("桥洞下有垃圾", "").replace("照片", "")
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
