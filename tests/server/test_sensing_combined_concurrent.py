"""Alarms of many streams written in several processes at once: nobody waits for ever, and each combination says what holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.own_sites import KINDS, Site, site_on

SCRIPT = Path(__file__).with_name("concurrent_combinations.py")


@pytest.fixture(params=KINDS)
def combining_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, SCRIPT) as made:
        yield made


def test_writers_of_members_in_several_processes_and_the_clock(combining_site: Site) -> None:
    combining_site.all([("write", str(number)) for number in range(4)] + [("tick",), ("tick",)])
    found = combining_site.run("verify")
    assert found["faults"] == []
    assert found["turns"]["raised"] > 10
    assert found["rows"] == 5, "one for each of the four roads, and one for the city"
