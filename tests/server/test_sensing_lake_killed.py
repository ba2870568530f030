"""Movers that are killed at any point, and several at once beside writers: no observation is lost, none is seen twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.own_sites import KINDS, Site, site_on

SCRIPT = Path(__file__).with_name("moving_processes.py")


@pytest.fixture(params=KINDS)
def moving_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, SCRIPT) as made:
        yield made


def test_a_mover_that_is_killed_anywhere_loses_and_doubles_nothing(moving_site: Site) -> None:
    found = moving_site.run("kill_everywhere")
    wrong = [one for one in found["answers"] if not (one[4]["same"] and one[4]["rolled"]) or one[4]["twice"]]
    assert wrong == []
    killed = {point for point, _, _, killed, _ in found["answers"] if killed}
    assert killed == {point for point, *_ in found["answers"]}, "each of the points was reached"
    assert (found["last"]["same"], found["last"]["rolled"], found["last"]["left"], found["days"]) == (True, True, 0, 3)


def test_several_movers_beside_writers_of_late_readings(moving_site: Site) -> None:
    moving_site.all([("move",), ("write", "1"), ("move",), ("write", "2")])
    found = moving_site.run("verify", "3")
    assert (found["rolled"], found["twice"]) == (True, False)
    moving_site.all([("move",), ("move",)])
    after = moving_site.run("verify", "3")
    assert (after["rolled"], after["left"]) == (True, 0)
