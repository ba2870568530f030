"""Many hands on one database, in processes of their own: nothing is lost, nothing is done twice, a kill leaves cases whole."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.own_sites import KINDS, Site, site_on

HANDS = Path(__file__).with_name("concurrent_writers.py")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=KINDS)
def shared_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, HANDS) as made:
        yield made


def writers(site: Site) -> int:
    return 32 if "postgresql" in site.environment["YIWANG_DATABASE_URL"] else 6


def test_no_update_is_lost_under_many_writers_of_one_case(shared_site: Site) -> None:
    before = shared_site.run("verify")["seqs"][shared_site.case]
    count = writers(shared_site)
    shared_site.all([("note", shared_site.case, "4")] * count)
    after = shared_site.run("verify")
    assert after["seqs"][shared_site.case] == before + 4 * count
    assert after["faults"] == []
    assert after["untold"] == []


def test_of_those_who_saw_the_same_state_one_wins(shared_site: Site) -> None:
    before = shared_site.run("verify")["seqs"][shared_site.case]
    won = [answer["won"] for answer in shared_site.all([("race", shared_site.case, str(before))] * 8)]
    assert sorted(won) == [False] * 7 + [True]
    assert shared_site.run("verify")["seqs"][shared_site.case] == before + 1


def test_the_same_key_at_once_is_one_report(shared_site: Site) -> None:
    answers = shared_site.all([("same", "once", "同一件事")] * 8)
    assert len({answer["case"] for answer in answers}) == 1
    assert shared_site.run("verify")["cases"] == 2
    assert "refused" in shared_site.run("same", "once", "另一件事")


def test_a_process_killed_at_any_point_leaves_every_case_whole(shared_site: Site) -> None:
    rng = random.Random(20261123)
    for round_ in range(8):
        process = shared_site.start("mill", str(round_))
        assert process.stdout is not None
        process.stdout.readline()  # it works now
        time.sleep(rng.uniform(0.0, 0.25))
        process.kill()
        process.wait()
        process.stdout.close()
    found = shared_site.run("verify")
    assert found["cases"] > 8
    assert found["faults"] == []
    assert found["untold"] == []
    assert found["without_report"] == 0
    assert found["reports"] == found["cases"] == found["counted"]
