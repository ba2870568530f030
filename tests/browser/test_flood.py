"""Rain falls and an underpass floods: readings over MQTT open one case, two citizens join it, four levels work on it, the pump
works again, and a person closes it. The broker is killed while it rains.

``YIWANG_RECORD=folder pytest tests/browser/test_flood.py`` records it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.server.test_mqtt_killed import free_port, wait_to_hear

from .phones import until
from .sites import PASSWORD, ROOT, environment_of, running_site
from .test_portal import next_step
from .test_walk import LAT, LON, NAMES, POSTS, checked_and_closed, step_of
from .walking import Walk

pytestmark = pytest.mark.browser
DRIVER = Path(__file__).with_name("flooding.py")
DRAINAGE = {"drainage": ("department", "PS-320211", "")}
SENSORS = f"""
seed = 3202

[[group]]
id = "underpass"
name = "模拟下穿通道"
name_en = "Simulated underpass"
points = [[{LON}, {LAT}]]
streams = [
    {{ kind = "water_level", observed = "积水深度", every = 30 }},
    {{ kind = "rain", observed = "降雨强度", every = 60 }},
]
"""
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from yiwang.server.provision.operations import install_pack
from yiwang.server.people.operations import create_person
install_pack({pack!r})
for who, (role, unit, region) in {posts!r}.items():
    name = {names!r}.get(who, ("沈伟", "Shen Wei"))
    create_person(
        username=f"wuxi-{{who}}", password={password!r}, name=name[0], name_en=name[1], city="wuxi",
        roles={{role: (unit, region)}}, demo=False,
    )
from yiwang.server.mqtt.access import own_password
from django.conf import settings
settings.YIWANG_HOME.joinpath("mqtt-password").write_text(own_password())
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flood")


@pytest.fixture(scope="module")
def city(home: Path) -> Iterator[str]:
    pack = copytree(ROOT / "packs" / "wuxi", home / "given" / "wuxi")
    (pack / "simulated.toml").write_text(SENSORS, encoding="utf-8")
    prepare = PREPARE.format(pack=str(pack), posts={**POSTS, **DRAINAGE}, names=NAMES, password=PASSWORD)
    with running_site(home, prepare=prepare) as base:
        yield base


@contextmanager
def broker(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The broker that comes along, killed at the end."""
    command = [sys.executable, "-m", "yiwang.cli", "mqtt", "broker", "--bind", f"127.0.0.1:{port}"]
    started = subprocess.Popen(
        command, env=environment_of(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_to_hear(started, "istens")
        yield started
    finally:
        started.kill()
        started.communicate()


def sensors(home: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(DRIVER), *arguments]
    return subprocess.Popen(command, env=environment_of(home), stdout=subprocess.PIPE, text=True)


def alarmed(walk: Walk) -> str:
    """The number of the case that the alarms opened, from the page of alarms."""
    page = walk.staff("supervisor", "/wuxi/sensors/alarms")
    link = page.locator('main a[href*="/wuxi/cases/"]').first

    def there() -> bool:
        page.reload()
        return link.count() > 0

    until(there)
    walk.shot("alarms", page, "水位上涨，报警开了案卷", "The water rises, and the alarm has opened a case")
    numbers = set(page.locator('main a[href*="/wuxi/cases/"]').all_inner_texts())
    assert len(numbers) == 1, "one case for one cause"
    return numbers.pop()


def joined(walk: Walk, who: str, number: str) -> None:
    """A citizen meets the water and finds that it is known."""
    page = walk.stranger(who, "/wuxi/portal/report", phone=True)
    next_step(page)
    page.locator("summary", has_text="坐标").click()
    page.fill("#lon", str(LON + 0.0002))
    page.fill("#lat", str(LAT))
    page.locator(f'button[name="join"][value="{number}"]').click()
    expect(page.locator(".received strong.number")).to_have_text(number)
    walk.shot(who, page, "市民发现已有人报过，加上自己的一份", "A citizen adds a report to the case")


def story(page: Page) -> str:
    return page.locator(".story").inner_text()


def test_an_underpass_floods_and_one_case_goes_through_four_levels(
    browser: Browser, city: str, home: Path, tmp_path: Path
) -> None:
    start = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
    port = free_port()
    with Walk(browser=browser, site=city, city="wuxi", name="flood", language="zh-CN", home=tmp_path) as walk:
        url = f"mqtt://yiwang:{(home / 'mqtt-password').read_text()}@127.0.0.1:{port}"
        with broker(home, port) as first:
            rain = sensors(home, "rain", start.isoformat(), url)
            wait_to_hear(rain, "half way")
            first.kill()
            assert rain.poll() is None, "it still rains"
        with broker(home, port):
            assert rain.wait(120) == 0
            number = alarmed(walk)
            for who in ("citizen", "neighbour"):
                joined(walk, who, number)

            # up to the city, and down to the community
            walk.done("drainage", "department", number, "escalate", reason="泵坏了，要市里调泵车")
            walk.done("district-centre", "dispatcher", number, "escalate", reason="区里没有泵车")
            page = walk.at_desk("dispatcher", "dispatcher", number, "hand_down", unit="ZX-320211")
            walk.shot("city", page, "市中心调来泵车，交回区里", "The city's centre finds a pump and hands it down")
            walk.sent(page, "hand_down")
            walk.done("district-centre", "dispatcher", number, "hand_down", unit="SZ-320211")
            walk.done("district-office", "department", number, "hand_down", unit="ZF-320211001")
            walk.done("street-office", "department", number, "hand_down", unit="SQ-320211001005")
            walk.done("community", "department", number, "start")

            assert sensors(home, "pump", start.isoformat(), url).wait(120) == 0
        page = walk.staff("supervisor", f"/wuxi/cases/{number}")

        def over() -> bool:
            page.reload()
            return "解除" in story(page)

        until(over)
        assert step_of(walk, number) != "closed", "no machine closes it"
        page.evaluate("document.querySelector('city-chart').scrollIntoView({ block: 'center' })")
        walk.shot(
            "over", page, "水退了：系统写明解除，由人决定", "The water is gone: the case says so, and a person decides"
        )

        walk.done("community", "department", number, "finish", note="泵车已排干，路面已清理")
        walk.done("community", "department", number, "confirm")
        checked_and_closed(walk, number)
        page = walk.staff("supervisor", f"/wuxi/cases/{number}")
        for level in ("市", "区（县级市）", "街道（镇）", "社区（村）"):
            expect(page.locator(".picture-lanes svg")).to_contain_text(level)
        assert step_of(walk, number) == "closed"
