"""A city's rules lie in memory outside the garbage collector's rounds, and what a newer version replaces is still freed."""

from __future__ import annotations

import gc

from yiwang.server.cities import queries


def _read_again() -> None:
    queries._installed.runtimes.clear()
    queries.runtime("mini")


def test_what_a_city_is_made_of_is_spared_by_the_collector(mini: str) -> None:
    gc.unfreeze()
    _read_again()
    assert gc.get_freeze_count() > 10_000


def test_a_replaced_version_is_freed(mini: str) -> None:
    _read_again()
    _read_again()
    before = gc.get_freeze_count()
    for _ in range(3):
        _read_again()
    assert gc.get_freeze_count() - before < before // 100
