"""Notices made and sent by several workers at once, and by workers that are killed, on both databases."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.server.notice_gate import SECRET, listening
from tests.server.own_sites import KINDS, Site, site_on

from yiwang.server.notices.gateway import serve

SCRIPT = Path(__file__).with_name("notice_processes.py")
CASES, PEOPLE = 24, 60


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, SCRIPT) as made:
        yield made


@pytest.mark.slow
def test_two_workers_at_once_and_killed_ones_tell_everybody(site: Site) -> None:
    site.all([("note", str(time.time() + 2))] * 2)
    found = site.run("look")
    assert (found["waiting"], found["most"]) == (0, 1)
    assert found["arrived"] == CASES

    took: list[tuple[str, str, int]] = []

    def take(message: Mapping[str, Any]) -> str:
        took.append((message["to"], message["id"], message["count"]))
        time.sleep(0.01)  # so that one is killed with some in hand
        return "accepted"

    rng = random.Random(20261129)
    with listening(serve(secret=SECRET, took=take)) as url:
        site.environment |= {"NOTICES_TEST_GATEWAY": url, "NOTICES_TEST_SECRET": SECRET}
        killed = site.start("send", "0", "2")
        assert killed.stdout is not None
        killed.stdout.readline()
        time.sleep(rng.uniform(0.05, 0.3))
        killed.kill()
        killed.communicate()
        # what it had in hand is due again when its lease is over
        site.all([("send", str(time.time() + 2), "15")] * 2)
    ids = {(to, id) for to, id, _ in took}
    assert len(ids) == PEOPLE, "one message for everybody, under one id however often it was tried"
    assert {count for _, _, count in took} == {CASES}
    twice = [id for id, times in Counter(id for _, id, _ in took).items() if times > 1]
    assert len(twice) <= 40, "only what the killed one had in hand"
    found = site.run("look")
    assert found["told"] == PEOPLE
