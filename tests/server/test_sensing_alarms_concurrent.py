"""Readings and alarms in several processes at once, some of them killed: every alarm once, one case for one cause."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.own_sites import KINDS, Site, site_on

SCRIPT = Path(__file__).with_name("concurrent_sensing.py")
STREAMS = [f"underpass-{number}" for number in range(4)]


@pytest.fixture(params=KINDS)
def sensing_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, SCRIPT) as made:
        yield made


def test_two_writers_of_one_stream_raise_each_alarm_once(sensing_site: Site) -> None:
    sensing_site.all([("write", STREAMS[0], "7"), ("write", STREAMS[0], "5"), ("write", STREAMS[0], "1")])
    assert sensing_site.run("found", STREAMS[0]) == sensing_site.run("expected")


def test_workers_at_once_and_killed_ones_open_one_case_for_one_cause(sensing_site: Site) -> None:
    sensing_site.all([("write", key, "10") for key in STREAMS])
    dice = random.Random(3)
    for _ in range(2):
        worker = sensing_site.start("deal")
        time.sleep(dice.random() / 2)  # somewhere between its start and its last alarm
        worker.kill()
        worker.communicate()
    sensing_site.all([("deal",)] * 3)
    found = sensing_site.run("verify")
    assert (found["cases"], found["reports"]) == (4, 4)
    assert found["outcomes"]["opened"] == 4
    assert found["notes"] == found["outcomes"]["noted"]
    assert "failed" not in found["outcomes"]


def test_messages_of_the_same_devices_in_several_processes_one_of_them_killed(sensing_site: Site) -> None:
    """Each reading is there once, each stream is made once, and nobody waits for each other for ever."""
    sensing_site.run("register")
    killed = sensing_site.start("take", "0")
    time.sleep(0.2)
    killed.kill()
    killed.communicate()
    before = sensing_site.run("taken")["rejected"]
    sensing_site.all([("take", "1"), ("take", "2")])
    found = sensing_site.run("taken")
    assert (found["observations"], found["corrected"], found["streams"], found["heard"]) == (480, 0, 24, 12)
    assert sum(found["rejected"]) == sum(before) + 2 * 12
