"""Somebody from outside, in the cities of the tests."""

from __future__ import annotations

from yiwang.core.cases.events import Actor

CITIZEN = Actor(id="citizen", name="", roles=frozenset({"citizen"}))
